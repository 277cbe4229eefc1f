package postgres

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// Sizes of the pages of an export. A user has identities and sessions with it.
const (
	exportUsers = 100
	exportItems = 1000
)

// place is the cursor of an export: a part, and the key of the last item in it.
type place struct {
	Part      int
	Key, Kind string
}

// Export returns items after the cursor. See authcore.Transfer.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	parts := []func(context.Context, place, time.Time) ([]authcore.Item, *place, error){
		s.exportUsers, s.exportRecords, s.exportFeed, s.exportKeys,
	}
	var at place
	if json.Unmarshal([]byte(cursor), &at) != nil || at.Part < 0 {
		at = place{} // the beginning, or not a cursor
	}
	for at.Part < len(parts) {
		items, next, err := parts[at.Part](ctx, at, now)
		if err != nil {
			return nil, "", err
		}
		if next == nil {
			next = &place{Part: at.Part + 1}
		}
		at = *next
		if len(items) > 0 {
			cursor, err := json.Marshal(at)
			return items, string(cursor), err
		}
	}
	return nil, cursor, nil
}

// exportUsers reads users, their identities and their sessions by one statement.
func (s *Store) exportUsers(ctx context.Context, at place, now time.Time) ([]authcore.Item, *place, error) {
	const page = `ANY (ARRAY(SELECT id FROM @.users WHERE realm = $1 AND id > $2 ORDER BY id LIMIT $3))`
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[row],
		strings.ReplaceAll(accountRows, "@id", page), s.realm, at.Key, exportUsers)
	if err != nil {
		return nil, nil, err
	}
	accounts := make(map[string][]row)
	for _, row := range rows {
		if row.Part == partUser || accounts[row.UserID] != nil {
			accounts[row.UserID] = append(accounts[row.UserID], row)
		}
	}
	ids := slices.Sorted(maps.Keys(accounts))
	var items []authcore.Item
	for _, id := range ids {
		account, err := accountOf(authcore.UserRef{ID: id}, accounts[id], now)
		if err != nil {
			continue // damaged
		}
		items = append(items, account.Items()...)
	}
	if len(ids) < exportUsers {
		return items, nil, nil
	}
	return items, &place{Key: ids[len(ids)-1]}, nil
}

func (s *Store) exportRecords(ctx context.Context, at place, now time.Time) ([]authcore.Item, *place, error) {
	return exportTable(ctx, s, "records", "key", at, func(r authcore.Record) (authcore.Item, bool) {
		return authcore.Item{Record: &r}, r.Live(now)
	})
}

func (s *Store) exportFeed(ctx context.Context, at place, now time.Time) ([]authcore.Item, *place, error) {
	return exportTable(ctx, s, "feed", "id", at, func(r authcore.Revocation) (authcore.Item, bool) {
		return authcore.Item{Revocation: &r}, now.Before(r.Until)
	})
}

// keyedDoc is a row of a table with the column kind.
type keyedDoc struct {
	Key, Kind string
	Doc       []byte
}

// exportTable reads a page of a table in the order of its primary key.
func exportTable[T any](
	ctx context.Context, s *Store, table, key string, at place, item func(T) (authcore.Item, bool),
) (items []authcore.Item, next *place, err error) {
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[keyedDoc], `SELECT `+key+`, kind, doc FROM @.`+table+`
		WHERE realm = $1 AND (`+key+`, kind) > ($2, $3) ORDER BY `+key+`, kind LIMIT $4`, s.realm, at.Key, at.Kind, exportItems)
	for _, row := range rows {
		if value, err := decode[T](row.Doc); err == nil {
			if item, exported := item(value); exported {
				items = append(items, item)
			}
		}
	}
	if len(rows) == exportItems {
		last := rows[len(rows)-1]
		next = &place{Part: at.Part, Key: last.Key, Kind: last.Kind}
	}
	return items, next, err
}

func (s *Store) exportKeys(ctx context.Context, _ place, now time.Time) (items []authcore.Item, next *place, err error) {
	stored, err := s.keys(ctx)
	if err == nil {
		items, err = kv.KeyItems(stored.Doc, now)
	}
	return items, nil, err
}

