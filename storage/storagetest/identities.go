package storagetest

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func identityChecks() []check {
	return []check{
		{"UserByIdentity", func(t *testing.T, store authcore.Store) {
			_, err := store.UserByIdentity(t.Context(), newIdentity("1", ""))
			wantErr(t, "UserByIdentity of an unknown one", err, authcore.ErrNotFound)
			user := addUser(t, store, "ada@example.com")
			wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity("1", user.ID)), nil)
			got, err := store.UserByIdentity(t.Context(), newIdentity("1", uuid()))
			wantErr(t, "UserByIdentity", err, nil)
			wantSame(t, "user", got, user)
			wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), user.ID, at(time.Hour), start), nil)
			_, err = store.UserByIdentity(t.Context(), newIdentity("1", user.ID))
			wantErr(t, "UserByIdentity of a deleted user's", err, authcore.ErrNotFound)
		}},
		{"KnownIdentityReturnsItsUserUnchanged", func(t *testing.T, store authcore.Store) {
			want := newUser("ada@example.com", true)
			_, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), want, false)
			if err != nil || !created {
				t.Fatalf("first login: created %v, error %v", created, err)
			}
			// The person's address at the provider has become another one,
			// which belongs to somebody: the identity decides nevertheless.
			addUser(t, store, "grace@example.com")
			for _, join := range []bool{false, true} {
				got, created, err := store.EnsureIdentity(
					t.Context(), newIdentity("1", uuid()), newUser("grace@example.com", true), join,
				)
				if err != nil || created {
					t.Fatalf("second login: created %v, error %v", created, err)
				}
				wantSame(t, "user", got, want)
			}
		}},
		{"VerifiedAddressOfAnotherUser", joining},
		{"UnverifiedAddressJoinsNobody", func(t *testing.T, store authcore.Store) {
			holder := addUser(t, store, "ada@example.com")
			candidate := newUser("ada@example.com", false)
			got, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), candidate, true)
			if err != nil || !created || got.ID == holder.ID {
				t.Errorf("unverified address: created %v, error %v, user %s", created, err, plain(got))
			}
			wantSame(t, "user", got, candidate)
		}},
		{"PartsAreNotConfused", distinctIdentities},
		{"LongestParts", longestIdentities},
		{"StoredUserIsComplete", func(t *testing.T, store authcore.Store) {
			want := newUser("ada@example.com", true)
			got, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", uuid()), want, false)
			if err != nil || !created {
				t.Fatalf("created %v, error %v", created, err)
			}
			wantSame(t, "returned", got, want)
			got, err = store.UserByEmail(t.Context(), "ada@example.com")
			wantErr(t, "UserByEmail", err, nil)
			wantSame(t, "stored", got, want)
		}},
		{"LinkIdentity", linking},
		{"OneUserForManyCallers", ensureIdentityRace},
		{"OneAddressForManyIdentities", joinRace},
	}
}

func joining(t *testing.T, store authcore.Store) {
	holder := addUser(t, store, "ada@example.com")
	identity, candidate := newIdentity("1", ""), newUser("ADA@example.com", true)
	_, _, err := store.EnsureIdentity(t.Context(), identity, candidate, false)
	wantErr(t, "without join", err, authcore.ErrTaken)
	_, err = store.User(t.Context(), candidate.ID)
	wantErr(t, "refused candidate", err, authcore.ErrNotFound)
	got, created, err := store.EnsureIdentity(t.Context(), identity, candidate, true)
	if err != nil || created {
		t.Fatalf("with join: created %v, error %v", created, err)
	}
	wantSame(t, "joined user", got, holder)
	got, created, err = store.EnsureIdentity(t.Context(), identity, newUser("", false), false)
	if err != nil || created {
		t.Fatalf("next login: created %v, error %v", created, err)
	}
	wantSame(t, "user of the joined identity", got, holder)
}

// distinctIdentities: an account at one tenant of a provider must not be taken
// for one at another, however the parts are spelt.
func distinctIdentities(t *testing.T, store authcore.Store) {
	parts := [][3]string{
		{"oidc", "", "ab"},
		{"oidc", "a", "b"},
		{"oidc", "ab", ""},
		{"oidca", "", "b"},
		{"oidc", "a:b", "c"},
		{"oidc", "a", "b:c"},
		{"oidc", "a/b", "c"},
		{"oidc", "a", "b/c"},
		{"oidc", "1", "1:a"},
		{"oidc", "11", ":a"},
		{"oidc", "a\x1fb", "c"},
		{"oidc", "a", "b\x1fc"},
		{"OIDC", "", "ab"},
		{"oidc", "", "AB"},
	}
	for _, p := range parts {
		identity := authcore.Identity{Provider: p[0], Issuer: p[1], Subject: p[2], Created: start}
		candidate := newUser("", false)
		got, created, err := store.EnsureIdentity(t.Context(), identity, candidate, false)
		if err != nil || !created || got.ID != candidate.ID {
			t.Errorf("%q: created %v, error %v; want a user of its own", p, created, err)
		}
	}
}

