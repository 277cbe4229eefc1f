package kv

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// loaded is an account as it was read. The original is kept, because callbacks
// change the account.
type loaded struct {
	authcore.Account
	created time.Time
	email   string // User.EmailKey
	// stored has the entries of the user, the identities and the sessions, by key.
	stored map[string]storedItem
}

type storedItem struct {
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

// account loads an account. It skips identities and sessions that are damaged.
func (t *tx) account(id string, now time.Time) (*loaded, error) {
	prefix := accountPrefix(id)
	var l *loaded
	if strings.ContainsRune(id, separator) {
		return nil, authcore.ErrNotFound
	}
	for key, text := range t.prefix(prefix) {
		if l == nil {
			if len(key) > len(prefix) {
				break // sessions that were left over when their user was deleted
			}
			user, err := decode[authcore.User](text)
			if err != nil {
				return nil, err
			}
			l = &loaded{created: user.Created, email: user.EmailKey(), stored: map[string]storedItem{}}
			l.User = user
			l.stored[string(key)] = storedItem{text: text}
			continue
		}
		l.add(key, key[len(prefix)], text, now)
	}
	if l == nil {
		return nil, authcore.ErrNotFound
	}
	authcore.SortAccount(&l.Account)
	return l, nil
}

// add adds an identity or a session, unless it is damaged or has expired.
func (l *loaded) add(key []byte, part byte, text []byte, now time.Time) {
	switch part {
	case identityPart:
		identity, err := decode[authcore.Identity](text)
		if err == nil && identity.Live(now) {
			l.Identities = append(l.Identities, identity)
			l.stored[string(key)] = storedItem{text: text, expires: identity.Expires}
		}
	case sessionPart:
		session, err := decode[authcore.Session](text)
		if err == nil && now.Before(session.Expires) {
			l.Sessions = append(l.Sessions, session)
			l.stored[string(key)] = storedItem{text: text, expires: session.Expires}
		}
	}
}

// store stores what differs between an account and what was loaded of it, which
// is nil for a new account, and leaves the account as it would be loaded. It writes
// nothing if the error is authcore.ErrTaken.
func (t *tx) store(former *loaded, a *authcore.Account, now time.Time) error {
	if a.User.ID == "" || strings.ContainsRune(a.User.ID, separator) {
		return unavailable(errors.New("an account has no valid user ID"))
	}
	if former == nil {
		if t.Get(accountPrefix(a.User.ID)) != nil {
			return authcore.ErrTaken
		}
		former = &loaded{}
	}
	difference, err := former.compare(a)
	if err != nil {
		return err
	}
	if err := t.settleEmail(former, a); err != nil {
		return err
	}
	moved, err := t.settleIdentities(difference.attached, a.User.ID, now)
	if err != nil {
		return err
	}
	if err := errors.Join(t.deleteAll(moved), t.storeEmail(former, a), t.apply(difference, a.User.ID)); err != nil {
		return err
	}
	for _, revocation := range a.Revocations {
		if err := t.revoke(revocation); err != nil {
			return err
		}
	}
	a.Identities = slices.DeleteFunc(a.Identities, func(i authcore.Identity) bool { return !i.Live(now) })
	a.Sessions = slices.DeleteFunc(a.Sessions, func(s authcore.Session) bool { return !now.Before(s.Expires) })
	authcore.SortAccount(a)
	return nil
}

// difference is what has to be written to store an account.
type difference struct {
	puts []accountPut
	// attached and detached are encoded keys of identities.
	attached, detached []string
	// gone are keys of deleted entries.
	gone [][]byte
}

type accountPut struct {
	key, text []byte
	// expires is when the item has to be looked at by Sweep, or zero if an
	// earlier entry of the expiry table does that.
	expires time.Time
	class   class
	item    []byte
}

// compare sets the user ID of identities and sessions and encodes what changed.
func (l *loaded) compare(a *authcore.Account) (difference, error) {
	var d difference
	kept := make(map[string]bool, len(l.stored))
	if err := l.put(&d, kept, accountPrefix(a.User.ID), a.User, time.Time{}, 0, nil); err != nil {
		return d, err
	}
	for i := range a.Identities {
		identity := &a.Identities[i]
		identity.UserID = a.User.ID
		text, valid := identityText(identity.Key())
		if !valid {
			return d, unavailable(errors.New("the key of an identity contains NUL"))
		}
		key := identityKey(a.User.ID, text)
		if _, known := l.stored[string(key)]; !known {
			d.attached = append(d.attached, text)
		}
		item := join(0, a.User.ID, text)[1:]
		if err := l.put(&d, kept, key, *identity, identity.Expires, identityClass, item); err != nil {
			return d, err
		}
	}
	for i := range a.Sessions {
		session := &a.Sessions[i]
		session.UserID = a.User.ID
		if session.ID == "" || strings.ContainsRune(session.ID, separator) {
			return d, unavailable(errors.New("a session has no valid ID"))
		}
		key, item := sessionKey(a.User.ID, session.ID), join(0, a.User.ID, session.ID)[1:]
		if err := l.put(&d, kept, key, *session, session.Expires, sessionClass, item); err != nil {
			return d, err
		}
	}
	for key := range l.stored {
		if kept[key] {
			continue
		}
		d.gone = append(d.gone, []byte(key))
		if text, isIdentity := strings.CutPrefix(key, string(accountPrefix(a.User.ID))+string(identityPart)); isIdentity {
			d.detached = append(d.detached, text)
		}
	}
	return d, nil
}

// put adds an entry to the difference if it differs from the stored one.
func (l *loaded) put(
	d *difference, kept map[string]bool, key []byte, value any, expires time.Time, kind class, item []byte,
) error {
	text, err := encode(value)
	if err != nil {
		return err
	}
	kept[string(key)] = true
	former, known := l.stored[string(key)]
	if known && bytes.Equal(former.text, text) {
		return nil
	}
	if known && !former.expires.IsZero() && !expires.Before(former.expires) {
		expires = time.Time{}
	}
	d.puts = append(d.puts, accountPut{key: key, text: text, expires: expires, class: kind, item: item})
	return nil
}

// apply writes a difference.
func (t *tx) apply(d difference, userID string) error {
	for _, text := range d.detached {
		if err := t.Delete(join(identityTable, text)); err != nil {
			return err
		}
	}
	if err := t.deleteAll(d.gone); err != nil {
		return err
	}
	for _, put := range d.puts {
		if err := t.Put(put.key, put.text); err != nil {
			return err
		}
		if err := t.expire(put.expires, put.class, put.item); err != nil {
			return err
		}
	}
	for _, text := range d.attached {
		if err := t.Put(join(identityTable, text), []byte(userID)); err != nil {
			return err
		}
	}
	return nil
}

// settleEmail returns ErrTaken if the account's address belongs to another user.
func (t *tx) settleEmail(former *loaded, a *authcore.Account) error {
	key := a.User.EmailKey()
	if key == former.email {
		return nil
	}
	if holder := t.holder(key); holder != "" && holder != a.User.ID {
		return authcore.ErrTaken
	}
	return nil
}

// settleIdentities returns ErrTaken if an identity belongs to another user, and
// the keys of identities that have to be moved from there.
func (t *tx) settleIdentities(attached []string, userID string, now time.Time) (moved [][]byte, err error) {
	for _, text := range attached {
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

// storeEmail keeps the indexes of verified addresses.
func (t *tx) storeEmail(former *loaded, a *authcore.Account) error {
	key := a.User.EmailKey()
	if key == former.email {
		return nil
	}
	if err := t.deleteEmail(former.email, a.User.ID); err != nil || key == "" {
		return err
	}
	return errors.Join(
		t.Put(join(emailTable, key), []byte(a.User.ID)),
		t.Put(join(domainTable, domainOf(key), a.User.ID), nil),
	)
}

func (t *tx) deleteEmail(key, userID string) error {
	if key == "" || string(t.Get(join(emailTable, key))) != userID {
		return nil
	}
	return errors.Join(
		t.Delete(join(emailTable, key)),
		t.Delete(join(domainTable, domainOf(key), userID)),
	)
}

// domainOf returns the domain of an Address.Key.
func domainOf(emailKey string) string { return emailKey[strings.LastIndexByte(emailKey, '@')+1:] }

// expire files an item under the time at which it expires.
func (t *tx) expire(expires time.Time, kind class, item []byte) error {
	if expires.IsZero() {
		return nil
	}
	return t.Put(expiryKey(expires, kind, item), nil)
}
