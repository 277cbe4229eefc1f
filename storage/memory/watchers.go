package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
)

// Watchers tells any number of waiting goroutines of one process that something
// happened. It is what WatchRevocations needs in a store that no other process
// writes to. It is safe for concurrent use; make it with NewWatchers.
type Watchers struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
	closed  chan struct{}
}

// NewWatchers returns a Watchers that nobody watches yet.
func NewWatchers() *Watchers {
	return &Watchers{waiting: make(map[chan struct{}]struct{}), closed: make(chan struct{})}
}

// Notify wakes every watcher and never blocks. Notifications that a watcher has
// not come to yet fall together into one.
func (w *Watchers) Notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for signal := range w.waiting {
		select {
		case signal <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// Watch calls notify in the caller's goroutine: once at the beginning, because
// something may have happened since the caller looked last, and after each
// Notify. It returns when ctx ends or Close is called; the error wraps
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
