package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/edgeauth/edgeauth/authcore"
)

// imported is what one Import brings.
type imported struct {
	users       []authcore.User
	identities  []authcore.Identity
	sessions    []authcore.Session
	revocations []authcore.Revocation
	keys        []authcore.SigningKey
}

// Import stores those of the records that are not there yet. See
// authcore.Transfer. A verified address that is somebody else's and a user who is
// not here break constraints.
func (s *Store) Import(ctx context.Context, records []authcore.Record) (int, error) {
	given := sortRecords(records)
	if !given.storable() {
		return 0, unkeepable("a record")
	}
	stored, taken := 0, false
	var keys []authcore.SigningKey
	count := func(insert *pgx.QueuedQuery) {
		insert.Exec(func(tag pgconn.CommandTag) error {
			stored += int(tag.RowsAffected())
			return nil
		})
	}
	err := s.transact(ctx, func(b *batch) error {
		stored = 0
		b.queue(lockKeys, s.realm)
		queueKeys(b, s.realm, &keys)
		s.queueUsers(b, given.users, count)
		s.queueIdentities(b, given.identities, count, &taken)
		s.queueSessions(b, given.sessions, count)
		return nil
	}, func(b *batch) error {
		if taken {
			return answered{authcore.ErrTaken}
		}
		if merged, added := authcore.MergeKeys(keys, given.keys); added > 0 {
			stored += added
			if err := s.queueNewKeys(b, merged); err != nil {
				return err
			}
		}
		s.queueRevocations(b, given.revocations, count)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return stored, nil
}

func sortRecords(records []authcore.Record) imported {
	var given imported
	for _, record := range records {
		switch {
		case record.User != nil:
			given.users = append(given.users, tidyUser(*record.User))
		case record.Identity != nil:
			given.identities = append(given.identities, *record.Identity)
		case record.Session != nil:
			given.sessions = append(given.sessions, *record.Session)
		case record.Revocation != nil:
			given.revocations = append(given.revocations, *record.Revocation)
		case record.Key != nil:
			given.keys = append(given.keys, *record.Key)
		}
	}
	return given
}

// storable reports whether all that identifies something can be kept.
func (g imported) storable() bool {
	return !slices.ContainsFunc(g.users, func(u authcore.User) bool { return !storable(u.ID) }) &&
		!slices.ContainsFunc(g.identities, func(i authcore.Identity) bool {
			return !storableIdentity(i) || !storable(i.UserID)
		}) &&
		!slices.ContainsFunc(g.sessions, func(s authcore.Session) bool {
			return !storable(s.ID) || !storable(s.UserID) || !storable(s.TokenID)
		}) &&
		!slices.ContainsFunc(g.revocations, func(r authcore.Revocation) bool {
			return !storable(string(r.Kind)) || !storable(r.ID)
		})
}

func (s *Store) queueUsers(b *batch, users []authcore.User, count func(*pgx.QueuedQuery)) {
	for _, user := range users {
		count(b.queue(`INSERT INTO @.users (`+userTargets+`) VALUES (`+userValues+`) ON CONFLICT (realm, id) DO NOTHING`,
			s.userArguments(user)...))
	}
}

// queueIdentities also looks for those that belong to somebody else. It is a
// statement of its own, which sees what the insertions may have waited for.
func (s *Store) queueIdentities(
	b *batch, identities []authcore.Identity, count func(*pgx.QueuedQuery), taken *bool,
) {
	var providers, issuers, subjects, users []string
	for _, i := range identities {
		count(b.queue(`INSERT INTO @.identities (realm, provider, issuer, subject, user_id, email, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (realm, provider, issuer, subject) DO NOTHING`,
			s.realm, i.Provider, i.Issuer, i.Subject, i.UserID, tidy(i.Email), stamp(i.Created)))
		providers, issuers = append(providers, i.Provider), append(issuers, i.Issuer)
		subjects, users = append(subjects, i.Subject), append(users, i.UserID)
	}
	b.queue(`
		SELECT EXISTS (
			SELECT FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS v (provider, issuer, subject, user_id)
			JOIN @.identities i USING (provider, issuer, subject) WHERE i.realm = $1 AND i.user_id <> v.user_id
		)`, s.realm, providers, issuers, subjects, users).
		QueryRow(func(row pgx.Row) error { return row.Scan(taken) })
}

func (s *Store) queueSessions(b *batch, sessions []authcore.Session, count func(*pgx.QueuedQuery)) {
	for _, session := range sessions {
		count(b.queue(`
			INSERT INTO @.sessions (realm, id, user_id, token_id, client, method, created, expires, last_seen, ip, user_agent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (realm, id) DO NOTHING`,
			s.sessionArguments(session)...))
	}
}

func (s *Store) queueRevocations(b *batch, entries []authcore.Revocation, count func(*pgx.QueuedQuery)) {
	if len(entries) == 0 {
		return
	}
	var kinds, ids []string
	var untils []*time.Time
	for _, entry := range entries {
		kinds, ids = append(kinds, string(entry.Kind)), append(ids, entry.ID)
		untils = append(untils, stampOrNull(entry.Until))
	}
	count(b.queue(`
		WITH revoked AS (
			SELECT v.* FROM unnest($3::text[], $4::text[], $5::timestamptz[]) AS v (kind, id, until)
			WHERE NOT EXISTS (SELECT FROM @.revocations r WHERE r.realm = $1 AND r.kind = v.kind AND r.id = v.id)
		), `+feed+`
		INSERT INTO @.revocations (realm, kind, id, number, until, forget)
		SELECT $1, revoked.kind, revoked.id, feed.last, revoked.until, coalesce(revoked.until, '-infinity')
		FROM revoked, feed ON CONFLICT DO NOTHING`,
		s.realm, s.channel(), kinds, ids, untils))
}
