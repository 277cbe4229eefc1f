package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxRecordsOf limits the result of RecordsOf.
const maxRecordsOf = 1000

// whereRecord selects a record, whereLive a record that is live at $4.
const (
	whereRecord = ` WHERE realm = $1 AND kind = $2 AND key = $3`
	whereLive   = whereRecord + ` AND (expires IS NULL OR expires > $4)`
)

// recordKey returns the arguments of whereRecord.
func (s *Store) recordKey(key authcore.RecordKey) []any {
	return []any{s.realm, storableOrEmpty(key.Kind), storableOrEmpty(key.Key)}
}

// Statements that insert a record. The first ends with what to do about a record
// that is present. With $8 the second only replaces one that expired before $9.
const (
	insertRecord = `INSERT INTO @.records AS r (realm, kind, key, owner, created, expires, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (key, kind, realm) DO `
	replaceRecord = insertRecord + `UPDATE SET owner = EXCLUDED.owner, created = EXCLUDED.created, expires = EXCLUDED.expires, doc = `
	putRecord     = replaceRecord + `EXCLUDED.doc WHERE NOT $8 OR r.expires <= $9`
)

// lockOwner is held to the commit by steps that delete the oldest records of an
// owner, so that the next statement sees the records of concurrent steps.
const lockOwner = ` RETURNING pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2 || ' ' || $4, 0))`

// deleteOldest deletes all but the newest $5 records of an owner other than $4.
const deleteOldest = `DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3 AND key IN (
	SELECT key FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3 AND key <> $4 ORDER BY created DESC, key OFFSET $5)`

// ownerColumn returns the owner, or an owner of its own for a record without one.
func ownerColumn(record authcore.Record) string {
	if record.Owner == "" {
		return "\x01" + record.Key // which no owner contains
	}
	return record.Owner
}

func (s *Store) recordArguments(record authcore.Record, doc string) []any {
	return []any{s.realm, record.Kind, record.Key, ownerColumn(record), stamp(record.Created), expiry(record.Expires), doc}
}

// PutRecord stores a record. See authcore.Records.
func (s *Store) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	if err := record.Validate(); err != nil {
		return err
	}
	doc, record, err := encode(record)
	if err != nil {
		return answer(ctx, err)
	}
	return s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var stored, users int64
		put := putRecord
		if options.Keep > 0 {
			put += lockOwner
		}
		t.queue(put, append(s.recordArguments(record, doc), options.IfAbsent, stamp(options.Now))...).Exec(count(&stored))
		if options.OwnedByUser {
			t.queue(`SELECT FROM @.users WHERE realm = $1 AND id = $2 FOR KEY SHARE`, s.realm, record.Owner).Exec(count(&users))
		}
		if options.IfAbsent || options.OwnedByUser {
			err := t.load(ctx)
			switch {
			case err != nil:
				return err
			case stored == 0:
				return final{authcore.ErrExists}
			case options.OwnedByUser && users == 0:
				return final{authcore.ErrNotFound}
			}
		}
		if options.Keep > 0 {
			t.queue(deleteOldest, s.realm, record.Kind, ownerColumn(record), record.Key, options.Keep-1)
		}
		return t.commit(ctx)
	})
}

// Record returns a live record. See authcore.Records.
func (s *Store) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	docs, err := query(ctx, s, s.db.pool, pgx.RowTo[[]byte],
		`SELECT doc FROM @.records`+whereLive, append(s.recordKey(key), stamp(now))...)
	return oneRecord(ctx, docs, err)
}

func oneRecord(ctx context.Context, docs [][]byte, err error) (authcore.Record, error) {
	switch {
	case err != nil:
		return authcore.Record{}, err
	case len(docs) == 0:
		return authcore.Record{}, authcore.ErrNotFound
	}
	record, err := decode[authcore.Record](docs[0])
	return orZero(record, answer(ctx, err))
}

// TakeRecord deletes a live record and returns it. See authcore.Records.
func (s *Store) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	var docs [][]byte
	err := s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		t.queue(`DELETE FROM @.records`+whereLive+` RETURNING doc`, append(s.recordKey(key), stamp(now))...).Query(collect(&docs, pgx.RowTo[[]byte]))
		return t.commit(ctx)
	})
	return oneRecord(ctx, docs, err)
}

// UpdateRecord applies change to a live record. See authcore.Records.
func (s *Store) UpdateRecord(
	ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error,
) (record authcore.Record, err error) {
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var docs [][]byte
		t.queue(`SELECT doc FROM @.records`+whereLive+` FOR UPDATE`, append(s.recordKey(key), stamp(now))...).Query(collect(&docs, pgx.RowTo[[]byte]))
		if err := t.load(ctx); err != nil {
			return err
		}
		before, err := oneRecord(ctx, docs, nil)
		if err != nil {
			return final{err}
		}
		after := before
		after.Data = slices.Clone(before.Data)
		if err := change(&after); err != nil {
			return final{err}
		}
		after.RecordKey, after.Owner, after.Created = before.RecordKey, before.Owner, before.Created
		if err := after.Validate(); err != nil {
			return final{err}
		}
		var doc string
		if doc, record, err = changed(before, after); err != nil || doc == "" {
			return err
		}
		t.queue(`UPDATE @.records SET expires = $4, doc = $5 WHERE realm = $1 AND kind = $2 AND key = $3`,
			s.realm, record.Kind, record.Key, expiry(record.Expires), doc)
		return t.commit(ctx)
	})
	return orZero(record, err)
}

// RecordsOf returns the live records of an owner. See authcore.Records.
func (s *Store) RecordsOf(ctx context.Context, kind, owner string, now time.Time) ([]authcore.Record, error) {
	if !storable(kind) || !storable(owner) {
		return nil, nil
	}
	docs, err := query(ctx, s, s.db.pool, pgx.RowTo[[]byte], `
		SELECT doc FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3 AND (expires IS NULL OR expires > $4)
		ORDER BY created DESC, key LIMIT $5`, s.realm, kind, owner, stamp(now), maxRecordsOf)
	if err != nil {
		return nil, err
	}
	var records []authcore.Record
	for _, doc := range docs {
		if record, err := decode[authcore.Record](doc); err == nil {
			records = append(records, record)
		}
	}
	slices.SortStableFunc(records, func(a, b authcore.Record) int { return b.Created.Compare(a.Created) })
	return records, nil
}

// DeleteRecord deletes a record. See authcore.Records.
func (s *Store) DeleteRecord(ctx context.Context, key authcore.RecordKey) error {
	_, err := s.exec(ctx, `DELETE FROM @.records`+whereRecord, s.recordKey(key)...)
	return err
}
