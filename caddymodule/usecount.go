package caddymodule

import "sync"

// useCount counts the users of a resource and closes the resource when its owner
// has ended it and the last user has released it.
type useCount struct {
	mu      sync.Mutex
	users   int
	ended   bool
	close   func() error
	closing sync.WaitGroup
}

// acquire reports whether the resource may be used; if so, release must be called.
func (u *useCount) acquire() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended && u.close == nil {
		return false
	}
	u.users++
	return true
}

// release ends one use. The last release after end closes the resource in a
// goroutine, so that a response does not wait for it.
func (u *useCount) release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.users--
	if u.users > 0 || !u.ended || u.close == nil {
		return
	}
	last := u.close
	u.close = nil
	u.closing.Go(func() { _ = last() })
}

// end closes the resource if it has no users or if now is true, and otherwise
// leaves that to the last user.
func (u *useCount) end(now bool, closing func() error) error {
	u.mu.Lock()
	u.ended = true
	if u.users > 0 && !now {
		u.close = closing
		u.mu.Unlock()
		return nil
	}
	u.mu.Unlock()
	return closing()
}
