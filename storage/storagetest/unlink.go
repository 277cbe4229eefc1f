package storagetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func unlinkChecks() []check {
	return []check{
		{"IdentitiesOf", func(t *testing.T, store authcore.Store) {
			user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
			wantIdentities(t, store, user.ID)
			wantIdentities(t, store, uuid())
			first, second, third := newIdentity("1", user.ID), newIdentity("2", user.ID), newIdentity("3", user.ID)
			first.Issuer, first.Email = "https://tenant.example", ""
			second.Created, third.Created = at(time.Minute), at(time.Hour)
			for _, identity := range []authcore.Identity{third, first, second, newIdentity("4", other.ID)} {
				wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), identity), nil)
			}
			wantIdentities(t, store, user.ID, first, second, third)
			wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), user.ID, at(time.Hour), start), nil)
			wantIdentities(t, store, user.ID)
		}},
		{"UnlinkedIsFree", unlinked},
		{"OnlyFromItsOwner", func(t *testing.T, store authcore.Store) {
			user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
			identity := newIdentity("1", user.ID)
			wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), identity), nil)
			otherTenant := identity
			otherTenant.Issuer = "https://tenant.example"
			for _, foreign := range []authcore.Identity{
				newIdentity("1", other.ID), newIdentity("1", ""), newIdentity("2", user.ID), otherTenant,
			} {
				wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), foreign), authcore.ErrNotFound)
			}
			wantIdentities(t, store, user.ID, identity)
		}},
		{"NeverTheLastWayIn", lastIdentity},
		{"NeverTheLastWayInOfMany", unlinkRace},
	}
}

func wantIdentities(t *testing.T, store authcore.Store, userID string, want ...authcore.Identity) {
	t.Helper()
	got, err := store.IdentitiesOf(t.Context(), userID)
	wantErr(t, "IdentitiesOf", err, nil)
	same := func(a, b authcore.Identity) bool { return plain(a) == plain(b) }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("identities:\n got %s\nwant %s", plainAll(got), plainAll(want))
	}
}

// unlinked: an identity that was taken from a user is nobody's, and whoever logs
// in with it is somebody else.
func unlinked(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	identity, kept := newIdentity("1", user.ID), newIdentity("2", user.ID)
	for _, i := range []authcore.Identity{identity, kept} {
		wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), i), nil)
	}
	wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), identity), nil)
	wantErr(t, "UnlinkIdentity again", store.UnlinkIdentity(t.Context(), identity), authcore.ErrNotFound)
	_, err := store.UserByIdentity(t.Context(), identity)
	wantErr(t, "UserByIdentity", err, authcore.ErrNotFound)
	wantIdentities(t, store, user.ID, kept)
	candidate := newUser("", false)
	got, created, err := store.EnsureIdentity(t.Context(), identity, candidate, false)
	if err != nil || !created {
		t.Errorf("the next login: created %v, error %v", created, err)
	}
	wantSame(t, "user of the free identity", got, candidate)
	// With a verified address nobody needs an identity.
	wantErr(t, "UnlinkIdentity of the last one", store.UnlinkIdentity(t.Context(), kept), nil)
	wantIdentities(t, store, user.ID)
}

func lastIdentity(t *testing.T, store authcore.Store) {
	for _, email := range []string{"", "ada@example.com"} {
		candidate := newUser(email, false)
		first, second := newIdentity(email+"1", candidate.ID), newIdentity(email+"2", candidate.ID)
		user, _, err := store.EnsureIdentity(t.Context(), first, candidate, false)
		wantErr(t, "EnsureIdentity", err, nil)
		wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), first), authcore.ErrLastIdentity)
		wantIdentities(t, store, user.ID, first)
		wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), second), nil)
		wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), first), nil)
		wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), second), authcore.ErrLastIdentity)
		got, err := store.UserByIdentity(t.Context(), second)
		wantErr(t, "UserByIdentity", err, nil)
		wantSame(t, "user", got, user)
	}
}

// unlinkRace: of ten identities that are all unlinked at once one stays.
func unlinkRace(t *testing.T, store authcore.Store) {
	candidate := newUser("", false)
	identities := make([]authcore.Identity, 10)
	for i := range identities {
		identities[i] = newIdentity(uuid(), candidate.ID)
	}
	_, _, err := store.EnsureIdentity(t.Context(), identities[0], candidate, false)
	wantErr(t, "EnsureIdentity", err, nil)
	for _, identity := range identities[1:] {
		wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), identity), nil)
	}
	var mu sync.Mutex
	refused := 0
	together(len(identities), func(i int) {
		if err := store.UnlinkIdentity(t.Context(), identities[i]); err != nil {
			wantErr(t, "UnlinkIdentity", err, authcore.ErrLastIdentity)
			mu.Lock()
			defer mu.Unlock()
			refused++
		}
	})
	left, err := store.IdentitiesOf(t.Context(), candidate.ID)
	wantErr(t, "IdentitiesOf", err, nil)
	if refused != 1 || len(left) != 1 {
		t.Errorf("%d were refused and %d identities are left, want one each", refused, len(left))
	}
}
