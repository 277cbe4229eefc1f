package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// ListRecords lists records. See [authcore.Records]. The cursor is the time and key of
// the last record that was examined.
func (s *Store) ListRecords(
	ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string,
) ([]authcore.Record, string, error) {
	index, owned := s.key("n:", filter.Kind), "0"
	if filter.Owner != "" {
		index, owned = s.key("o:", filter.Owner), "1"
	}
	before := filter.Kind + "!" // after all members of the kind
	if !filter.To.IsZero() {
		before = createdPrefix(filter.Kind, filter.To)
	}
	if after := filter.Kind + " " + cursor; cursor != "" && after < before {
		before = after
	}
	answer, err := s.elements(ctx, 2, "list", []string{index}, s.prefix, owned,
		createdPrefix(filter.Kind, filter.From), before, strconv.Itoa(filter.PageSize()))
	if err != nil {
		return nil, "", err
	}
	var records []authcore.Record
	pairs := texts(answer[1])
	for i := 0; i+1 < len(pairs); i += 2 {
		record, err := decodeRecord(pairs[i+1], now)
		// A member of a record that has expired may name another record.
		if err == nil && filter.Matches(record) && member(record) == pairs[i] {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b authcore.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Key, b.Key))
	})
	last, _ := answer[0].(string)
	return records, strings.TrimPrefix(last, filter.Kind+" "), nil
}
