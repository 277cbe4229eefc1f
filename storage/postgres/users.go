package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	userColumns = `u.id, u.email, u.email_verified, u.first_name, u.last_name, u.avatar_url, u.nickname, u.disabled, u.created`
	// userValues are the parameters that userArguments gives.
	userValues  = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11`
	userTargets = `realm, id, email, email_verified, email_key, first_name, last_name, avatar_url, nickname, disabled, created`
)

func (s *Store) userArguments(u authcore.User) []any {
	return []any{
		s.realm, u.ID, u.Email, u.EmailVerified, null(u.EmailKey()),
		u.FirstName, u.LastName, u.AvatarURL, u.Nickname, u.Disabled, stamp(u.Created),
	}
}

// tidyUser returns the user as it can be stored. Id and verified address are
// left alone.
func tidyUser(u authcore.User) authcore.User {
	for _, text := range []*string{&u.Email, &u.FirstName, &u.LastName, &u.AvatarURL, &u.Nickname} {
		*text = tidy(*text)
	}
	u.Created = stamp(u.Created)
	return u
}

func scanUser(row pgx.CollectableRow) (authcore.User, error) {
	var u authcore.User
	err := row.Scan(userFields(&u)...)
	return u, err
}

// userFields are where the userColumns go.
func userFields(u *authcore.User) []any {
	return []any{
		&u.ID, &u.Email, &u.EmailVerified, &u.FirstName, &u.LastName, &u.AvatarURL, &u.Nickname, &u.Disabled, &u.Created,
	}
}

// null makes NULL of nothing.
func null(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// User returns the user with this id. See authcore.Users.
func (s *Store) User(ctx context.Context, id string) (authcore.User, error) {
	return s.findUser(ctx, id, `SELECT `+userColumns+` FROM @.users u WHERE u.realm = $1 AND u.id = $2`)
}

// UserByEmail returns the user who holds a verified address. See authcore.Users.
func (s *Store) UserByEmail(ctx context.Context, key string) (authcore.User, error) {
	return s.findUser(ctx, key, `SELECT `+userColumns+` FROM @.users u WHERE u.realm = $1 AND u.email_key = $2`)
}

func (s *Store) findUser(ctx context.Context, key, statement string) (authcore.User, error) {
	if !storable(key) {
		key = "" // which nobody has
	}
	return one(ctx, s, scanUser, statement, s.realm, key)
}

// found is a user and how it was found.
type found struct {
	user authcore.User
	how  string
}

const (
	foundMade   = "made"
	foundKnown  = "known"
	foundHolder = "holder"
)

func scanFound(row pgx.CollectableRow) (found, error) {
	var f found
	err := row.Scan(append(userFields(&f.user), &f.how)...)
	return f, err
}

// EnsureUser finds the holder of the candidate's address or stores the
// candidate. See authcore.Users.
//
// It is one statement. When another call stores the address at the same time, the
// insertion waits for it and then does nothing, and what the other stored is too
// young to be seen: the statement is run again.
func (s *Store) EnsureUser(ctx context.Context, candidate authcore.User) (authcore.User, bool, error) {
	if !storable(candidate.ID) {
		return authcore.User{}, false, unkeepable("the id of a user")
	}
	candidate = tidyUser(candidate)
	const statement = `
		WITH made AS (
			INSERT INTO @.users (` + userTargets + `) VALUES (` + userValues + `) ON CONFLICT DO NOTHING RETURNING *
		)
		SELECT ` + userColumns + `, '` + foundMade + `' FROM made u
		UNION ALL
		SELECT ` + userColumns + `, '` + foundHolder + `' FROM @.users u WHERE u.realm = $1 AND u.email_key = $5
		UNION ALL
		SELECT ` + userColumns + `, '` + foundKnown + `' FROM @.users u
		WHERE u.realm = $1 AND u.id = $2 AND (u.email_key = $5) IS NOT TRUE
		ORDER BY 10 LIMIT 1` // the holder before somebody with the id
	result, err := s.settle(ctx, statement, s.userArguments(candidate)...)
	if err != nil {
		return authcore.User{}, false, err
	}
	switch result.how {
	case foundMade:
		return result.user, true, nil
	case foundHolder:
		return result.user, false, nil
	default: // the id is somebody's already
		return authcore.User{}, false, authcore.ErrTaken
	}
}

// settle runs a statement that finds or makes a user, until it did either.
func (s *Store) settle(ctx context.Context, statement string, args ...any) (found, error) {
	var result found
	err := s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, s.db.tables.in(statement), args...)
		if err == nil {
			result, err = pgx.CollectExactlyOneRow(rows, scanFound)
		}
		switch {
		case violated(err) == "users_pkey":
			return answered{authcore.ErrTaken}
		case errors.Is(err, pgx.ErrNoRows), violated(err) != "":
			return errAgain
		}
		return err
	})
	return result, err
}

// UpdateUser applies change to the stored user. See authcore.Users. The id and
// Disabled stay as they are whatever change does to them.
func (s *Store) UpdateUser(
	ctx context.Context, id string, change func(*authcore.User) error,
) (authcore.User, error) {
	if !storable(id) {
		id = ""
	}
	var former, user authcore.User
	err := s.transact(ctx, func(b *batch) error {
		b.queue(`SELECT `+userColumns+` FROM @.users u WHERE u.realm = $1 AND u.id = $2 FOR UPDATE`, s.realm, id).
			QueryRow(func(row pgx.Row) error { return row.Scan(userFields(&former)...) })
		return nil
	}, func(b *batch) error {
		user = former
		if err := change(&user); err != nil {
			return answered{err}
		}
		user.ID, user.Disabled = former.ID, former.Disabled
		user = tidyUser(user)
		if user == former {
			return errNothing
		}
		b.queue(`UPDATE @.users SET email = $3, email_verified = $4, email_key = $5, first_name = $6, last_name = $7,
			avatar_url = $8, nickname = $9, disabled = $10, created = $11 WHERE realm = $1 AND id = $2`,
			s.userArguments(user)...)
		return nil
	})
	if err != nil {
		return authcore.User{}, err
	}
	return user, nil
}
