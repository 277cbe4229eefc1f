package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
)

// storableIdentity reports whether the key of the identity can be kept.
func storableIdentity(i authcore.Identity) bool {
	return storable(i.Provider) && storable(i.Issuer) && storable(i.Subject)
}

// UserByIdentity returns the user of an identity. See authcore.Identities.
func (s *Store) UserByIdentity(ctx context.Context, identity authcore.Identity) (authcore.User, error) {
	if !storableIdentity(identity) {
		return authcore.User{}, authcore.ErrNotFound
	}
	return one(ctx, s, scanUser, `
		SELECT `+userColumns+` FROM @.identities i JOIN @.users u ON u.realm = i.realm AND u.id = i.user_id
		WHERE i.realm = $1 AND i.provider = $2 AND i.issuer = $3 AND i.subject = $4`,
		s.realm, identity.Provider, identity.Issuer, identity.Subject)
}

// EnsureIdentity finds or makes the user of an identity. See
// authcore.Identities.
//
// It is one statement. The lock on the holder of the address makes it wait for a
// call that takes the address away, and look again. When another call stores the
// identity or the address at the same time, a constraint fails and the statement
// is run again.
func (s *Store) EnsureIdentity(
	ctx context.Context, identity authcore.Identity, candidate authcore.User, join bool,
) (authcore.User, bool, error) {
	if !storableIdentity(identity) || !storable(candidate.ID) {
		return authcore.User{}, false, unkeepable("an identity or the id of a user")
	}
	candidate = tidyUser(candidate)
	const statement = `
		WITH known AS (
			SELECT u.* FROM @.identities i JOIN @.users u ON u.realm = i.realm AND u.id = i.user_id
			WHERE i.realm = $1 AND i.provider = $12 AND i.issuer = $13 AND i.subject = $14
		), holder AS (
			SELECT u.* FROM @.users u
			WHERE u.realm = $1 AND u.email_key = $5 AND NOT EXISTS (SELECT FROM known) FOR SHARE
		), made AS (
			INSERT INTO @.users (` + userTargets + `)
			SELECT ` + userValues + `
			WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM holder) RETURNING *
		), attached AS (
			INSERT INTO @.identities (realm, provider, issuer, subject, user_id, email, created)
			SELECT $1, $12, $13, $14, owner.id, $15, $16
			FROM (SELECT id FROM made UNION ALL SELECT id FROM holder WHERE $17::boolean) AS owner
		)
		SELECT ` + userColumns + `, '` + foundKnown + `' FROM known u
		UNION ALL SELECT ` + userColumns + `, '` + foundHolder + `' FROM holder u
		UNION ALL SELECT ` + userColumns + `, '` + foundMade + `' FROM made u`
	result, err := s.settle(ctx, statement, append(s.userArguments(candidate),
		identity.Provider, identity.Issuer, identity.Subject, tidy(identity.Email), stamp(identity.Created), join)...)
	switch {
	case err != nil:
		return authcore.User{}, false, err
	case result.how == foundHolder && !join:
		return authcore.User{}, false, authcore.ErrTaken
	}
	return result.user, result.how == foundMade, nil
}

// LinkIdentity attaches an identity to the user it names. See
// authcore.Identities.
func (s *Store) LinkIdentity(ctx context.Context, identity authcore.Identity) error {
	if !storable(identity.UserID) {
		return authcore.ErrNotFound
	}
	if !storableIdentity(identity) {
		return unkeepable("an identity")
	}
	return s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		var user, linked, holder *string
		err := conn.QueryRow(ctx, s.db.tables.in(`
			WITH owner AS (
				SELECT id FROM @.users WHERE realm = $1 AND id = $5 FOR KEY SHARE
			), linked AS (
				INSERT INTO @.identities (realm, provider, issuer, subject, user_id, email, created)
				SELECT $1, $2, $3, $4, id, $6, $7 FROM owner
				ON CONFLICT (realm, provider, issuer, subject) DO NOTHING RETURNING user_id
			)
			SELECT (SELECT id FROM owner), (SELECT user_id FROM linked), (
				SELECT user_id FROM @.identities WHERE realm = $1 AND provider = $2 AND issuer = $3 AND subject = $4
			)`), s.realm, identity.Provider, identity.Issuer, identity.Subject, identity.UserID,
			tidy(identity.Email), stamp(identity.Created)).Scan(&user, &linked, &holder)
		switch {
		case err != nil:
			return err
		case user == nil:
			return answered{authcore.ErrNotFound}
		case linked != nil:
			return nil
		case holder == nil: // another call has just stored it, too late to be seen
			return errAgain
		case *holder != identity.UserID:
			return answered{authcore.ErrTaken}
		}
		return nil
	})
}

