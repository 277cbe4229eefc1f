package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// few is the number of callers that all succeed in a race.
const few = 20

func loginRaceChecks() []check {
	return []check{
		{"ProofIsTakenOnce", func(t *testing.T, store authcore.Store) {
			known := signUp(t, store, authcore.Account{User: newUser("ada@example.com")})
			proof := newRecord("proof", "ada")
			put(t, store, proof)
			wantOneWinner(t, authcore.ErrNotFound, func(int) error {
				return raceLogin(t, store, authcore.LoginStep{Proof: proof.RecordKey, Refs: []authcore.UserRef{byID(known.User.ID)}})
			})
			wantSessions(t, store, known.User.ID, 1)
		}},
		{"SiblingsAreTakenOnce", func(t *testing.T, store authcore.Store) {
			for i := range crowd {
				put(t, store, newRecord(fmt.Sprint(i), "ada"))
			}
			wantOneWinner(t, authcore.ErrNotFound, func(i int) error {
				return raceLogin(t, store, authcore.LoginStep{Proof: newRecord(fmt.Sprint(i), "ada").RecordKey})
			})
		}},
		{"ClaimIsStoredOnce", func(t *testing.T, store authcore.Store) {
			wantOneWinner(t, authcore.ErrExists, func(int) error {
				return raceLogin(t, store, authcore.LoginStep{Claims: []authcore.Record{newRecord("claim", "")}})
			})
		}},
		{"NoGuessIsLost", func(t *testing.T, store authcore.Store) {
			proof := newRecord("proof", "ada")
			proof.Data = nil
			put(t, store, proof)
			together(few, func(int) {
				err := drop(store.Login(t.Context(), authcore.LoginStep{
					Now: start, Proof: proof.RecordKey,
					Decide: func(found authcore.LoginFound) (authcore.Account, error) {
						found.Proof.Data = append(found.Proof.Data, '1')
						return authcore.Account{}, authcore.ErrProofFailed
					},
				}))
				wantErr(t, "Login", err, authcore.ErrProofFailed)
			})
			proof.Data = slices.Repeat([]byte{'1'}, few)
			wantRecord(t, store, proof)
		}},
		{"FirstLoginsMakeOneUser", firstLogins},
		{"NoSessionOfADisabledUser", func(t *testing.T, store authcore.Store) {
			for i := range few {
				id := signUpNamed(t, store, fmt.Sprint("user", i)).User.ID
				together(4, func(i int) {
					if i == 0 {
						disable(t, store, id, at(day))
						return
					}
					err := raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byID(id)}})
					if err != nil {
						wantErr(t, "Login of a disabled user", err, errRefused)
					}
				})
				wantSessions(t, store, id, 0)
			}
		}},
		{"NothingOfADeletedUser", deleteRace},
		{"ListIsBounded", boundedList},
	}
}

// raceLogin adds a session to the account that the step's refs find.
func raceLogin(t *testing.T, store authcore.Store, step authcore.LoginStep) error {
	t.Helper()
	step.Now, step.Decide = start, findOrCreate("")
	return drop(store.Login(t.Context(), step))
}

// wantSessions checks the number of live sessions of a user.
func wantSessions(t *testing.T, store authcore.Store, userID string, want int) {
	t.Helper()
	account, err := store.Account(t.Context(), byID(userID), start)
	if err != nil || len(account.Sessions) != want {
		t.Errorf("Account has %d sessions, error %v, want %d", len(account.Sessions), err, want)
	}
}

// firstLogins: browser tabs that log in simultaneously for the first time make one
// user. The limit of sessions holds, and each session lives or is revoked.
func firstLogins(t *testing.T, store authcore.Store) {
	const limit = 3
	identity, cursor := newIdentity("ada"), ""
	for name, ref := range map[string]authcore.UserRef{
		"address": byEmail("ada@example.com"), "identity": byIdentity(identity),
	} {
		var users sync.Map
		together(few, func(i int) {
			got, err := store.Login(t.Context(), authcore.LoginStep{
				Now: start, Refs: []authcore.UserRef{ref},
				Decide: func(found authcore.LoginFound) (authcore.Account, error) {
					account := found.Accounts[0]
					if account.User.ID == "" && ref.EmailKey != "" {
						account.User = newUser(ref.EmailKey)
					} else if account.User.ID == "" {
						account = authcore.Account{User: newUser(""), Identities: []authcore.Identity{identity}}
					}
					account.Start(newSession(time.Duration(i)*time.Minute), limit)
					return account, nil
				},
			})
			wantErr(t, "Login", err, nil)
			users.Store(got.User.ID, true)
		})
		n := 0
		for id := range users.Range {
			n++
			wantUser(t, store, ref, fmt.Sprint(id))
			wantSessions(t, store, fmt.Sprint(id), limit)
		}
		var feed map[string]authcore.Revocation
		feed, cursor = feedSince(t, store, cursor)
		if n != 1 || len(feed) < few-limit {
			t.Errorf("%d first logins by one %s made %d users and %d revocations, want 1 and %d", few, name, n, len(feed), few-limit)
		}
	}
}

// deleteRace: what is stored for a user while it is deleted is stored before, and
// then deleted, or refused.
func deleteRace(t *testing.T, store authcore.Store) {
	for i := range few {
		account, record, second := signUpNamed(t, store, fmt.Sprint("user", i)), newRecord(fmt.Sprint(i), ""), newIdentity(fmt.Sprint("second", i))
		id := account.User.ID
		record.Owner = id
		calls := []func() error{
			func() error { return store.DeleteUser(t.Context(), id, revokeUser(id)) },
			func() error {
				return store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start, OwnedByUser: true})
			},
			func() error { return raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byID(id)}}) },
			func() error {
				return drop(store.UpdateAccount(t.Context(), id, start, func(a *authcore.Account) error {
					a.Start(newSession(time.Hour), 0)
					a.Identities = append(a.Identities, second)
					return nil
				}))
			},
		}
		together(len(calls), func(i int) {
			if err := calls[i](); err != nil && (i == 0 || !errors.Is(err, authcore.ErrNotFound)) {
				t.Errorf("call %d during the deletion: error %v", i, err)
			}
		})
		for _, ref := range []authcore.UserRef{
			byID(id), byEmail(account.User.EmailKey()), byIdentity(account.Identities[0]), byIdentity(second),
		} {
			wantNoUser(t, store, ref)
		}
		wantRecordsOf(t, store, "link", id)
	}
}
