package kv

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// exportPage bounds the items of one call of Export, apart from keys.
const exportPage = 1000

// exported lists the tables of Export in order: a user comes before the items that
// name it.
var exported = []byte{accountTable, recordTable, feedTable, keyTable}

// Export implements authcore.Transfer. The cursor is the encoded key of the last
// entry that was read. A cursor that cannot be decoded counts as empty.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		after = nil
	}
	for {
		page, err := view(ctx, s, func(t *tx) (exportedPage, error) { return t.export(after, now) })
		if err != nil {
			return nil, "", err
		}
		after = page.last
		if len(page.items) > 0 || page.end {
			return page.items, base64.RawURLEncoding.EncodeToString(after), nil
		}
	}
}

// exportedPage holds what one transaction read for an export.
type exportedPage struct {
	items    []authcore.Item
	last     []byte
	end      bool
	examined int
}

// isFull reports whether the page has no room for another entry, and counts that entry.
func (p *exportedPage) isFull() bool {
	p.examined++
	return p.examined > maxExamined || len(p.items) >= exportPage
}

func (t *tx) export(after []byte, now time.Time) (exportedPage, error) {
	if len(after) == 0 || bytes.IndexByte(exported, after[0]) < 0 {
		after = []byte{accountTable}
	}
	page := exportedPage{last: after}
	for _, table := range exported[bytes.IndexByte(exported, after[0]):] {
		if table == accountTable {
			if done := page.addAccounts(t, now); !done {
				return page, nil
			}
			continue
		}
		from := []byte{table}
		if bytes.HasPrefix(page.last, from) {
			from = append(slices.Clone(page.last), 0)
		}
		for key, text := range t.within([]byte{table}, from) {
			if page.isFull() {
				return page, nil
			}
			page.last = bytes.Clone(key)
			if err := page.add(key, text, now); err != nil {
				return page, err
			}
		}
	}
	page.end = true
	return page, nil
}

// addAccounts adds users with their identities and sessions, and reports whether it
// reached the last one. It skips damaged users.
func (p *exportedPage) addAccounts(t *tx, now time.Time) (done bool) {
	after, _, _ := strings.Cut(string(p.last[1:]), "\x00")
	for id := range t.userIDs(after) {
		if p.isFull() {
			return false
		}
		p.last = accountPrefix(id)
		if account, err := t.account(id, now); err == nil {
			p.items = append(p.items, account.Items()...)
		}
	}
	return true
}

// add adds the items of an entry that have not expired. It skips damaged items.
func (p *exportedPage) add(key, text []byte, now time.Time) error {
	switch key[0] {
	case recordTable:
		if record, err := decode[authcore.Record](text); err == nil && record.Live(now) {
			p.items = append(p.items, authcore.Item{Record: &record})
		}
	case feedTable:
		if entry, err := decode[feedEntry](text); err == nil && now.Before(entry.Until) {
			p.items = append(p.items, authcore.Item{Revocation: &entry.Revocation})
		}
	case keyTable:
		keys, err := KeyItems(text, now)
		p.items = append(p.items, keys...)
		return err
	}
	return nil
}

// Import implements authcore.Transfer.
func (s *Store) Import(ctx context.Context, items []authcore.Item) (int, error) {
	items, err := copyItems(items)
	if err != nil {
		return 0, err
	}
	return update(ctx, s, func(t *tx) (int, error) {
		stored := 0
		var keys []authcore.SigningKey
		for _, item := range items {
			if item.Key != nil {
				keys = append(keys, *item.Key)
				continue
			}
			isNew, err := t.importItem(item)
			if err != nil {
				return 0, err
			}
			if isNew {
				stored++
			}
		}
		added, err := t.importKeys(keys)
		return stored + added, err
	})
}

// copyItems returns a deep copy, because the step may outlive the call.
func copyItems(items []authcore.Item) ([]authcore.Item, error) {
	text, err := encode(items)
	if err != nil {
		return nil, err
	}
	return decode[[]authcore.Item](text)
}

// importItem stores anything but a key and reports whether it was absent.
func (t *tx) importItem(item authcore.Item) (bool, error) {
	switch {
	case item.User != nil:
		if t.Get(accountPrefix(item.User.ID)) != nil {
			return false, nil
		}
		return true, t.store(nil, &authcore.Account{User: *item.User}, time.Time{})
	case item.Identity != nil:
		identity := *item.Identity
		text, _ := identityText(identity.Key())
		present := string(t.Get(join(identityTable, text))) == identity.UserID
		return t.addTo(identity.UserID, present, authcore.Account{Identities: []authcore.Identity{identity}})
	case item.Session != nil:
		session := *item.Session
		present := t.Get(sessionKey(session.UserID, session.ID)) != nil
		return t.addTo(session.UserID, present, authcore.Account{Sessions: []authcore.Session{session}})
	case item.Record != nil:
		if t.Get(recordKey(item.Record.RecordKey)) != nil {
			return false, nil
		}
		prepared, err := prepareRecord(*item.Record)
		if err != nil {
			return false, err
		}
		t.putRecord(prepared)
	case item.Revocation != nil:
		if t.Get(feedIDKey(*item.Revocation)) != nil {
			return false, nil
		}
		t.revoke(*item.Revocation)
	default:
		return false, nil
	}
	return true, nil
}

// addTo adds identities and sessions to a user, unless they are present.
func (t *tx) addTo(userID string, present bool, a authcore.Account) (bool, error) {
	text := t.Get(accountPrefix(userID))
	switch {
	case text == nil:
		return false, authcore.ErrNotFound
	case present:
		return false, nil
	}
	user, err := decode[authcore.User](text)
	if err != nil {
		return false, err
	}
	a.User = user
	former := loaded{Account: a, entries: map[string]accountEntry{string(accountPrefix(userID)): {text: text}}}
	return true, t.store(&former, &a, time.Time{})
}

func (t *tx) importKeys(keys []authcore.SigningKey) (int, error) {
	if len(keys) == 0 {
		return 0, nil
	}
	merged, added, err := MergeKeys(t.Get([]byte{keyTable}), keys)
	if added > 0 {
		t.put([]byte{keyTable}, merged)
	}
	return added, err
}
