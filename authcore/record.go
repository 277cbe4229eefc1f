package authcore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Bounds of a [Record], in bytes.
const (
	maxRecordKey  = 128
	maxRecordData = 16 << 10
)

var (
	recordKind = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	recordText = regexp.MustCompile(`^[\x20-\x7e]*$`)
)

// RecordKey identifies a record.
type RecordKey struct {
	Kind string `json:"kind"`
	Key  string `json:"key"`
}

// Record is a small fact that expires or belongs to an owner. See [Records].
type Record struct {
	RecordKey
	// Owner groups records of a kind, or is "". It is the ID of the user whose
	// deletion deletes the record, or any other text.
	Owner string `json:"owner,omitempty"`
	// Created orders the records of an owner.
	Created time.Time `json:"created"`
	// Expires ends the record; zero means never.
	Expires time.Time `json:"expires,omitzero"`
	// Data is the content, in a form that the kind defines.
	Data []byte `json:"data,omitempty"`
}

// Live reports whether the record has not expired.
func (r Record) Live(now time.Time) bool { return r.Expires.IsZero() || now.Before(r.Expires) }

// Decode reads the content of a record in JSON.
func (r Record) Decode(content any) error {
	if err := json.Unmarshal(r.Data, content); err != nil {
		return fmt.Errorf("read a %s record: %w", r.Kind, err)
	}
	return nil
}

// Validate checks the bounds of [Records]. Engines call it before they store a
// record.
func (r Record) Validate() error {
	switch {
	case !recordKind.MatchString(r.Kind):
		return fmt.Errorf("authcore: record kind %q is not valid", r.Kind)
	case r.Key == "" || len(r.Key) > maxRecordKey || !recordText.MatchString(r.Key):
		return fmt.Errorf("authcore: key of a %s record is not 1 to %d bytes of printable ASCII", r.Kind, maxRecordKey)
	case len(r.Owner) > maxRecordKey || !recordText.MatchString(r.Owner):
		return fmt.Errorf("authcore: owner of a %s record is not up to %d bytes of printable ASCII", r.Kind, maxRecordKey)
	case len(r.Data) > maxRecordData:
		return fmt.Errorf("authcore: data of a %s record has more than %d bytes", r.Kind, maxRecordData)
	}
	return nil
}

// RecordFilter selects records for Records.ListRecords.
type RecordFilter struct {
	// Kind is required.
	Kind string
	// Owner selects the records of one owner. Empty selects all records.
	Owner string
	// From (inclusive) and To (exclusive) match Record.Created; zero matches all.
	From, To time.Time
	// Limit bounds the records of one page; zero means 100, and 1000 is the most.
	Limit int
}

// The default and the largest RecordFilter.Limit.
const defaultRecords, maxRecords = 100, 1000

// PageSize returns the most records of one page.
func (f RecordFilter) PageSize() int {
	return min(cmp.Or(max(0, f.Limit), defaultRecords), maxRecords)
}

// Matches reports whether the filter selects a record.
func (f RecordFilter) Matches(record Record) bool {
	return record.Kind == f.Kind && (f.Owner == "" || record.Owner == f.Owner) &&
		!record.Created.Before(f.From) && (f.To.IsZero() || record.Created.Before(f.To))
}

// RecordLister lists records; see [Records].
type RecordLister interface {
	ListRecords(ctx context.Context, filter RecordFilter, now time.Time, cursor string) ([]Record, string, error)
}

// AllRecords reads all pages of a listing, for an owner with few records.
func AllRecords(ctx context.Context, store RecordLister, filter RecordFilter, now time.Time) ([]Record, error) {
	filter.Limit = maxRecords
	var all []Record
	for cursor := ""; ; {
		records, next, err := store.ListRecords(ctx, filter, now, cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		if cursor = next; cursor == "" {
			return all, nil
		}
	}
}
