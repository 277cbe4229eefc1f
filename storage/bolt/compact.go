package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// compactBatch is the size in bytes of a transaction of Compact.
const compactBatch = 1 << 20

// Compact writes what the file at from contains to a new file at to, without free pages.
// The file at from must be closed, and is not changed. The context is checked before the
// work begins.
func Compact(ctx context.Context, from, to string) (err error) {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("bolt: compact: %s exists already; name a new file", to)
	}
	source, err := bbolt.Open(from, fileMode, &bbolt.Options{ReadOnly: true, Timeout: checkLockTimeout})
	if err != nil {
		return openError(from, err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := bbolt.Open(to, fileMode, &bbolt.Options{NoSync: true, NoFreelistSync: false, Timeout: checkLockTimeout})
	if err != nil {
		return openError(to, err)
	}
	err = guard("bbolt", func() error { return bbolt.Compact(target, source, compactBatch) })
	if err == nil {
		err = target.Sync()
	}
	if err = errors.Join(err, target.Close()); err != nil {
		return errors.Join(fmt.Errorf("bolt: compact %s: %w", from, err), os.Remove(to))
	}
	return syncFolder(filepath.Dir(to))
}

// Rename gives a complete file its name durably. A file that has the name is replaced.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}
