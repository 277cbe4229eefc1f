package storagetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func loginChecks() []check {
	return []check{
		{"NewUser", newLogin},
		{"KnownUser", knownLogin},
		{"JoinByAddress", joinByAddress},
		{"BothRefsOneUser", bothRefs},
		{"TwoUsersFound", twoFound},
		{"ProofEndsItsOwnersRecords", proofOwner},
		{"ProofAbsentOrExpired", proofAbsent},
		{"DecideError", decideError},
		{"ProofFailed", proofFailed},
		{"Claims", claims},
		{"Taken", loginTaken},
		{"MovesUnlinkedIdentity", moveUnlinked},
		{"SessionLimit", sessionLimit},
		{"DisabledUser", func(t *testing.T, store authcore.Store) {
			account := signUpNamed(t, store, "ada")
			disable(t, store, account.User.ID, at(day))
			_, err := store.Login(t.Context(), authcore.LoginStep{
				Now: start, Refs: []authcore.UserRef{byEmail("ada@example.com")}, Decide: findOrCreate("ada@example.com"),
			})
			wantErr(t, "Login of a disabled user", err, errRefused)
			account.User.Disabled, account.Sessions = true, nil
			wantAccount(t, store, start, account)
		}},
	}
}

// findOrCreate returns a Decide as a login service has it: it adds a session to
// the first account that was found, refuses a disabled one, and makes a new
// account if there is none.
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

func newLogin(t *testing.T, store authcore.Store) {
	proof, claim := newRecord("proof", "ada"), newRecord("claim", "")
	claim.Kind = "used"
	put(t, store, proof)
	account := newAccount("ada")
	account.Identities[0].UserID, account.Sessions[0].UserID = "", "" // the engine sets them
	account.Revocations = []authcore.Revocation{{Kind: authcore.RevokeSession, ID: uuid(), Until: at(day)}}
	got, err := store.Login(t.Context(), authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim},
		Refs: []authcore.UserRef{byIdentity(account.Identities[0]), byEmail("ada@example.com")},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if found.Proof == nil || len(found.Accounts) != 2 || found.Accounts[0].User.ID+found.Accounts[1].User.ID != "" {
				t.Errorf("Decide got %s, want a proof and two empty accounts", plain(found))
				return account, errRefused
			}
			wantSame(t, "proof", *found.Proof, proof)
			return account.Clone(), nil
		},
	})
	wantErr(t, "Login", err, nil)
	account.Identities[0].UserID, account.Sessions[0].UserID = account.User.ID, account.User.ID
	got.Revocations = nil
	wantAccount(t, store, start, account)
	wantAccount(t, store, start, got)
	for _, ref := range []authcore.UserRef{
		byID(account.User.ID), byEmail("ada@example.com"), byIdentity(account.Identities[0]),
	} {
		wantUser(t, store, ref, account.User.ID)
	}
	wantNoRecord(t, store, proof.RecordKey)
	wantRecord(t, store, claim)
	wantRevoked(t, store, "", account.Revocations[0])
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

func knownLogin(t *testing.T, store authcore.Store) {
	known := signUpNamed(t, store, "ada")
	for i, ref := range []authcore.UserRef{byID(known.User.ID), byEmail("ada@example.com"), byIdentity(known.Identities[0])} {
		session := newSession(time.Duration(i+1) * time.Hour)
		got := login(t, store, authcore.LoginStep{
			Refs: []authcore.UserRef{byEmail("unknown@example.com"), ref},
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				account := found.Accounts[1]
				wantSame(t, "account found", account, known)
				account.User.LastLogin = session.Created
				account.Start(session, 0)
				return account, nil
			},
		})
		session.UserID, known.User.LastLogin = known.User.ID, session.Created
		known.Sessions = append([]authcore.Session{session}, known.Sessions...)
		wantSame(t, "Login", got, known)
	}
}

func joinByAddress(t *testing.T, store authcore.Store) {
	known := signUp(t, store, authcore.Account{User: newUser("ada@example.com")})
	identity := newIdentity("social")
	got := login(t, store, authcore.LoginStep{
		Refs: []authcore.UserRef{byIdentity(identity), byEmail("ada@example.com")},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			account := found.Accounts[1]
			account.Identities = append(account.Identities, identity)
			return account, nil
		},
	})
	if got.User.ID != known.User.ID || len(got.Identities) != 1 {
		t.Errorf("Login = %s, want user %s with one identity", plain(got), known.User.ID)
	}
	wantUser(t, store, byIdentity(identity), known.User.ID)
}

