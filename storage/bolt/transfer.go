package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// exportPage is how many records one call of Export returns, give or take the
// identities and sessions of one user.
const exportPage = 1000

// The cursors of Export: everything up to a user, or up to the revocation with a
// number, or everything.
const (
	afterUser       = "user:"
	afterRevocation = "revocation:"
	afterKeys       = "end"
)

// Export returns some of the records after the cursor. See authcore.Transfer. It
// goes through the users in the order of their ids, each with its identities and
// sessions, then through the feed, and returns the keys in the end. A cursor that
// it did not make counts as empty.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	var next string
	records, err := read(ctx, s, func(t *tx) ([]authcore.Record, error) {
		e := export{tx: t, now: now, cursor: cursor}
		err := e.page()
		next = e.cursor
		return e.records, err
	})
	if err != nil {
		return nil, "", err
	}
	return records, next, nil
}

// export is one call of Export.
type export struct {
	*tx
	now     time.Time
	cursor  string
	records []authcore.Record
}

// page goes on from the cursor until there is something to return.
func (e *export) page() error {
	if e.cursor == afterKeys {
		return nil
	}
	number, numbered := strings.CutPrefix(e.cursor, afterRevocation)
	if !numbered {
		id, _ := strings.CutPrefix(e.cursor, afterUser)
		if err := e.users(id); err != nil || len(e.records) > 0 {
			return err
		}
	}
	seen, _ := strconv.ParseUint(number, 10, 64) // 0 for no number
	if err := e.revocations(seen); err != nil || len(e.records) > 0 {
		return err
	}
	return e.keys()
}

// users adds users whose ids come after the given one.
func (e *export) users(after string) error {
	position := e.bucket(usersTable).Cursor()
	key, text := position.Seek([]byte(after))
	if string(key) == after {
		key, text = position.Next()
	}
	for ; key != nil && len(e.records) < exportPage; key, text = position.Next() {
		var user authcore.User
		if err := decode(usersTable, text, &user); err != nil {
			return err
		}
		e.records = append(e.records, authcore.Record{User: &user})
		identities, err := e.identitiesOf(user.ID)
		if err != nil {
			return err
		}
		for _, identity := range identities {
			e.records = append(e.records, authcore.Record{Identity: &identity})
		}
		sessions, err := e.liveSessions(user.ID, e.now)
		if err != nil {
			return err
		}
		for _, session := range sessions {
			e.records = append(e.records, authcore.Record{Session: &session})
		}
		e.cursor = afterUser + user.ID
	}
	return nil
}

func (e *export) revocations(seen uint64) error {
	position := e.bucket(revocationsTable).Cursor()
	key, text := position.Seek(numberKey(seen + 1))
	for ; key != nil && len(e.records) < exportPage; key, text = position.Next() {
		entry, err := parseRevocation(text)
		if err != nil {
			return err
		}
		e.cursor = afterRevocation + strconv.FormatUint(binary.BigEndian.Uint64(key), 10)
		if e.now.Before(entry.Until) {
			e.records = append(e.records, authcore.Record{Revocation: &entry.Revocation})
		}
	}
	return nil
}

func (e *export) keys() error {
	keys, err := e.signingKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.Expires.IsZero() || e.now.Before(key.Expires) {
			e.records = append(e.records, authcore.Record{Key: &key})
		}
	}
	e.cursor = afterKeys
	return nil
}

// Import stores those of the records that are not there yet, in one commit. See
// authcore.Transfer.
func (s *Store) Import(ctx context.Context, records []authcore.Record) (int, error) {
	return write(ctx, s, func(t *tx) (int, error) {
		stored := 0
		var keys []authcore.SigningKey
		for _, record := range records {
			if record.Key != nil {
				keys = append(keys, *record.Key)
				continue
			}
			isNew, err := t.importRecord(record)
			if err != nil {
				return 0, err
			}
			if isNew {
				stored++
			}
		}
		added, err := t.importKeys(keys)
		return stored + added, err
	})
}

// importRecord stores anything but a key and reports whether it was new.
func (t *tx) importRecord(record authcore.Record) (bool, error) {
	switch {
	case record.User != nil:
		return t.importUser(*record.User)
	case record.Identity != nil:
		return t.importIdentity(*record.Identity)
	case record.Session != nil:
		return t.importSession(*record.Session)
	case record.Revocation != nil:
		r := *record.Revocation
		if t.get(revocationsByIDTable, joinKey(string(r.Kind), r.ID)) != nil {
			return false, nil
		}
		return true, t.revoke(r.Kind, r.ID, r.Until)
	}
	return false, nil
}

func (t *tx) importUser(user authcore.User) (bool, error) {
	if t.get(usersTable, []byte(user.ID)) != nil {
		return false, nil
	}
	if t.holder(user.EmailKey()) != "" {
		return false, authcore.ErrTaken
	}
	return true, t.addUser(user)
}

func (t *tx) importIdentity(identity authcore.Identity) (bool, error) {
	if _, err := t.user(identity.UserID); err != nil {
		return false, err
	}
	known, err := t.identity(identity)
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return true, t.attach(identity, identity.UserID)
	case err == nil && known.UserID != identity.UserID:
		return false, authcore.ErrTaken
	}
	return false, err
}

func (t *tx) importSession(session authcore.Session) (bool, error) {
	if _, err := t.user(session.UserID); err != nil {
		return false, err
	}
	if t.get(sessionsTable, []byte(session.ID)) != nil {
		return false, nil
	}
	return true, t.addSession(session)
}

func (t *tx) importKeys(keys []authcore.SigningKey) (int, error) {
	if len(keys) == 0 {
		return 0, nil
	}
	stored, err := t.signingKeys()
	if err != nil {
		return 0, err
	}
	merged, added := authcore.MergeKeys(stored, keys)
	if added == 0 {
		return 0, nil
	}
	return added, store(t, keysTable, keysKey, merged)
}
