package authcore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Sentinel errors of [Store], tested with errors.Is. An engine wraps every other
// failure so that errors.Is(err, ErrUnavailable) holds: such an error becomes a
// 503 response, never a 401 and never "not found".
var (
	// ErrNotFound reports that the item does not exist or has expired.
	ErrNotFound = errors.New("not found")
	// ErrExists reports that a record that had to be absent is present.
	ErrExists = errors.New("exists already")
	// ErrTaken reports that a verified address or an identity belongs to
	// another user.
	ErrTaken = errors.New("belongs to another user")
	// ErrUnavailable reports that the engine could not answer.
	ErrUnavailable = errors.New("store unavailable")
	// ErrDamaged reports that an item cannot be decoded. The error also wraps
	// ErrUnavailable.
	ErrDamaged = errors.New("a stored item is damaged")
	// ErrProofFailed is returned by LoginStep.Decide to refuse a proof and keep
	// it. See [LoginStep].
	ErrProofFailed = errors.New("proof failed")
)

// Format numbers the layout of the types that a store keeps: User, Identity,
// Session, Record, Revocation and SigningKey. It is incremented when a field is
// added to one of them. A durable engine stores the highest number that wrote to
// it and refuses to open a store with a higher number than its own, so that an
// older program does not drop fields that it does not know.
const Format = 1

// Store keeps everything of one realm. The engines are in storage/ and pass the
// suite in storage/storagetest.
//
// Rules for every method:
//
//   - Methods are safe for concurrent use. Each call is one atomic step: no other
//     call sees a part of it, and a crash leaves all of it or nothing.
//   - After a nil error the step is durable; for an engine with a disk, it is on
//     disk. An error that wraps ErrUnavailable means that the step may or may not
//     have happened. All other errors mean that nothing happened.
//   - The context bounds the call. If it ends first, the error wraps both
//     ErrUnavailable and the context's error.
//   - Time is an argument. An item is live while now is before its Expires; an
//     expired item is treated as absent by every method, including Export.
//   - Values are copied in and out. Callers may change what they pass and get.
//   - Callbacks may be called more than once and must not call the store or
//     block. The error of a callback is returned unchanged. A panic in a
//     callback ends the call with an error that wraps ErrUnavailable.
//   - A stored item that cannot be decoded is skipped by methods that return
//     several items. It never makes a user impossible to disable or delete.
//   - A panic of the engine's library becomes an error that wraps ErrUnavailable.
type Store interface {
	Accounts
	Records
	Revocations
	Keys
	Counters
	Transfer

	// Sweep deletes items that expired before now by the node's clock (the
	// argument) and also by the engine's own clock, if it has one. It skips
	// damaged items and counts them.
	Sweep(ctx context.Context, now time.Time) (Swept, error)
}

// Swept reports the work of one Store.Sweep.
type Swept struct {
	// Removed counts deleted items; Damaged counts items that were skipped
	// because they cannot be decoded.
	Removed, Damaged int
}

// Accounts keeps users with their identities and sessions. A user, its identities
// and its live sessions are read and written together, as an [Account].
//
// A verified address belongs to at most one user and is found by Address.Key. An
// unverified address is an attribute: it is not unique and is never looked up. An
// identity belongs to at most one user and is found by its [IdentityKey].
type Accounts interface {
	// User returns the user that ref selects, or ErrNotFound.
	User(ctx context.Context, ref UserRef) (User, error)
	// Account returns the account that ref selects, or ErrNotFound.
	Account(ctx context.Context, ref UserRef, now time.Time) (Account, error)
	// Login performs a login as one step; see [LoginStep]. It returns the account
	// as stored.
	Login(ctx context.Context, step LoginStep) (Account, error)
	// UpdateAccount loads an account, calls change, and stores what change did
	// to it: see [Account] for what may be changed. If nothing differs, nothing
	// is written. The error is ErrNotFound if there is no such user, or ErrTaken.
	// For a user that cannot be decoded see [Account.Apply].
	UpdateAccount(ctx context.Context, userID string, now time.Time, change func(*Account) error) (Account, error)
	// DeleteUser deletes a user with all identities, sessions and records that it
	// owns, and appends the revocation to the feed. The error is ErrNotFound if
	// there is no such user.
	DeleteUser(ctx context.Context, userID string, revocation Revocation) error
	// Users lists users that match the filter, ordered by ID, starting after the
	// cursor; the empty cursor is the beginning. It returns the cursor for the
	// next call, which is empty at the end. A call examines a bounded number of
	// users, so that it may return few or none before the end.
	Users(ctx context.Context, filter UserFilter, cursor string) (users []User, next string, err error)
	// MarkSeen moves Session.LastSeen forward, never back. Unknown sessions are
	// ignored.
	MarkSeen(ctx context.Context, seen map[SessionRef]time.Time) error
}

