package adminapi

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// stallTimeout limits the time for which a client may read nothing of a backup: the store
// keeps the state of the beginning until the end.
const stallTimeout = 30 * time.Second

// backup streams a consistent copy of the store. A failure after the beginning breaks
// the connection, so that no client takes a part for the whole. The copy contains all
// realms with their signing keys, so that operators of one realm do not get it.
func (a *api) backup(w http.ResponseWriter, r *http.Request) {
	if authcore.SourceOfOperator(r.Context()) == authcore.OperatorPage {
		answerError(w, notFound("A backup contains all realms with their signing keys. Make it with caddy edgeauth backup."))
		return
	}
	found, release, err := a.source(r)
	if err != nil {
		answerError(w, err)
		return
	}
	defer release()
	if found.Backup == nil {
		answerError(w, notFound("Only the storage bolt is backed up here. Back up a database with its own tools; see docs/backup.md."))
		return
	}
	begun, ctx := false, r.Context()
	err = stream(ctx, found.Backup, func(copied *bufio.Reader) error {
		if _, err := copied.Peek(1); err != nil {
			return err
		}
		begun = true
		found.Observe(ctx, authcore.Event{Name: authcore.EventBackup})
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "no-store")
		_, err := copied.WriteTo(&steady{w, http.NewResponseController(w)})
		return err
	})
	switch {
	case err != nil && begun:
		panic(http.ErrAbortHandler)
	case err != nil:
		answerError(w, err)
	}
}

// stream calls read with what write writes. It returns when both have returned.
func stream(ctx context.Context, write func(context.Context, io.Writer) error, read func(*bufio.Reader) error) error {
	reader, writer := io.Pipe()
	var writing sync.WaitGroup
	writing.Go(func() { _ = writer.CloseWithError(write(ctx, writer)) }) // never fails
	err := read(bufio.NewReaderSize(reader, 64<<10))
	_ = reader.CloseWithError(err) // never fails
	writing.Wait()
	return err
}

// steady is a response whose client has to read steadily.
type steady struct {
	io.Writer
	control *http.ResponseController
}

// Write writes with a deadline, if the connection has one.
func (s *steady) Write(text []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(stallTimeout)) // optional
	return s.Writer.Write(text)
}
