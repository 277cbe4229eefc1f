package edge

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Progress is the result of taking a part of the feed.
type Progress int

// The values of Progress.
const (
	// Refused: the part is not valid or does not continue the feed. The host
	// fetches the full list.
	Refused Progress = iota
	// Partial: more parts belong to the document, which is not in force yet.
	Partial
	// InForce: the document is complete and in force.
	InForce
	// NotNewer: the feed in use is as new or newer. The rest of the document is
	// not needed.
	NotNewer
)

var (
	errNoKeys     = errors.New("the feed cannot be verified without keys")
	errIncomplete = errors.New("the feed is incomplete")
)

// Take takes the next part of a document of the feed, one line of it. It takes a
// few milliseconds.
func (e *Edge) Take(part string, now time.Time) (Progress, error) {
	if e.keys == nil {
		return Refused, errNoKeys
	}
	feed, err := e.keys.RevocationFeed(part, e.config.Issuer, now)
	if err != nil {
		return Refused, err
	}
	complete, err := e.revocations.Load(feed)
	switch {
	case errors.Is(err, gate.ErrFeedOlder):
		return NotNewer, err
	case err != nil:
		return Refused, err
	case !complete:
		return Partial, nil
	}
	e.feed, e.loaded = e.revocations.Feed()
	e.setList(nil)
	return InForce, nil
}

// Cursor returns the value of "since" for the next document, or "" if the full
// list is needed.
func (e *Edge) Cursor() string {
	state, _ := e.revocations.Feed()
	return state.Cursor
}

// takePending takes the feed of the configuration.
func (e *Edge) takePending(now time.Time) error {
	if e.pending == "" {
		return nil
	}
	progress := Refused
	for part := range strings.SplitSeq(strings.TrimSpace(e.pending), "\n") {
		var err error
		if progress, err = e.Take(part, now); progress == NotNewer && e.isCurrent(part, now) {
			break
		}
		if err != nil {
			return fmt.Errorf("revocations: %w", err)
		}
	}
	if progress == Partial {
		return fmt.Errorf("revocations: %w", errIncomplete)
	}
	e.pending = ""
	return nil
}

// isCurrent reports whether a part has the date of the feed in use, which means
// that the same document was read again.
func (e *Edge) isCurrent(part string, now time.Time) bool {
	feed, err := e.keys.RevocationFeed(part, e.config.Issuer, now)
	return err == nil && e.loaded && feed.IssuedAt().Equal(e.feed.IssuedAt)
}

// feedFile is a file with a feed that is being read.
type feedFile struct {
	file   fs.File
	lines  *bufio.Reader
	info   fs.FileInfo
	readAt time.Time
	// progress is the result of the last part.
	progress Progress
}

// pace is the time per part of a feed file while requests are served: so the edge
// spends at most about half of its time on a long feed.
const pace = 20 * time.Millisecond

// maxBurst is the number of parts that are read at once after a pause.
const maxBurst = 64

// openFeed begins to read a feed file.
func (e *Edge) openFeed(name string, info fs.FileInfo, now time.Time) error {
	file, err := e.files.Open(name)
	if err != nil {
		return err
	}
	e.closeFeed()
	e.reading = &feedFile{file: file, lines: bufio.NewReaderSize(file, gate.MaxFeedPart+1), info: info, readAt: now}
	return nil
}

func (e *Edge) closeFeed() {
	if e.reading != nil {
		_ = e.reading.file.Close() // it was only read
		e.reading = nil
	}
}

// readFeed continues with the feed file that is being read: to its end if there is
// no feed in use, because all requests are refused until then, otherwise as far as
// the time since the last call allows.
func (e *Edge) readFeed(now time.Time) error {
	if e.reading == nil {
		return nil
	}
	n := maxBurst
	if elapsed := now.Sub(e.reading.readAt); elapsed >= 0 {
		n = min(n, int(elapsed/pace))
	}
	for ; e.reading != nil && (n > 0 || !e.loaded); n-- {
		e.reading.readAt = now
		if err := e.readPart(now); err != nil {
			e.closeFeed()
			return fmt.Errorf("%s: %w", e.revocationsFile.name, err)
		}
	}
	return nil
}

// readPart takes the next line of the feed file.
func (e *Edge) readPart(now time.Time) error {
	line, err := e.reading.lines.ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return gate.ErrFeedMalformed
	}
	if part := strings.TrimSpace(string(line)); part != "" {
		progress, refusal := e.Take(part, now)
		if progress == NotNewer && e.isCurrent(part, now) {
			e.endFeed()
			return nil
		}
		if refusal != nil {
			return refusal
		}
		e.reading.progress = progress
	}
	if err == nil {
		return nil
	}
	if e.reading.progress != InForce {
		return errIncomplete
	}
	e.endFeed()
	return nil
}

// endFeed notes that the feed file was read to its end.
func (e *Edge) endFeed() {
	e.revocationsFile.note(e.reading.info)
	e.closeFeed()
}
