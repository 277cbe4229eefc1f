package edge

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
)

// file is a file that is read again when it changes.
type file struct {
	name string
	// taken tells that its content was good once; modified and size are of the
	// content that was looked at last.
	taken    bool
	modified time.Time
	size     int64
}

// maxFile is the longest file that is read.
const maxFile = gate.MaxRevocationFeed

// refresh brings up to date what comes from files, once a second.
func (e *Edge) refresh(now time.Time) {
	if e.checked == now.Unix() {
		return
	}
	e.checked = now.Unix()
	err := errors.Join(
		e.read(&e.keysFile, func(data []byte) error {
			keys, err := config.ParseKeys(data)
			if err == nil {
				e.setKeys(keys)
			}
			return err
		}),
		e.verifyPending(now),
		e.read(&e.revocationsFile, func(data []byte) error { return e.setRevocations(data, now) }),
	)
	if err == nil {
		e.warned = ""
	} else if message := err.Error(); message != e.warned {
		e.warned = message
		e.warn(message)
	}
}

// read takes a file over if it has changed. One that is not good is tried again,
// and what was taken before stays in force: a file may be read while it is being
// written.
func (e *Edge) read(f *file, take func(data []byte) error) error {
	if f.name == "" {
		return nil
	}
	name := strings.TrimPrefix(path.Clean("/"+f.name), "/")
	info, err := fs.Stat(e.files, name)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w", f.name, cause(err))
	}
	if f.taken && info.ModTime().Equal(f.modified) && info.Size() == f.size {
		return nil
	}
	if info.Size() > maxFile {
		return fmt.Errorf("%s: longer than %d bytes", f.name, maxFile)
	}
	data, err := fs.ReadFile(e.files, name)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w", f.name, cause(err))
	}
	if err := take(data); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.taken, f.modified, f.size = true, info.ModTime(), info.Size()
	return nil
}

// cause leaves out the name of the file, which is said already.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// setRevocations takes over what a file says. Whoever writes a list where a feed
// was, or the other way round, means the one in the place of the other.
func (e *Edge) setRevocations(data []byte, now time.Time) error {
	revocations, err := config.ParseRevocations(data)
	if err != nil {
		return err
	}
	if revocations.Feed == "" {
		if e.config.RevocationsMaxAge > 0 {
			return errors.New("revocations_max_age needs the signed feed, and this is a list")
		}
		if e.feed != nil { // a feed in use gives way to newer ones only
			e.forget(e.config)
			e.setKeys(e.keys)
		}
		e.setList(revocations.List)
		return nil
	}
	if err := e.setFeed(revocations.Feed, now); err != nil {
		return err
	}
	e.setList(nil)
	return nil
}

// verifyPending takes over the feed of the configuration.
func (e *Edge) verifyPending(now time.Time) error {
	if e.pending == "" {
		return nil
	}
	if err := e.setFeed(e.pending, now); err != nil {
		return fmt.Errorf("revocations: %w", err)
	}
	e.pending = ""
	return nil
}
