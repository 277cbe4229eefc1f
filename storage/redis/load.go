package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Fields of a user's hash. An identity field is identityField and the digest of its
// key; session and seen fields end with the ID of the session.
const (
	userField     = "u" // authcore.User
	versionField  = "v" // replaced by every step
	emailField    = "e" // key of the verified address, if there is one
	identityField = "i" // authcore.Identity
	sessionField  = "s" // authcore.Session
	seenField     = "l" // a later LastSeen, in microseconds
)

// state is a user as it was read.
type state struct {
	id     string
	fields map[string]string // nil if there is no such user
	// texts has the fields of live items as this program writes them.
	texts   map[string]string
	account authcore.Account
	// damaged counts items that were skipped, and gone lists fields that have
	// expired. The first live item expires at next, zero for never.
	damaged int
	gone    []string
	next    time.Time
}

// decode reads the items that are live. The error is errDamagedUser if the user itself
// is damaged; then the account has the other items.
func (u *state) decode(now time.Time) error {
	u.texts = make(map[string]string, len(u.fields))
	for field, text := range u.fields {
		switch field[:min(1, len(field))] {
		case identityField:
			var identity authcore.Identity
			err := json.Unmarshal([]byte(text), &identity)
			intact := err == nil && digest(identity.Key()) == field[1:]
			if u.live(field, intact, identity.Expires, identity.Live(now)) {
				u.account.Identities = append(u.account.Identities, identity)
			}
		case sessionField:
			var session authcore.Session
			err := json.Unmarshal([]byte(text), &session)
			intact := err == nil && session.ID == field[1:]
			if u.live(field, intact, session.Expires, now.Before(session.Expires)) {
				u.seen(&session, field)
				u.account.Sessions = append(u.account.Sessions, session)
			}
		}
	}
	u.texts[userField] = u.fields[userField]
	authcore.SortAccount(&u.account)
	if err := json.Unmarshal([]byte(u.fields[userField]), &u.account.User); err != nil || u.account.User.ID != u.id {
		u.damaged++
		email := u.fields[emailField]
		u.account.User = authcore.User{ID: u.id, Email: email, EmailVerified: email != ""}
		return errDamagedUser
	}
	return nil
}

// live records what is known of a decoded item and reports whether it is returned.
func (u *state) live(field string, intact bool, expires time.Time, live bool) bool {
	switch {
	case !intact:
		u.damaged++
	case !live:
		u.gone = append(u.gone, field)
	default:
		u.next = sooner(u.next, expires)
		u.texts[field] = u.fields[field]
		return true
	}
	return false
}

// sooner returns the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// seen applies the mark of [Store.MarkSeen].
func (u *state) seen(session *authcore.Session, field string) {
	micros, err := strconv.ParseInt(u.fields[seenField+session.ID], 10, 64)
	if at := time.UnixMicro(micros).UTC(); err == nil && at.After(session.LastSeen) {
		session.LastSeen = at
		u.texts[field], _ = encode(*session)
	}
}

// refKey returns the key that leads to a user and the way to read it.
func (s *Store) refKey(ref authcore.UserRef) (key, how string) {
	switch {
	case ref.ID != "":
		return s.key("u:", ref.ID), "h"
	case ref.EmailKey != "":
		return s.key("e:", ref.EmailKey), "f"
	}
	return s.key("i:", digest(ref.Identity)), "f"
}

// digest returns a text of constant length for the key of an identity.
func digest(key authcore.IdentityKey) string {
	text := fmt.Appendf(nil, "%q %q %q %t", key.Provider, key.Issuer, key.Subject, key.Pending)
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// load reads users and values at one moment. A user that is absent has no fields.
func (s *Store) load(ctx context.Context, refs []authcore.UserRef, keys ...string) (
	users []state, values []string, now time.Time, err error,
) {
	all, how := make([]string, 0, len(refs)+len(keys)), []string{s.prefix}
	for _, ref := range refs {
		key, way := s.refKey(ref)
		all, how = append(all, key), append(how, way)
	}
	for _, key := range keys {
		all, how = append(all, key), append(how, "g")
	}
	answer, err := s.elements(ctx, 1+len(all), "read", all, how...)
	if err != nil {
		return nil, nil, now, err
	}
	millis, _ := answer[0].(int64)
	for i, ref := range refs {
		element, user := answer[i+1], state{id: ref.ID}
		if pair := list(element); how[i+1] == "f" && len(pair) == 2 {
			user.id, _ = pair[0].(string)
			element = pair[1]
		}
		user.fields = fields(element)
		users = append(users, user)
	}
	return users, texts(answer[1+len(refs):]), time.UnixMilli(millis), nil
}

// user loads the user that a reference selects, or returns ErrNotFound or
// errDamagedUser; see [state.decode]. The zero now means the time of Redis.
func (s *Store) user(ctx context.Context, ref authcore.UserRef, now time.Time) (state, error) {
	users, _, clock, err := s.load(ctx, []authcore.UserRef{ref})
	if err != nil {
		return state{}, err
	}
	if now.IsZero() {
		now = clock
	}
	user := users[0]
	if user.fields == nil {
		return state{}, authcore.ErrNotFound
	}
	if err := user.decode(now); err != nil {
		return user, err
	}
	if !user.matches(ref) {
		return state{}, authcore.ErrNotFound
	}
	return user, nil
}

// matches reports whether a decoded user has what a reference selects: an identity
// may have expired, and an index may lead astray.
func (u *state) matches(ref authcore.UserRef) bool {
	switch {
	case ref.ID != "":
		return true
	case ref.EmailKey != "":
		return u.fields[emailField] == ref.EmailKey
	}
	return u.account.Identity(ref.Identity) != nil
}

// encode fails for a time without a JSON form.
func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", unavailable(errors.New("a value has no JSON form"))
	}
	return string(text), nil
}
