package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
)

// Watchers notifies any number of goroutines of one process. Stores that no other
// process writes to use it for WatchRevocations. It is safe for concurrent use. Use
// NewWatchers to make one.
type Watchers struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
	closed  chan struct{}
}

// NewWatchers returns a Watchers without a watcher.
func NewWatchers() *Watchers {
	return &Watchers{waiting: make(map[chan struct{}]struct{}), closed: make(chan struct{})}
}

// Notify wakes every watcher and never blocks. Notifications that a watcher has
// not received yet are merged.
func (w *Watchers) Notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for signal := range w.waiting {
		select {
		case signal <- struct{}{}:
		default: // a notification is pending
		}
	}
}

// Watch calls notify in the caller's goroutine: once at the beginning, because
// something may have changed since the caller's last read, and after each Notify.
// It returns when ctx ends or Close is called; the error wraps
// authcore.ErrUnavailable and, in the first case, the context's error.
func (w *Watchers) Watch(ctx context.Context, notify func()) error {
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

// Close ends every present and future Watch. It must be called once at most.
func (w *Watchers) Close() { close(w.closed) }
