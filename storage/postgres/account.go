package postgres

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// Statements that load a user and an account, with "@id" in place of the user's ID.
// An account is loaded by one statement, that is, as it was at one moment. A change
// then stores the next version of the user, unless another step was faster; then the
// next attempt locks the user.
const (
	userRow = `SELECT 0::int2 AS part, id AS user_id, email_key, version, NULL::timestamptz AS seen, doc
		FROM @.users WHERE realm = $1 AND id = @id`
	lockUser    = `SELECT FROM @.users WHERE realm = $1 AND id = @id FOR NO KEY UPDATE`
	accountRows = userRow + `
		UNION ALL SELECT 1, user_id, NULL, 0, NULL, doc FROM @.identities WHERE user_id = @id AND realm = $1
		UNION ALL SELECT 2, user_id, NULL, 0, seen, doc FROM @.sessions WHERE user_id = @id AND realm = $1
		ORDER BY part`
)

// of puts an expression for the ID of the user into a statement, and returns its
// argument. It compares with one value in each case: PostgreSQL prefers to read a
// small table as a whole for an array of unknown length. Identities that expired
// before since, an expression, are left out.
func of(statement string, ref authcore.UserRef, since string) (string, any) {
	id, argument := `$2`, any(storableOrEmpty(ref.ID))
	switch {
	case ref.EmailKey != "":
		id, argument = `(SELECT id FROM @.users WHERE realm = $1 AND email_key = $2)`, storableOrEmpty(ref.EmailKey)
	case ref.Identity != authcore.IdentityKey{}:
		id = `(SELECT user_id FROM @.identities WHERE realm = $1 AND key = $2 AND (expires IS NULL OR expires > ` + since + `))`
		argument = identityDigest(ref.Identity)
	}
	return strings.ReplaceAll(statement, "@id", id), argument
}

const allTimes = `'-infinity'`

// The parts of an account.
const (
	partUser     = 0
	partIdentity = 1
)

// row is a row of a user, of an identity, or of a session.
type row struct {
	Part     int16
	UserID   string
	EmailKey *string
	Version  int64
	Seen     *time.Time
	Doc      []byte
}

// accountOf returns the account in the rows of a reference, without damaged and
// expired members. It is empty if the user is absent. If the user is damaged, it
// returns the rest with the error.
func accountOf(ref authcore.UserRef, rows []row, now time.Time) (account authcore.Account, err error) {
	for _, row := range rows {
		switch row.Part {
		case partUser:
			if account.User, err = decode[authcore.User](row.Doc); err != nil {
				account.User = authcore.User{ID: row.UserID}
				if row.EmailKey != nil {
					account.User.Email, account.User.EmailVerified = *row.EmailKey, true
				}
			}
		case partIdentity:
			if identity, err := decode[authcore.Identity](row.Doc); err == nil && identity.Live(now) {
				account.Identities = append(account.Identities, identity)
			}
		default:
			if session, err := row.session(); err == nil && now.Before(session.Expires) {
				account.Sessions = append(account.Sessions, session)
			}
		}
	}
	if ref.Identity != (authcore.IdentityKey{}) && account.Identity(ref.Identity) == nil {
		return authcore.Account{}, nil
	}
	authcore.SortAccount(&account)
	return account, err
}

// oneAccount is accountOf for an account that must be there.
func oneAccount(ref authcore.UserRef, rows []row, now time.Time) (authcore.Account, error) {
	account, err := accountOf(ref, rows, now)
	if err == nil && account.User.ID == "" {
		err = final{authcore.ErrNotFound}
	}
	return account, err
}

func (r row) session() (authcore.Session, error) {
	session, err := decode[authcore.Session](r.Doc)
	if r.Seen != nil && r.Seen.After(session.LastSeen) {
		session.LastSeen = *r.Seen
	}
	return session, err
}

