package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// snapshot is a pg_snapshot: the set of transactions below end, except the open
// ones. The open ones are sorted.
type snapshot struct {
	end  uint64
	open []uint64
}

var errSnapshot = errors.New("not a snapshot")

// beginning is the snapshot in which nothing has been seen.
func beginning() snapshot { return snapshot{end: 1} }

// String returns the text of the snapshot as PostgreSQL reads it.
func (s snapshot) String() string {
	begin := s.end
	open := make([]string, 0, len(s.open))
	for i, xid := range s.open {
		if i == 0 {
			begin = xid
		}
		open = append(open, strconv.FormatUint(xid, 10))
	}
	return fmt.Sprintf("%d:%d:%s", begin, s.end, strings.Join(open, ","))
}

// parseSnapshot accepts the texts that PostgreSQL accepts and writes.
func parseSnapshot(text string) (snapshot, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return snapshot{}, errSnapshot
	}
	begin, beginErr := parseXid(fields[0])
	end, endErr := parseXid(fields[1])
	if beginErr != nil || endErr != nil || begin > end {
		return snapshot{}, errSnapshot
	}
	s := snapshot{end: end}
	if fields[2] == "" {
		return s, nil
	}
	for field := range strings.SplitSeq(fields[2], ",") {
		xid, err := parseXid(field)
		if err != nil || xid < begin || xid >= end || len(s.open) > 0 && xid <= s.open[len(s.open)-1] {
			return snapshot{}, errSnapshot
		}
		s.open = append(s.open, xid)
	}
	return s, nil
}

func parseXid(text string) (uint64, error) {
	xid, err := strconv.ParseUint(text, 10, 63)
	if err != nil || xid == 0 {
		return 0, errSnapshot
	}
	return xid, nil
}

// advance returns what a reader has seen that had seen s, and has read what is in
// now up to and including the transaction last.
func (s snapshot) advance(now snapshot, last uint64) snapshot {
	if last >= now.end-1 {
		return now
	}
	seen := snapshot{end: max(s.end, last+1)}
	for _, xid := range now.open {
		if xid <= last {
			seen.open = append(seen.open, xid)
		}
	}
	for _, xid := range s.open {
		if xid > last {
			seen.open = append(seen.open, xid)
		}
	}
	slices.Sort(seen.open)
	return seen
}

// parseCursor returns the beginning, with no nonce, for a text that is not a cursor.
func parseCursor(cursor string) (nonce string, seen snapshot) {
	nonce, text, _ := strings.Cut(cursor, ".")
	seen, err := parseSnapshot(text)
	if err != nil || !storable(nonce) {
		return "", beginning()
	}
	return nonce, seen
}
