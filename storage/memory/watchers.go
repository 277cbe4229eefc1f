package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
)

// watchers notifies any number of goroutines of one process. It is safe for concurrent
// use. Use newWatchers to make one.
type watchers struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
	closed  chan struct{}
}

// newWatchers returns watchers without a watcher.
func newWatchers() *watchers {
	return &watchers{waiting: make(map[chan struct{}]struct{}), closed: make(chan struct{})}
}

// notify wakes every watcher and never blocks. Notifications that a watcher has
// not received yet are merged.
func (w *watchers) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for signal := range w.waiting {
		select {
		case signal <- struct{}{}:
		default: // a notification is pending
		}
	}
}

// watch calls notify in the caller's goroutine: once at the beginning, because
// something may have changed since the caller's last read, and after each call of
// the method notify.
// It returns when ctx ends or close is called; the error wraps
// authcore.ErrUnavailable and, in the first case, the context's error.
func (w *watchers) watch(ctx context.Context, notify func()) error {
	signal := make(chan struct{}, 1)
	signal <- struct{}{}
	w.mu.Lock()
	w.waiting[signal] = struct{}{}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting, signal)
	}()
	for {
		if err := contextError(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-w.closed:
			return fmt.Errorf("memory: %w: watch closed", authcore.ErrUnavailable)
		case <-signal:
			notify()
		}
	}
}

// close ends every present and future watch. It must be called once at most.
func (w *watchers) close() { close(w.closed) }
