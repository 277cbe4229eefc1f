package redis

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxSeen bounds the sessions that one step marks, because other calls wait for it.
const maxSeen = 200

// User returns a user. See [authcore.Accounts].
func (s *Store) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	user, err := s.user(ctx, ref, time.Time{})
	return user.account.User, err
}

// Account returns an account. See [authcore.Accounts].
func (s *Store) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	user, err := s.user(ctx, ref, now)
	return user.account, err
}

// UpdateAccount changes an account. See [authcore.Accounts].
func (s *Store) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (authcore.Account, error) {
	return retry(ctx, s, now, func(c *commit) (authcore.Account, error) {
		user, err := s.user(ctx, authcore.UserRef{ID: userID}, now)
		if err != nil {
			return authcore.Account{}, err
		}
		after := user.account.Clone()
		if err := guard(func() error { return change(&after) }); err != nil {
			return authcore.Account{}, err
		}
		return c.account(user, after, errConflict)
	})
}

// DeleteUser deletes a user and what it owns. See [authcore.Accounts]. It decodes
// nothing, so that damage does not prevent it.
func (s *Store) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) error {
	_, err := retry(ctx, s, time.Time{}, func(c *commit) (struct{}, error) {
		users, _, _, err := s.load(ctx, []authcore.UserRef{{ID: userID}})
		if err != nil {
			return struct{}{}, err
		}
		user, key := users[0], s.key("u:", userID)
		if userID == "" || user.fields == nil {
			return struct{}{}, authcore.ErrNotFound
		}
		c.unchanged(key, versionField, user.fields[versionField])
		c.write("DISOWN", s.key("o:", userID), "", "")
		c.write("UNLINK", key)
		for field := range user.fields {
			if digest, ok := strings.CutPrefix(field, identityField); ok {
				c.write("DEL", s.key("i:", digest))
			}
		}
		if email := user.fields[emailField]; email != "" {
			c.write("DEL", s.key("e:", email))
		}
		c.write("ZREM", idsKey(s, userID), userID)
		return struct{}{}, c.revoke(revocation)
	})
	return err
}

// MarkSeen marks sessions as seen. See [authcore.Accounts]. Up to maxSeen sessions
// are one step: a part of the work is useful by itself.
func (s *Store) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	for refs := range slices.Chunk(slices.Collect(maps.Keys(seen)), maxSeen) {
		var keys, arguments []string
		for _, ref := range refs {
			keys = append(keys, s.key("u:", ref.UserID))
			arguments = append(arguments, ref.ID, strconv.FormatInt(seen[ref].UnixMicro(), 10))
		}
		if _, err := s.run(ctx, "seen", keys, arguments...); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// account adds the differences between a user and an account, or a new account, and
// returns the account as it is stored. The error exists is returned if a new user
// exists already.
func (c *commit) account(before state, after authcore.Account, exists error) (authcore.Account, error) {
	after = after.Clone()
	isNew := before.fields == nil
	if isNew {
		before = state{id: after.User.ID}
	} else {
		after.User.ID, after.User.Created = before.id, before.account.User.Created
	}
	if before.id == "" {
		return after, errors.New("redis: a user needs an ID")
	}
	key := c.store.key("u:", before.id)
	if isNew {
		c.check(key, versionField, "", failure{err: exists})
	} else {
		c.unchanged(key, versionField, before.fields[versionField])
	}
	d := diff{commit: c, before: before, key: key, kept: make(map[string]bool)}
	if err := d.items(&after); err != nil {
		return after, err
	}
	if err := c.revoke(after.Revocations...); err != nil {
		return after, err
	}
	d.write(isNew)
	authcore.SortAccount(&after)
	return after, nil
}

// diff compares an account with what was read.
type diff struct {
	*commit
	before state
	key    string
	set    []string
	kept   map[string]bool
	next   time.Time
}

func (d *diff) items(after *authcore.Account) error {
	if changed, err := d.field(userField, after.User); err != nil {
		return err
	} else if changed {
		if err := d.email(after.User.EmailKey()); err != nil {
			return err
		}
	}
	for i := range after.Identities {
		identity := &after.Identities[i]
		identity.UserID = d.before.id
		name := digest(identity.Key())
		_, present := d.before.texts[identityField+name]
		changed, err := d.field(identityField+name, *identity)
		if err == nil && !present {
			err = d.claim(d.store.key("i:", name), identityField+name, d.before.id)
		}
		if err != nil {
			return err
		}
		if changed {
			d.expires(identity.Expires)
		}
	}
	for i := range after.Sessions {
		session := &after.Sessions[i]
		session.UserID = d.before.id
		changed, err := d.field(sessionField+session.ID, *session)
		if err != nil {
			return err
		}
		if changed {
			d.expires(session.Expires)
		}
	}
	return nil
}

// field sets a field whose text differs.
func (d *diff) field(name string, value any) (bool, error) {
	text, err := encode(value)
	d.kept[name] = true
	if err != nil || text == d.before.texts[name] {
		return false, err
	}
	d.set = append(d.set, name, text)
	return true, nil
}

func (d *diff) email(email string) error {
	former := d.before.fields[emailField]
	if email == former {
		return nil
	}
	if former != "" {
		d.commit.write("DEL", d.store.key("e:", former))
	}
	d.set = append(d.set, emailField, email)
	if email == "" {
		return nil
	}
	return d.claim(d.store.key("e:", email), emailField, d.before.id)
}

func (d *diff) expires(at time.Time) {
	if !at.IsZero() && (d.next.IsZero() || at.Before(d.next)) {
		d.next = at
	}
}

// write adds the writes to the user's hash and to the indexes over all users.
func (d *diff) write(isNew bool) {
	id := d.before.id
	for field := range d.before.texts {
		if d.kept[field] {
			continue
		}
		d.commit.write("HDEL", d.key, field, seenField+field[1:])
		if digest, ok := strings.CutPrefix(field, identityField); ok {
			d.commit.write("DEL", d.store.key("i:", digest))
		}
	}
	if len(d.set) == 0 && len(d.writes) == 0 {
		return
	}
	for pairs := range slices.Chunk(append(d.set, versionField, newVersion()), 1000) {
		d.commit.write("HSET", d.key, pairs...)
	}
	index, next := idsKey(d.store, id), never
	if !d.next.IsZero() {
		next = millis(d.next)
	}
	if isNew {
		d.commit.write("ZADD", index, next, id)
	} else if next != never {
		d.commit.write("ZADD", index, "LT", next, id)
	}
}
