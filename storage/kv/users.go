package kv

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// batch bounds the items that one step changes, so that other steps wait for
	// a short time only.
	batch = 500
	// maxExamined bounds the entries that one step reads.
	maxExamined = 2000
	// rarePrefix limits the addresses with a prefix that are sorted by user. Users
	// with a more frequent one are found by reading users in order.
	rarePrefix = 20_000
)

// User implements authcore.Accounts. It has no time, so that it finds the user of
// an expired identity until Sweep deletes the identity.
func (s *Store) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	return view(ctx, s, func(t *tx) (authcore.User, error) {
		id, err := t.find(ref, time.Time{})
		if err != nil {
			return authcore.User{}, err
		}
		return load[authcore.User](t, accountPrefix(id))
	})
}

// Account implements authcore.Accounts.
func (s *Store) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	return view(ctx, s, func(t *tx) (authcore.Account, error) {
		l, err := t.accountOf(ref, now)
		if err != nil {
			return authcore.Account{}, err
		}
		return l.Account, nil
	})
}

func (t *tx) accountOf(ref authcore.UserRef, now time.Time) (*loaded, error) {
	id, err := t.find(ref, now)
	if err != nil {
		return nil, err
	}
	return t.account(id, now)
}

// UpdateAccount implements authcore.Accounts. The account that it returns has the
// revocations that the step appended.
func (s *Store) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (authcore.Account, error) {
	return update(ctx, s, func(t *tx) (authcore.Account, error) {
		l, err := t.account(userID, now)
		if l == nil {
			return authcore.Account{}, err
		}
		changed := l.Account
		if err := t.call(func() error { return changed.Apply(change, l.damage) }); err != nil {
			return authcore.Account{}, err
		}
		a := changed.Clone()
		a.User.ID, a.User.Created = userID, l.User.Created
		err = t.store(l, &a, now)
		return a, err
	})
}

// DeleteUser implements authcore.Accounts. The first step deletes everything but
// the sessions beyond a batch, which are unreachable from then on. If later steps
// fail, Sweep deletes these sessions when they expire.
func (s *Store) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) error {
	sessions := join(accountTable, userID, string(sessionPart))
	done, err := update(ctx, s, func(t *tx) (bool, error) {
		if t.Get(accountPrefix(userID)) == nil {
			return false, authcore.ErrNotFound
		}
		t.deleteUser(userID)
		t.revoke(revocation)
		return t.deletePrefix(sessions, batch), nil
	})
	if err != nil {
		return err
	}
	for !done && err == nil {
		done, err = update(ctx, s, func(t *tx) (bool, error) { return t.deletePrefix(sessions, batch), nil })
	}
	return nil
}

// deleteUser deletes a user with its identities and records. A user that is
// damaged leaves its address in the index, where holder ignores it.
func (t *tx) deleteUser(id string) {
	prefix := accountPrefix(id)
	if user, err := decode[authcore.User](t.Get(prefix)); err == nil {
		t.deleteEmail(user.EmailKey(), id)
	}
	gone := [][]byte{prefix}
	identities := identityKey(id, "")
	for key := range t.prefix(identities) {
		gone = append(gone, slices.Clone(key))
		if index := join(identityTable, string(key[len(identities):])); string(t.Get(index)) == id {
			gone = append(gone, index)
		}
	}
	gone = append(gone, t.ownedKeys(join(ownerTable, id, ""), id, authcore.RecordKey{})...)
	t.delete(gone...)
}

// MarkSeen implements authcore.Accounts, in batches.
func (s *Store) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	seen = maps.Clone(seen)
	refs := slices.SortedFunc(maps.Keys(seen), func(a, b authcore.SessionRef) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.ID, b.ID))
	})
	for part := range slices.Chunk(refs, batch) {
		err := change(ctx, s, func(t *tx) error {
			for _, ref := range part {
				t.markSeen(ref, seen[ref])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// markSeen ignores a session that is unknown or damaged.
func (t *tx) markSeen(ref authcore.SessionRef, seen time.Time) {
	key := sessionKey(ref.UserID, ref.ID)
	session, err := load[authcore.Session](t, key)
	if err == nil && seen.After(session.LastSeen) {
		session.LastSeen = seen
		t.put(key, t.encode(session))
	}
}

// Users implements authcore.Accounts. A filter by domain uses the index of domains, and
// one by prefix the index of addresses if few addresses match. Any other filter reads
// the users in their order.
func (s *Store) Users(ctx context.Context, filter authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	return viewPage(ctx, s, func(t *tx) ([]authcore.User, string) { return t.users(filter, cursor) })
}

func (t *tx) users(filter authcore.UserFilter, cursor string) (users []authcore.User, next string) {
	examined := 0
	for id := range t.candidates(filter, cursor) {
		if examined == maxExamined || len(users) == filter.PageSize() {
			return users, cursor
		}
		examined++
		cursor = id
		user, err := load[authcore.User](t, accountPrefix(id))
		if err == nil && filter.Matches(user) {
			users = append(users, user)
		}
	}
	return users, ""
}

// candidates iterates over IDs of users after the cursor that may match.
func (t *tx) candidates(filter authcore.UserFilter, cursor string) func(func(string) bool) {
	if filter.EmailPrefix != "" {
		if ids, all := t.byEmail(filter.EmailPrefix); all {
			at, found := slices.BinarySearch(ids, cursor)
			if found {
				at++
			}
			return slices.Values(ids[at:])
		}
	}
	if filter.Domain != "" && !strings.ContainsRune(filter.Domain, separator) {
		return t.ofDomain(filter.Domain, cursor)
	}
	return t.userIDs(cursor)
}

// byEmail returns the sorted IDs of users by the beginning of their address, and
// whether these are all of them.
func (t *tx) byEmail(prefix string) (ids []string, all bool) {
	for _, id := range t.prefix(join(emailTable, prefix)) {
		if len(ids) == rarePrefix {
			return nil, false
		}
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	return ids, true
}

// ofDomain iterates over the IDs of users with a verified address of the domain, after
// the given one.
func (t *tx) ofDomain(domain, after string) func(func(string) bool) {
	table := join(domainTable, domain, "")
	from := table
	if after != "" {
		from = append(join(domainTable, domain, after), separator)
	}
	return func(yield func(string) bool) {
		for key := range t.within(table, from) {
			if !yield(string(key[len(table):])) {
				return
			}
		}
	}
}

// userIDs iterates over the IDs of all users after the given one. It skips the
// other entries of each account.
func (t *tx) userIDs(after string) func(func(string) bool) {
	return func(yield func(string) bool) {
		from := append(join(accountTable, after), afterSeparator)
		if after == "" {
			from = join(accountTable, "")
		}
		for from != nil {
			var next []byte
			for key := range t.within([]byte{accountTable}, from) {
				id, part, _ := strings.Cut(string(key[1:]), string(rune(separator)))
				if part == "" && !yield(id) {
					return
				}
				next = append(join(accountTable, id), afterSeparator)
				break
			}
			from = next
		}
	}
}
