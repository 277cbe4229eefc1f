package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// checkLockTimeout is how long Check waits for a file that is in use.
const checkLockTimeout = 200 * time.Millisecond

// Check looks at the file without changing anything, and says in what state it
// is: another process may have it open, and it may not exist yet. Its error is
// what would keep Open from succeeding. A server that starts meanwhile waits
// longer for the file than Check holds it.
func Check(path string) (says string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("bolt: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return path + " does not exist yet; it is made at the first start", nil
	}
	file, err := bbolt.Open(path, fileMode, &bbolt.Options{ReadOnly: true, Timeout: checkLockTimeout})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return path + " is in use by a running server", nil
	case err != nil:
		return "", openError(path, err)
	}
	err = file.View(func(tx *bbolt.Tx) error { return checkVersion(tx, path) })
	return path + " is whole and not in use", errors.Join(err, file.Close())
}
