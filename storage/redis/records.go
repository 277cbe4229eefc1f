package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

func (s *Store) recordKey(key authcore.RecordKey) string { return s.key("r:", key.Kind, ":", key.Key) }

// PutRecord stores a record. See [authcore.Records]. It takes one round trip if the
// record is absent.
func (s *Store) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	key, value := s.recordKey(record.RecordKey), ""
	present := false
	_, err := retry(ctx, s, options.Now, func(c *commit) (struct{}, error) {
		if present {
			_, values, _, err := s.load(ctx, nil, key)
			if err != nil {
				return struct{}{}, err
			}
			value = values[0]
		}
		present = true // if this try fails
		if former, err := decodeRecord(value, options.Now); !errors.Is(err, authcore.ErrNotFound) {
			if options.IfAbsent {
				return struct{}{}, cmp.Or(err, authcore.ErrExists)
			}
			c.removeIndex(former)
		}
		c.unchanged(key, "", value)
		if options.OwnedByUser {
			c.check(s.key("u:", record.Owner), versionField, "*", failure{err: authcore.ErrNotFound})
		}
		return struct{}{}, c.record(record, options.Now, options.Keep)
	})
	return err
}

// Record returns a record. See [authcore.Records].
func (s *Store) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	_, values, _, err := s.load(ctx, nil, s.recordKey(key))
	if err != nil {
		return authcore.Record{}, err
	}
	return decodeRecord(values[0], now)
}

// TakeRecord deletes and returns a record. See [authcore.Records].
func (s *Store) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	return retry(ctx, s, now, func(c *commit) (authcore.Record, error) {
		record, err := c.loadRecord(ctx, key, now)
		if err == nil {
			c.removeRecord(record)
		}
		return record, err
	})
}

// UpdateRecord changes a record. See [authcore.Records].
func (s *Store) UpdateRecord(
	ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error,
) (authcore.Record, error) {
	return retry(ctx, s, now, func(c *commit) (authcore.Record, error) {
		record, err := c.loadRecord(ctx, key, now)
		if err != nil {
			return authcore.Record{}, err
		}
		changed := record
		if err := kv.Recover("callback", func() error { return change(&changed) }); err != nil {
			return authcore.Record{}, err
		}
		record.Data, record.Expires = slices.Clone(changed.Data), changed.Expires
		return record, c.record(record, now, 0)
	})
}

// DeleteRecord deletes a record. See [authcore.Records].
func (s *Store) DeleteRecord(ctx context.Context, key authcore.RecordKey) error {
	_, err := retry(ctx, s, time.Time{}, func(c *commit) (struct{}, error) {
		_, values, _, err := s.load(ctx, nil, s.recordKey(key))
		if err != nil || values[0] == "" {
			return struct{}{}, err
		}
		c.unchanged(s.recordKey(key), "", values[0])
		c.write("DEL", s.recordKey(key))
		if record, err := decodeRecord(values[0], time.Time{}); err == nil {
			c.removeIndex(record)
		}
		return struct{}{}, nil
	})
	return err
}

// loadRecord reads a live record and adds the check that it is unchanged.
func (c *commit) loadRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	_, values, _, err := c.store.load(ctx, nil, c.store.recordKey(key))
	if err != nil {
		return authcore.Record{}, err
	}
	c.unchanged(c.store.recordKey(key), "", values[0])
	return decodeRecord(values[0], now)
}

// record validates and stores a record. Keep is that of [authcore.PutOptions].
func (c *commit) record(record authcore.Record, now time.Time, keep int) error {
	if err := record.Validate(); err != nil {
		return err
	}
	text, err := encode(record)
	if err != nil {
		return err
	}
	owner, expires, left := "", "", ""
	if record.Owner != "" {
		owner = c.number(c.store.key("o:", record.Owner))
	} else {
		keep = 0
	}
	if !record.Expires.IsZero() {
		expires, left = millis(record.Expires), strconv.FormatInt(record.Expires.Sub(now).Milliseconds()+1, 10)
	}
	c.write("RECORD", c.store.recordKey(record.RecordKey), text, expires, left,
		owner, member(record), record.Kind, strconv.Itoa(max(0, keep)))
	return nil
}

func (c *commit) removeRecord(record authcore.Record) {
	c.write("DEL", c.store.recordKey(record.RecordKey))
	c.removeIndex(record)
}

func (c *commit) removeIndex(record authcore.Record) {
	if record.Key == "" {
		return // no record was replaced
	}
	c.write("ZREM", c.store.key("n:", record.Kind), member(record))
	if record.Owner != "" {
		c.write("ZREM", c.store.key("o:", record.Owner), member(record))
	}
}

// member names a record in the indexes of its owner and its kind. Members of a kind
// are ordered like the times of creation.
func member(record authcore.Record) string {
	return createdPrefix(record.Kind, record.Created) + record.Key
}

func createdPrefix(kind string, created time.Time) string {
	const yearOne = 62135596800 // seconds from the zero time to 1970
	return fmt.Sprintf("%s %012d%09d ", kind, max(0, created.Unix()+yearOne), created.Nanosecond())
}

// decodeRecord returns ErrNotFound if the record is absent or has expired.
func decodeRecord(text string, now time.Time) (authcore.Record, error) {
	var record authcore.Record
	switch {
	case text == "":
		return record, authcore.ErrNotFound
	case json.Unmarshal([]byte(text), &record) != nil || record.Validate() != nil:
		return authcore.Record{}, damaged("record")
	case !record.Live(now):
		return authcore.Record{}, authcore.ErrNotFound
	}
	return record, nil
}
