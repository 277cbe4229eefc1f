package memory

import (
	"context"
	"errors"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestWatchers(t *testing.T) {
	w := newWatchers()
	w.notify() // without a watcher
	ctx, cancel := context.WithCancel(t.Context())
	const watchers = 3
	notified, ended := make([]chan struct{}, watchers), make(chan error, watchers)
	for i := range notified {
		notified[i] = make(chan struct{})
		go func() { ended <- w.watch(ctx, func() { notified[i] <- struct{}{} }) }()
		<-notified[i] // at the beginning
	}
	w.notify()
	for _, n := range notified {
		<-n
	}
	// A busy watcher blocks no caller, and many notifications become one.
	for range 100 {
		w.notify()
	}
	for _, n := range notified {
		<-n
	}
	cancel()
	for range notified {
		for waiting := true; waiting; {
			select {
			case err := <-ended:
				waiting = false
				if !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
					t.Errorf("watch() with an ended context = %v, want ErrUnavailable and context.Canceled", err)
				}
			case <-notified[0]:
			case <-notified[1]:
			case <-notified[2]:
			}
		}
	}
	if len(w.waiting) != 0 {
		t.Errorf("%d watchers are left, want none", len(w.waiting))
	}
}

func TestWatchersClose(t *testing.T) {
	w := newWatchers()
	ready, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() { ended <- w.watch(t.Context(), func() { ready <- struct{}{} }) }()
	<-ready
	w.close()
	for _, err := range []error{<-ended, w.watch(t.Context(), func() {})} {
		if !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("watch() after close() = %v, want ErrUnavailable", err)
		}
	}
}
