package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Frozen shows what a store does that Furnish has filled and whose engine hangs:
// a caller who goes away ends a call at once, and all calls together end within
// the bound, none of them as if it had been answered.
func Frozen(t *testing.T, store authcore.Store, bound time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- second(store.User(ctx, "u")) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("after cancel: %v", err)
	}
	bounded, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := second(store.User(bounded, "u")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("after its deadline: %v", err)
	}
	begin := time.Now()
	errs := make(chan error)
	all := Steps(store)
	for name, step := range all {
		go func() {
			err := step(t.Context())
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				errs <- fmt.Errorf("%s: %w", name, errors.Join(errors.New("not unavailable"), err))
				return
			}
			errs <- nil
		}()
	}
	for range all {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begin); took > bound {
		t.Errorf("it took %s", took)
	}
}
