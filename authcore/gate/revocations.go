package gate

import (
	"sync"
	"sync/atomic"
	"time"
)

// Revocations is the copy of the revocations in force that tokens are checked
// against. It is filled entry by entry with Apply, from the issuer's feed with
// Load, or both: a token is revoked if either contains it. An entry takes 15 to
// 35 bytes if it was applied and 13 if it was loaded, whatever the length of its
// ID.
//
// Nothing in it depends on a local clock. An applied entry stays until Sweep, a
// loaded one until the issuer's feed omits it or is dated after its end.
type Revocations struct {
	users, sessions revocationSet
	roles           roleSet
	// applying orders the calls of Apply, so that log and sets agree.
	applying sync.Mutex
	log      revocationLog
	feed     atomic.Pointer[feedCopy]
	// loading guards stage and resync.
	loading sync.Mutex
	stage   *feedStage
	resync  bool
	// generation changes after entries were added. A token that was checked at
	// this generation need not be checked again.
	generation atomic.Uint64
	// refreshed is the time up to which the copy is complete, in nanoseconds
	// since 1970.
	refreshed atomic.Int64
}

// NewRevocations returns an empty copy.
func NewRevocations() *Revocations { return &Revocations{} }

// Apply adds, replaces and lifts revocations. They are in force when it returns.
// Entries of an unknown kind are ignored.
func (r *Revocations) Apply(entries ...Revocation) {
	if len(entries) == 0 {
		return
	}
	r.applying.Lock()
	for i := range entries {
		r.apply(&entries[i])
	}
	r.applying.Unlock()
	// After the entries were stored: a check that began earlier and missed one
	// belongs to the generation before.
	r.generation.Add(1)
}

// apply adds an entry. The caller holds applying.
func (r *Revocations) apply(entry *Revocation) {
	var added change
	if entry.Kind == RevokeRoles {
		roles := newRoleChange(entry)
		r.roles.put(roles)
		added = change{feedEntry: roles.feedEntry, list: rolesList}
	} else if set := r.set(entry.Kind); set != nil {
		added = change{feedEntry: feedEntry{revocationIDOf(entry.ID), seconds(entry.Until)}}
		if entry.Kind == RevokeUser {
			added.list = usersList
		}
		set.put(added.id, added.until)
	} else {
		return
	}
	if entry.Age < maxLogAge {
		r.log.add(added)
	}
}

// Sweep deletes applied entries whose tokens have expired at the time now, and
// releases the memory. What it deletes it cannot bring back, so now must not be
// ahead of the time by which tokens expire: a caller passes the earliest of its
// own clock and the clocks that it trusts. Loaded entries are not affected.
func (r *Revocations) Sweep(now time.Time) {
	r.users.sweep(now)
	r.sessions.sweep(now)
	r.roles.sweep(now)
}

// Len returns the number of revocations.
func (r *Revocations) Len() int {
	n := r.users.len() + r.sessions.len() + r.roles.len()
	if feed := r.feed.Load(); feed != nil {
		n += feed.len()
	}
	return n
}

// Generation returns a number that changes whenever entries are added, replaced
// or lifted.
func (r *Revocations) Generation() uint64 { return r.generation.Load() }

// Has reports whether an applied revocation of this Kind and ID is in force.
func (r *Revocations) Has(entry Revocation) bool {
	if entry.Kind == RevokeRoles {
		known, found := r.roles.get(revocationIDOf(entry.ID))
		return found && known == newRoleChange(&entry)
	}
	set := r.set(entry.Kind)
	return set != nil && set.has(revocationIDOf(entry.ID))
}

// Check returns ErrUserInactive if the user was disabled or deleted, ErrRevoked
// if the session was ended, otherwise nil.
func (r *Revocations) Check(c *Claims) error {
	feed := r.feed.Load()
	if feed == nil {
		feed = &feedCopy{}
	}
	if revokes(&r.users, &feed.users, c.Subject) {
		return ErrUserInactive
	}
	if revokes(&r.sessions, &feed.sessions, c.Session) {
		return ErrRevoked
	}
	return nil
}

func revokes(set *revocationSet, table *feedTable, text string) bool {
	if set.len() == 0 && table.n == 0 {
		return false
	}
	id := revocationIDOf(text)
	return set.has(id) || table.has(id)
}

func (r *Revocations) set(kind RevocationKind) *revocationSet {
	switch kind {
	case RevokeUser:
		return &r.users
	case RevokeSession:
		return &r.sessions
	case RevokeRoles:
	}
	return nil
}
