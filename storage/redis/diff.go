package redis

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// diff collects what differs between an account and what was read. The first error
// is kept.
type diff struct {
	*commit
	before state
	// set has fields and their texts, kept the fields of items that remain.
	set  []string
	kept map[string]bool
	// next is the time at which the first new item expires.
	next time.Time
	err  error
}

// account adds the differences between a user and an account, or a new account, and
// returns the account as it is stored. The error exists is returned if a new user
// exists already.
func (c *commit) account(before state, after authcore.Account, exists error) (authcore.Account, error) {
	after = after.Clone()
	isNew := before.fields == nil
	if isNew {
		before.id = after.User.ID
	} else {
		after.User.ID, after.User.Created = before.id, before.account.User.Created
	}
	if before.id == "" {
		return after, errors.New("redis: user: the ID is empty; set one")
	}
	if isNew {
		c.check(c.store.key("u:", before.id), versionField, "", failure{err: exists})
	} else {
		c.unchanged(c.store.key("u:", before.id), versionField, before.fields[versionField])
	}
	d := diff{commit: c, before: before, kept: make(map[string]bool)}
	if d.put(userField, after.User) {
		d.email(after.User.EmailKey())
	}
	for i := range after.Identities {
		identity := &after.Identities[i]
		identity.UserID = before.id
		name := digest(identity.Key())
		if d.put(identityField+name, *identity) {
			d.next = sooner(d.next, identity.Expires)
		}
		if _, present := before.texts[identityField+name]; !present {
			d.note(c.claim(c.store.key("i:", name), identityField+name, before.id))
		}
	}
	for i := range after.Sessions {
		session := &after.Sessions[i]
		session.UserID = before.id
		_, present := before.texts[sessionField+session.ID]
		if d.put(sessionField+session.ID, *session) && !present { // Expires never moves back
			d.next = sooner(d.next, session.Expires)
		}
	}
	d.note(c.revoke(after.Revocations...))
	d.finish(isNew)
	authcore.SortAccount(&after)
	return after, d.err
}

func (d *diff) note(err error) {
	if d.err == nil {
		d.err = err
	}
}

// put sets the field of an item and reports whether its text differs.
func (d *diff) put(field string, item any) bool {
	text, err := encode(item)
	d.note(err)
	d.kept[field] = true
	if text == d.before.texts[field] {
		return false
	}
	d.set = append(d.set, field, text)
	return true
}

func (d *diff) email(email string) {
	former := d.before.fields[emailField]
	if email == former {
		return
	}
	d.set = append(d.set, emailField, email)
	if former != "" {
		d.write("DEL", d.store.key("e:", former))
	}
	if email != "" {
		d.note(d.claim(d.store.key("e:", email), emailField, d.before.id))
	}
}

// finish adds the writes to the user's hash and to the index of users.
func (d *diff) finish(isNew bool) {
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(d.before.texts)), func(field string) bool { return d.kept[field] })
	d.remove(d.before.id, gone)
	if len(d.set) == 0 && len(d.writes) == 0 {
		return
	}
	for pairs := range slices.Chunk(append(d.set, versionField, newVersion()), 1000) {
		d.write("HSET", d.store.key("u:", d.before.id), pairs...)
	}
	next := never
	if !d.next.IsZero() {
		next = millis(d.next)
	}
	if index := d.store.idsKey(d.before.id); isNew {
		d.write("ZADD", index, next, d.before.id)
	} else if next != never {
		d.write("ZADD", index, "LT", next, d.before.id)
	}
}

// remove deletes fields of a user's hash, and what leads to them.
func (c *commit) remove(userID string, gone []string) {
	for some := range slices.Chunk(gone, 500) {
		names := slices.Clone(some)
		for _, field := range some {
			if digest, ok := strings.CutPrefix(field, identityField); ok {
				c.write("DEL", c.store.key("i:", digest))
			} else {
				names = append(names, seenField+field[1:])
			}
		}
		c.write("HDEL", c.store.key("u:", userID), names...)
	}
}
