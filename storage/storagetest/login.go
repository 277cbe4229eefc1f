package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func loginChecks() []check {
	return []check{
		{"NewUser", newLogin},
		{"KnownUser", knownLogin},
		{"ProofEndsItsOwnersRecords", proofOwner},
		{"ProofAbsentOrExpired", proofAbsent},
		{"Refused", refusedLogin},
		{"Taken", taken},
		{"ProofFailed", proofFailed},
		{"Claims", claims},
		{"MovesUnlinkedIdentity", moveUnlinked},
		{"SessionLimit", sessionLimit},
	}
}

// findOrCreate returns a Decide as a login service has it: it adds a session to
// the first account that was found, refuses a disabled one, and makes a new
// account if none was found.
func findOrCreate(email string) func(authcore.LoginFound) (authcore.Account, error) {
	return func(found authcore.LoginFound) (authcore.Account, error) {
		account := authcore.Account{User: newUser(email)}
		for _, known := range found.Accounts {
			if known.User.ID != "" {
				account = known
				break
			}
		}
		if account.User.Disabled {
			return account, errRefused
		}
		account.Start(newSession(time.Minute), 0)
		return account, nil
	}
}

// login performs a login that must succeed.
func login(t *testing.T, store authcore.Store, step authcore.LoginStep) authcore.Account {
	t.Helper()
	step.Now = start
	account, err := store.Login(t.Context(), step)
	wantErr(t, "Login", err, nil)
	account.Revocations = nil
	wantAccount(t, store, start, account)
	return account
}

func newLogin(t *testing.T, store authcore.Store) {
	proof, claim, account := newRecord("proof", "ada"), newRecord("claim", ""), newAccount("ada")
	claim.Kind = "used"
	put(t, store, proof)
	account.Identities[0].UserID, account.Sessions[0].UserID = "", "" // the engine sets them
	account.Revocations = []authcore.Revocation{{Kind: authcore.RevokeSession, ID: uuid(), Until: at(day)}}
	refs := []authcore.UserRef{byIdentity(account.Identities[0]), byEmail("ada@example.com")}
	got := login(t, store, authcore.LoginStep{
		Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: refs,
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			wantSame(t, "found", found, authcore.LoginFound{Proof: &proof, Accounts: make([]authcore.Account, 2)})
			return account.Clone(), nil
		},
	})
	wantRevoked(t, store, "", account.Revocations[0])
	account.Identities[0].UserID, account.Sessions[0].UserID = account.User.ID, account.User.ID
	account.Revocations = nil
	wantSame(t, "Login", got, account)
	for _, ref := range append(refs, byID(account.User.ID)) {
		wantUser(t, store, ref, account.User.ID)
	}
	wantNoRecord(t, store, proof.RecordKey)
	wantRecord(t, store, claim)
}

// knownLogin finds one or two accounts in all ways and stores the last one.
func knownLogin(t *testing.T, store authcore.Store) {
	ada, grace := signUpNamed(t, store, "ada"), signUpNamed(t, store, "grace")
	identity, unknown := byIdentity(ada.Identities[0]), byEmail("unknown@example.com")
	for i, refs := range [][]authcore.UserRef{
		{byID(ada.User.ID)},
		{byEmail("ada@example.com")},
		{identity},
		{unknown, byEmail("ada@example.com")},
		{identity, byEmail("ada@example.com"), identity},
		{byIdentity(grace.Identities[0]), byEmail("ada@example.com")},
	} {
		session, joined := newSession(time.Duration(i+1)*time.Hour), newIdentity(fmt.Sprint("social", i))
		session.UserID, joined.UserID, joined.Created = ada.User.ID, ada.User.ID, at(time.Duration(i+1)*time.Hour)
		got := login(t, store, authcore.LoginStep{Refs: refs, Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			for i, ref := range refs {
				switch ref {
				case unknown:
					wantSame(t, "account not found", found.Accounts[i], authcore.Account{})
				case byIdentity(grace.Identities[0]):
					wantSame(t, "account found", found.Accounts[i], grace)
				default:
					wantSame(t, "account found", found.Accounts[i], ada)
				}
			}
			last := len(refs) - 1
			account := found.Accounts[last]
			for _, other := range found.Accounts[:last] { // they are not stored, and share no memory
				spoilAccount(&other)
			}
			account.User.LastLogin = session.Created
			account.Identities = append(account.Identities, joined)
			account.Start(session, 0)
			return account, nil
		}})
		ada.User.LastLogin, ada.Identities = session.Created, append(ada.Identities, joined)
		ada.Sessions = append([]authcore.Session{session}, ada.Sessions...)
		wantSame(t, "Login", got, ada)
		wantUser(t, store, byIdentity(joined), ada.User.ID)
		wantAccount(t, store, start, grace)
	}
}

// wantNothingStored performs a login that fails and checks that nothing of it is
// stored, and that the client can retry with the same proof and claim.
func wantNothingStored(
	t *testing.T, store authcore.Store, want error, refs []authcore.UserRef, decide func(authcore.LoginFound) authcore.Account,
) {
	t.Helper()
	name := uuid()
	proof, sibling, claim := newRecord("proof"+name, name), newRecord("sibling"+name, name), newRecord("claim"+name, "")
	put(t, store, proof, sibling)
	items := exported(t, store, start)
	_, cursor := feedSince(t, store, "")
	err := drop(store.Login(t.Context(), authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: refs,
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			account := decide(found)
			found.Proof.Data = []byte("changed")
			account.Revocations = append(account.Revocations, revokeUser("a"))
			if errors.Is(want, errRefused) {
				return account, errRefused
			}
			return account, nil
		},
	}))
	if wantErr(t, "Login", err, want); errors.Is(want, errRefused) {
		wantRefused(t, "Login", err)
	}
	wantItems(t, store, start, items)
	wantFeed(t, store, cursor)
	step := authcore.LoginStep{Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Decide: storing(newAccount(name))}
	login(t, store, step)
	wantRecordsOf(t, store, "link", name)
	wantRecord(t, store, claim)
}

