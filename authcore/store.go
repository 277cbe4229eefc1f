package authcore

import (
	"context"
	"errors"
	"time"
)

// Sentinels of the store interfaces, tested with errors.Is. A back end wraps
// every other failure of its engine so that errors.Is(err, ErrUnavailable)
// holds: such an error becomes 503, never 401 and never "not found".
var (
	// ErrNotFound says that the thing does not exist, has expired or was used.
	ErrNotFound = errors.New("authcore: not found")
	// ErrTaken says that something that must be unique belongs to somebody else.
	ErrTaken = errors.New("authcore: taken")
	// ErrUserInactive says that the user is disabled or was deleted.
	ErrUserInactive = errors.New("authcore: user inactive or deleted")
	// ErrLastIdentity says that a user would be left without a way to log in.
	ErrLastIdentity = errors.New("authcore: last identity of the user")
	// ErrUnavailable says that the engine could not answer; nothing is known.
	ErrUnavailable = errors.New("authcore: store unavailable")
)

// Store is everything that one realm keeps. Back ends live below storage/ and
// all pass the suite in storage/storagetest.
//
// Rules for every method of every role:
//
//   - Calls are safe for concurrent use, and each call is one atomic step: no
//     other call sees half of it, and a crash leaves all of it or nothing.
//   - A nil error means that the step is as durable as the engine makes it; for
//     a durable engine that is on disk. An error wrapping ErrUnavailable means
//     that the step may or may not have happened.
//   - The context bounds the call. When it ends first the error wraps both
//     ErrUnavailable and the context's error.
//   - Time is passed in. A back end never asks a clock whether something has
//     expired: an item is live while now is before its Expires.
//   - Values are copied in and out: a caller may change what it got or gave.
type Store interface {
	Users
	UserAdmin
	Identities
	Succession
	Links
	Flows
	Sessions
	Revocations
	Keys
	Counters
	Transfer

	// Sweep forgets what expired before now. It is housekeeping only: an item
	// that has expired is treated as absent whether it was swept or not.
	Sweep(ctx context.Context, now time.Time) error
}

// Users keeps the people of a realm. A verified e-mail address belongs to one
// user at most and is found by Address.Key; an unverified one is a mere
// attribute, is not unique and is never looked up.
type Users interface {
	// User returns the user with this id, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)
	// UserByEmail returns the user whose verified address has this
	// Address.Key, or ErrNotFound.
	UserByEmail(ctx context.Context, key string) (User, error)
	// EnsureUser returns the user who holds the candidate's verified address,
	// or stores the candidate and reports true.
	EnsureUser(ctx context.Context, candidate User) (User, bool, error)
	// UpdateUser applies change to the stored user and returns the result.
	// Change may be called more than once and must not touch ID or Disabled;
	// its error is returned unchanged and nothing is stored. ErrNotFound when
	// there is no such user, ErrTaken when the new verified address belongs to
	// another one.
	UpdateUser(ctx context.Context, id string, change func(*User) error) (User, error)
}

// UserAdmin is what an operator does to a user.
type UserAdmin interface {
	// SetDisabled disables or enables a user. Disabling also ends all sessions,
	// each with its RevokeSession revocation, and adds a RevokeUser revocation
	// that lasts until the given time; enabling lifts that one alone, so that
	// no old token comes back. ErrNotFound when there is no such user.
	SetDisabled(ctx context.Context, id string, disabled bool, until, now time.Time) (User, error)
	// DeleteUser removes the user with all identities and sessions, each session
	// with its RevokeSession revocation, and adds a RevokeUser revocation that
	// lasts until the given time. ErrNotFound when there is no such user.
	DeleteUser(ctx context.Context, id string, until, now time.Time) error
}

