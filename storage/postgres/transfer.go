package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
)

// Sizes of the pages of an export. A user has identities and sessions with it.
const (
	exportUsers = 100
	exportItems = 1000
)

// position is the cursor of an export: a part, and the key of the last item.
type position struct {
	Part string `json:"part,omitempty"`
	Key  string `json:"key,omitempty"`
	Kind string `json:"kind,omitempty"`
}

// The parts of an export in order.
const (
	exportedUsers   = ""
	exportedRecords = "records"
	exportedFeed    = "feed"
	exportedKeys    = "keys"
	exportedAll     = "end"
)

// Export returns items after the cursor. See authcore.Transfer. A user, its identities
// and its sessions are read by one statement.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	var at position
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		at = position{} // the beginning, or not a cursor
	}
	for {
		var items []authcore.Item
		var err error
		switch at.Part {
		case exportedUsers:
			items, at, err = s.exportUsers(ctx, at, now)
		case exportedRecords:
			items, at, err = exportTable(ctx, s, "records", at, exportedFeed, func(r authcore.Record) (authcore.Item, bool) {
				return authcore.Item{Record: &r}, r.Live(now)
			})
		case exportedFeed:
			items, at, err = exportTable(ctx, s, "feed", at, exportedKeys, func(r authcore.Revocation) (authcore.Item, bool) {
				return authcore.Item{Revocation: &r}, now.Before(r.Until)
			})
		case exportedKeys:
			items, at, err = s.exportKeys(ctx, now)
		default:
			at = position{Part: exportedAll}
		}
		if err != nil {
			return nil, "", err
		}
		if len(items) > 0 || at.Part == exportedAll {
			next, err := json.Marshal(at)
			return items, string(next), err
		}
	}
}

func (s *Store) exportUsers(ctx context.Context, at position, now time.Time) ([]authcore.Item, position, error) {
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[row], `
		WITH page AS MATERIALIZED (SELECT id, doc FROM @.users WHERE realm = $1 AND id > $2 ORDER BY id LIMIT $3)
		SELECT 0::int2, id, NULL::text, NULL::timestamptz, doc FROM page
		UNION ALL SELECT 1, i.user_id, NULL, NULL, i.doc FROM @.identities i JOIN page ON page.id = i.user_id WHERE i.realm = $1
		UNION ALL SELECT 2, s.user_id, NULL, s.seen, s.doc FROM @.sessions s JOIN page ON page.id = s.user_id WHERE s.realm = $1 ORDER BY 1`,
		s.realm, at.Key, exportUsers)
	if err != nil {
		return nil, at, err
	}
	users, last := 0, at.Key
	members := make(map[string][]row)
	for _, row := range rows {
		if row.Part == partUser {
			users, last = users+1, max(last, row.UserID)
		}
		members[row.UserID] = append(members[row.UserID], row)
	}
	var items []authcore.Item
	for id, rows := range members {
		account, err := accountOf(authcore.UserRef{ID: id}, rows, now)
		if err != nil {
			continue
		}
		items = append(items, authcore.Item{User: &account.User})
		for i := range account.Identities {
			items = append(items, authcore.Item{Identity: &account.Identities[i]})
		}
		for i := range account.Sessions {
			items = append(items, authcore.Item{Session: &account.Sessions[i]})
		}
	}
	if users < exportUsers {
		return items, position{Part: exportedRecords}, nil
	}
	return items, position{Key: last}, nil
}

// keyedDoc is a row of a table with the column kind.
type keyedDoc struct {
	Key, Kind string
	Doc       []byte
}

// exportTable reads a page of a table in the order of its primary key.
func exportTable[T any](
	ctx context.Context, s *Store, table string, at position, next string, item func(T) (authcore.Item, bool),
) ([]authcore.Item, position, error) {
	key := map[string]string{"records": "key", "feed": "id"}[table]
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[keyedDoc], `SELECT `+key+`, kind, doc FROM @.`+table+`
		WHERE realm = $1 AND (`+key+`, kind) > ($2, $3) ORDER BY `+key+`, kind LIMIT $4`, s.realm, at.Key, at.Kind, exportItems)
	if err != nil {
		return nil, at, err
	}
	var items []authcore.Item
	for _, row := range rows {
		if value, err := decode[T](row.Doc); err == nil {
			if item, exported := item(value); exported {
				items = append(items, item)
			}
		}
	}
	if len(rows) < exportItems {
		return items, position{Part: next}, nil
	}
	last := rows[len(rows)-1]
	return items, position{Part: at.Part, Key: last.Key, Kind: last.Kind}, nil
}

func (s *Store) exportKeys(ctx context.Context, now time.Time) ([]authcore.Item, position, error) {
	end := position{Part: exportedAll}
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[keysRow], selectKeys, s.realm)
	if err != nil {
		return nil, end, err
	}
	keys, _, err := decodeKeys(rows)
	if err != nil {
		return nil, end, answer(ctx, err)
	}
	var items []authcore.Item
	for i := range keys {
		if keys[i].Expires.IsZero() || now.Before(keys[i].Expires) {
			items = append(items, authcore.Item{Key: &keys[i]})
		}
	}
	return items, end, nil
}

