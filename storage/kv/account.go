package kv

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// loaded is an account as it was read. Callbacks get a copy that shares the lists of
// the account; User and entries keep what was stored.
type loaded struct {
	authcore.Account
	entries map[string]accountEntry
	damage  error // of the user
}

// accountEntry is the encoded form of a user, an identity or a session.
type accountEntry struct {
	text    []byte
	expires time.Time
}

// find returns the ID of the user that ref selects. An identity that has expired
// is not found, unless now is zero.
func (t *tx) find(ref authcore.UserRef, now time.Time) (string, error) {
	switch {
	case ref.ID != "":
		return ref.ID, nil
	case ref.EmailKey != "":
		if id := t.holder(ref.EmailKey); id != "" {
			return id, nil
		}
	case ref.Identity != authcore.IdentityKey{}:
		text, valid := identityText(ref.Identity)
		if !valid {
			break
		}
		identity, err := t.identity(text)
		if err == nil && identity.Live(now) {
			return identity.UserID, nil
		}
		if err != nil && !errors.Is(err, authcore.ErrNotFound) {
			return "", err
		}
	}
	return "", authcore.ErrNotFound
}

// holder returns the ID of the user with a verified address, or "". An index
// entry without a user remains when a damaged user was deleted.
func (t *tx) holder(emailKey string) string {
	if emailKey == "" {
		return ""
	}
	id := t.Get(join(emailTable, emailKey))
	if id == nil || t.Get(accountPrefix(string(id))) == nil {
		return ""
	}
	return string(id)
}

// identity returns the identity with an encoded key.
func (t *tx) identity(text string) (authcore.Identity, error) {
	owner := t.Get(join(identityTable, text))
	if owner == nil {
		return authcore.Identity{}, authcore.ErrNotFound
	}
	return load[authcore.Identity](t, identityKey(string(owner), text))
}

func identityKey(userID, text string) []byte {
	return join(accountTable, userID, string(identityPart)+text)
}

// account loads an account. It skips identities and sessions that are damaged. If the
// user is damaged, it returns the rest with the error.
func (t *tx) account(id string, now time.Time) (*loaded, error) {
	prefix := accountPrefix(id)
	var l *loaded
	for key, text := range t.prefix(prefix) {
		if l != nil {
			l.add(string(key), key[len(prefix)], text, now)
			continue
		}
		if len(key) > len(prefix) {
			break // sessions that were left over when their user was deleted
		}
		user, err := decode[authcore.User](text)
		user.ID = id
		l = &loaded{Account: authcore.Account{User: user}, damage: err}
		l.entries = map[string]accountEntry{string(key): {text: text}}
	}
	if l == nil {
		return nil, authcore.ErrNotFound
	}
	authcore.SortAccount(&l.Account)
	return l, l.damage
}

// add adds an identity or a session, unless it is damaged or has expired.
func (l *loaded) add(key string, part byte, text []byte, now time.Time) {
	switch part {
	case identityPart:
		if identity, err := decode[authcore.Identity](text); err == nil && identity.Live(now) {
			l.Identities = append(l.Identities, identity)
			l.entries[key] = accountEntry{text: text, expires: identity.Expires}
		}
	case sessionPart:
		if session, err := decode[authcore.Session](text); err == nil && now.Before(session.Expires) {
			l.Sessions = append(l.Sessions, session)
			l.entries[key] = accountEntry{text: text, expires: session.Expires}
		}
	}
}

// encodeAccount sets the user ID of identities and sessions and returns the entries
// of the account.
func (t *tx) encodeAccount(a *authcore.Account) (map[string]accountEntry, error) {
	id := a.User.ID
	valid := id != "" && !strings.ContainsRune(id, separator)
	entries := make(map[string]accountEntry, 1+len(a.Identities)+len(a.Sessions))
	add := func(key []byte, value any, expires time.Time) {
		entries[string(key)] = accountEntry{text: t.encode(value), expires: expires}
	}
	add(accountPrefix(id), a.User, time.Time{})
	for i := range a.Identities {
		identity := &a.Identities[i]
		identity.UserID = id
		text, isKey := identityText(identity.Key())
		valid = valid && isKey
		add(identityKey(id, text), *identity, identity.Expires)
	}
	for i := range a.Sessions {
		session := &a.Sessions[i]
		session.UserID = id
		valid = valid && session.ID != "" && !strings.ContainsRune(session.ID, separator)
		add(sessionKey(id, session.ID), *session, session.Expires)
	}
	if !valid {
		return nil, unavailable(errors.New("an account has an ID or key that is empty or contains NUL"))
	}
	return entries, nil
}

