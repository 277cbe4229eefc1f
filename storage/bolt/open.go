package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileMode   = 0o600
	folderMode = 0o700

	// lockTimeout is how long Open waits for another process to let go.
	lockTimeout = 5 * time.Second
)

// DB is an open file with any number of realms. It is safe for concurrent use
// and must be closed. Make it with Open.
type DB struct {
	bolt   *bbolt.DB
	writer *writer

	mu     sync.Mutex
	realms map[string]*Store

	closing  sync.Once
	closeErr error
}

// Option changes how Open opens a file.
type Option func(*bbolt.Options)

// WithLockTimeout sets how long Open waits while another process has the file
// open; the default is 5 s.
func WithLockTimeout(timeout time.Duration) Option {
	return func(options *bbolt.Options) { options.Timeout = timeout }
}

// Open opens the file, or creates it for its owner alone (mode 0600), with its
// folder (mode 0700) where that is missing. A file that group or others can read
// is closed to them: the signing keys are in it. Open fails when another process
// has the file open, when it is not ours, or when a newer version wrote it.
func Open(path string, options ...Option) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("bolt: %w", err)
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("bolt: make the folder of the file: %w", err)
	}
	engine := &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType}
	for _, option := range options {
		option(engine)
	}
	file, err := bbolt.Open(path, fileMode, engine)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := prepare(file, path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	db := &DB{bolt: file, writer: newWriter(file), realms: make(map[string]*Store)}
	go db.writer.loop()
	return db, nil
}

// Close ends the watches, answers what waits to be written with an error that
// wraps authcore.ErrUnavailable, waits for the commit that is under way and for
// readers, and closes the file. Every later call fails with ErrUnavailable.
// Closing again is no error.
func (db *DB) Close() error {
	db.closing.Do(func() {
		db.writer.stop()
		db.mu.Lock()
		defer db.mu.Unlock()
		for _, store := range db.realms {
			store.watchers.Close()
		}
		clear(db.realms)
		db.closeErr = db.bolt.Close()
	})
	return db.closeErr
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf(
			"bolt: %s is open in another process: stop that process, or give this one a file of its own: %w",
			path, err)
	case errors.Is(err, bolterrors.ErrInvalid),
		errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf(
			"bolt: %s is no bbolt file or is damaged: restore it from a backup, or name another file: %w",
			path, err)
	default:
		return fmt.Errorf("bolt: open %s: %w", path, err)
	}
}

// prepare makes sure that the file is private, ours and durable itself.
func prepare(file *bbolt.DB, path string) error {
	info, err := os.Stat(path) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&^fileMode != 0 {
		if err := os.Chmod(path, fileMode); err != nil { //nolint:gosec // as above
			return fmt.Errorf("bolt: others can read %s, which holds keys: %w", path, err)
		}
	}
	if err := checkFormat(file, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// makeFolder makes a folder and its missing parents, and has the entry of each
// on disk before it returns.
func makeFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil && info.IsDir() { //nolint:gosec // the operator names the file
		return nil
	}
	parent := filepath.Dir(folder)
	if parent == folder {
		return &fs.PathError{Op: "mkdir", Path: folder, Err: fs.ErrNotExist}
	}
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(folder, folderMode); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // as above
		return err
	}
	return syncFolder(parent)
}

// syncFolder has the entries of a folder on disk: without it a file that was
// synced itself may be gone after a power failure. Windows cannot do it and need
// not.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	handle, err := os.Open(folder) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
