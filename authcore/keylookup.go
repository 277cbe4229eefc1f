package authcore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// How keys are looked for that tokens name and this node does not know.
const (
	// lookInterval is the shortest time between two looks into the store,
	// however many keys are asked for.
	lookInterval = 500 * time.Millisecond
	// lookTimeout is when a look is given up.
	lookTimeout = 2 * time.Second
	// absentLifetime is how long a key counts as absent without another look.
	// An id is a hash of its key, so nobody can ask for it before it is made.
	absentLifetime = time.Minute
	// maxAbsent bounds how many absent keys are remembered.
	maxAbsent = 4096
	// maxWaiting bounds how many requests wait for a look. Each holds its
	// connection and its buffers, some 20 KB, and makes up its key id for nothing.
	maxWaiting = 2048
)

// errCrowded is the answer to whoever finds maxWaiting others waiting. His token
// was not judged. Those who wait bring a look about, so that a key which exists
// will be known by the time that a client asks again.
var errCrowded = fmt.Errorf("%w: too many requests wait for unknown keys", ErrUnavailable)

// keyLookup looks into the store for keys that another node may have made a
// moment ago, so that their tokens are not refused until the next maintenance.
// One look finds all keys, so that all who ask share it.
//
// Its times are those of time.Now and not of the service's clock: they go with
// timers, and must not stand still or end early when somebody sets the clock.
type keyLookup struct {
	keys *keyRing

	mu sync.Mutex
	// current is closed when the look under way ends; nil when there is none.
	current chan struct{}
	// begun and ended are how many looks there were; one at a time.
	begun, ended int
	// waiting is how many wait, whoever looks included.
	waiting int
	// next is when another look may begin, last what the last one came to.
	next time.Time
	last error
	// absent says until when a key is known to be nowhere.
	absent map[string]time.Time
}

func newKeyLookup(keys *keyRing) *keyLookup {
	return &keyLookup{keys: keys, absent: map[string]time.Time{}}
}

// look returns nil after every key that was in the store when it was called is
// in use here: the key is known now, or there is none. Its error says that the
// store could not tell, or at once that too many wait. It takes lookInterval and
// lookTimeout at most, or until ctx ends.
func (l *keyLookup) look(ctx context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.keys.knows(id), time.Now().Before(l.absent[id]):
		return nil
	case l.waiting >= maxWaiting:
		return errCrowded
	}
	l.waiting++
	defer func() { l.waiting-- }()
	for arrived := l.begun; ; {
		var err error
		switch now := time.Now(); {
		case l.keys.knows(id):
			return nil
		case l.ended > arrived: // a look began and ended since the call
			l.remember(id)
			return l.last
		case l.current != nil:
			err = l.wait(ctx, l.current, 0)
		case !now.Before(l.next):
			l.lead(ctx)
		case l.last != nil: // the store was down a moment ago
			return l.last
		default:
			err = l.wait(ctx, nil, l.next.Sub(now))
		}
		if err != nil {
			return err
		}
	}
}

// lead looks into the store, for everybody who waits: whoever asked first may
// leave meanwhile.
func (l *keyLookup) lead(ctx context.Context) {
	l.current = make(chan struct{})
	l.begun++
	l.mu.Unlock()
	err := fmt.Errorf("%w: the look was broken off", ErrUnavailable) // unless it returns
	defer func() {
		l.mu.Lock()
		close(l.current)
		l.ended = l.begun
		l.current, l.last, l.next = nil, err, time.Now().Add(lookInterval)
	}()
	err = bounded(context.WithoutCancel(ctx), lookTimeout, l.keys.reload)
}

// wait lets others in until done is closed, or for some time.
func (l *keyLookup) wait(ctx context.Context, done <-chan struct{}, delay time.Duration) error {
	l.mu.Unlock()
	defer l.mu.Lock()
	var elapsed <-chan time.Time
	if done == nil {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-done:
	case <-elapsed:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	return nil
}

// remember notes that the last look did not find a key, unless it failed. When
// there are too many, the place of another is taken, which then costs a look. It
// is any other: to search for one that has expired would cost every request of a
// flood thousands of comparisons, under the lock.
func (l *keyLookup) remember(id string) {
	if l.last != nil {
		return
	}
	for other := range l.absent {
		if len(l.absent) < maxAbsent {
			break
		}
		delete(l.absent, other)
	}
	// The text given is a part of a whole token.
	l.absent[strings.Clone(id)] = time.Now().Add(absentLifetime)
}
