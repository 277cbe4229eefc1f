package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const linkColumns = `l.secret, l.code, l.email, l.email_key, l.created, l.expires, l.guesses`

func scanLink(row pgx.CollectableRow) (authcore.Link, error) {
	var l authcore.Link
	var secret, code []byte
	err := row.Scan(&secret, &code, &l.Email, &l.EmailKey, &l.Created, &l.Expires, &l.Guesses)
	copy(l.Secret[:], secret)
	copy(l.Code[:], code)
	return l, err
}

// PutLink stores a link and ends older ones of its address, whose row it takes.
// See authcore.Links.
func (s *Store) PutLink(ctx context.Context, link authcore.Link) error {
	if !storable(link.EmailKey) {
		return unkeepable("an address")
	}
	_, err := s.exec(ctx, `
		INSERT INTO @.links (realm, email_key, secret, code, email, created, expires, guesses)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (realm, email_key) DO UPDATE SET
			secret = EXCLUDED.secret, code = EXCLUDED.code, email = EXCLUDED.email,
			created = EXCLUDED.created, expires = EXCLUDED.expires, guesses = EXCLUDED.guesses`,
		s.realm, link.EmailKey, link.Secret[:], link.Code[:], tidy(link.Email),
		stamp(link.Created), stamp(link.Expires), link.Guesses)
	return err
}

// TakeLink removes and returns the live link with this secret. See
// authcore.Links.
func (s *Store) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	return one(ctx, s, scanLink, `
		DELETE FROM @.links l WHERE l.realm = $1 AND l.secret = $2 AND l.expires > $3 RETURNING `+linkColumns,
		s.realm, secret[:], stamp(now))
}

// TakeCode counts and evaluates a guess at the code of the address's live link.
// See authcore.Links. A right guess takes the link and a wrong one is counted: of
// the two parts of the statement one applies, and each waits for others at the same
// link and then looks at it anew.
func (s *Store) TakeCode(
	ctx context.Context, emailKey string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	if !storable(emailKey) {
		return authcore.Link{}, authcore.ErrNotFound
	}
	return one(ctx, s, scanLink, `
		WITH taken AS (
			DELETE FROM @.links
			WHERE realm = $1 AND email_key = $2 AND expires > $4 AND guesses < $5 AND code = $3
			RETURNING *
		), counted AS (
			UPDATE @.links SET guesses = guesses + 1
			WHERE realm = $1 AND email_key = $2 AND expires > $4 AND guesses < $5 AND code <> $3
		)
		SELECT `+linkColumns+` FROM taken l`,
		s.realm, emailKey, code[:], stamp(now), authcore.MaxGuesses)
}
