package bolt

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

var (
	errClosed = fmt.Errorf("bolt: %w: the file was closed", authcore.ErrUnavailable)
	errBroken = fmt.Errorf("bolt: %w: the file failed during an earlier call; restart the server to open it again",
		authcore.ErrUnavailable)
	// errPanic is wrapped by the errors of guard that report a panic.
	errPanic = errors.New("the file is damaged")
)

// guard runs an operation that reads pages in this goroutine. It converts the
// panics of bbolt and the faults of a truncated file to an error that wraps
// errPanic and authcore.ErrUnavailable.
func guard(what string, run func() error) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var returned error
	if err := kv.Recover(what, func() error {
		returned = run()
		return nil
	}); err != nil {
		return fmt.Errorf("%w: %w", errPanic, err)
	}
	return returned
}

// unavailable wraps an error of bbolt or of a context.
func unavailable(err error) error {
	return fmt.Errorf("bolt: %w: %w", authcore.ErrUnavailable, err)
}

// permissionError reports who owns the file, or the first folder above it that can
// be read, and the user that this process runs as.
func permissionError(path string, err error) error {
	for denied := path; ; denied = filepath.Dir(denied) {
		info, statErr := os.Stat(denied) //nolint:gosec // the operator names the file
		if statErr != nil && denied != filepath.Dir(denied) {
			continue
		}
		if statErr != nil || ownerOf(info) == "" {
			return fmt.Errorf("open %s: %w", path, err)
		}
		return fmt.Errorf(
			"open %s: %s belongs to %s, but the server runs as %s; change the owner (chown) or the user: %w",
			path, denied, userName(ownerOf(info)), userName(fmt.Sprint(os.Geteuid())), err)
	}
}

// userName adds the name of a user to its number.
func userName(id string) string {
	if account, err := user.LookupId(id); err == nil {
		return fmt.Sprintf("user %s (%s)", account.Username, id)
	}
	return "user " + id
}

func isPanic(err error) bool { return errors.Is(err, errPanic) }

// failure records that the state of bbolt is unknown.
type failure struct {
	once     sync.Once
	happened chan struct{}
}

func newFailure() *failure { return &failure{happened: make(chan struct{})} }

func (f *failure) set() { f.once.Do(func() { close(f.happened) }) }

func (f *failure) isSet() bool { return isClosed(f.happened) }

func isClosed(signal <-chan struct{}) bool {
	select {
	case <-signal:
		return true
	default:
		return false
	}
}

// critical runs an operation of bbolt that takes or releases its locks. After a
// panic these are in an unknown state.
func (f *failure) critical(run func() error) error {
	err := guard("bbolt", run)
	if isPanic(err) {
		f.set()
	}
	return err
}