// UserRef selects a user. Exactly one field is set.
type UserRef struct {
	// ID is User.ID.
	ID string
	// EmailKey is the Address.Key of a verified address.
	EmailKey string
	// Identity is the key of one of the user's identities.
	Identity IdentityKey
}

// UserFilter selects users. Empty fields select all.
type UserFilter struct {
	// EmailPrefix matches the beginning of the Address.Key of a verified
	// address.
	EmailPrefix string
	// Domain matches the domain of a verified address, in its ASCII form.
	Domain string
	// Role matches users that have this role.
	Role string
	// Disabled, if not nil, matches the state.
	Disabled *bool
	// CreatedFrom (inclusive) and CreatedTo (exclusive) match User.Created.
	CreatedFrom, CreatedTo time.Time
	// LastLoginFrom (inclusive) and LastLoginTo (exclusive) match
	// User.LastLogin, which is the zero time if there was no login.
	LastLoginFrom, LastLoginTo time.Time
	// Limit bounds the users of one page; zero means 100, and 1000 is the most.
	Limit int
}

// The default and the largest UserFilter.Limit.
const defaultUsers, maxUsers = 100, 1000

// PageSize returns the most users of one page.
func (f UserFilter) PageSize() int {
	return min(cmp.Or(max(0, f.Limit), defaultUsers), maxUsers)
}

// Matches reports whether the filter selects a user.
func (f UserFilter) Matches(user User) bool {
	email := ""
	if f.EmailPrefix != "" || f.Domain != "" {
		email = user.EmailKey()
	}
	within := func(at, from, to time.Time) bool {
		return !at.Before(from) && (to.IsZero() || at.Before(to))
	}
	return strings.HasPrefix(email, f.EmailPrefix) &&
		(f.Domain == "" || strings.HasSuffix(email, "@"+f.Domain)) &&
		(f.Role == "" || slices.Contains(user.Roles, f.Role)) &&
		(f.Disabled == nil || *f.Disabled == user.Disabled) &&
		within(user.Created, f.CreatedFrom, f.CreatedTo) &&
		within(user.LastLogin, f.LastLoginFrom, f.LastLoginTo)
}

// LoginStep describes a login. An engine performs it in this order, as one atomic
// and durable step:
//
//  1. Load the record Proof, if one is named. If it is absent or expired, the
//     error is ErrNotFound.
//  2. Check that none of Claims is present and live; otherwise the error is
//     ErrExists. A record that has expired counts as absent.
//  3. Load the account that each of Refs selects.
//  4. Call Decide. If its error wraps ErrProofFailed, store Proof.Data as Decide
//     left it and return the error; on any other error, store nothing and return
//     it.
//  5. Store the returned account: if its User.ID is that of a loaded account, the
//     differences, as in UpdateAccount; otherwise all of it as a new account. The
//     error is ErrTaken if the address or an identity belongs to another user;
//     then nothing is stored.
//  6. Delete the proof and, if it has an owner, all records of its kind and owner.
//     Store Claims.
//
// After any error other than the one that wraps ErrProofFailed the proof is
// usable and the claims are absent, so that the client can retry.
type LoginStep struct {
	// Now is the node's time.
	Now time.Time
	// Proof names the record that proves the login, or is zero.
	Proof RecordKey
	// Claims are records that must be absent and are stored, for values that may
	// be used once. Their keys differ.
	Claims []Record
	// Refs select the accounts that Decide receives.
	Refs []UserRef
	// Decide returns the account to store.
	Decide func(LoginFound) (Account, error)
}

// LoginFound holds what a LoginStep loaded.
type LoginFound struct {
	// Proof is the record, or nil if the step names none. Decide may change Data.
	Proof *Record
	// Accounts has one entry for each of LoginStep.Refs, in that order. An entry
	// with an empty User.ID was not found. If two refs select one user, the
	// entries are equal.
	Accounts []Account
}