// UnlinkIdentity takes an identity from the user it names. See
// authcore.Identities. The lock on the user keeps two calls from taking the last
// two at once.
func (s *Store) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	if !storable(identity.UserID) || !storableIdentity(identity) {
		return authcore.ErrNotFound
	}
	var removed, known bool
	err := s.transact(ctx, func(b *batch) error {
		b.queue(lockUser, s.realm, identity.UserID)
		b.queue(`
			WITH mine AS (
				SELECT provider = $2 AND issuer = $3 AND subject = $4 AS named
				FROM @.identities WHERE realm = $1 AND user_id = $5
			), removed AS (
				DELETE FROM @.identities i
				WHERE i.realm = $1 AND i.provider = $2 AND i.issuer = $3 AND i.subject = $4 AND i.user_id = $5 AND (
					(SELECT count(*) FROM mine) > 1 OR
					EXISTS (SELECT FROM @.users u WHERE u.realm = $1 AND u.id = $5 AND u.email_key IS NOT NULL)
				) RETURNING true
			)
			SELECT EXISTS (SELECT FROM removed), EXISTS (SELECT FROM mine WHERE named)`,
			s.realm, identity.Provider, identity.Issuer, identity.Subject, identity.UserID).
			QueryRow(func(row pgx.Row) error { return row.Scan(&removed, &known) })
		return nil
	})
	switch {
	case err != nil:
		return err
	case !known:
		return authcore.ErrNotFound
	case !removed:
		return authcore.ErrLastIdentity
	}
	return nil
}

// ReplaceIdentity lets others take the place of an identity. See
// authcore.Succession.
//
// It is one statement. The lock on the user comes first, as everywhere. Of two
// calls the second waits for the first to delete the identity, and then finds none.
func (s *Store) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	if !storableIdentity(old) {
		return authcore.User{}, authcore.ErrNotFound
	}
	var providers, issuers, subjects, emails []string
	var created []time.Time
	for _, other := range others {
		if !storableIdentity(other) {
			return authcore.User{}, unkeepable("an identity")
		}
		providers, issuers, subjects = append(providers, other.Provider), append(issuers, other.Issuer), append(subjects, other.Subject)
		emails, created = append(emails, tidy(other.Email)), append(created, stamp(other.Created))
	}
	return one(ctx, s, scanUser, `
		WITH owner AS (
			SELECT u.* FROM @.identities i JOIN @.users u ON u.realm = i.realm AND u.id = i.user_id
			WHERE i.realm = $1 AND i.provider = $2 AND i.issuer = $3 AND i.subject = $4 FOR KEY SHARE OF u
		), removed AS (
			DELETE FROM @.identities i USING owner
			WHERE i.realm = $1 AND i.provider = $2 AND i.issuer = $3 AND i.subject = $4 AND i.user_id = owner.id
			RETURNING i.user_id
		), attached AS (
			INSERT INTO @.identities (realm, provider, issuer, subject, user_id, email, created)
			SELECT $1, v.provider, v.issuer, v.subject, removed.user_id, v.email, v.created
			FROM removed, unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
				AS v (provider, issuer, subject, email, created)
		)
		SELECT `+userColumns+` FROM owner u JOIN removed ON removed.user_id = u.id`,
		s.realm, old.Provider, old.Issuer, old.Subject, providers, issuers, subjects, emails, created)
}

// IdentitiesOf returns the identities of a user, oldest first. See
// authcore.Identities.
func (s *Store) IdentitiesOf(ctx context.Context, userID string) ([]authcore.Identity, error) {
	if !storable(userID) {
		return nil, nil
	}
	return all(ctx, s, scanIdentity, `
		SELECT `+identityColumns+` FROM @.identities i
		WHERE i.realm = $1 AND i.user_id = $2 ORDER BY i.created, i.provider, i.issuer, i.subject`, s.realm, userID)
}

const identityColumns = `i.provider, i.issuer, i.subject, i.user_id, i.email, i.created`

func scanIdentity(row pgx.CollectableRow) (authcore.Identity, error) {
	var i authcore.Identity
	err := row.Scan(&i.Provider, &i.Issuer, &i.Subject, &i.UserID, &i.Email, &i.Created)
	return i, err
}