// longestIdentities: parts as long as they may be are kept as they are. The texts
// are such that no engine makes them shorter.
func longestIdentities(t *testing.T, store authcore.Store) {
	text := func(seed string, length int) string {
		var b strings.Builder
		for b.Len() < length {
			digest := sha256.Sum256([]byte(seed + strconv.Itoa(b.Len())))
			b.WriteString(base64.RawURLEncoding.EncodeToString(digest[:]))
		}
		return b.String()[:length]
	}
	for _, subject := range []string{text("a", 1024), text("b", 1024)} {
		identity := authcore.Identity{Provider: text("p", 64), Issuer: text("i", 1024), Subject: subject, Created: start}
		candidate := newUser("", false)
		_, created, err := store.EnsureIdentity(t.Context(), identity, candidate, false)
		if err != nil || !created {
			t.Fatalf("created %v, error %v", created, err)
		}
		got, err := store.UserByIdentity(t.Context(), identity)
		wantErr(t, "UserByIdentity", err, nil)
		wantSame(t, "user", got, candidate)
		list, err := store.IdentitiesOf(t.Context(), candidate.ID)
		identity.UserID = candidate.ID
		if err != nil || len(list) != 1 {
			t.Fatalf("%d identities, error %v", len(list), err)
		}
		wantSame(t, "identity", list[0], identity)
	}
}

func linking(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	for range 2 {
		err := store.LinkIdentity(t.Context(), newIdentity("1", user.ID))
		wantErr(t, "LinkIdentity", err, nil)
	}
	err := store.LinkIdentity(t.Context(), newIdentity("1", other.ID))
	wantErr(t, "LinkIdentity of another user's", err, authcore.ErrTaken)
	err = store.LinkIdentity(t.Context(), newIdentity("2", uuid()))
	wantErr(t, "LinkIdentity to nobody", err, authcore.ErrNotFound)
	got, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), newUser("", false), false)
	if err != nil || created {
		t.Fatalf("login: created %v, error %v", created, err)
	}
	wantSame(t, "user of the linked identity", got, user)
	_, created, err = store.EnsureIdentity(t.Context(), newIdentity("2", ""), newUser("", false), false)
	if err != nil || !created {
		t.Errorf("the identity that was refused: created %v, error %v", created, err)
	}

	users := make([]authcore.User, crowd)
	for i := range users {
		users[i] = user
		if i%2 == 0 {
			users[i] = other
		}
	}
	winners(t, authcore.ErrTaken, func(i int) error {
		return store.LinkIdentity(t.Context(), newIdentity("raced", users[i].ID))
	})
	owner, _, err := store.EnsureIdentity(t.Context(), newIdentity("raced", ""), newUser("", false), false)
	wantErr(t, "EnsureIdentity", err, nil)
	loser := user.ID
	if owner.ID == user.ID {
		loser = other.ID
	}
	err = store.LinkIdentity(t.Context(), newIdentity("raced", loser))
	wantErr(t, "LinkIdentity after the race", err, authcore.ErrTaken)
}

func ensureIdentityRace(t *testing.T, store authcore.Store) {
	var mu sync.Mutex
	ids, made := make(map[string]bool), 0
	together(crowd, func(i int) {
		candidate := newUser("", false)
		if i%2 == 0 {
			candidate = newUser("ada@example.com", true)
		}
		user, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), candidate, false)
		wantErr(t, "EnsureIdentity", err, nil)
		mu.Lock()
		defer mu.Unlock()
		ids[user.ID] = true
		if created {
			made++
		}
	})
	if len(ids) != 1 || made != 1 {
		t.Errorf("%d logins of one identity gave %d users, %d of them new; want one of each", crowd, len(ids), made)
	}
}

func joinRace(t *testing.T, store authcore.Store) {
	var mu sync.Mutex
	ids := make(map[string]bool)
	together(crowd, func(i int) {
		candidate := newUser("ada@example.com", true)
		var user authcore.User
		var err error
		if i%2 == 0 {
			user, _, err = store.EnsureUser(t.Context(), candidate)
		} else {
			user, _, err = store.EnsureIdentity(t.Context(), newIdentity(uuid(), ""), candidate, true)
		}
		wantErr(t, "login", err, nil)
		mu.Lock()
		defer mu.Unlock()
		ids[user.ID] = true
	})
	if len(ids) != 1 {
		t.Errorf("%d logins with one verified address gave %d users, want one", crowd, len(ids))
	}
}