// Records keeps small facts that expire or belong to an owner: links, used
// values, invitations, credentials. A record is found by its kind and key.
//
// Kind matches [a-z][a-z0-9-]{0,31}. Key has 1 to 128 bytes and Owner up to 128
// bytes of printable ASCII. Data has up to 16 KiB.
type Records interface {
	// PutRecord stores a record, or replaces the record of the same kind and
	// key. Errors are ErrExists and ErrNotFound; see PutOptions.
	PutRecord(ctx context.Context, record Record, options PutOptions) error
	// Record returns a live record, or ErrNotFound.
	Record(ctx context.Context, key RecordKey, now time.Time) (Record, error)
	// TakeRecord deletes a live record and returns it, or ErrNotFound. One of
	// several concurrent callers gets it.
	TakeRecord(ctx context.Context, key RecordKey, now time.Time) (Record, error)
	// UpdateRecord applies change to a live record, stores it and returns it, or
	// ErrNotFound. Change may change Data and Expires only.
	UpdateRecord(ctx context.Context, key RecordKey, now time.Time, change func(*Record) error) (Record, error)
	// ListRecords lists live records that match the filter, newest Created first,
	// starting after the cursor; the empty cursor is the beginning. It returns the
	// cursor for the next call, which is empty at the end. A call examines a
	// bounded number of records, so that it may return few or none before the
	// end. Within one microsecond the order is that of the engine.
	ListRecords(ctx context.Context, filter RecordFilter, now time.Time, cursor string) (records []Record, next string, err error)
	// DeleteRecord deletes a record. Deleting an absent record is not an error.
	DeleteRecord(ctx context.Context, key RecordKey) error
}

// PutOptions modify Records.PutRecord.
type PutOptions struct {
	// Now is the node's time.
	Now time.Time
	// IfAbsent fails with ErrExists if a live record of the same kind and key is
	// present.
	IfAbsent bool
	// Keep, if positive, deletes all but the newest Keep records of the record's
	// kind and owner, by Created. The record that is stored always stays.
	Keep int
	// OwnedByUser fails with ErrNotFound unless Owner is the ID of a user.
	OwnedByUser bool
}

// Revocations is the feed from which every node keeps its copy of the revocations
// in force. Accounts adds the entries.
type Revocations interface {
	// RevocationsSince returns revocations that were added after the cursor, and
	// the cursor for the next call; the empty cursor is the beginning. No entries
	// mean that there are no more for now. An entry may be returned twice but is
	// never missed. Of several entries of one Kind and ID, only the last need be
	// returned.
	RevocationsSince(ctx context.Context, cursor string) ([]Revocation, string, error)
	// WatchRevocations calls notify soon after entries may have been added, from
	// one goroutine at a time, until ctx ends. It returns the context's error or
	// the reason why the watch broke. Notify does not block. A notification may
	// be missed: callers poll as well.
	WatchRevocations(ctx context.Context, notify func()) error
}

// Keys keeps the signing keys that all nodes of a realm share.
type Keys interface {
	// UpdateKeys calls change with the stored keys and stores its result, unless
	// the keys were changed meanwhile; then it tries again. Change is called
	// outside of any transaction, because it may generate keys. If it returns its
	// argument unchanged, nothing is stored. UpdateKeys returns the stored keys.
	UpdateKeys(ctx context.Context, change func([]SigningKey) ([]SigningKey, error)) ([]SigningKey, error)
}

// Counters counts events in windows of time, for limits.
type Counters interface {
	// Count adds Counter.Add to each counter and returns the new values in the
	// same order. A window opens with the first count and ends after its length,
	// by the engine's clock if it has one: a wrong clock of a node makes no
	// window longer. A value never falls below zero. Counters survive a reload;
	// an engine that serves one process may lose them when it restarts. An engine
	// keeps a bounded number of counters for each limit.
	Count(ctx context.Context, now time.Time, counters []Counter) ([]Tally, error)
}

// Transfer moves a realm to another engine. Counters are not moved.
type Transfer interface {
	// Export returns items after the cursor, and the cursor for the next call;
	// the empty cursor is the beginning, and no items mean the end. A user comes
	// before the items that name it. Expired items and lifted revocations are
	// left out. An item may be returned twice but none is missed; what changes
	// during the export may be included or not.
	Export(ctx context.Context, cursor string, now time.Time) ([]Item, string, error)
	// Import stores the items that are absent, all or none of them, and returns
	// how many it stored. Present items stay as they are. Imported revocations
	// are appended to the feed, imported keys are merged in the order of Signs.
	// The error is ErrTaken if an address or identity belongs to another user,
	// ErrNotFound if an item names an unknown user.
	Import(ctx context.Context, items []Item) (int, error)
}

// Item is one item that Transfer moves. Exactly one field is set.
type Item struct {
	User       *User       `json:"user,omitempty"`
	Identity   *Identity   `json:"identity,omitempty"`
	Session    *Session    `json:"session,omitempty"`
	Record     *Record     `json:"record,omitempty"`
	Revocation *Revocation `json:"revocation,omitempty"`
	Key        *SigningKey `json:"key,omitempty"`
}
