package kv

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// ListRecords implements authcore.Records. The cursor is the encoded time and key of
// the last entry that was read. A cursor that cannot be decoded counts as empty.
func (s *Store) ListRecords(
	ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string,
) ([]authcore.Record, string, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(after) <= createdLength {
		after = nil
	}
	return viewPage(ctx, s, func(t *tx) ([]authcore.Record, string) { return t.listRecords(filter, now, after) })
}

func (t *tx) listRecords(
	filter authcore.RecordFilter, now time.Time, after []byte,
) (records []authcore.Record, next string) {
	prefix := kindPrefix(filter.Kind)
	if filter.Owner != "" {
		prefix = ownerPrefix(filter.Owner, filter.Kind)
	}
	from := prefix
	if !filter.To.IsZero() {
		from = append(appendCreated(slices.Clone(prefix), filter.To), '\xff') // after all keys
	}
	if later := append(append(slices.Clone(prefix), after...), 0); after != nil && bytes.Compare(later, from) > 0 {
		from = later
	}
	oldest := appendCreated(slices.Clone(prefix), filter.From)
	var last []byte
	examined := 0
	for index := range t.within(prefix, from) {
		entry := index[len(prefix):]
		if len(entry) <= createdLength {
			continue
		}
		if bytes.Compare(index[:len(oldest)], oldest) > 0 {
			break
		}
		if examined == maxExamined || len(records) == filter.PageSize() {
			return records, base64.RawURLEncoding.EncodeToString(last)
		}
		examined++
		last = entry
		key := authcore.RecordKey{Kind: filter.Kind, Key: string(entry[createdLength:])}
		// An entry that a damaged record left behind may name another record.
		record, err := t.liveRecord(key, now)
		if err == nil && filter.Matches(record) && bytes.HasPrefix(entry, appendCreated(nil, record.Created)) {
			records = append(records, record)
		}
	}
	return records, ""
}
