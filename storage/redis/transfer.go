package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// Sizes of the steps of an export: users with all that belongs to them, and keys
// that a search for records examines.
const (
	exportUsers = 100
	exportKeys  = 1000
)

// Export reads the realm. See [authcore.Transfer]. A cursor is the letter of a part
// and the progress in it: users by ID, records, revocations, keys.
//
// Records have no index. Export finds them among all keys of the server.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	for {
		part, at := "", ""
		if cursor != "" {
			part, at = cursor[:1], cursor[1:]
		}
		read := s.exportUsers
		switch part {
		case "r":
			read = s.exportRecords
		case "v":
			read = s.exportRevocations
		case "k":
			read = s.exportKeys
		case "e":
			return nil, "e", nil
		default:
			at = strings.TrimPrefix(cursor, "u")
		}
		items, next, err := read(ctx, at, now)
		if err != nil || len(items) > 0 {
			return items, next, err
		}
		cursor = next
	}
}

func (s *Store) exportUsers(ctx context.Context, at string, now time.Time) ([]authcore.Item, string, error) {
	found, next, err := s.list(ctx, at, exportUsers, "1")
	if err != nil {
		return nil, "", err
	}
	var items []authcore.Item
	for _, each := range found {
		user := state{id: each.id, fields: fields(each.value)}
		if user.decode(now) != nil {
			continue
		}
		items = append(items, user.account.Items()...)
	}
	if next == "" {
		return items, "r", nil
	}
	return items, "u" + next, nil
}

func (s *Store) exportRecords(ctx context.Context, at string, now time.Time) ([]authcore.Item, string, error) {
	server, cursor, _ := strings.Cut(at, "@")
	if _, err := strconv.ParseUint(cursor, 10, 64); err != nil {
		server, cursor = "", "0"
	}
	answer, err := s.elements(ctx, 3, "scan", []string{s.key("meta")}, s.key("r:*"), server, cursor, strconv.Itoa(exportKeys))
	if err != nil {
		return nil, "", err
	}
	head := texts(answer)
	var items []authcore.Item
	for _, text := range texts(answer[2]) {
		if record, err := decodeRecord(text, now); err == nil {
			items = append(items, authcore.Item{Record: &record})
		}
	}
	if head[1] == "0" {
		return items, "v", nil
	}
	return items, "r" + head[0] + "@" + head[1], nil
}

func (s *Store) exportRevocations(ctx context.Context, at string, now time.Time) ([]authcore.Item, string, error) {
	entries, next, err := s.RevocationsSince(ctx, at)
	if err != nil {
		return nil, "", err
	}
	if len(entries) == 0 {
		return nil, "k", nil
	}
	var items []authcore.Item
	for _, entry := range entries {
		if now.Before(entry.Until) {
			entry.Age = 0 // it is that of a delivery
			items = append(items, authcore.Item{Revocation: &entry})
		}
	}
	return items, "v" + next, nil
}

func (s *Store) exportKeys(ctx context.Context, _ string, now time.Time) ([]authcore.Item, string, error) {
	text, err := s.keys(ctx)
	if err != nil {
		return nil, "", err
	}
	items, err := kv.KeyItems(text, now)
	return items, "e", err
}

// Import stores items that are absent. See [authcore.Transfer].
func (s *Store) Import(ctx context.Context, items []authcore.Item) (int, error) {
	return retry(ctx, s, time.Time{}, func(c *commit) (int, error) {
		p := newPlan(s, items)
		users, values, now, err := s.load(ctx, p.refs, append(p.keys, s.key("keys"))...)
		if err != nil {
			return 0, err
		}
		for i := range users {
			if err := p.user(c, &users[i], now); err != nil {
				return 0, err
			}
		}
		for i, add := range p.adds {
			if values[i] != "" {
				continue
			}
			c.unchanged(p.keys[i], "", "")
			p.stored++
			if err := add(c, now); err != nil {
				return 0, err
			}
		}
		if len(p.signing) == 0 {
			return p.stored, nil
		}
		stored := []byte(values[len(p.keys)])
		merged, added, err := kv.MergeKeys(stored, p.signing)
		if added > 0 {
			c.putKeys(stored, merged)
		}
		return p.stored + added, err
	})
}

// plan has the items of an import, sorted by what has to be read for them.
type plan struct {
	refs     []authcore.UserRef
	accounts map[string]*authcore.Account
	// keys are those of records and revocations, and adds stores them.
	keys    []string
	adds    []func(*commit, time.Time) error
	signing []authcore.SigningKey
	stored  int
}

func newPlan(s *Store, items []authcore.Item) *plan {
	p := &plan{accounts: make(map[string]*authcore.Account)}
	known := make(map[string]bool)
	once := func(key string, add func(*commit, time.Time) error) {
		if !known[key] {
			known[key] = true
			p.keys, p.adds = append(p.keys, key), append(p.adds, add)
		}
	}
	for _, item := range items {
		switch {
		case item.User != nil:
			if account := p.account(item.User.ID); account.User.ID == "" {
				account.User = *item.User
			}
		case item.Identity != nil:
			account := p.account(item.Identity.UserID)
			account.Identities = append(account.Identities, *item.Identity)
		case item.Session != nil:
			account := p.account(item.Session.UserID)
			account.Sessions = append(account.Sessions, *item.Session)
		case item.Record != nil:
			record := *item.Record
			once(s.recordKey(record.RecordKey), func(c *commit, now time.Time) error { return c.record(record, now, 0) })
		case item.Revocation != nil:
			r := *item.Revocation
			once(s.key("v:", string(r.Kind), ":", r.ID), func(c *commit, _ time.Time) error { return c.revoke(r) })
		case item.Key != nil:
			p.signing = append(p.signing, *item.Key)
		}
	}
	return p
}

func (p *plan) account(id string) *authcore.Account {
	if p.accounts[id] == nil {
		p.accounts[id] = &authcore.Account{}
		p.refs = append(p.refs, authcore.UserRef{ID: id})
	}
	return p.accounts[id]
}

// user adds a user that is absent, and identities and sessions that are absent.
func (p *plan) user(c *commit, user *state, now time.Time) error {
	imported, after := p.accounts[user.id], authcore.Account{}
	switch {
	case user.fields != nil:
		if err := user.decode(now); err != nil {
			return err
		}
		after = user.account.Clone()
	case imported.User.ID == "":
		return authcore.ErrNotFound
	default:
		after.User = imported.User
		p.stored++
	}
	seen := make(map[string]bool)
	absent := func(field string) bool {
		_, present := user.fields[field]
		if present || seen[field] {
			return false
		}
		seen[field] = true
		p.stored++
		return true
	}
	for _, identity := range imported.Identities {
		if absent(identityField + digest(identity.Key())) {
			after.Identities = append(after.Identities, identity)
		}
	}
	for _, session := range imported.Sessions {
		if absent(sessionField + session.ID) {
			after.Sessions = append(after.Sessions, session)
		}
	}
	_, err := c.account(*user, after, errConflict)
	return err
}