func bothRefs(t *testing.T, store authcore.Store) {
	known := signUpNamed(t, store, "ada")
	got := login(t, store, authcore.LoginStep{
		Refs: []authcore.UserRef{byIdentity(known.Identities[0]), byEmail("ada@example.com"), byIdentity(known.Identities[0])},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			for _, account := range found.Accounts {
				wantSame(t, "account found", account, known)
			}
			found.Accounts[0].User.FirstName = "changed" // entries do not share memory
			found.Accounts[0].Sessions[0].Method = "changed"
			found.Accounts[1].User.LastName = "Hopper"
			return found.Accounts[1], nil
		},
	})
	known.User.LastName = "Hopper"
	wantSame(t, "Login", got, known)
}

// twoFound stores one of two accounts; the other one is unchanged.
func twoFound(t *testing.T, store authcore.Store) {
	one, two := signUpNamed(t, store, "one"), signUpNamed(t, store, "two")
	got := login(t, store, authcore.LoginStep{
		Refs: []authcore.UserRef{byIdentity(one.Identities[0]), byEmail("two@example.com")},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Accounts[0].User.Disabled = true
			account := found.Accounts[1]
			account.User.FirstName = "Grace"
			return account, nil
		},
	})
	if got.User.ID != two.User.ID || got.User.FirstName != "Grace" {
		t.Errorf("Login = %s, want the second account", plain(got.User))
	}
	wantAccount(t, store, start, one)
}

// proofOwner: a login by one link ends the other links of its address.
func proofOwner(t *testing.T, store authcore.Store) {
	proof, sibling, old := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("3", "ada")
	old.Expires = at(-time.Hour)
	other, kind := newRecord("4", "ad"), newRecord("5", "ada")
	kind.Kind = "code"
	free, bystander := newRecord("6", ""), newRecord("7", "")
	put(t, store, proof, sibling, old, other, kind, free, bystander)
	login(t, store, authcore.LoginStep{Proof: proof.RecordKey, Decide: storing(newAccount("ada"))})
	wantNoRecord(t, store, proof.RecordKey)
	wantNoRecord(t, store, sibling.RecordKey)
	wantRecordsOf(t, store, "link", "ada")
	wantRecord(t, store, other)
	wantRecord(t, store, kind)
	login(t, store, authcore.LoginStep{Proof: free.RecordKey, Decide: storing(newAccount("grace"))})
	wantNoRecord(t, store, free.RecordKey)
	wantRecord(t, store, bystander) // without an owner there are no siblings
}

func proofAbsent(t *testing.T, store authcore.Store) {
	expired, live, used := newRecord("expired", ""), newRecord("live", ""), newRecord("used", "")
	expired.Expires = at(-time.Millisecond)
	put(t, store, expired, live, used)
	for name, step := range map[string]authcore.LoginStep{
		"expired for the engine": {Now: start, Proof: expired.RecordKey},
		"expired for the node":   {Now: live.Expires, Proof: live.RecordKey},
		"absent":                 {Now: start, Proof: authcore.RecordKey{Kind: "link", Key: "absent"}},
		"of another kind":        {Now: start, Proof: authcore.RecordKey{Kind: "code", Key: "live"}},
		"absent, claim used":     {Now: start, Proof: expired.RecordKey, Claims: []authcore.Record{used}},
	} {
		account := newAccount("ada")
		step.Decide = func(authcore.LoginFound) (authcore.Account, error) {
			t.Errorf("%s: Decide was called", name)
			return account, nil
		}
		_, err := store.Login(t.Context(), step)
		wantErr(t, "Login with a proof that is "+name, err, authcore.ErrNotFound)
		wantNoUser(t, store, byID(account.User.ID))
	}
	wantRecord(t, store, live)
}

// wantNothingStored performs a login that fails and checks that nothing of it is
// stored, and that the client can retry with the same proof and claim.
func wantNothingStored(
	t *testing.T, store authcore.Store, want error, account authcore.Account, refs []authcore.UserRef,
	decide func(authcore.LoginFound) (authcore.Account, error),
) {
	t.Helper()
	name := uuid()
	proof, sibling, claim := newRecord("proof"+name, name), newRecord("sibling"+name, name), newRecord("claim"+name, "")
	put(t, store, proof, sibling)
	_, cursor := feedSince(t, store, "")
	_, err := store.Login(t.Context(), authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: refs, Decide: decide,
	})
	wantErr(t, "Login", err, want)
	wantNoUser(t, store, byID(account.User.ID))
	wantNoUser(t, store, byEmail(account.User.EmailKey()))
	wantRecord(t, store, proof)
	wantRecord(t, store, sibling)
	wantNoRecord(t, store, claim.RecordKey)
	wantFeed(t, store, cursor)
	login(t, store, authcore.LoginStep{
		Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Decide: storing(newAccount(name)),
	})
	wantRecord(t, store, claim)
}

