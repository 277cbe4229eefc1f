package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Frozen checks a store that [Furnish] has filled and whose engine hangs: a caller
// that cancels its call gets an error immediately, and all calls end within the
// bound with ErrUnavailable.
func Frozen(t *testing.T, store authcore.Store, bound time.Duration) {
	t.Helper()
	user := byID(StepID("user"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- drop(store.User(ctx, user)) }()
	cancel()
	if err := receive(t, ended); !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("User after cancel: error %v", err)
	}
	bounded, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := drop(store.User(bounded, user))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("User after its deadline: error %v", err)
	}
	begin := time.Now()
	errs := make(chan error)
	steps := Steps(store)
	for name, step := range steps {
		go func() {
			err := step(t.Context())
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				errs <- fmt.Errorf("%s: error %w, want %w", name, err, authcore.ErrUnavailable)
				return
			}
			errs <- nil
		}()
	}
	for range steps {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begin); took > bound {
		t.Errorf("the calls took %s, want at most %s", took, bound)
	}
}
