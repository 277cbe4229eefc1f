package kv

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// recordPage is a page of records and what follows its last index entry.
type recordPage struct {
	records []authcore.Record
	next    string
}

// ListRecords implements authcore.Records. The cursor is the encoded time and key of
// the last entry that was read. A cursor that cannot be decoded counts as empty.
func (s *Store) ListRecords(
	ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string,
) ([]authcore.Record, string, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(after) <= createdLength {
		after = nil
	}
	page, err := view(ctx, s, func(t *tx) (recordPage, error) { return t.listRecords(filter, now, after), nil })
	return page.records, page.next, err
}

func (t *tx) listRecords(filter authcore.RecordFilter, now time.Time, after []byte) recordPage {
	prefix := kindPrefix(filter.Kind)
	if filter.Owner != "" {
		prefix = ownerPrefix(filter.Owner, filter.Kind)
	}
	from := prefix
	if !filter.To.IsZero() {
		from = append(appendCreated(slices.Clone(prefix), filter.To), '\xff') // after all keys
	}
	if next := append(append(slices.Clone(prefix), after...), 0); after != nil && bytes.Compare(next, from) > 0 {
		from = next
	}
	oldest := appendCreated(slices.Clone(prefix), filter.From)
	var page recordPage
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
		if examined == maxExamined || len(page.records) == filter.PageSize() {
			page.next = base64.RawURLEncoding.EncodeToString(last)
			break
		}
		examined++
		last = entry
		key := authcore.RecordKey{Kind: filter.Kind, Key: string(entry[createdLength:])}
		// An entry that a damaged record left behind may name another record.
		record, err := t.liveRecord(key, now)
		if err == nil && filter.Matches(record) && bytes.HasPrefix(entry, appendCreated(nil, record.Created)) {
			page.records = append(page.records, record)
		}
	}
	return page
}
