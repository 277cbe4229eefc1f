package caddymodule

import "sync"

// lease counts who uses something, and runs what closes it when the owner has
// ended it and nobody uses it any more.
type lease struct {
	mu    sync.Mutex
	users int
	ended bool
	close func() error
}

// take reports whether the thing may be used; then giveBack must be called.
func (l *lease) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended && l.close == nil {
		return false
	}
	l.users++
	return true
}

// giveBack ends one use. The last one after the end closes, in a goroutine of
// its own: an answer does not wait for the closing, which is bounded in time.
func (l *lease) giveBack() {
	l.mu.Lock()
	l.users--
	var last func() error
	if l.users == 0 && l.ended {
		last, l.close = l.close, nil
	}
	l.mu.Unlock()
	if last != nil {
		go func() { _ = last() }()
	}
}

// end closes now when there are no users, or when now is set; otherwise the last
// user does.
func (l *lease) end(now bool, closing func() error) error {
	l.mu.Lock()
	l.ended = true
	if l.users > 0 && !now {
		l.close = closing
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	return closing()
}