// Identities keeps the accounts at social providers that belong to users. An
// identity is found by (Provider, Issuer, Subject) and by nothing else. Issuer and
// Subject are UTF-8 without NUL of up to 1024 bytes each, Provider of up to 64.
type Identities interface {
	// UserByIdentity returns the user of an identity, or ErrNotFound.
	// Identity.UserID is ignored.
	UserByIdentity(ctx context.Context, identity Identity) (User, error)
	// EnsureIdentity finds or makes the user of an identity in one step:
	//
	//  1. The identity is known: its user is returned, unchanged.
	//  2. The candidate's address is verified and belongs to a user: with join
	//     the identity is attached to that user, without it ErrTaken.
	//  3. Otherwise candidate and identity are stored and true is reported.
	//
	// Identity.UserID is ignored; the stored identity names the user found.
	EnsureIdentity(ctx context.Context, identity Identity, candidate User, join bool) (User, bool, error)
	// LinkIdentity attaches an identity to the user it names. Doing it again is
	// no error; ErrTaken when the identity belongs to another user, ErrNotFound
	// when there is no such user.
	LinkIdentity(ctx context.Context, identity Identity) error
	// UnlinkIdentity takes an identity from the user it names. ErrNotFound when
	// that user has no such identity, ErrLastIdentity when the user could not
	// log in any more: it is the only identity and there is no verified address.
	UnlinkIdentity(ctx context.Context, identity Identity) error
	// IdentitiesOf returns the identities of a user, oldest first; a user who is
	// not there has none.
	IdentitiesOf(ctx context.Context, userID string) ([]Identity, error)
}

// Succession lets identities take the place of another one: the one under which
// an earlier system, or the earlier owner of an application, knew the person.
type Succession interface {
	// ReplaceIdentity removes an identity and attaches others to its user, and
	// returns that user. ErrNotFound when nobody has the old one, ErrTaken when
	// somebody has one of the others, which are all different from each other and
	// from the old one; then nothing changes. Of any number of concurrent callers
	// with one old identity one gets its user. Identity.UserID is ignored.
	ReplaceIdentity(ctx context.Context, old Identity, others []Identity) (User, error)
}

// Links keeps the mailed links that wait to be used.
type Links interface {
	// PutLink stores a link and ends every older link of the same EmailKey.
	PutLink(ctx context.Context, link Link) error
	// TakeLink removes and returns the live link with this secret. Of any
	// number of concurrent callers one gets it, the others ErrNotFound.
	TakeLink(ctx context.Context, secret Digest, now time.Time) (Link, error)
	// TakeCode counts a guess at the code of the address's live link, then
	// compares: a match removes and returns the link, anything else is
	// ErrNotFound. After MaxGuesses wrong guesses the code is dead while the
	// link still works. The count is as durable as the link.
	TakeCode(ctx context.Context, emailKey string, code Digest, now time.Time) (Link, error)
}

// Flows keeps what was promised to a browser that went to a social provider.
type Flows interface {
	// PutFlow stores a flow.
	PutFlow(ctx context.Context, flow Flow) error
	// TakeFlow removes and returns the live flow with this state. Of any number
	// of concurrent callers one gets it, the others ErrNotFound.
	TakeFlow(ctx context.Context, state Digest, now time.Time) (Flow, error)
	// UpdateFlow applies change to the live flow with this state, which goes on
	// waiting to be taken, and returns the result; ErrNotFound when there is
	// none. Change may be called more than once and must not touch State or
	// Expires; its error is returned unchanged and nothing is stored.
	UpdateFlow(ctx context.Context, state Digest, now time.Time, change func(*Flow) error) (Flow, error)
}

