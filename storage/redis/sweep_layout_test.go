package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// When everything was deleted or has expired, only meta is left.
func TestNothingIsLeftBehind(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx := t.Context()
	for range 2000 {
		userID := fmt.Sprint(random.IntN(10))
		identity := authcore.Identity{Provider: "p", Subject: fmt.Sprint(random.IntN(10)), Created: start}
		identity.State = []authcore.IdentityState{authcore.IdentityActive, authcore.IdentityUnlinked, authcore.IdentityPending}[random.IntN(3)]
		email := fmt.Sprintf("%d@example.com", random.IntN(10))
		owned := record(fmt.Sprint(random.IntN(10)))
		owned.Owner = userID
		owned.Created = start.Add(time.Duration(random.IntN(10)) * time.Second)
		change := func(a *authcore.Account) error {
			switch random.IntN(6) {
			case 0:
				a.User.Email, a.User.EmailVerified = email, random.IntN(2) == 0
			case 1:
				if a.Identity(identity.Key()) == nil {
					a.Identities = append(a.Identities, identity)
				}
			case 2:
				a.Identities = nil
			case 3, 4:
				a.Start(session(fmt.Sprint(random.IntN(40))), 3)
			case 5:
				a.EndSessions(func(authcore.Session) bool { return random.IntN(2) == 0 })
			}
			return nil
		}
		var err error
		switch random.IntN(7) {
		case 0:
			_, err = store.Login(ctx, authcore.LoginStep{
				Now: start, Proof: owned.RecordKey, Refs: []authcore.UserRef{{ID: userID}, {EmailKey: email}, {Identity: identity.Key()}},
				Decide: func(found authcore.LoginFound) (authcore.Account, error) {
					account := found.Accounts[random.IntN(3)]
					if account.User.ID == "" {
						account.User = user(userID, email)
					}
					err := change(&account)
					return account, err
				},
			})
		case 1, 2:
			_, err = store.UpdateAccount(ctx, userID, start, change)
		case 3:
			err = store.DeleteUser(ctx, userID, authcore.Revocation{Kind: authcore.RevokeUser, ID: userID, Until: start.Add(time.Minute)})
		case 4, 5:
			err = store.PutRecord(ctx, owned, authcore.PutOptions{Now: start, OwnedByUser: true, Keep: random.IntN(4)})
		case 6:
			_, err = store.Sweep(ctx, start)
		}
		if errors.Is(err, authcore.ErrUnavailable) {
			t.Fatalf("a step failed: %v", err)
		}
	}
	agree(t, store)
	for i := range 10 {
		err := store.DeleteUser(ctx, fmt.Sprint(i), authcore.Revocation{Kind: authcore.RevokeUser, ID: fmt.Sprint(i)})
		if err != nil && !errors.Is(err, authcore.ErrNotFound) {
			t.Fatalf("DeleteUser failed: %v", err)
		}
	}
	keys, _ := server.Do(t, "keys", "*").([]any)
	for _, key := range keys {
		name := strings.TrimPrefix(fmt.Sprint(key), store.prefix)
		if name != "meta" && !strings.HasPrefix(name, "v:") && !strings.HasPrefix(name, "f:") {
			t.Errorf("key %s is left", name)
		}
	}
}

// agree checks that indexes lead to the users that have the items.
func agree(t *testing.T, store *Store) {
	t.Helper()
	users, _, err := store.Users(t.Context(), authcore.UserFilter{}, "")
	if err != nil {
		t.Fatalf("Users failed: %v", err)
	}
	indexes := 0
	for _, user := range users {
		account, err := store.Account(t.Context(), authcore.UserRef{ID: user.ID}, start)
		if err != nil {
			t.Fatalf("Account failed: %v", err)
		}
		refs := []authcore.UserRef{}
		if key := user.EmailKey(); key != "" {
			refs = append(refs, authcore.UserRef{EmailKey: key})
		}
		for _, identity := range account.Identities {
			refs = append(refs, authcore.UserRef{Identity: identity.Key()})
		}
		for _, ref := range refs {
			if got, err := store.User(t.Context(), ref); err != nil || got.ID != user.ID {
				t.Errorf("User(%+v) = %s, error %v, want %s", ref, got.ID, err, user.ID)
			}
		}
		indexes += len(refs)
	}
	emails, _ := command(t, store, "keys", store.key("e:*")).([]any)
	identities, _ := command(t, store, "keys", store.key("i:*")).([]any)
	if len(emails)+len(identities) != indexes {
		t.Errorf("%d keys of addresses and %d of identities, want %d together", len(emails), len(identities), indexes)
	}
}

// Sweep deletes what has expired by both clocks, counts damage in due users each
// time, makes progress despite it, and ends with its context.
func TestSweep(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	const users = 250
	for i := range users {
		account := authcore.Account{User: user(fmt.Sprintf("00000%03d", i), ""), Sessions: []authcore.Session{session("due"), session("live")}}
		account.Sessions[0].Expires = start.Add(-time.Minute)
		signUp(t, store, account)
		if i < 120 { // more than one step examines
			damaged := session("live")
			damaged.UserID = account.User.ID
			damage(t, store, authcore.Item{Session: &damaged}, "junk")
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Sweep(ended, start); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep with an ended context = error %v, want %v", err, context.Canceled)
	}
	for round, want := range []authcore.Swept{{}, {Removed: users, Damaged: 120}, {Damaged: 120}} {
		now := start
		if round == 0 {
			now = start.Add(-time.Hour)
		}
		if swept, err := store.Sweep(t.Context(), now); err != nil || swept != want {
			t.Errorf("Sweep %d = %+v, error %v, want %+v", round, swept, err, want)
		}
	}
	if ids := sessions(t, store, "00000249"); len(ids) != 1 || !ids["live"] {
		t.Errorf("sessions after Sweep = %v, want the live one", ids)
	}
	if swept, err := store.Sweep(t.Context(), start.Add(24*time.Hour)); err != nil || swept.Removed != 0 {
		t.Errorf("Sweep by a clock that is ahead = %+v, error %v, want nothing removed", swept, err)
	}
}
