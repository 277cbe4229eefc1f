package kv

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// preparedRecord is a record with its encoded form.
type preparedRecord struct {
	authcore.Record
	text []byte
}

func prepareRecord(record authcore.Record) (preparedRecord, error) {
	if err := record.Validate(); err != nil {
		return preparedRecord{}, err
	}
	text, err := encode(record)
	return preparedRecord{Record: record, text: text}, err
}

func prepareRecords(records []authcore.Record) ([]preparedRecord, error) {
	prepared := make([]preparedRecord, len(records))
	for i, record := range records {
		var err error
		if prepared[i], err = prepareRecord(record); err != nil {
			return nil, err
		}
	}
	return prepared, nil
}

// PutRecord implements authcore.Records.
func (s *Store) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	prepared, err := prepareRecord(record)
	if err != nil {
		return err
	}
	return change(ctx, s, func(t *tx) error {
		if options.IfAbsent {
			if err := t.absentRecord(record.RecordKey, options.Now); err != nil {
				return err
			}
		}
		if options.OwnedByUser && t.Get(accountPrefix(record.Owner)) == nil {
			return authcore.ErrNotFound
		}
		t.putRecord(prepared)
		t.trimRecords(prepared.Record, options)
		return nil
	})
}

// Record implements authcore.Records.
func (s *Store) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	return view(ctx, s, func(t *tx) (authcore.Record, error) { return t.liveRecord(key, now) })
}

// TakeRecord implements authcore.Records.
func (s *Store) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	return update(ctx, s, func(t *tx) (authcore.Record, error) {
		record, err := t.liveRecord(key, now)
		if err == nil {
			t.deleteRecord(recordKey(key))
		}
		return record, err
	})
}

// UpdateRecord implements authcore.Records.
func (s *Store) UpdateRecord(
	ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error,
) (authcore.Record, error) {
	return update(ctx, s, func(t *tx) (authcore.Record, error) {
		former, err := t.liveRecord(key, now)
		if err != nil {
			return authcore.Record{}, err
		}
		record := former
		if err := t.call(func() error { return change(&record) }); err != nil {
			return authcore.Record{}, err
		}
		former.Data, former.Expires = record.Data, record.Expires
		return former, t.replaceRecord(former)
	})
}

// DeleteRecord implements authcore.Records.
func (s *Store) DeleteRecord(ctx context.Context, key authcore.RecordKey) error {
	return change(ctx, s, func(t *tx) error {
		if t.Get(recordKey(key)) != nil {
			t.deleteRecord(recordKey(key))
		}
		return nil
	})
}

func (t *tx) liveRecord(key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	record, err := load[authcore.Record](t, recordKey(key))
	if err == nil && !record.Live(now) {
		return authcore.Record{}, authcore.ErrNotFound
	}
	return record, err
}

// absentRecord returns ErrExists if a live record is present.
func (t *tx) absentRecord(key authcore.RecordKey, now time.Time) error {
	_, err := t.liveRecord(key, now)
	switch {
	case err == nil:
		return authcore.ErrExists
	case errors.Is(err, authcore.ErrNotFound):
		return nil
	}
	return err
}

// putRecord stores a record in place of an earlier one of the same key.
func (t *tx) putRecord(record preparedRecord) {
	key := recordKey(record.RecordKey)
	var former authcore.Record
	if text := t.Get(key); text != nil {
		former, _ = decode[authcore.Record](text) // a damaged one is replaced
	}
	if former.Key == "" || former.Owner != record.Owner || !former.Created.Equal(record.Created) {
		t.delete(indexKeys(former)...)
		for _, index := range indexKeys(record.Record) {
			t.put(index, nil)
		}
	}
	t.putExpiring(key, record.text, record.Expires, former.Expires)
}

// replaceRecord stores a record, unless it is stored like this.
func (t *tx) replaceRecord(record authcore.Record) error {
	prepared, err := prepareRecord(record)
	if err == nil && !bytes.Equal(prepared.text, t.Get(recordKey(record.RecordKey))) {
		t.putRecord(prepared)
	}
	return err
}

// indexKeys returns the entries of a record in the indexes of owners and kinds. The
// zero record has none.
func indexKeys(record authcore.Record) [][]byte {
	switch {
	case record.Key == "":
		return nil
	case record.Owner == "":
		return [][]byte{kindKey(record)}
	}
	return [][]byte{ownerKey(record), kindKey(record)}
}

// deleteRecord deletes a record that is present and its entries of the indexes.
// ListRecords ignores the entries that a damaged record leaves there.
func (t *tx) deleteRecord(key []byte) {
	record, _ := decode[authcore.Record](t.Get(key)) // zero if it is damaged
	t.delete(append(indexKeys(record), key)...)
}

// ownedKeys returns the keys of records by the index of owners, and their entries
// in the indexes. It decodes records to leave those of other owners, except
// for one that is known to have this owner.
func (t *tx) ownedKeys(prefix []byte, owner string, known authcore.RecordKey) [][]byte {
	var keys [][]byte
	for index := range t.prefix(prefix) {
		keys = append(keys, bytes.Clone(index))
		key, kindEntry, valid := parseOwnerKey(index)
		if !valid {
			continue
		}
		if key != known {
			record, err := load[authcore.Record](t, recordKey(key))
			if err == nil && record.Owner != owner {
				continue
			}
		}
		keys = append(keys, recordKey(key), kindEntry)
	}
	return keys
}

// trimRecords applies PutOptions.Keep. Expired records do not count and are
// deleted as well. An entry of the index that a damaged record left behind may name a
// record of another owner.
func (t *tx) trimRecords(record authcore.Record, options authcore.PutOptions) {
	if options.Keep <= 0 || record.Owner == "" {
		return
	}
	var gone [][]byte
	kept := 1
	for index := range t.prefix(ownerPrefix(record.Owner, record.Kind)) {
		key, _, _ := parseOwnerKey(index)
		other, err := load[authcore.Record](t, recordKey(key))
		if err != nil || other.Owner != record.Owner || key == record.RecordKey {
			continue
		}
		if other.Live(options.Now) && kept < options.Keep {
			kept++
			continue
		}
		gone = append(gone, recordKey(other.RecordKey))
	}
	for _, key := range gone {
		t.deleteRecord(key)
	}
}