// Sessions keeps who is signed in where.
type Sessions interface {
	// PutSession stores a new session. ErrUserInactive when its user does not
	// exist or is disabled.
	PutSession(ctx context.Context, session Session) error
	// SessionsOf returns the user's live sessions, newest first.
	SessionsOf(ctx context.Context, userID string, now time.Time) ([]Session, error)
	// RenewSession replaces the session's token: TokenID changes from old to
	// new, Expires is set, and a RevokeToken revocation for the old token lasts
	// until the former Expires. ErrNotFound when the session has ended or old
	// is not its current token, ErrUserInactive when its user is disabled.
	RenewSession(ctx context.Context, id, old, new string, expires, now time.Time) (Session, error)
	// EndSessions removes those live sessions of the user for which the
	// predicate holds, adds a RevokeSession revocation for each that lasts
	// until its Expires, and returns them. The predicate may be called more
	// than once for a session.
	EndSessions(ctx context.Context, userID string, which func(Session) bool, now time.Time) ([]Session, error)
	// MarkSeen moves LastSeen of sessions forward, never back. Unknown sessions
	// are ignored.
	MarkSeen(ctx context.Context, seen map[string]time.Time) error
}

// Revocations is the feed from which every node keeps its copy of what is
// revoked. Entries are made by UserAdmin and Sessions.
type Revocations interface {
	// RevocationsSince returns revocations made or changed after the cursor, in
	// that order, and the cursor to use next; the empty cursor stands for the
	// beginning. One call may return a part of them: none at all means that
	// there are no more. An entry may be returned twice but never missed. Of
	// several entries with one Kind and ID only the last need be returned.
	RevocationsSince(ctx context.Context, cursor string) ([]Revocation, string, error)
	// WatchRevocations calls notify, from one goroutine at a time, soon after
	// something may be new, until ctx ends; it returns the context's error or
	// what broke the watch. Notify does not block. A notification may be
	// missed: callers poll as well.
	WatchRevocations(ctx context.Context, notify func()) error
}

// Keys keeps the signing keys, which all nodes of a realm share.
type Keys interface {
	// UpdateKeys lets change turn the stored keys into new ones, stores the
	// result and returns it. Change may be called more than once; returning its
	// argument unchanged stores nothing; its error is returned unchanged. Nodes
	// that race on an empty store end with the same keys.
	UpdateKeys(ctx context.Context, change func([]SigningKey) ([]SigningKey, error)) ([]SigningKey, error)
}

// Counters counts events in windows, for limits.
type Counters interface {
	// Count adds one to each counter and returns the new values in the same
	// order. A counter's window opens with its first count and the counter is
	// zero again when the window has passed. Counters survive a reload; a
	// back end that serves one process may lose them at a restart.
	Count(ctx context.Context, now time.Time, counters []Counter) ([]Tally, error)
}

// Transfer moves what a realm keeps for long to another back end: users,
// identities, sessions, revocations and keys. Links and flows live for minutes
// and are left behind, and so are counters.
type Transfer interface {
	// Export returns some of the records after the cursor, and the cursor to use
	// next; the empty cursor stands for the beginning, and no records at all mean
	// the end. Every user comes before the records that name it, what has expired
	// and lifted revocations are left out. A record may be returned twice but
	// none is missed; what is stored or changed meanwhile may be in it or not.
	Export(ctx context.Context, cursor string, now time.Time) ([]Record, string, error)
	// Import stores those of the records that are not there yet, all or none of
	// them, and returns how many it stored; what is there already stays as it
	// is, so that the same records may come again. Imported revocations enter
	// the feed like those made here; imported keys take their place among the
	// stored ones in the order of Signs. A record may name a user who comes
	// before it in the same call. ErrTaken when a user's verified address or an
	// identity belongs to another user here, ErrNotFound when a record names a
	// user who is not here.
	Import(ctx context.Context, records []Record) (int, error)
}

// Record is one thing that Transfer moves: one of the fields is set.
type Record struct {
	User       *User       `json:"user,omitempty"`
	Identity   *Identity   `json:"identity,omitempty"`
	Session    *Session    `json:"session,omitempty"`
	Revocation *Revocation `json:"revocation,omitempty"`
	Key        *SigningKey `json:"key,omitempty"`
}