func decideError(t *testing.T, store authcore.Store) {
	known, account := signUpNamed(t, store, "ada"), newAccount("grace")
	account.Revocations = []authcore.Revocation{{Kind: authcore.RevokeUser, ID: uuid(), Until: at(day)}}
	refs := []authcore.UserRef{byEmail("ada@example.com")}
	wantNothingStored(t, store, errRefused, account, refs, func(found authcore.LoginFound) (authcore.Account, error) {
		found.Proof.Data = []byte("changed")
		found.Accounts[0].User.FirstName = "changed"
		return account, errRefused
	})
	wantNothingStored(t, store, errRefused, account, refs, func(found authcore.LoginFound) (authcore.Account, error) {
		found.Accounts[0].Disable(at(day))
		return found.Accounts[0], errRefused
	})
	wantAccount(t, store, start, known)
	_, err := store.Login(t.Context(), authcore.LoginStep{
		Now: start, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, errRefused },
	})
	if err != errRefused { //nolint:errorlint // unchanged means unwrapped
		t.Errorf("Login = error %v, want the error of Decide itself", err)
	}
}

// proofFailed: a wrong guess is counted in the record, and nothing else happens.
func proofFailed(t *testing.T, store authcore.Store) {
	proof, sibling, claim := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("claim", "")
	put(t, store, proof, sibling)
	known, account := signUpNamed(t, store, "ada"), newAccount("grace")
	wrong := fmt.Errorf("guess 1: %w", authcore.ErrProofFailed)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: []authcore.UserRef{byID(known.User.ID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Proof.Data = []byte("1 guess")
			found.Proof.Owner, found.Proof.Created, found.Proof.Expires = "other", at(day), at(365*day)
			found.Accounts[0].User.FirstName = "changed"
			return account, wrong
		},
	}
	_, err := store.Login(t.Context(), step)
	if err != wrong { //nolint:errorlint // unchanged means unwrapped
		t.Errorf("Login = error %v, want the error of Decide itself", err)
	}
	proof.Data = []byte("1 guess")
	wantRecord(t, store, proof)
	wantRecordsOf(t, store, "link", "ada", "1", "2")
	wantNoRecord(t, store, claim.RecordKey)
	wantNoUser(t, store, byID(account.User.ID))
	wantAccount(t, store, start, known)

	step.Proof = authcore.RecordKey{}
	step.Decide = func(found authcore.LoginFound) (authcore.Account, error) {
		if found.Proof != nil {
			t.Errorf("Decide got proof %s, want nil", plain(found.Proof))
		}
		return account, wrong
	}
	_, err = store.Login(t.Context(), step)
	wantErr(t, "Login without a proof", err, authcore.ErrProofFailed)
}

func claims(t *testing.T, store authcore.Store) {
	first, second := newRecord("first", ""), newRecord("second", "")
	login(t, store, authcore.LoginStep{Claims: []authcore.Record{first, second}, Decide: storing(newAccount("ada"))})
	wantRecord(t, store, first)
	wantRecord(t, store, second)

	proof, fresh, account := newRecord("proof", ""), newRecord("fresh", ""), newAccount("grace")
	put(t, store, proof)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{fresh, first},
		Decide: func(authcore.LoginFound) (authcore.Account, error) {
			t.Error("Decide was called with a used claim")
			return account, nil
		},
	}
	_, err := store.Login(t.Context(), step)
	wantErr(t, "Login with a used claim", err, authcore.ErrExists)
	wantRecord(t, store, proof)
	wantNoRecord(t, store, fresh.RecordKey)

	// Claims that have expired count as absent, for the node and for the engine.
	past, future := newRecord("past", ""), first
	past.Expires = at(-time.Hour)
	put(t, store, past)
	past.Expires, future.Expires = at(2*time.Hour), at(2*time.Hour)
	step.Now, step.Proof, step.Claims = first.Expires, authcore.RecordKey{}, []authcore.Record{past, future}
	step.Decide = storing(account)
	_, err = store.Login(t.Context(), step)
	wantErr(t, "Login with expired claims", err, nil)
	wantRecord(t, store, past)
	wantRecord(t, store, future)

	// A claim is a record like others: its bounds are checked, and it has an owner.
	step.Claims = []authcore.Record{newRecord("", "")}
	step.Decide = storing(newAccount("invalid"))
	if _, err = store.Login(t.Context(), step); err == nil || errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Login with a claim without a key = error %v, want a refusal", err)
	}
	wantNoUser(t, store, byEmail("invalid@example.com"))
	step.Claims = []authcore.Record{newRecord("owned", "grace")}
	step.Decide = storing(newAccount("valid"))
	_, err = store.Login(t.Context(), step)
	wantErr(t, "Login with an owned claim", err, nil)
	wantRecordsOf(t, store, "link", "grace", "owned")
}

