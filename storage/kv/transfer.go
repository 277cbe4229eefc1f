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
	items []authcore.Item
	last  []byte
	end   bool
	// userID is the user of the account that is being read. Its items are left
	// out if the user is damaged or was deleted.
	userID string
	valid  bool
}

func (t *tx) export(after []byte, now time.Time) (exportedPage, error) {
	page := exportedPage{last: after}
	start := 0
	if len(after) > 0 {
		start = max(bytes.IndexByte(exported, after[0]), 0)
	}
	examined := 0
	for _, table := range exported[start:] {
		from := []byte{table}
		if bytes.HasPrefix(page.last, from) {
			from = append(slices.Clone(page.last), 0)
		}
		for key, text := range t.within([]byte{table}, from) {
			if examined == maxExamined || len(page.items) >= exportPage {
				return page, nil
			}
			examined++
			page.last = bytes.Clone(key)
			if err := page.add(t, key, text, now); err != nil {
				return page, err
			}
		}
	}
	page.end = true
	return page, nil
}

// add adds the items of an entry that have not expired. It skips damaged items.
func (p *exportedPage) add(t *tx, key, text []byte, now time.Time) error {
	switch key[0] {
	case accountTable:
		p.addAccount(t, key, text, now)
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

func (p *exportedPage) addAccount(t *tx, key, text []byte, now time.Time) {
	userID, part, _ := strings.Cut(string(key[1:]), "\x00")
	if part == "" || userID != p.userID {
		user, err := load[authcore.User](t, accountPrefix(userID))
		p.userID, p.valid = userID, err == nil
		if part == "" && p.valid {
			p.items = append(p.items, authcore.Item{User: &user})
		}
	}
	switch {
	case part == "" || !p.valid:
	case part[0] == identityPart:
		if identity, err := decode[authcore.Identity](text); err == nil && identity.Live(now) {
			p.items = append(p.items, authcore.Item{Identity: &identity})
		}
	case part[0] == sessionPart:
		if session, err := decode[authcore.Session](text); err == nil && now.Before(session.Expires) {
			p.items = append(p.items, authcore.Item{Session: &session})
		}
	}
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
		return t.importIdentity(*item.Identity)
	case item.Session != nil:
		if t.Get(accountPrefix(item.Session.UserID)) == nil {
			return false, authcore.ErrNotFound
		}
		if t.Get(sessionKey(item.Session.UserID, item.Session.ID)) != nil {
			return false, nil
		}
		return true, t.addTo(item.Session.UserID, authcore.Account{Sessions: []authcore.Session{*item.Session}})
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

func (t *tx) importIdentity(identity authcore.Identity) (bool, error) {
	if t.Get(accountPrefix(identity.UserID)) == nil {
		return false, authcore.ErrNotFound
	}
	text, _ := identityText(identity.Key())
	if string(t.Get(join(identityTable, text))) == identity.UserID {
		return false, nil
	}
	return true, t.addTo(identity.UserID, authcore.Account{Identities: []authcore.Identity{identity}})
}

// addTo adds identities and sessions to a user.
func (t *tx) addTo(userID string, a authcore.Account) error {
	text := t.Get(accountPrefix(userID))
	user, err := decode[authcore.User](text)
	if err != nil {
		return err
	}
	a.User = user
	former := &loaded{email: user.EmailKey(), entries: map[string]accountEntry{string(accountPrefix(userID)): {text: text}}}
	return t.store(former, &a, time.Time{})
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