// User returns the user that ref selects. See authcore.Accounts.
func (s *Store) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	statement, argument := of(userRow, ref, `statement_timestamp()`)
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[row], statement, s.realm, argument)
	switch {
	case err != nil:
		return authcore.User{}, err
	case len(rows) == 0:
		return authcore.User{}, authcore.ErrNotFound
	}
	user, err := decode[authcore.User](rows[0].Doc)
	return user, answer(ctx, err)
}

// Account returns the account that ref selects. See authcore.Accounts.
func (s *Store) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	statement, argument := of(accountRows, ref, allTimes)
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[row], statement, s.realm, argument)
	if err != nil {
		return authcore.Account{}, err
	}
	account, err := oneAccount(ref, rows, now)
	return orZero(account, answer(ctx, err))
}

// UpdateAccount applies change to an account. See authcore.Accounts.
func (s *Store) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (stored authcore.Account, err error) {
	ref := authcore.UserRef{ID: userID}
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var rows []row
		s.queueAccount(t, ref, &rows)
		if err := t.load(ctx); err != nil {
			return err
		}
		before, damage := oneAccount(ref, rows, now)
		if before.User.ID == "" {
			return damage
		}
		after := before.Clone()
		if err := after.Apply(change, damage); err != nil {
			return final{err}
		}
		if stored, err = s.queueChange(t, &before, rows, after, now); err != nil || len(t.batch.QueuedQueries) == 0 {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// queueAccount loads the rows of an account.
func (s *Store) queueAccount(t *tx, ref authcore.UserRef, rows *[]row) {
	if t.attempt > 1 {
		statement, argument := of(lockUser, ref, allTimes)
		t.queue(statement, s.realm, argument)
	}
	statement, argument := of(accountRows, ref, allTimes)
	t.queue(statement, s.realm, argument).Query(collect(rows, pgx.RowToStructByPos[row]))
}

// queueChange queues the writes that turn one account, loaded as rows, into another
// one, which is returned as it is stored. Before is nil for a new account.
func (s *Store) queueChange(
	t *tx, before *authcore.Account, rows []row, after authcore.Account, now time.Time,
) (authcore.Account, error) {
	after = after.Clone() // the caller keeps its own
	isNew := before == nil
	if isNew {
		before = new(authcore.Account)
	} else {
		after.User.ID, after.User.Created = before.User.ID, before.User.Created
	}
	doc, user, err := changed(before.User, after.User, after.User.ID)
	stored := authcore.Account{User: user}
	if err == nil {
		err = s.queueIdentities(t, before, after, &stored, now)
	}
	if err == nil {
		err = s.queueSessions(t, before, after, &stored, now)
	}
	if err == nil {
		err = s.queueRevocations(t, after.Revocations)
	}
	authcore.SortAccount(&stored)
	switch {
	case isNew:
		t.queueFirst(insertUser, s.userArguments(user, doc)...)
	case doc != "":
		t.queueFirst(guarded(`UPDATE @.users SET version = version + 1, email_key = $3, domain = $4, doc = $5
			WHERE realm = $1 AND id = $2 AND version = $6`), append(s.userArguments(user, doc), rows[0].Version)...)
	case len(t.batch.QueuedQueries) > 0:
		t.queueFirst(guarded(`UPDATE @.users SET version = version + 1 WHERE realm = $1 AND id = $2 AND version = $3`),
			s.realm, user.ID, rows[0].Version)
	}
	return stored, err
}

// Statements that insert the parts of an account. The last two end with what to do
// about a row that is present.
const (
	insertUser     = `INSERT INTO @.users (realm, id, email_key, domain, doc) VALUES ($1, $2, $3, $4, $5)`
	insertIdentity = `INSERT INTO @.identities AS i (realm, key, user_id, unlinked, expires, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (realm, key) DO `
	insertSession = `INSERT INTO @.sessions AS s (realm, user_id, id, expires, doc) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, realm, id) DO `
)

// userArguments returns the columns of a user. Without a verified address there is
// neither a key nor a domain.
func (s *Store) userArguments(user authcore.User, doc string) []any {
	var key, domain *string
	if text := user.EmailKey(); text != "" {
		_, after, _ := strings.Cut(text, "@")
		key, domain = &text, &after
	}
	return []any{s.realm, user.ID, key, domain, doc}
}

func (s *Store) identityArguments(identity authcore.Identity, doc string) []any {
	return []any{
		s.realm, identityDigest(identity.Key()), identity.UserID, identity.State == authcore.IdentityUnlinked, expiry(identity.Expires), doc,
	}
}

// identityKeys returns the texts of an identity that a document must keep as they are.
func identityKeys(i authcore.Identity) []string {
	return []string{i.Provider, i.Issuer, i.Subject, i.UserID}
}

func (s *Store) sessionArguments(session authcore.Session, doc string) []any {
	return []any{s.realm, session.UserID, session.ID, stamp(session.Expires), doc}
}

// changed returns the document of an item if it differs, and the item as stored.
func changed[T any](before, after T, keys ...string) (doc string, stored T, err error) {
	if reflect.DeepEqual(before, after) {
		return "", before, nil
	}
	doc, stored, err = encode(after, keys...)
	if err != nil {
		return "", stored, err
	}
	if former, _, err := encode(before); err == nil && former == doc {
		return "", stored, nil
	}
	return doc, stored, nil
}

// queueIdentities stores identities that were added or changed and deletes those
// that were removed. The column user_id refuses NULL, which ends the transaction if
// a key belongs to another user.
func (s *Store) queueIdentities(t *tx, before *authcore.Account, after authcore.Account, stored *authcore.Account, now time.Time) error {
	var gone [][]byte
	for _, identity := range before.Identities {
		if after.Identity(identity.Key()) == nil {
			gone = append(gone, identityDigest(identity.Key()))
		}
	}
	if gone != nil {
		t.queue(`DELETE FROM @.identities WHERE realm = $1 AND user_id = $2 AND key = ANY ($3)`, s.realm, after.User.ID, gone)
	}
	for _, identity := range after.Identities {
		identity.UserID = after.User.ID
		var former authcore.Identity
		if known := before.Identity(identity.Key()); known != nil {
			former = *known
		}
		doc, identity, err := changed(former, identity, identityKeys(identity)...)
		if err != nil {
			return err
		}
		if identity.Live(now) {
			stored.Identities = append(stored.Identities, identity)
		}
		if doc != "" {
			t.queue(insertIdentity+`UPDATE SET unlinked = EXCLUDED.unlinked, expires = EXCLUDED.expires, doc = EXCLUDED.doc,
				user_id = CASE WHEN i.user_id = $3 OR i.unlinked OR i.expires <= $7 THEN EXCLUDED.user_id END`,
				append(s.identityArguments(identity, doc), stamp(now))...)
		}
	}
	return nil
}

// queueSessions stores sessions that were added or changed and deletes those that
// were removed. What MarkSeen stored since the account was loaded is kept.
func (s *Store) queueSessions(t *tx, before *authcore.Account, after authcore.Account, stored *authcore.Account, now time.Time) error {
	sessions := make(map[string]authcore.Session, len(before.Sessions))
	for _, session := range before.Sessions {
		sessions[session.ID] = session
	}
	for _, session := range after.Sessions {
		session.UserID = after.User.ID
		former := sessions[session.ID]
		delete(sessions, session.ID)
		doc, session, err := changed(former, session, session.ID)
		if err != nil {
			return err
		}
		if now.Before(session.Expires) {
			stored.Sessions = append(stored.Sessions, session)
		}
		if doc != "" {
			t.queue(insertSession+`UPDATE SET expires = EXCLUDED.expires, doc = EXCLUDED.doc, seen = CASE WHEN s.seen > $6 THEN s.seen END`,
				append(s.sessionArguments(session, doc), stamp(former.LastSeen))...)
		}
	}
	if len(sessions) > 0 {
		gone := make([]string, 0, len(sessions))
		for id := range sessions {
			gone = append(gone, id)
		}
		slices.Sort(gone)
		t.queue(`DELETE FROM @.sessions WHERE realm = $1 AND user_id = $2 AND id = ANY ($3)`, s.realm, after.User.ID, gone)
	}
	return nil
}
