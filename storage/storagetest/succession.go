package storagetest

import (
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func successionChecks() []check {
	return []check{
		{"OthersInItsPlace", replaced},
		{"NotTwice", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			old, first, second := newIdentity("old", user.ID), newIdentity("1", user.ID), newIdentity("2", user.ID)
			wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), old), nil)
			wantErr(t, "ReplaceIdentity", replace(t, store, old, first), nil)
			wantErr(t, "ReplaceIdentity again", replace(t, store, old, second), authcore.ErrNotFound)
			wantErr(t, "the same again", replace(t, store, old, first), authcore.ErrNotFound)
			wantErr(t, "of a stranger", replace(t, store, newIdentity("x", user.ID), second), authcore.ErrNotFound)
			wantIdentities(t, store, user.ID, first)
		}},
		{"NothingOfATakenOne", func(t *testing.T, store authcore.Store) {
			user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
			old, mine, hers := newIdentity("old", user.ID), newIdentity("mine", user.ID), newIdentity("hers", other.ID)
			for _, identity := range []authcore.Identity{old, mine, hers} {
				wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), identity), nil)
			}
			free := newIdentity("free", "")
			wantErr(t, "by another user's", replace(t, store, old, free, hers), authcore.ErrTaken)
			wantErr(t, "by one of the same user", replace(t, store, old, free, mine), authcore.ErrTaken)
			for _, identity := range []authcore.Identity{old, mine} {
				got, err := store.UserByIdentity(t.Context(), identity)
				wantErr(t, "UserByIdentity", err, nil)
				wantSame(t, "user", got, user)
			}
			_, err := store.UserByIdentity(t.Context(), free)
			wantErr(t, "UserByIdentity of what was not attached", err, authcore.ErrNotFound)
			wantIdentities(t, store, other.ID, hers)
		}},
		{"GoneWithItsUser", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			old, next := newIdentity("old", user.ID), newIdentity("1", "")
			wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), old), nil)
			wantErr(t, "ReplaceIdentity", replace(t, store, old, next), nil)
			wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), user.ID, at(time.Hour), start), nil)
			_, err := store.UserByIdentity(t.Context(), next)
			wantErr(t, "UserByIdentity", err, authcore.ErrNotFound)
			wantErr(t, "ReplaceIdentity", replace(t, store, next, old), authcore.ErrNotFound)
		}},
		{"OneOfManyCallers", replaceRace},
	}
}

func replace(t *testing.T, store authcore.Store, old authcore.Identity, others ...authcore.Identity) error {
	t.Helper()
	_, err := store.ReplaceIdentity(t.Context(), old, others)
	return err
}

// replaced: the others lead to the user, the old one to nobody, and what is left
// of a user without an address is a way in that cannot be taken.
func replaced(t *testing.T, store authcore.Store) {
	want, old := newUser("", false), newIdentity("old", "")
	_, _, err := store.EnsureIdentity(t.Context(), old, want, false)
	wantErr(t, "EnsureIdentity", err, nil)
	next, spent := newIdentity("1", want.ID), newIdentity("old", want.ID)
	next.Issuer, next.Created = "https://tenant.example", at(time.Minute)
	spent.Issuer, spent.Email, spent.Created = "moved", "", at(time.Hour)
	ignored := next
	ignored.UserID = uuid()
	got, err := store.ReplaceIdentity(t.Context(), old, []authcore.Identity{ignored, spent})
	wantErr(t, "ReplaceIdentity", err, nil)
	wantSame(t, "returned", got, want)
	for _, identity := range []authcore.Identity{next, spent} {
		got, err := store.UserByIdentity(t.Context(), identity)
		wantErr(t, "UserByIdentity", err, nil)
		wantSame(t, "user", got, want)
	}
	wantIdentities(t, store, want.ID, next, spent)
	_, err = store.UserByIdentity(t.Context(), old)
	wantErr(t, "UserByIdentity of the old one", err, authcore.ErrNotFound)

	got, err = store.ReplaceIdentity(t.Context(), spent, nil)
	wantErr(t, "ReplaceIdentity by none", err, nil)
	wantSame(t, "returned", got, want)
	wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), next), authcore.ErrLastIdentity)
	wantIdentities(t, store, want.ID, next)
}

// replaceRace: of many people who claim to be the same one, one is believed.
func replaceRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	old := newIdentity("old", user.ID)
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), old), nil)
	var mu sync.Mutex
	var winner string
	won := winners(t, authcore.ErrNotFound, func(int) error {
		claim := newIdentity(uuid(), user.ID)
		got, err := store.ReplaceIdentity(t.Context(), old, []authcore.Identity{claim})
		if err == nil {
			wantSame(t, "user", got, user)
			mu.Lock()
			defer mu.Unlock()
			winner = claim.Subject
		}
		return err
	})
	if won != 1 {
		t.Errorf("%d callers replaced one identity, want one", won)
	}
	wantIdentities(t, store, user.ID, newIdentity(winner, user.ID))
}
