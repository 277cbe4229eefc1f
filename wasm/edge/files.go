package edge

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/wasm/config"
)

// file is a file that is read again when it changes.
type file struct {
	name string
	// taken is true once a content was valid; modified and size belong to it.
	taken    bool
	modified time.Time
	size     int64
}

// note notes which content is in use.
func (f *file) note(info fs.FileInfo) {
	f.taken, f.modified, f.size = true, info.ModTime(), info.Size()
}

// maxFile is the length of the longest file that is read as a whole, in bytes:
// keys, and lists of revocations. A feed is read part by part.
const maxFile = 32 << 20

// refresh brings keys and revocations up to date. It looks at the files once a
// second.
func (e *Edge) refresh(now time.Time) {
	if e.checked == now.Unix() {
		if e.reading != nil {
			e.report(e.readFeed(now))
		}
		return
	}
	e.checked = now.Unix()
	e.report(errors.Join(e.readKeys(), e.takePending(now), e.readRevocations(now), e.readFeed(now)))
}

// report passes an error to warn unless it was the last one.
func (e *Edge) report(err error) {
	if err == nil {
		e.warned = ""
	} else if message := err.Error(); message != e.warned {
		e.warned = message
		e.warn(message)
	}
}

func (e *Edge) readKeys() error {
	return e.read(&e.keysFile, func(name string, info fs.FileInfo) error {
		data, err := e.readFile(name, info)
		if err != nil {
			return err
		}
		keys, err := config.ParseKeys(data)
		if err != nil {
			return err
		}
		e.setKeys(keys)
		e.keysFile.note(info)
		return nil
	})
}

// readRevocations reads a list, or begins to read a feed. Either replaces the
// other.
func (e *Edge) readRevocations(now time.Time) error {
	if e.reading != nil {
		return nil
	}
	return e.read(&e.revocationsFile, func(name string, info fs.FileInfo) error {
		isList, err := e.hasList(name)
		if err != nil {
			return err
		}
		if !isList {
			return e.openFeed(name, info, now.Add(-pace))
		}
		data, err := e.readFile(name, info)
		if err != nil {
			return err
		}
		return e.takeList(data, info)
	})
}

func (e *Edge) takeList(data []byte, info fs.FileInfo) error {
	list, err := config.ParseList(data)
	if err != nil {
		return err
	}
	if e.config.RevocationsMaxAge > 0 {
		return errors.New("revocations_max_age needs the signed feed; this is a list")
	}
	if e.loaded { // newer feeds would be the only way to replace it
		e.forget(e.config)
		e.setKeys(e.keys)
	}
	e.setList(list)
	e.revocationsFile.note(info)
	return nil
}

// read calls take if a file has changed. A content that is not valid is tried again
// and the one before stays in force, because a file may be read while it is being
// written.
func (e *Edge) read(f *file, take func(name string, info fs.FileInfo) error) error {
	if f.name == "" {
		return nil
	}
	name := strings.TrimPrefix(path.Clean("/"+f.name), "/")
	info, err := fs.Stat(e.files, name)
	if err == nil {
		if f.taken && info.ModTime().Equal(f.modified) && info.Size() == f.size {
			return nil
		}
		err = take(name, info)
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok { // it repeats the name
		return fmt.Errorf("%s: cannot be read: %w", f.name, at.Err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

func (e *Edge) readFile(name string, info fs.FileInfo) ([]byte, error) {
	if info.Size() > maxFile {
		return nil, fmt.Errorf("longer than %d bytes", maxFile)
	}
	return fs.ReadFile(e.files, name)
}

// hasList reports whether a file contains a list, which is JSON, rather than a
// feed.
func (e *Edge) hasList(name string) (bool, error) {
	file, err := e.files.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var first [1]byte
	for {
		if _, err := io.ReadFull(file, first[:]); err != nil {
			return false, errors.New("neither a list of revocations nor a feed")
		}
		if !strings.ContainsRune(" \t\r\n", rune(first[0])) {
			return first[0] == '[', nil
		}
	}
}
