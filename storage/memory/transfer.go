package memory

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// exported is the cursor of those who have got everything.
const exported = "end"

// Export returns everything at once: it is in memory anyway. See
// authcore.Transfer.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	if cursor == exported {
		return nil, exported, nil
	}
	var records []authcore.Record
	for id, item := range s.users.items.Items() {
		user, ok := item.Object.(authcore.User)
		if !ok {
			continue
		}
		records = append(records, authcore.Record{User: &user})
		for _, identity := range s.identitiesOf(id) {
			records = append(records, authcore.Record{Identity: &identity})
		}
		for _, session := range s.liveSessions(id, now) {
			records = append(records, authcore.Record{Session: &session})
		}
	}
	revocations, _ := s.feed.since("")
	for _, revocation := range revocations {
		if now.Before(revocation.Until) {
			records = append(records, authcore.Record{Revocation: &revocation})
		}
	}
	for _, key := range copyKeys(s.keys) {
		if key.Expires.IsZero() || now.Before(key.Expires) {
			records = append(records, authcore.Record{Key: &key})
		}
	}
	return records, exported, nil
}

// Import stores those of the records that are not there yet. See
// authcore.Transfer.
func (s *Store) Import(ctx context.Context, records []authcore.Record) (int, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := s.checkImport(records); err != nil {
		return 0, err
	}
	stored := 0
	var keys []authcore.SigningKey
	for _, record := range records {
		if s.importRecord(record) {
			stored++
		}
		if record.Key != nil {
			keys = append(keys, *record.Key)
		}
	}
	merged, added := authcore.MergeKeys(s.keys, keys)
	s.keys = copyKeys(merged)
	return stored + added, nil
}

// checkImport finds what would stop an import half-way.
func (s *Store) checkImport(records []authcore.Record) error {
	users, emails := make(map[string]bool), make(map[string]bool)
	owners := make(map[string]string) // of new identities
	known := func(id string) bool {
		_, found := s.users.get(id)
		return found || users[id]
	}
	for _, record := range records {
		switch {
		case record.User != nil && !known(record.User.ID):
			key := record.User.EmailKey()
			if _, found := s.byEmail[key]; found || emails[key] {
				return authcore.ErrTaken
			}
			users[record.User.ID] = true
			emails[key] = key != ""
		case record.Identity != nil:
			if !known(record.Identity.UserID) {
				return authcore.ErrNotFound
			}
			key, owner := identityKey(*record.Identity), record.Identity.UserID
			if there, found := s.identities.get(key); found && there.UserID != owner {
				return authcore.ErrTaken
			}
			if other, found := owners[key]; found && other != owner {
				return authcore.ErrTaken
			}
			owners[key] = owner
		case record.Session != nil && !known(record.Session.UserID):
			return authcore.ErrNotFound
		}
	}
	return nil
}

// importRecord stores anything but a key and reports whether it was new.
func (s *Store) importRecord(record authcore.Record) bool {
	switch {
	case record.User != nil:
		_, err := s.addUser(*record.User)
		return err == nil
	case record.Identity != nil:
		if _, found := s.identities.get(identityKey(*record.Identity)); found {
			return false
		}
		s.attach(*record.Identity, record.Identity.UserID)
		return true
	case record.Session != nil:
		if _, found := s.sessions.get(record.Session.ID); found {
			return false
		}
		s.addSession(*record.Session)
		return true
	case record.Revocation != nil:
		r := *record.Revocation
		if _, found := s.feed.numbers[revocationKey{kind: r.Kind, id: r.ID}]; found {
			return false
		}
		s.revoke(r.Kind, r.ID, r.Until)
		return true
	}
	return false
}
