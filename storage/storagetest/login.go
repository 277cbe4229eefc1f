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
	identity, nobody := byIdentity(ada.Identities[0]), byEmail("unknown@example.com")
	for i, refs := range [][]authcore.UserRef{
		{byID(ada.User.ID)}, {byEmail("ada@example.com")}, {identity}, {nobody, byEmail("ada@example.com")},
		{identity, byEmail("ada@example.com"), identity}, {byIdentity(grace.Identities[0]), byEmail("ada@example.com")},
	} {
		session, joined := newSession(time.Duration(i+1)*time.Hour), newIdentity(fmt.Sprint("social", i))
		session.UserID, joined.UserID, joined.Created = ada.User.ID, ada.User.ID, at(time.Duration(i+1)*time.Hour)
		got := login(t, store, authcore.LoginStep{Refs: refs, Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			for i, ref := range refs {
				switch ref {
				case nobody:
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

// proofOwner: a login by one link ends the other links of its address.
func proofOwner(t *testing.T, store authcore.Store) {
	proof, sibling, old := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("3", "ada")
	old.Expires = at(-time.Hour)
	other, kind := newRecord("4", "ad"), newRecord("5", "ada")
	kind.Kind = "code"
	free, bystander := newRecord("6", ""), newRecord("7", "")
	put(t, store, proof, sibling, old, other, kind, free, bystander)
	login(t, store, authcore.LoginStep{Proof: proof.RecordKey, Decide: storing(newAccount("ada"))})
	wantRecordsOf(t, store, "link", "ada")
	wantNoRecord(t, store, proof.RecordKey)
	wantNoRecord(t, store, sibling.RecordKey)
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
		step.Decide = func(authcore.LoginFound) (authcore.Account, error) {
			t.Errorf("%s: Decide was called", name)
			return newAccount("ada"), nil
		}
		wantErr(t, "Login with a proof that is "+name, drop(store.Login(t.Context(), step)), authcore.ErrNotFound)
	}
	wantNoUser(t, store, byEmail("ada@example.com"))
	wantRecord(t, store, live)
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
	wantErr(t, "Login", err, want)
	if errors.Is(want, errRefused) && err != errRefused { //nolint:errorlint // unchanged means unwrapped
		t.Errorf("Login = error %v, want the error of Decide itself", err)
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
	account := newAccount("grace")
	for _, decide := range []func(authcore.LoginFound) authcore.Account{
		func(authcore.LoginFound) authcore.Account { return account },
		func(found authcore.LoginFound) authcore.Account {
			found.Accounts[0].Disable(at(day))
			return found.Accounts[0]
		},
		func(found authcore.LoginFound) authcore.Account {
			if !found.Accounts[1].User.Disabled || len(found.Accounts[1].Sessions) != 0 {
				t.Errorf("account found = %s, want it disabled", plain(found.Accounts[1]))
			}
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

// proofFailed: a wrong guess is counted in the record, and nothing else happens.
func proofFailed(t *testing.T, store authcore.Store) {
	proof, sibling, claim := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("claim", "")
	put(t, store, proof, sibling)
	known, account := signUpNamed(t, store, "ada"), newAccount("grace")
	wrong := fmt.Errorf("guess 1: %w", authcore.ErrProofFailed)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: []authcore.UserRef{byID(known.User.ID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if found.Proof != nil {
				found.Proof.Data = []byte("1 guess")
				found.Proof.Owner, found.Proof.Created, found.Proof.Expires = "other", at(day), at(365*day)
			}
			found.Accounts[0].User.FirstName = "changed"
			return account, wrong
		},
	}
	err := drop(store.Login(t.Context(), step))
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
	wantErr(t, "Login without a proof", drop(store.Login(t.Context(), step)), authcore.ErrProofFailed)
}

func claims(t *testing.T, store authcore.Store) {
	first, another, owned := newRecord("first", ""), newRecord("second", ""), newRecord("owned", "grace")
	stored := []authcore.Record{first, another, owned}
	login(t, store, authcore.LoginStep{Claims: stored, Decide: storing(newAccount("ada"))})
	for _, claim := range stored {
		wantRecord(t, store, claim)
	}
	wantRecordsOf(t, store, "link", "grace", "owned")

	proof, fresh := newRecord("proof", ""), newRecord("fresh", "")
	put(t, store, proof)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{fresh, first}, Decide: storing(newAccount("grace")),
	}
	wantErr(t, "Login with a used claim", drop(store.Login(t.Context(), step)), authcore.ErrExists)
	wantRecord(t, store, proof)
	wantNoRecord(t, store, fresh.RecordKey)
	wantNoUser(t, store, byEmail("grace@example.com"))

	// Claims that have expired count as absent, for the node and for the engine.
	past, future := newRecord("past", ""), first
	past.Expires = at(-time.Hour)
	put(t, store, past)
	past.Expires, future.Expires = at(2*time.Hour), at(2*time.Hour)
	step.Now, step.Proof, step.Claims = first.Expires, authcore.RecordKey{}, []authcore.Record{past, future}
	wantErr(t, "Login with expired claims", drop(store.Login(t.Context(), step)), nil)
	wantRecord(t, store, past)
	wantRecord(t, store, future)
}

// moveUnlinked links an identity that its former user has unlinked, by a login and
// by an update.
func moveUnlinked(t *testing.T, store authcore.Store) {
	for name, link := range map[string]func(account authcore.Account, moved authcore.Identity) authcore.Account{
		"login": func(account authcore.Account, moved authcore.Identity) authcore.Account {
			account.Identities = []authcore.Identity{moved}
			return login(t, store, authcore.LoginStep{Decide: storing(account)})
		},
		"update": func(account authcore.Account, moved authcore.Identity) authcore.Account {
			id := signUp(t, store, account).User.ID
			return update(t, store, id, func(a *authcore.Account) { a.Identities = []authcore.Identity{moved} })
		},
	} {
		former := newAccount("former in " + name)
		former.User = newUser("")
		former.Identities[0].State = authcore.IdentityUnlinked
		former = signUp(t, store, former)
		moved := former.Identities[0]
		moved.State, moved.PublicID = authcore.IdentityActive, uuid()
		got := link(newAccount(name), moved)
		moved.UserID = got.User.ID
		wantSame(t, "identities after a "+name, got.Identities, []authcore.Identity{moved})
		wantUser(t, store, byIdentity(moved), got.User.ID)
		former.Identities = nil
		wantAccount(t, store, start, former)
	}
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
	var want []authcore.Revocation
	for _, ended := range account.Sessions[2:] {
		want = append(want, authcore.Revocation{Kind: authcore.RevokeSession, ID: ended.ID, Until: ended.Expires})
	}
	wantFeed(t, store, "", want...)
}
