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
			var proofs []authcore.RecordKey
			for i := range crowd {
				record := newRecord(fmt.Sprint(i), "ada")
				put(t, store, record)
				proofs = append(proofs, record.RecordKey)
			}
			wantOneWinner(t, authcore.ErrNotFound, func(i int) error {
				return raceLogin(t, store, authcore.LoginStep{Proof: proofs[i]})
			})
		}},
		{"ClaimIsStoredOnce", func(t *testing.T, store authcore.Store) {
			claim := newRecord("claim", "")
			wantOneWinner(t, authcore.ErrExists, func(int) error {
				return raceLogin(t, store, authcore.LoginStep{Claims: []authcore.Record{claim}})
			})
		}},
		{"NoGuessIsLost", func(t *testing.T, store authcore.Store) {
			proof := newRecord("proof", "ada")
			proof.Data = nil
			put(t, store, proof)
			together(few, func(int) {
				_, err := store.Login(t.Context(), authcore.LoginStep{
					Now: start, Proof: proof.RecordKey,
					Decide: func(found authcore.LoginFound) (authcore.Account, error) {
						found.Proof.Data = append(found.Proof.Data, '1')
						return authcore.Account{}, authcore.ErrProofFailed
					},
				})
				wantErr(t, "Login", err, authcore.ErrProofFailed)
			})
			proof.Data = slices.Repeat([]byte{'1'}, few)
			wantRecord(t, store, proof)
		}},
		{"FirstLoginsOfOneAddress", func(t *testing.T, store authcore.Store) {
			firstLogins(t, store, byEmail("ada@example.com"), func() authcore.Account {
				return authcore.Account{User: newUser("ada@example.com")}
			})
		}},
		{"FirstLoginsOfOneIdentity", func(t *testing.T, store authcore.Store) {
			identity := newIdentity("ada")
			firstLogins(t, store, byIdentity(identity), func() authcore.Account {
				return authcore.Account{User: newUser(""), Identities: []authcore.Identity{identity}}
			})
		}},
		{"SessionLimitHolds", limitRace},
		{"NoSessionOfADisabledUser", disableRace},
		{"NothingOfADeletedUser", deleteRace},
	}
}

// raceLogin adds a session to the account that the step's refs find.
func raceLogin(t *testing.T, store authcore.Store, step authcore.LoginStep) error {
	t.Helper()
	step.Now, step.Decide = start, findOrCreate("")
	_, err := store.Login(t.Context(), step)
	return err
}

// wantSessions checks the number of live sessions of a user and returns them.
func wantSessions(t *testing.T, store authcore.Store, userID string, want int) []authcore.Session {
	t.Helper()
	account, err := store.Account(t.Context(), byID(userID), start)
	if err != nil || len(account.Sessions) != want {
		t.Errorf("Account has %d sessions, error %v, want %d", len(account.Sessions), err, want)
	}
	return account.Sessions
}

// firstLogins: two browser tabs that log in for the first time make one user.
func firstLogins(t *testing.T, store authcore.Store, ref authcore.UserRef, create func() authcore.Account) {
	var mu sync.Mutex
	users := make(map[string]bool)
	together(few, func(int) {
		got, err := store.Login(t.Context(), authcore.LoginStep{
			Now: start, Refs: []authcore.UserRef{ref},
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				account := found.Accounts[0]
				if account.User.ID == "" {
					account = create()
				}
				account.Start(newSession(0), 0)
				return account, nil
			},
		})
		wantErr(t, "Login", err, nil)
		mu.Lock()
		defer mu.Unlock()
		users[got.User.ID] = true
	})
	if len(users) != 1 {
		t.Errorf("%d concurrent first logins made %d users, want 1", few, len(users))
	}
	for id := range users {
		wantUser(t, store, ref, id)
		wantSessions(t, store, id, few)
	}
}

// limitRace: the limit of sessions holds for concurrent logins as well, and every
// ended session is revoked.
func limitRace(t *testing.T, store authcore.Store) {
	const limit = 3
	account := signUp(t, store, authcore.Account{User: newUser("ada@example.com")})
	var mu sync.Mutex
	started := make(map[string]bool)
	together(few, func(i int) {
		session := newSession(time.Duration(i) * time.Minute)
		_, err := store.Login(t.Context(), authcore.LoginStep{
			Now: start, Refs: []authcore.UserRef{byEmail("ada@example.com")},
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				found.Accounts[0].Start(session, limit)
				return found.Accounts[0], nil
			},
		})
		wantErr(t, "Login", err, nil)
		mu.Lock()
		defer mu.Unlock()
		started[session.ID] = true
	})
	for _, session := range wantSessions(t, store, account.User.ID, limit) {
		delete(started, session.ID)
	}
	feed, _ := feedSince(t, store, "")
	for id := range started {
		if _, revoked := feed[feedKey(authcore.RevokeSession, id)]; !revoked {
			t.Errorf("session %s ended without a revocation", id)
		}
	}
	if len(started) != few-limit || len(feed) != few-limit {
		t.Errorf("%d sessions ended with %d revocations, want %d", len(started), len(feed), few-limit)
	}
}

// disableRace: a login that is decided while its user is disabled leaves no
// session that is live.
func disableRace(t *testing.T, store authcore.Store) {
	for i := range few {
		account := signUpNamed(t, store, fmt.Sprint("user", i))
		together(4, func(i int) {
			if i == 0 {
				disable(t, store, account.User.ID, at(day))
				return
			}
			err := raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byID(account.User.ID)}})
			if err != nil && !errors.Is(err, errRefused) {
				t.Errorf("Login: error %v", err)
			}
		})
		wantSessions(t, store, account.User.ID, 0)
	}
}

// deleteRace: what is stored for a user while it is deleted is stored before, and
// then deleted, or refused.
func deleteRace(t *testing.T, store authcore.Store) {
	for i := range few {
		name := fmt.Sprint("user", i)
		account := signUpNamed(t, store, name)
		id := account.User.ID
		together(4, func(i int) {
			switch i {
			case 0:
				wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
			case 1:
				err := store.PutRecord(t.Context(), newRecord(name, id), authcore.PutOptions{Now: start, OwnedByUser: true})
				if err != nil {
					wantErr(t, "PutRecord", err, authcore.ErrNotFound)
				}
			case 2:
				_, err := store.UpdateAccount(t.Context(), id, start, func(a *authcore.Account) error {
					a.Start(newSession(time.Hour), 0)
					a.Identities = append(a.Identities, newIdentity("second of "+name))
					return nil
				})
				if err != nil {
					wantErr(t, "UpdateAccount", err, authcore.ErrNotFound)
				}
			default: // it may sign up again under the address that became free
				_ = raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byID(id)}})
			}
		})
		wantNoUser(t, store, byID(id))
		wantNoUser(t, store, byEmail(account.User.EmailKey()))
		wantNoUser(t, store, byIdentity(account.Identities[0]))
		wantNoUser(t, store, byIdentity(newIdentity("second of "+name)))
		wantRecordsOf(t, store, "link", id)
	}
}

func revokeUser(id string) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: at(14 * day)}
}
