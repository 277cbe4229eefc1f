package postgres

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// selected returns the IDs of the users that the arrays $2 to $4 select: IDs, address
// keys, and digests of identity keys.
const selected = `ARRAY(
	SELECT unnest($2::text[])
	UNION ALL SELECT id FROM @.users WHERE realm = $1 AND email_key = ANY ($3::text[])
	UNION ALL SELECT user_id FROM @.identities WHERE realm = $1 AND key = ANY ($4::bytea[])
)`

// Statements that load rows of accounts; see row. Before a change the users are
// locked first, by a statement of its own, so that the next one sees what was
// committed while it waited.
const (
	userRows = `SELECT 0::int2 AS part, id AS user_id, email_key, NULL::timestamptz AS seen, doc
		FROM @.users WHERE realm = $1 AND id = ANY (` + selected + `)`
	lockUsers  = userRows + ` ORDER BY id FOR NO KEY UPDATE`
	memberRows = `SELECT 1::int2, user_id, NULL, NULL, doc FROM @.identities WHERE user_id = ANY (` + selected + `) AND realm = $1
		UNION ALL SELECT 2::int2, user_id, NULL, seen, doc FROM @.sessions WHERE user_id = ANY (` + selected + `) AND realm = $1`
	accountRows = userRows + ` UNION ALL ` + memberRows
)

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
	Seen     *time.Time
	Doc      []byte
}

// refArguments returns the arguments of selected.
func (s *Store) refArguments(refs []authcore.UserRef) []any {
	ids, emails, identities := []string{}, []string{}, [][]byte{}
	for _, ref := range refs {
		switch {
		case ref.ID != "" && storable(ref.ID):
			ids = append(ids, ref.ID)
		case ref.EmailKey != "" && storable(ref.EmailKey):
			emails = append(emails, ref.EmailKey)
		case ref.Identity != authcore.IdentityKey{}:
			identities = append(identities, identityDigest(ref.Identity))
		}
	}
	return []any{s.realm, ids, emails, identities}
}

// loaded holds accounts by user ID, and what cannot be decoded.
type loaded struct {
	accounts map[string]*authcore.Account
	emails   map[string]string
	damaged  error
}

// newLoaded collects rows. Members of a user without a row are left out, and so are
// damaged and expired members.
func newLoaded(rows []row, now time.Time) loaded {
	l := loaded{accounts: make(map[string]*authcore.Account), emails: make(map[string]string)}
	for _, row := range rows {
		if row.Part == partUser {
			user, err := decode[authcore.User](row.Doc)
			if err != nil {
				l.damaged = err
				continue
			}
			l.accounts[row.UserID] = &authcore.Account{User: user}
			if row.EmailKey != nil {
				l.emails[*row.EmailKey] = row.UserID
			}
		}
	}
	for _, row := range rows {
		if account := l.accounts[row.UserID]; account != nil {
			addMember(account, row, now)
		}
	}
	for _, account := range l.accounts {
		authcore.SortAccount(account)
	}
	return l
}

func addMember(account *authcore.Account, row row, now time.Time) {
	switch row.Part {
	case partUser:
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

func (r row) session() (authcore.Session, error) {
	session, err := decode[authcore.Session](r.Doc)
	if r.Seen != nil && r.Seen.After(session.LastSeen) {
		session.LastSeen = *r.Seen
	}
	return session, err
}

// find returns a copy of the account that ref selects, or an empty one.
func (l loaded) find(ref authcore.UserRef) authcore.Account {
	id := ref.ID
	switch {
	case ref.EmailKey != "":
		id = l.emails[ref.EmailKey]
	case ref.Identity != authcore.IdentityKey{}:
		for _, account := range l.accounts {
			if account.Identity(ref.Identity) != nil {
				id = account.User.ID
			}
		}
	}
	if account := l.accounts[id]; account != nil {
		return account.Clone()
	}
	return authcore.Account{}
}

// User returns the user that ref selects. See authcore.Accounts.
func (s *Store) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	const statement = `SELECT doc FROM @.users WHERE realm = $1 AND id = ANY (ARRAY(
		SELECT unnest($2::text[])
		UNION ALL SELECT id FROM @.users WHERE realm = $1 AND email_key = ANY ($3::text[])
		UNION ALL SELECT user_id FROM @.identities
			WHERE realm = $1 AND key = ANY ($4::bytea[]) AND (expires IS NULL OR expires > clock_timestamp())
	))`
	docs, err := query(ctx, s, s.db.pool, pgx.RowTo[[]byte], statement, s.refArguments([]authcore.UserRef{ref})...)
	switch {
	case err != nil:
		return authcore.User{}, err
	case len(docs) == 0:
		return authcore.User{}, authcore.ErrNotFound
	}
	user, err := decode[authcore.User](docs[0])
	return user, answer(ctx, err)
}

// Account returns the account that ref selects. See authcore.Accounts.
func (s *Store) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[row], accountRows, s.refArguments([]authcore.UserRef{ref})...)
	if err != nil {
		return authcore.Account{}, err
	}
	l := newLoaded(rows, now)
	account := l.find(ref)
	switch {
	case l.damaged != nil:
		return authcore.Account{}, answer(ctx, l.damaged)
	case account.User.ID == "":
		return authcore.Account{}, authcore.ErrNotFound
	}
	return account, nil
}