func refusedLogin(t *testing.T, store authcore.Store) {
	known, disabled := signUpNamed(t, store, "ada"), signUpNamed(t, store, "disabled")
	disable(t, store, disabled.User.ID, at(day))
	refs := []authcore.UserRef{byEmail("ada@example.com"), byID(disabled.User.ID)}
	for _, decide := range []func(authcore.LoginFound) authcore.Account{
		func(authcore.LoginFound) authcore.Account { return newAccount("grace") },
		func(found authcore.LoginFound) authcore.Account {
			found.Accounts[0].Disable(at(day))
			return found.Accounts[0]
		},
		func(found authcore.LoginFound) authcore.Account {
			wantSame(t, "the account found is disabled", found.Accounts[1].User.Disabled, true)
			found.Accounts[1].Start(newSession(0), 0)
			return found.Accounts[1]
		},
	} {
		wantNothingStored(t, store, errRefused, refs, decide)
	}
	wantNoUser(t, store, byEmail("grace@example.com"))
	wantAccount(t, store, start, known)
}

// taken: a new account, an existing one and an update take what belongs to another
// user.
func taken(t *testing.T, store authcore.Store) {
	owner, pending := newAccount("ada"), newIdentity("pending")
	pending.State = authcore.IdentityPending
	owner.Identities = append(owner.Identities, pending)
	owner = signUp(t, store, owner)
	other := signUpNamed(t, store, "grace")
	for name, steal := range map[string]func(*authcore.Account){
		"address":          func(a *authcore.Account) { a.User.Email, a.User.EmailVerified = "ADA@example.com", true },
		"identity":         func(a *authcore.Account) { a.Identities[0].Subject = "ada" },
		"pending identity": func(a *authcore.Account) { a.Identities = append(a.Identities, pending) },
	} {
		t.Run(name, func(t *testing.T) {
			change := func(a authcore.Account) authcore.Account {
				a.User.FirstName, a.User.Roles = "Mallory", []string{"admin"}
				a.Identities = append(a.Identities, newIdentity("free"))
				a.Start(newSession(time.Hour), 1)
				steal(&a)
				return a
			}
			wantNothingStored(t, store, authcore.ErrTaken, nil,
				func(authcore.LoginFound) authcore.Account { return change(newAccount("mallory")) })
			wantNothingStored(t, store, authcore.ErrTaken, []authcore.UserRef{byID(other.User.ID)},
				func(found authcore.LoginFound) authcore.Account { return change(found.Accounts[0]) })
			_, cursor := feedSince(t, store, "")
			err := drop(store.UpdateAccount(t.Context(), other.User.ID, start, func(a *authcore.Account) error {
				*a = change(*a)
				return nil
			}))
			wantErr(t, "UpdateAccount", err, authcore.ErrTaken)
			wantFeed(t, store, cursor)
			wantNoUser(t, store, byIdentity(newIdentity("free")))
			for _, account := range []authcore.Account{owner, other} {
				wantAccount(t, store, start, account)
				wantUser(t, store, byEmail(account.User.EmailKey()), account.User.ID)
				wantUser(t, store, byIdentity(account.Identities[0]), account.User.ID)
			}
		})
	}
}

// moveUnlinked links an identity that its former user has unlinked: by a login, and
// back by an update.
func moveUnlinked(t *testing.T, store authcore.Store) {
	ada, grace := newAccount("ada"), newAccount("grace")
	ada.Identities[0].State = authcore.IdentityUnlinked
	ada = signUp(t, store, ada)
	moved := ada.Identities[0]
	moved.State = authcore.IdentityActive
	grace.Identities = []authcore.Identity{moved}
	login(t, store, authcore.LoginStep{Decide: storing(grace)})
	wantUser(t, store, byIdentity(moved), grace.User.ID)
	ada.Identities = nil
	wantAccount(t, store, start, ada)
	update(t, store, grace.User.ID, func(a *authcore.Account) { a.Identities[0].State = authcore.IdentityUnlinked })
	ada = update(t, store, ada.User.ID, func(a *authcore.Account) { a.Identities = []authcore.Identity{moved} })
	wantUser(t, store, byIdentity(moved), ada.User.ID)
	wantAccount(t, store, start, ada)
	grace.Identities = nil
	wantAccount(t, store, start, grace)
}

// sessionLimit: the sessions beyond the limit end in the step that starts one.
func sessionLimit(t *testing.T, store authcore.Store) {
	account := newAccount("ada")
	account.Sessions = nil
	for i := range 4 {
		account.Sessions = append(account.Sessions, newSession(time.Duration(i)*time.Minute))
	}
	account = signUp(t, store, account)
	session := newSession(time.Hour)
	got := login(t, store, authcore.LoginStep{
		Refs: []authcore.UserRef{byID(account.User.ID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Accounts[0].Start(session, 3)
			return found.Accounts[0], nil
		},
	})
	session.UserID = account.User.ID
	wantSame(t, "sessions", got.Sessions, slices.Insert(account.Sessions[:2:2], 0, session))
	wantFeed(t, store, "", revokeSession(account.Sessions[2]), revokeSession(account.Sessions[3]))
}