func loginTaken(t *testing.T, store authcore.Store) {
	owner := newAccount("ada")
	pending := newIdentity("pending")
	pending.State = authcore.IdentityPending
	owner.Identities = append(owner.Identities, pending)
	owner = signUp(t, store, owner)
	other := signUpNamed(t, store, "grace")
	for _, test := range []struct {
		name  string
		steal func(*authcore.Account)
	}{
		{"address", func(a *authcore.Account) { a.User.Email, a.User.EmailVerified = "ADA@example.com", true }},
		{"identity", func(a *authcore.Account) { a.Identities = append(a.Identities, newIdentity("ada")) }},
		{"pending identity", func(a *authcore.Account) { a.Identities = append(a.Identities, pending) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount("mallory")
			account.Revocations = []authcore.Revocation{{Kind: authcore.RevokeUser, ID: uuid(), Until: at(day)}}
			test.steal(&account)
			fresh := account.Clone()
			fresh.User.Email = "mallory@example.com" // for the lookups afterwards
			wantNothingStored(t, store, authcore.ErrTaken, fresh, nil, storing(account))
			wantNothingStored(t, store, authcore.ErrTaken, fresh, []authcore.UserRef{byID(other.User.ID)},
				func(found authcore.LoginFound) (authcore.Account, error) {
					found.Accounts[0].Start(newSession(time.Hour), 1)
					test.steal(&found.Accounts[0])
					return found.Accounts[0], nil
				})
			wantAccount(t, store, start, owner)
			wantAccount(t, store, start, other)
			wantUser(t, store, byEmail("grace@example.com"), other.User.ID)
		})
	}
}

func moveUnlinked(t *testing.T, store authcore.Store) {
	former := newAccount("ada")
	former.Identities[0].State = authcore.IdentityUnlinked
	former = signUp(t, store, former)
	moved := former.Identities[0]
	moved.State, moved.PublicID = authcore.IdentityActive, uuid()
	account := newAccount("grace")
	account.Identities = []authcore.Identity{moved}
	got := login(t, store, authcore.LoginStep{Decide: storing(account)})
	if len(got.Identities) != 1 || got.Identities[0].UserID != got.User.ID {
		t.Errorf("Login = %s, want the moved identity", plain(got.Identities))
	}
	wantUser(t, store, byIdentity(moved), account.User.ID)
	former.Identities = nil
	wantAccount(t, store, start, former)
}

// sessionLimit: the sessions beyond the limit end in the step that starts one.
func sessionLimit(t *testing.T, store authcore.Store) {
	account := newAccount("ada")
	account.Sessions = nil
	for i := range 4 {
		account.Sessions = append(account.Sessions, newSession(time.Duration(i)*time.Minute))
	}
	account = signUp(t, store, account)
	_, cursor := feedSince(t, store, "")
	session := newSession(time.Hour)
	got := login(t, store, authcore.LoginStep{
		Refs: []authcore.UserRef{byID(account.User.ID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Accounts[0].Start(session, 3)
			return found.Accounts[0], nil
		},
	})
	session.UserID = account.User.ID
	wantSame(t, "sessions", got.Sessions, append([]authcore.Session{session}, account.Sessions[:2]...))
	var want []authcore.Revocation
	for _, ended := range account.Sessions[2:] {
		want = append(want, authcore.Revocation{Kind: authcore.RevokeSession, ID: ended.ID, Until: ended.Expires})
	}
	wantFeed(t, store, cursor, want...)
}