// UpdateAccount applies change to an account. See authcore.Accounts.
func (s *Store) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (stored authcore.Account, err error) {
	ref := authcore.UserRef{ID: userID}
	err = s.transact(ctx, func(ctx context.Context, t *tx) error {
		var rows []row
		s.queueAccounts(t, []authcore.UserRef{ref}, &rows)
		if err := t.load(ctx); err != nil {
			return err
		}
		l := newLoaded(rows, now)
		before := l.find(ref)
		switch {
		case l.damaged != nil:
			return l.damaged
		case before.User.ID == "":
			return final{authcore.ErrNotFound}
		}
		after := before.Clone()
		if err := change(&after); err != nil {
			return final{err}
		}
		if stored, err = s.queueChange(t, &before, after, now); err != nil || len(t.batch.QueuedQueries) == 0 {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// orZero returns no value with an error.
func orZero[T any](value T, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}

// queueAccounts locks the users that refs select and loads their accounts.
func (s *Store) queueAccounts(t *tx, refs []authcore.UserRef, rows *[]row) {
	collect := func(some pgx.Rows) (err error) {
		*rows, err = pgx.AppendRows(*rows, some, pgx.RowToStructByPos[row])
		return err
	}
	arguments := s.refArguments(refs)
	t.queue(lockUsers, arguments...).Query(collect)
	t.queue(memberRows, arguments...).Query(collect)
}

// queueChange queues the writes that turn one account into another one, which is
// returned as it is stored. Before is nil for a new account.
func (s *Store) queueChange(t *tx, before *authcore.Account, after authcore.Account, now time.Time) (authcore.Account, error) {
	isNew := before == nil
	if isNew {
		before = new(authcore.Account)
	} else {
		after.User.ID, after.User.Created = before.User.ID, before.User.Created
	}
	stored := authcore.Account{User: after.User}
	if err := checkKeys(after.User.ID); err != nil {
		return stored, err
	}
	doc, user, err := changed(before.User, after.User)
	switch {
	case err != nil:
		return stored, err
	case isNew:
		t.queue(`INSERT INTO @.users (realm, id, email_key, doc) VALUES ($1, $2, $3, $4)`, s.realm, user.ID, emailKey(user), doc)
	case doc != "":
		t.queue(`UPDATE @.users SET email_key = $3, doc = $4 WHERE realm = $1 AND id = $2`, s.realm, user.ID, emailKey(user), doc)
	}
	stored.User = user
	if err := s.queueIdentities(t, before, after, &stored, now); err != nil {
		return stored, err
	}
	if err := s.queueSessions(t, before, after, &stored, now); err != nil {
		return stored, err
	}
	authcore.SortAccount(&stored)
	return stored, s.queueRevocations(t, after.Revocations)
}

// emailKey returns the column of a user, which is NULL without a verified address.
func emailKey(user authcore.User) *string {
	if key := user.EmailKey(); key != "" {
		return &key
	}
	return nil
}

// changed returns the document of an item if it differs, and the item as stored.
func changed[T any](before, after T) (doc string, stored T, err error) {
	if reflect.DeepEqual(before, after) {
		return "", before, nil
	}
	doc, stored, err = encode(after)
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
		if err := checkIdentity(identity.Key()); err != nil {
			return err
		}
		var former authcore.Identity
		if known := before.Identity(identity.Key()); known != nil {
			former = *known
		}
		doc, identity, err := changed(former, identity)
		if err != nil {
			return err
		}
		if identity.Live(now) {
			stored.Identities = append(stored.Identities, identity)
		}
		if doc != "" {
			t.queue(`INSERT INTO @.identities AS i (realm, key, user_id, unlinked, expires, doc) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (realm, key) DO UPDATE SET
					user_id = CASE WHEN i.user_id = $3 OR i.unlinked OR i.expires <= $7 THEN EXCLUDED.user_id END,
					unlinked = EXCLUDED.unlinked, expires = EXCLUDED.expires, doc = EXCLUDED.doc`,
				s.realm, identityDigest(identity.Key()), identity.UserID, identity.State == authcore.IdentityUnlinked,
				expiry(identity.Expires), doc, stamp(now))
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
		if err := checkKeys(session.ID); err != nil {
			return err
		}
		former := sessions[session.ID]
		delete(sessions, session.ID)
		doc, session, err := changed(former, session)
		if err != nil {
			return err
		}
		if now.Before(session.Expires) {
			stored.Sessions = append(stored.Sessions, session)
		}
		if doc != "" {
			t.queue(`INSERT INTO @.sessions AS s (realm, user_id, id, expires, doc) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (user_id, realm, id) DO UPDATE SET expires = EXCLUDED.expires, doc = EXCLUDED.doc,
					seen = CASE WHEN s.seen > $6 THEN s.seen END`,
				s.realm, session.UserID, session.ID, stamp(session.Expires), doc, stamp(former.LastSeen))
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
