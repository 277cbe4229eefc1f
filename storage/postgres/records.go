package postgres

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	whereRecord  = ` WHERE realm = $1 AND kind = $2 AND key = $3`
	selectRecord = `SELECT doc FROM @.records` + whereRecord
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
		if options.OwnedByUser {
			t.queue(`SELECT FROM @.users WHERE realm = $1 AND id = $2 FOR KEY SHARE`, s.realm, record.Owner).Exec(count(&users))
		}
		put := putRecord
		if options.Keep > 0 {
			put += lockOwner
		}
		t.queue(put, append(s.recordArguments(record, doc), options.IfAbsent, stamp(options.Now))...).Exec(count(&stored))
		if options.IfAbsent || options.OwnedByUser {
			err := t.begin(ctx)
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

// queueRecord loads the document of a record, with a clause that locks it or not.
func (s *Store) queueRecord(t *tx, key authcore.RecordKey, lock string, docs *[][]byte) {
	t.queue(selectRecord+lock, s.recordKey(key)...).Query(collect(docs, pgx.RowTo[[]byte]))
}

// oneRecord returns the live record among the documents, of which there is one at
// most.
func oneRecord(docs [][]byte, now time.Time) (authcore.Record, error) {
	if len(docs) == 0 {
		return authcore.Record{}, final{authcore.ErrNotFound}
	}
	record, err := decode[authcore.Record](docs[0])
	if err == nil && !record.Live(now) {
		err = final{authcore.ErrNotFound}
	}
	return record, err
}

// Record returns a live record. See authcore.Records.
func (s *Store) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (record authcore.Record, err error) {
	docs, err := query(ctx, s, s.db.pool, pgx.RowTo[[]byte], selectRecord, s.recordKey(key)...)
	if err == nil {
		record, err = oneRecord(docs, now)
	}
	return orZero(record, answer(ctx, err))
}

// TakeRecord deletes a live record and returns it. See authcore.Records.
func (s *Store) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (record authcore.Record, err error) {
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var docs [][]byte
		t.queue(`DELETE FROM @.records`+whereRecord+` AND (expires IS NULL OR expires > $4) RETURNING doc`,
			append(s.recordKey(key), stamp(now))...).Query(collect(&docs, pgx.RowTo[[]byte]))
		if err := t.commit(ctx); err != nil {
			return err
		}
		record, err = oneRecord(docs, now)
		return err
	})
	return orZero(record, err)
}

// UpdateRecord applies change to a live record. See authcore.Records.
func (s *Store) UpdateRecord(
	ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error,
) (record authcore.Record, err error) {
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var docs [][]byte
		s.queueRecord(t, key, ` FOR UPDATE`, &docs)
		if err := t.begin(ctx); err != nil {
			return err
		}
		before, err := oneRecord(docs, now)
		if err != nil {
			return err
		}
		record = before
		record.Data = slices.Clone(before.Data)
		if err := change(&record); err != nil {
			return final{err}
		}
		record.RecordKey, record.Owner, record.Created = before.RecordKey, before.Owner, before.Created
		record.Data = slices.Clone(record.Data)
		if err := record.Validate(); err != nil {
			return final{err}
		}
		if reflect.DeepEqual(before, record) {
			return nil
		}
		if err := s.queueRecordUpdate(t, docs[0], record); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(record, err)
}

// queueRecordUpdate stores a record, unless it has another document than former.
func (s *Store) queueRecordUpdate(t *tx, former []byte, record authcore.Record) error {
	doc, _, err := encode(record)
	t.queue(guarded(`UPDATE @.records SET expires = $4, doc = $5`+whereRecord+` AND doc = $6`),
		append(s.recordKey(record.RecordKey), expiry(record.Expires), doc, string(former))...)
	return err
}

// DeleteRecord deletes a record. See authcore.Records.
func (s *Store) DeleteRecord(ctx context.Context, key authcore.RecordKey) error {
	_, err := s.exec(ctx, `DELETE FROM @.records`+whereRecord, s.recordKey(key)...)
	return err
}
