package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// checkLockTimeout bounds the wait of Check for a file that is in use.
const checkLockTimeout = 200 * time.Millisecond

// Check reads all pages of the file and describes its state in a sentence. It
// changes nothing: another process may have the file open, and the file may not
// exist yet. The error is the one that Open would return. The context bounds the
// call. A server that starts meanwhile waits for the end of the check.
func Check(ctx context.Context, path string) (state string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + " does not exist yet; the first start creates it", nil
	case err != nil:
		return "", openError(path, err)
	case info.Size() == 0:
		return path + " is empty; the first start fills it", nil
	}
	err = verify(path, checkLockTimeout, wholeFile, ctx.Err)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return path + " is in use by a running server and was not read", nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "", fmt.Errorf("check %s: %w", path, err)
	case err != nil:
		return "", openError(path, err)
	}
	return fmt.Sprintf("%s is intact (%d bytes) and not in use", path, info.Size()), nil
}

// Backup writes a consistent copy of the file, as it is at the beginning of the
// call, and returns its length. Other calls proceed meanwhile, but the file may
// grow, because pages that the copy needs are not reused. The copy contains the
// signing keys: keep it as private as the file.
func (db *DB) Backup(ctx context.Context, w io.Writer) (n int64, err error) {
	var written int64
	err = db.view(ctx, func(tx *bbolt.Tx) (err error) {
		written, err = tx.WriteTo(&backupWriter{ctx: ctx, writer: w})
		return err
	})
	if err != nil {
		return 0, unavailable(fmt.Errorf("backup: %w", err))
	}
	return written, nil
}

// backupWriter fails when the context has ended.
type backupWriter struct {
	ctx    context.Context //nolint:containedctx // of one call
	writer io.Writer
}

// Write implements io.Writer.
func (b *backupWriter) Write(text []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.writer.Write(text)
}
