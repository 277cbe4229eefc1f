package gate

import (
	"strconv"
	"time"
)

// feedCopy is the loaded feed. It does not change once it is in use.
type feedCopy struct {
	issued, expires, cursor int64
	users, sessions         feedTable
	roles                   roleTable
}

func (c *feedCopy) len() int { return c.users.n + c.sessions.n + c.roles.n }

// feedStage collects the parts of a document until it is complete.
type feedStage struct {
	// first is the first part, next the number of the part that is expected.
	first *RevocationFeed
	next  int64
	// full collects a full list, parts a delta.
	full  feedCopy
	parts []*RevocationFeed
}

// Load takes the next part of a document. With the last part it puts the document
// in force, immediately and as a whole, and returns true. Parts of one document
// are loaded in their order; part 1 begins a new document. It returns ErrFeedOlder
// unless the document was issued later than the one in use, so that neither a
// replayed feed nor a node that lags behind lifts a revocation, and ErrFeedGap if
// the part does not continue what was loaded. Either error changes nothing.
//
// Loading a part takes time in proportion to its size, not to that of the feed,
// and does not block Check.
func (r *Revocations) Load(feed *RevocationFeed) (complete bool, err error) {
	r.loading.Lock()
	defer r.loading.Unlock()
	current := r.feed.Load()
	if err := r.admit(current, feed); err != nil {
		return false, err
	}
	if !r.stage.add(feed) {
		r.stage = nil
		return false, ErrFeedGap
	}
	if feed.part < feed.parts {
		return false, nil
	}
	next := r.stage.finish(current)
	r.stage, r.resync = nil, false
	r.feed.Store(next)
	r.generation.Add(1) // after the store, as in Apply
	return true, nil
}

// admit checks that a part continues what was loaded.
func (r *Revocations) admit(current *feedCopy, feed *RevocationFeed) error {
	if current != nil && !current.isFromFuture(feed.read) {
		if feed.issued < current.issued-feedLeeway {
			// A clock of the issuer was set back. What happened since may be
			// dated before the cursor.
			r.resync = true
		}
		if feed.issued <= current.issued {
			return ErrFeedOlder
		}
	}
	switch {
	case feed.delta && (current == nil || feed.since > current.cursor || current.isFromFuture(feed.read)):
		return ErrFeedGap
	case feed.part == 1:
		r.stage = newFeedStage(feed)
	case r.stage == nil || !r.stage.expects(feed):
		r.stage = nil
		return ErrFeedGap
	}
	return nil
}

// isFromFuture reports whether the feed in use was issued after now, because a
// clock was ahead and has been set back. Such a feed would refuse all others until
// then.
func (c *feedCopy) isFromFuture(now int64) bool { return c.issued > now+feedLeeway }

func newFeedStage(first *RevocationFeed) *feedStage {
	s := &feedStage{first: first, next: 1}
	if !first.delta {
		n := first.Len() * int(first.parts)
		s.full = feedCopy{users: newFeedTable(n), sessions: newFeedTable(n)}
	}
	return s
}

// expects reports whether a part is the next one of the same document.
func (s *feedStage) expects(feed *RevocationFeed) bool {
	f := s.first
	return feed.part == s.next && feed.parts == f.parts && feed.issued == f.issued && feed.expires == f.expires &&
		feed.cursor == f.cursor && feed.delta == f.delta && feed.since == f.since
}

// add takes a part over. It is false if its lists do not continue those of the
// parts before.
func (s *feedStage) add(feed *RevocationFeed) bool {
	s.next++
	if feed.delta {
		s.parts = append(s.parts, feed)
		return true
	}
	return s.full.users.extend(feed.users) && s.full.sessions.extend(feed.sessions) && s.full.roles.extend(feed.roles)
}

// finish returns the copy that replaces the current one.
func (s *feedStage) finish(current *feedCopy) *feedCopy {
	f := s.first
	cutoff := f.issued - feedLeeway
	next := &s.full
	switch {
	case f.delta:
		next = &feedCopy{users: current.users, sessions: current.sessions, roles: current.roles}
		for _, part := range s.parts {
			next.users = next.users.with(part.users, cutoff)
			next.sessions = next.sessions.with(part.sessions, cutoff)
			next.roles = next.roles.with(part.roles, cutoff)
		}
	case current != nil && current.isFromFuture(f.read):
		// The order of the two is unknown, so the newer may be the one in use.
		next.users.addAll(&current.users, cutoff)
		next.sessions.addAll(&current.sessions, cutoff)
		next.roles.addAll(&current.roles, cutoff)
	}
	next.issued, next.expires, next.cursor = f.issued, f.expires, f.cursor
	return next
}

// FeedState describes the loaded feed.
type FeedState struct {
	// IssuedAt is the time up to which the issuer knew what is revoked. ExpiresAt
	// is the time from which on the feed must not be used.
	IssuedAt, ExpiresAt time.Time
	// Cursor is the value of "since" that gets a delta from the issuer. It is
	// empty if the full list is needed.
	Cursor string
}

// Feed describes the loaded feed. It is false if none was loaded.
func (r *Revocations) Feed() (state FeedState, loaded bool) {
	r.loading.Lock()
	defer r.loading.Unlock()
	feed := r.feed.Load()
	if feed == nil {
		return FeedState{}, false
	}
	state = FeedState{IssuedAt: time.Unix(feed.issued, 0), ExpiresAt: time.Unix(feed.expires, 0)}
	if !r.resync {
		state.Cursor = strconv.FormatInt(feed.cursor, 10)
	}
	return state, true
}

// IsStale reports whether a feed must not be used at the time now: because it has
// expired, is older than most, or is dated in the future, which means that a clock
// was ahead and has been set back. A most of zero leaves only the expiry.
func (s *FeedState) IsStale(now time.Time, most time.Duration) bool {
	age := now.Sub(s.IssuedAt)
	return !now.Before(s.ExpiresAt) || age < -DefaultLeeway || most > 0 && age > most
}