// Import stores the absent items as one transaction. See authcore.Transfer.
func (s *Store) Import(ctx context.Context, items []authcore.Item) (stored int, err error) {
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		i := importer{Store: s, t: t, users: make(map[string]bool)}
		for _, item := range items {
			if err := i.add(item); err != nil {
				return err
			}
		}
		var known []string
		var former []keysRow
		t.queue(`SELECT id FROM @.users WHERE realm = $1 AND id = ANY ($2::text[]) ORDER BY id FOR KEY SHARE`,
			s.realm, slices.Sorted(maps.Keys(i.users))).Query(collect(&known, pgx.RowTo[string]))
		if len(i.keys) > 0 {
			t.queue(selectKeys+` FOR UPDATE`, s.realm).Query(collect(&former, pgx.RowToStructByPos[keysRow]))
		}
		if err := t.begin(ctx); err != nil {
			return err
		}
		if len(known) < len(i.users) {
			return final{authcore.ErrNotFound}
		}
		if len(i.keys) > 0 {
			if err := i.addKeys(former); err != nil {
				return err
			}
		}
		if len(i.revocations) > 0 {
			arguments, err := s.feedArguments(i.revocations)
			if err != nil {
				return err
			}
			i.insert(appendFeed+`NOTHING`, arguments...)
			t.notify = s.realm
		}
		if err := t.commit(ctx); err != nil {
			return err
		}
		stored = int(i.stored)
		return nil
	})
	return orZero(stored, err)
}

// importer queues the writes of one import.
type importer struct {
	*Store
	t           *tx
	stored      int64
	users       map[string]bool // must exist
	keys        []authcore.SigningKey
	revocations []authcore.Revocation
}

// insert queues a statement whose rows count as stored.
func (i *importer) insert(statement string, arguments ...any) {
	i.t.queue(statement, arguments...).Exec(func(tag pgconn.CommandTag) error {
		i.stored += tag.RowsAffected()
		return nil
	})
}

// add queues an item, or keeps it for later. An identity of another user violates a
// constraint; see queueIdentities.
func (i *importer) add(item authcore.Item) error {
	switch {
	case item.User != nil:
		doc, user, err := encode(*item.User, item.User.ID)
		i.insert(insertUser+` ON CONFLICT (realm, id) DO NOTHING`, i.userArguments(user, doc)...)
		return err
	case item.Identity != nil:
		doc, identity, err := encode(*item.Identity, identityKeys(*item.Identity)...)
		i.users[identity.UserID] = true
		i.insert(insertIdentity+`UPDATE SET user_id = NULL WHERE i.user_id <> EXCLUDED.user_id AND NOT i.unlinked`,
			i.identityArguments(identity, doc)...)
		return err
	case item.Session != nil:
		doc, session, err := encode(*item.Session, item.Session.ID, item.Session.UserID)
		i.users[session.UserID] = true
		i.insert(insertSession+`NOTHING`, i.sessionArguments(session, doc)...)
		return err
	case item.Record != nil:
		if err := item.Record.Validate(); err != nil {
			return final{err}
		}
		doc, record, err := encode(*item.Record)
		i.insert(insertRecord+`NOTHING`, i.recordArguments(record, doc)...)
		return err
	case item.Revocation != nil:
		i.revocations = append(i.revocations, *item.Revocation)
	case item.Key != nil:
		i.keys = append(i.keys, *item.Key)
	}
	return nil
}

// addKeys merges keys into the stored ones.
func (i *importer) addKeys(rows []keysRow) error {
	var stored keysRow
	if len(rows) > 0 {
		stored = rows[0]
	}
	merged, added, err := kv.MergeKeys(stored.Doc, i.keys)
	if err != nil {
		return final{err}
	}
	if added > 0 {
		i.t.queue(swapKeys, i.realm, stored.Version, string(merged))
		i.stored += int64(added)
	}
	return nil
}
