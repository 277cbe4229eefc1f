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

	// lockTimeout bounds the wait for another process to close the file.
	lockTimeout = 5 * time.Second
	// closeTimeout bounds the wait of Close for running transactions.
	closeTimeout = 5 * time.Second

	// walkLimit is the length in bytes up to which Open checks all pages. A walk of
	// 64 MB takes about 0.1 s.
	walkLimit = 64 << 20

	// initialMap is the least size of the memory map. It reserves addresses, not
	// memory. A map that is too small is replaced, for which the writer waits
	// until all readers have finished, and a backup reads for a long time.
	initialMap = 256 << 20
	// growth is the number of bytes by which the file grows.
	growth = 4 << 20
)

// DB is an open file with any number of realms. It is safe for concurrent use and
// must be closed. Use Open to make one.
type DB struct {
	bolt   *bbolt.DB
	handle *os.File // of bolt
	writer *writer
	broken *failure

	mu     sync.Mutex
	realms map[string]*Store

	closing  sync.Once
	closeErr error
}

// Option changes how Open opens a file.
type Option func(*bbolt.Options)

// WithLockTimeout sets how long Open waits if another process has the file open.
// The default is 5 s.
func WithLockTimeout(timeout time.Duration) Option {
	return func(options *bbolt.Options) { options.Timeout = timeout }
}

// Open opens the file. If it does not exist, Open creates it with mode 0600, and
// its folder with mode 0700. If group or others can read the file, Open changes
// the mode, because the file contains the signing keys. Open fails if another
// process has the file open, if the file is damaged or belongs to another
// program, or if a newer version wrote it. In a large file that was closed in order,
// Open checks only the pages that lead to the items; Check checks all.
func Open(path string, options ...Option) (*DB, error) { return open(path, walkLimit, options...) }

// open opens the file and checks all pages of a file up to limit. See verify.
func open(path string, limit int64, options ...Option) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, openError(path, err)
	}
	db := &DB{realms: make(map[string]*Store), broken: newFailure()}
	engine := &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true}
	for _, option := range options {
		option(engine)
	}
	size := int64(0)
	if info, err := os.Stat(path); err == nil { //nolint:gosec // the operator names the file
		size = info.Size()
	}
	if size > 0 {
		nothing := func() error { return nil }
		if err := verify(path, engine.Timeout, limit, nothing); err != nil {
			return nil, openError(path, err)
		}
	}
	if runtime.GOOS != "windows" { // where the file would get that size
		engine.InitialMmapSize = int(max(initialMap, 2*size))
	}
	if err := db.open(path, engine); err != nil {
		return nil, openError(path, err)
	}
	if err := guard("bbolt", func() error { return prepare(db.bolt, path) }); err != nil {
		return nil, errors.Join(err, db.closeFile())
	}
	db.writer = newWriter(db.bolt, db.broken)
	go db.writer.loop()
	return db, nil
}

// open opens the file with bbolt. If bbolt panics, it closes what bbolt opened.
func (db *DB) open(path string, options *bbolt.Options) error {
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		file, err := os.OpenFile(name, flag, mode) //nolint:gosec // the operator names the file
		db.handle = file
		return file, err
	}
	err := guard("bbolt", func() (err error) {
		db.bolt, err = bbolt.Open(path, fileMode, options)
		return err
	})
	switch {
	case err == nil:
		db.bolt.AllocSize = growth
	case db.handle != nil:
		_ = release(db.handle) // fails if bbolt has closed it
	}
	return err
}

// Close ends the watches and the writer, answers waiting steps with an error that
// wraps authcore.ErrUnavailable, waits for running transactions for up to 5 s, and
// closes the file. Every later call fails with ErrUnavailable. Another Close
// returns the same result.
func (db *DB) Close() error {
	db.closing.Do(func() {
		db.mu.Lock()
		for _, store := range db.realms {
			store.CloseWatches()
		}
		clear(db.realms)
		close(db.writer.quit)
		db.mu.Unlock()
		select {
		case <-db.writer.stopped:
		case <-time.After(closeTimeout):
			db.broken.set()
		}
		db.closeErr = db.closeFile()
	})
	return db.closeErr
}

// closeFile closes the file. After a panic a lock of bbolt may be held forever:
// then its goroutine and memory map are left behind, but the file is released.
func (db *DB) closeFile() error {
	closed := make(chan error, 1)
	go func() {
		if !db.broken.isSet() {
			// If this fails, the next Open derives the list.
			_ = guard("bbolt", db.saveFreelist)
		}
		closed <- guard("bbolt", db.bolt.Close)
	}()
	timeout := closeTimeout
	if db.broken.isSet() {
		timeout = 100 * time.Millisecond
	}
	select {
	case err := <-closed:
		return err
	case <-time.After(timeout):
		return errors.Join(
			errors.New("bolt: close: transactions are still running; the file was released without them"),
			release(db.handle),
		)
	}
}

// saveFreelist commits the list of free pages, so that the next Open does not have to
// read all pages to derive it.
func (db *DB) saveFreelist() error {
	db.bolt.NoFreelistSync = false
	return db.bolt.Update(func(*bbolt.Tx) error { return nil })
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, errFormat):
		return err
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf(
			"%s is open in another process; stop that process or configure another file: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return permissionError(path, err)
	case errors.Is(err, errDamaged), errors.Is(err, errPanic),
		errors.Is(err, bolterrors.ErrInvalid),
		errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf(
			"%s is damaged or not a bbolt file; restore it from a backup or configure another file: %w",
			path, err)
	default:
		return fmt.Errorf("open %s: %w", path, err)
	}
}

// prepare makes sure that the file is private, has our format, and that its entry
// in the folder is durable.
func prepare(file *bbolt.DB, path string) error {
	info, err := os.Stat(path) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&^fileMode != 0 {
		if err := os.Chmod(path, fileMode); err != nil { //nolint:gosec // as above
			return fmt.Errorf("%s contains keys and others can read it; run chmod 600: %w", path, err)
		}
	}
	if err := file.Update(markFormat); err != nil && !errors.Is(err, errUnchanged) {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

// makeFolder makes a folder and its missing parents durably.
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

// syncFolder makes the entries of a folder durable. Without it a file that was
// synced may be missing after a power failure. Windows neither needs nor supports
// it.
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