// store stores what differs between an account and what was loaded of it, which
// is nil for a new account, and leaves the account as it would be loaded. It writes
// nothing if the error is authcore.ErrTaken.
func (t *tx) store(former *loaded, a *authcore.Account, now time.Time) error {
	entries, err := t.encodeAccount(a)
	if err != nil {
		return err
	}
	if former == nil {
		if t.Get(accountPrefix(a.User.ID)) != nil {
			return authcore.ErrTaken
		}
		former = &loaded{}
	}
	email := a.User.EmailKey()
	formerEmail := former.User.EmailKey()
	if holder := t.holder(email); email != formerEmail && holder != "" && holder != a.User.ID {
		return authcore.ErrTaken
	}
	moved, err := t.settleIdentities(former, entries, a.User.ID, now)
	if err != nil {
		return err
	}
	t.delete(moved...)
	if email != formerEmail {
		t.deleteEmail(formerEmail, a.User.ID)
		if email != "" {
			t.put(join(emailTable, email), []byte(a.User.ID))
			t.put(domainKey(email, a.User.ID), nil)
		}
	}
	t.storeEntries(former.entries, entries, a.User.ID)
	t.revoke(a.Revocations...)
	a.Identities = slices.DeleteFunc(a.Identities, func(i authcore.Identity) bool { return !i.Live(now) })
	a.Sessions = slices.DeleteFunc(a.Sessions, func(s authcore.Session) bool { return !now.Before(s.Expires) })
	authcore.SortAccount(a)
	return nil
}

// settleIdentities returns ErrTaken if a new identity of the account belongs to
// another user, and the keys of identities that have to be moved from there.
func (t *tx) settleIdentities(
	former *loaded, entries map[string]accountEntry, userID string, now time.Time,
) (moved [][]byte, err error) {
	for key := range entries {
		text, isIdentity := strings.CutPrefix(key, string(identityKey(userID, "")))
		if _, known := former.entries[key]; known || !isIdentity {
			continue
		}
		owner := t.Get(join(identityTable, text))
		if owner == nil || string(owner) == userID { // in the latter case it has expired or is damaged
			continue
		}
		identity, err := t.identity(text)
		switch {
		case errors.Is(err, authcore.ErrNotFound):
		case err != nil:
			return nil, err
		case identity.State == authcore.IdentityUnlinked, !identity.Live(now):
			moved = append(moved, identityKey(identity.UserID, text))
		default:
			return nil, authcore.ErrTaken
		}
	}
	return moved, nil
}

// storeEntries writes the difference between the entries of an account, and the
// index of identities. For the order of keys see revoke.
func (t *tx) storeEntries(former, entries map[string]accountEntry, userID string) {
	identities := string(identityKey(userID, ""))
	for _, key := range slices.Sorted(maps.Keys(former)) {
		if _, kept := entries[key]; kept {
			continue
		}
		if text, isIdentity := strings.CutPrefix(key, identities); isIdentity {
			t.delete(join(identityTable, text))
		}
		t.delete([]byte(key))
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		entry := entries[key]
		stored, known := former[key]
		if known && bytes.Equal(stored.text, entry.text) {
			continue
		}
		if text, isIdentity := strings.CutPrefix(key, identities); isIdentity && !known {
			t.put(join(identityTable, text), []byte(userID))
		}
		t.putExpiring([]byte(key), entry.text, entry.expires, stored.expires)
	}
}

// deleteEmail deletes a verified address from the indexes of addresses and domains.
func (t *tx) deleteEmail(email, userID string) {
	if email != "" && string(t.Get(join(emailTable, email))) == userID {
		t.delete(join(emailTable, email), domainKey(email, userID))
	}
}