// Import stores the absent items as one transaction. See authcore.Transfer.
func (s *Store) Import(ctx context.Context, items []authcore.Item) (stored int, err error) {
	err = s.transact(ctx, func(ctx context.Context, t *tx) error {
		i := importer{store: s, t: t, owners: make(map[string]bool)}
		if err := i.queue(items); err != nil {
			return err
		}
		if err := t.send(ctx); err != nil {
			return err
		}
		stored, err = i.finish()
		if err != nil {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// importer queues the writes of one import.
type importer struct {
	store  *Store
	t      *tx
	stored int64
	keys   []authcore.SigningKey
	// owners are the users that must exist.
	owners      map[string]bool
	former      []keysRow
	known       int
	revocations []authcore.Revocation
}

func (i *importer) queue(items []authcore.Item) error {
	// Users first, whatever the order of the items.
	for _, users := range []bool{true, false} {
		for _, item := range items {
			if (item.User != nil) != users {
				continue
			}
			if err := i.queueItem(item); err != nil {
				return err
			}
		}
	}
	realm := i.store.realm
	i.t.queue(selectKeys+` FOR UPDATE`, realm).Query(func(rows pgx.Rows) (err error) {
		i.former, err = pgx.CollectRows(rows, pgx.RowToStructByPos[keysRow])
		return err
	})
	if len(i.revocations) > 0 {
		arguments, err := i.store.feedArguments(i.revocations)
		if err != nil {
			return err
		}
		i.insert(appendFeed+`NOTHING`, arguments...)
		i.t.channel, i.t.payload = i.store.db.schema, realm
	}
	owners := make([]string, 0, len(i.owners))
	for owner := range i.owners {
		owners = append(owners, owner)
	}
	i.t.queue(`SELECT id FROM @.users WHERE realm = $1 AND id = ANY ($2::text[]) ORDER BY id FOR KEY SHARE`, realm, owners).
		Query(func(rows pgx.Rows) error {
			known, err := pgx.CollectRows(rows, pgx.RowTo[string])
			i.known = len(known)
			return err
		})
	return nil
}

// insert queues a statement whose rows count as stored.
func (i *importer) insert(statement string, arguments ...any) {
	i.t.queue(statement, arguments...).Exec(func(tag pgconn.CommandTag) error {
		i.stored += tag.RowsAffected()
		return nil
	})
}

func (i *importer) queueItem(item authcore.Item) error {
	s := i.store
	switch {
	case item.User != nil:
		doc, user, err := encode(*item.User)
		err = errors.Join(err, checkKeys(item.User.ID))
		i.insert(insertUser+` ON CONFLICT (realm, id) DO NOTHING`, s.userArguments(user, doc)...)
		return err
	case item.Identity != nil:
		doc, identity, err := encode(*item.Identity)
		err = errors.Join(err, checkKeys(item.Identity.Provider, item.Identity.Issuer, item.Identity.Subject))
		digest := identityDigest(identity.Key())
		i.owners[identity.UserID] = true
		i.insert(`INSERT INTO @.identities AS i (realm, key, user_id, unlinked, expires, doc) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (realm, key) DO UPDATE SET user_id = NULL WHERE i.user_id <> EXCLUDED.user_id AND NOT i.unlinked`, s.realm, digest, storableOrEmpty(identity.UserID),
			identity.State == authcore.IdentityUnlinked, expiry(identity.Expires), doc)
		return err
	case item.Session != nil:
		doc, session, err := encode(*item.Session)
		err = errors.Join(err, checkKeys(item.Session.ID))
		i.owners[session.UserID] = true
		i.insert(`INSERT INTO @.sessions (realm, user_id, id, expires, doc) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (user_id, realm, id) DO NOTHING`,
			s.realm, storableOrEmpty(session.UserID), session.ID, stamp(session.Expires), doc)
		return err
	case item.Record != nil:
		if err := item.Record.Validate(); err != nil {
			return final{err}
		}
		doc, record, err := encode(*item.Record)
		i.insert(`INSERT INTO @.records (realm, kind, key, owner, created, expires, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (key, kind, realm) DO NOTHING`, s.recordArguments(record, doc)...)
		return err
	case item.Revocation != nil:
		i.revocations = append(i.revocations, *item.Revocation)
	case item.Key != nil:
		i.keys = append(i.keys, *item.Key)
	}
	return nil
}

// finish judges what was loaded and queues the keys.
func (i *importer) finish() (int, error) {
	former, version, err := decodeKeys(i.former)
	switch {
	case err != nil:
		return 0, err
	case i.known < len(i.owners):
		return 0, final{authcore.ErrNotFound}
	}
	merged, added := authcore.MergeKeys(former, i.keys)
	if added > 0 {
		doc, _, err := encode(merged)
		if err != nil {
			return 0, err
		}
		i.t.queue(swapKeys, i.store.realm, version, doc)
	}
	return int(i.stored) + added, nil
}
