package redis

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// exportPage is how many users, with all that is theirs, are read at once.
const exportPage = 100

// The parts of an export, in their order, as the first letter of a cursor. What
// follows says how far the part has come.
const (
	exportUsers       = "u"
	exportRevocations = "r"
	exportKeys        = "k"
	exportEnd         = "e"
)

// Export returns some of the records after the cursor. See authcore.Transfer. It
// reads indexes in their order, so that a cursor is good for another server and
// after a failover too.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	if cursor == "" {
		cursor = exportUsers
	}
	for {
		records, next, err := s.exportPart(ctx, cursor, now)
		if err != nil {
			return nil, "", err
		}
		if len(records) > 0 || next == exportEnd {
			return records, next, nil
		}
		cursor = next
	}
}

func (s *Store) exportPart(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	part, at := cursor[:1], cursor[1:]
	switch part {
	case exportUsers:
		return s.exportUsers(ctx, at, now)
	case exportRevocations:
		return s.exportRevocations(ctx, at, now)
	case exportKeys:
		keys, _, err := s.keys(ctx)
		var records []authcore.Record
		for _, key := range keys {
			records = append(records, authcore.Record{Key: &key})
		}
		return records, exportEnd, err
	case exportEnd:
		return nil, exportEnd, nil
	default:
		return s.exportUsers(ctx, "", now) // a cursor of somebody else: from the beginning
	}
}

func (s *Store) exportUsers(ctx context.Context, at string, now time.Time) ([]authcore.Record, string, error) {
	last, err := base64.RawURLEncoding.DecodeString(at)
	if err != nil {
		last = nil
	}
	result, err := s.run(ctx, s.db.scripts.export, string(last), strconv.Itoa(exportPage))
	if err != nil {
		return nil, "", err
	}
	var records []authcore.Record
	for _, element := range result.rest {
		id, belonging, err := exportUser(element, now)
		if err != nil {
			return nil, "", damaged("users")
		}
		last, records = []byte(id), append(records, belonging...)
	}
	if len(result.rest) < exportPage {
		return records, exportRevocations, nil
	}
	return records, exportUsers + base64.RawURLEncoding.EncodeToString(last), nil
}

// exportUser reads one element of what the script returns: id, user, identities
// and sessions.
func exportUser(element any, now time.Time) (string, []authcore.Record, error) {
	parts, _ := element.([]any)
	if len(parts) != 4 {
		return "", nil, errDamaged
	}
	head := texts(parts[:2])
	user, err := decodeUser(head[1])
	if err != nil {
		return "", nil, err
	}
	records := []authcore.Record{{User: &user}}
	list := func(i int) []string {
		elements, _ := parts[i].([]any)
		return texts(elements)
	}
	identities, err := decodeAll(list(2), decodeIdentity)
	if err != nil {
		return "", nil, err
	}
	for _, identity := range identities {
		records = append(records, authcore.Record{Identity: &identity})
	}
	sessions, err := decodeAll(list(3), decodeSession)
	if err != nil {
		return "", nil, err
	}
	for _, session := range sessions {
		if now.Before(session.Expires) {
			records = append(records, authcore.Record{Session: &session})
		}
	}
	return head[0], records, nil
}

func (s *Store) exportRevocations(ctx context.Context, at string, now time.Time) ([]authcore.Record, string, error) {
	entries, next, err := s.RevocationsSince(ctx, at)
	if err != nil {
		return nil, "", err
	}
	if len(entries) == 0 {
		return nil, exportKeys, nil
	}
	var records []authcore.Record
	for _, entry := range entries {
		if now.Before(entry.Until) {
			entry.Age = 0 // it was given out, not moved
			records = append(records, authcore.Record{Revocation: &entry})
		}
	}
	return records, exportRevocations + next, nil
}

// Import stores those of the records that are not there yet. See
// authcore.Transfer.
func (s *Store) Import(ctx context.Context, records []authcore.Record) (int, error) {
	arguments, keys, err := importArguments(records)
	if err != nil {
		return 0, err
	}
	return retry(ctx, func() (int, bool, error) {
		stored, before, err := s.keys(ctx)
		if err != nil {
			return 0, false, err
		}
		merged, added := authcore.MergeKeys(stored, keys)
		after := before
		if added > 0 {
			if after, err = encodeKeys(merged); err != nil {
				return 0, false, err
			}
		}
		result, err := s.run(ctx, s.db.scripts.imports, append([]string{before, after}, arguments...)...)
		return result.number(0) + added, result.overtaken(), err
	})
}

// importArguments sorts the records by kinds, as the script takes them.
func importArguments(records []authcore.Record) (arguments []string, keys []authcore.SigningKey, err error) {
	var lists [4][]string
	for _, record := range records {
		kind, fields := 0, []string(nil)
		switch {
		case record.User != nil:
			text, encodeErr := encodeUser(*record.User)
			err, fields = encodeErr, []string{record.User.ID, record.User.EmailKey(), text}
		case record.Identity != nil:
			text, encodeErr := encodeIdentity(*record.Identity)
			kind, err, fields = 1, encodeErr, []string{identityKey(*record.Identity), record.Identity.UserID, text}
		case record.Session != nil:
			text, encodeErr := encodeSession(*record.Session)
			kind, err, fields = 2, encodeErr, []string{record.Session.ID, record.Session.UserID, text}
		case record.Revocation != nil:
			r := record.Revocation
			kind, fields = 3, []string{string(r.Kind), r.ID, stamp(r.Until)}
		case record.Key != nil:
			keys = append(keys, *record.Key)
		}
		if err != nil {
			return nil, nil, err
		}
		lists[kind] = append(lists[kind], fields...)
	}
	for _, list := range lists {
		arguments = append(arguments, strconv.Itoa(len(list)/3))
	}
	return slices.Concat(arguments, lists[0], lists[1], lists[2], lists[3]), keys, nil
}
