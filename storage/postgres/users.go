package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// examined limits the users that one call of Users reads.
	examined = 2000
	// rarePrefix limits the addresses with a prefix that are sorted by user. Users
	// with a more frequent one are found by reading users in order.
	rarePrefix = 20_000
)

// Statements that return users in order after the ID $2, at most $3 of them. A row
// has no document if the prefix $4 to $5 does not match. $6 is the domain.
const (
	listAll = `SELECT id, CASE WHEN $4 = '' OR email_key >= $4 AND email_key < $5 THEN doc END FROM @.users
		WHERE realm = $1 AND id > $2`
	listPage   = ` ORDER BY id LIMIT $3`
	ofDomain   = ` AND domain = $6`
	withPrefix = ` AND email_key >= $4 AND email_key < $5`
	// countPrefix counts up to $4 addresses.
	countPrefix = `SELECT count(*) FROM (
		SELECT FROM @.users WHERE realm = $1 AND email_key >= $2 AND email_key < $3 LIMIT $4) AS found`
)

type listed struct {
	ID  string
	Doc []byte
}

// Users lists users in the order of their IDs. See authcore.Accounts. The cursor is
// the last ID that was examined.
func (s *Store) Users(ctx context.Context, filter authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	if !storable(filter.EmailPrefix) || !storable(filter.Domain) || !storable(cursor) {
		return nil, "", nil
	}
	limit := filter.PageSize()
	examined := examined
	if only := (authcore.UserFilter{Domain: filter.Domain, Limit: filter.Limit}); filter == only {
		examined = limit + 1 // all match
	}
	// No address contains a byte above "~".
	arguments := []any{s.realm, cursor, examined, filter.EmailPrefix, filter.EmailPrefix + "\x7f"}
	statement := listAll
	switch {
	case filter.Domain != "":
		statement, arguments = statement+ofDomain, append(arguments, filter.Domain)
	case filter.EmailPrefix != "":
		found, err := query(ctx, s, s.db.pool, pgx.RowTo[int64], countPrefix,
			s.realm, filter.EmailPrefix, filter.EmailPrefix+"\x7f", rarePrefix+1)
		if err != nil {
			return nil, "", err
		}
		if found[0] <= rarePrefix {
			statement += withPrefix
		}
	}
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[listed], statement+listPage, arguments...)
	if err != nil {
		return nil, "", err
	}
	var users []authcore.User
	for i, row := range rows {
		if row.Doc == nil {
			continue
		}
		if user, err := decode[authcore.User](row.Doc); err == nil && filter.Matches(user) {
			users = append(users, user)
		}
		if len(users) == limit && i < len(rows)-1 {
			return users, row.ID, nil
		}
	}
	if len(rows) < examined {
		return users, "", nil
	}
	return users, rows[len(rows)-1].ID, nil
}
