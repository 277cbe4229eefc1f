package authcore

import (
	"cmp"
	"slices"
	"time"
)

// Account is a user with its identities and live sessions. A change function of
// [Accounts] may change everything but User.ID and User.Created, add and remove
// identities and sessions, and append to Revocations.
//
// An engine derives the writes by comparison with what it loaded; identities are
// compared by Key, sessions by ID. It stores UserID of new identities and sessions
// as User.ID. An identity that belongs to another user is ErrTaken, unless its
// State there is IdentityUnlinked: then it is moved.
type Account struct {
	User User
	// Identities are ordered by Created, oldest first. Expired ones are left out.
	Identities []Identity
	// Sessions are live and ordered by Created, newest first.
	Sessions []Session
	// Revocations are appended to the feed by the step. They are empty when an
	// account is loaded.
	Revocations []Revocation
}

// Clone returns a deep copy.
func (a Account) Clone() Account {
	a.User.Roles, a.User.Granted = slices.Clone(a.User.Roles), slices.Clone(a.User.Granted)
	a.User.Factors, a.User.Passkeys = slices.Clone(a.User.Factors), slices.Clone(a.User.Passkeys)
	a.Identities = slices.Clone(a.Identities)
	for i := range a.Identities {
		a.Identities[i].Roles = slices.Clone(a.Identities[i].Roles)
	}
	a.Sessions = slices.Clone(a.Sessions)
	for i := range a.Sessions {
		a.Sessions[i].AMR = slices.Clone(a.Sessions[i].AMR)
		a.Sessions[i].Superseded = slices.Clone(a.Sessions[i].Superseded)
		a.Sessions[i].Roles = slices.Clone(a.Sessions[i].Roles)
	}
	a.Revocations = slices.Clone(a.Revocations)
	return a
}

// Apply calls a change function. Engines use it in UpdateAccount. If damage is not
// nil, the stored user cannot be decoded, and User has an ID and at most an address.
// Then Apply returns damage, unless the change disables the user: that ends the
// sessions and replaces what is stored.
func (a *Account) Apply(change func(*Account) error, damage error) error {
	err := change(a)
	if damage != nil && (err != nil || !a.User.Disabled) {
		return damage
	}
	return err
}

// Items returns the user, its identities and its sessions as items of [Transfer].
func (a Account) Items() []Item {
	items := []Item{{User: &a.User}}
	for i := range a.Identities {
		items = append(items, Item{Identity: &a.Identities[i]})
	}
	for i := range a.Sessions {
		items = append(items, Item{Session: &a.Sessions[i]})
	}
	return items
}

// Start adds a session and ends the oldest logins beyond the limit. API keys do not
// count and stay.
func (a *Account) Start(session Session, limit int) {
	session.UserID = a.User.ID
	a.Sessions = append([]Session{session}, a.Sessions...)
	var logins []Session
	for _, s := range a.Sessions[1:] {
		if !s.IsKey() {
			logins = append(logins, s)
		}
	}
	if limit <= 0 || len(logins) < limit {
		return
	}
	slices.SortStableFunc(logins, func(x, y Session) int { return y.Created.Compare(x.Created) })
	surplus := logins[limit-1:]
	a.EndSessions(func(s Session) bool {
		return slices.ContainsFunc(surplus, func(other Session) bool { return other.ID == s.ID })
	})
}

// EndSessions removes the sessions for which the predicate holds, appends a
// revocation for each, and returns them.
func (a *Account) EndSessions(which func(Session) bool) []Session {
	var ended, left []Session
	for _, session := range a.Sessions {
		if !which(session) {
			left = append(left, session)
			continue
		}
		ended = append(ended, session)
		a.Revocations = append(a.Revocations, Revocation{Kind: RevokeSession, ID: session.ID, Until: session.Expires})
	}
	a.Sessions = left
	return ended
}

// Disable disables the user, ends all sessions, and revokes all tokens until the
// given time.
func (a *Account) Disable(until time.Time) {
	a.User.Disabled = true
	a.User.DeviceEpoch++
	a.EndSessions(func(Session) bool { return true })
	a.Revocations = append(a.Revocations, Revocation{Kind: RevokeUser, ID: a.User.ID, Until: until})
}

// Enable enables the user. Ended sessions stay ended.
func (a *Account) Enable() {
	if a.User.Disabled {
		a.User.Disabled = false
		a.Revocations = append(a.Revocations, Revocation{Kind: RevokeUser, ID: a.User.ID})
	}
}

// Identity returns the identity with this key, or nil.
func (a *Account) Identity(key IdentityKey) *Identity {
	i := slices.IndexFunc(a.Identities, func(i Identity) bool { return i.Key() == key })
	if i < 0 {
		return nil
	}
	return &a.Identities[i]
}

// Retire retires the pending identity with this key, and reports whether there was
// one. A login of an imported account retires its former subject: the next account
// that has it at the provider may belong to another person.
func (a *Account) Retire(key IdentityKey) bool {
	identity := a.Identity(key)
	if identity == nil || identity.State != IdentityPending {
		return false
	}
	identity.State, identity.Expires = IdentityRetired, time.Time{}
	return true
}

// SortAccount puts identities and sessions of an account into the documented
// order. Engines call it after they have loaded one.
func SortAccount(a *Account) {
	slices.SortStableFunc(a.Identities, func(x, y Identity) int {
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Subject, y.Subject))
	})
	slices.SortStableFunc(a.Sessions, func(x, y Session) int {
		return cmp.Or(y.Created.Compare(x.Created), cmp.Compare(x.ID, y.ID))
	})
}
