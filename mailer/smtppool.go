package mailer

import (
	"sync"
	"time"
)

// pool keeps idle sessions. The slots of SMTP limit their number: a session is opened
// only if none is idle.
type pool struct {
	maxIdle   time.Duration
	now       func() time.Time
	afterFunc func(time.Duration, func()) func() bool

	mu     sync.Mutex
	idle   []*session // ordered by idleSince
	closed bool
	// stopSweep stops the timer of the next sweep; nil without one.
	stopSweep func() bool
	sweeps    sync.WaitGroup
}

func newPool(maxIdle time.Duration, now func() time.Time, afterFunc func(time.Duration, func()) func() bool) *pool {
	return &pool{maxIdle: maxIdle, now: now, afterFunc: afterFunc}
}

// take returns the most recently used session, or nil. It leaves expired sessions to
// the sweep.
func (p *pool) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 || p.now().Sub(p.idle[last].idleSince) >= p.maxIdle {
		return nil
	}
	s := p.idle[last]
	p.idle = p.idle[:last]
	return s
}

// put keeps a session, or ends it if the pool is closed.
func (p *pool) put(s *session) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		s.quit()
		return
	}
	s.idleSince = p.now()
	p.idle = append(p.idle, s)
	if p.stopSweep == nil {
		p.armSweep(p.maxIdle)
	}
	p.mu.Unlock()
}

// armSweep is called with the lock held.
func (p *pool) armSweep(after time.Duration) {
	p.sweeps.Add(1)
	p.stopSweep = p.afterFunc(after, func() {
		defer p.sweeps.Done()
		p.sweep()
	})
}

// sweep ends the sessions that were idle for too long. Servers close them, which would
// otherwise go unnoticed.
func (p *pool) sweep() {
	p.mu.Lock()
	p.stopSweep = nil
	old := 0
	for old < len(p.idle) && p.now().Sub(p.idle[old].idleSince) >= p.maxIdle {
		old++
	}
	expired := append([]*session(nil), p.idle[:old]...)
	p.idle = append([]*session(nil), p.idle[old:]...)
	if len(p.idle) > 0 && !p.closed {
		p.armSweep(p.maxIdle - p.now().Sub(p.idle[0].idleSince))
	}
	p.mu.Unlock()
	p.quitAll(expired)
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	rest := p.idle
	p.idle = nil
	if p.stopSweep != nil && p.stopSweep() {
		p.sweeps.Done()
	}
	p.stopSweep = nil
	p.mu.Unlock()
	p.quitAll(rest)
	p.sweeps.Wait()
}

func (p *pool) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// quitAll ends sessions concurrently, because each may take a second.
func (p *pool) quitAll(sessions []*session) {
	var group sync.WaitGroup
	for _, s := range sessions {
		group.Go(func() { s.quit() })
	}
	group.Wait()
}
