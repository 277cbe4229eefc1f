package storagetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	googleuuid "github.com/google/uuid"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// crowd is the number of callers that race where one may win.
	crowd = 100
	// day is a calendar day without a change of the clock.
	day = 24 * time.Hour
)

//nolint:gochecknoglobals // never changed
var (
	// start is the time from which all times of the suite are counted.
	start = time.Now().UTC().Truncate(time.Millisecond)
	// farAway does not fit into 64 bits of nanoseconds.
	farAway = time.Date(2300, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// errRefused is an error of a callback.
var errRefused = errors.New("refused by the test")

// at returns the time that lies d after start.
func at(d time.Duration) time.Time { return start.Add(d) }

func uuid() string { return googleuuid.NewString() }

// uuidOf returns the same UUID for the same text.
func uuidOf(text string) string { return googleuuid.NewSHA1(googleuuid.Nil, []byte(text)).String() }

// newUser returns a user. The address is verified unless it is empty.
func newUser(email string) authcore.User {
	return authcore.User{
		ID: uuid(), Email: email, EmailVerified: email != "", FirstName: "Ada", LastName: "Lovelace", Nickname: "ada",
		AvatarURL: "https://img.example/ada.png", Roles: []string{"editor", "operator"}, Granted: []string{"operator"},
		Factors: []authcore.Factor{{Kind: authcore.FactorTOTP, ID: "factor", Created: start}}, Passkeys: []string{"first", "second"},
		Created: start, LastLogin: at(time.Minute),
	}
}

func newIdentity(subject string) authcore.Identity {
	return authcore.Identity{Provider: "github", Subject: subject, PublicID: uuid(), Email: "ada@example.com", Roles: []string{"editor"}, RolesAt: start, Created: start}
}

func newSession(created time.Duration) authcore.Session {
	return authcore.Session{
		ID: uuid(), Client: "web", Method: "link", IP: "2001:db8::1", UserAgent: "suite/1.0",
		Created: at(created), Expires: at(created + 14*day), LastSeen: at(created),
		Token:      authcore.SessionToken{ID: uuid(), Issued: at(created), Expires: at(created + day)},
		Superseded: []authcore.SupersededToken{{ID: uuid(), At: at(created - time.Minute)}},
	}
}

// newRecord returns a record that expires after 15 minutes.
func newRecord(key, owner string) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: key}, Owner: owner, Created: start,
		Expires: at(15 * time.Minute), Data: []byte("data of " + key),
	}
}

func newKey(id string) authcore.SigningKey {
	return authcore.SigningKey{
		ID: id, Algorithm: "EdDSA", Private: []byte("private part of " + id),
		Created: start, Signs: at(time.Hour), Expires: at(day),
	}
}

// newAccount returns an account with an identity and a session. The name is part
// of the address and the subject.
func newAccount(name string) authcore.Account {
	user := newUser(name + "@example.com")
	identity, session := newIdentity(name), newSession(0)
	identity.UserID, session.UserID = user.ID, user.ID
	return authcore.Account{User: user, Identities: []authcore.Identity{identity}, Sessions: []authcore.Session{session}}
}

// fullAccount returns an account with an active, a pending and an unlinked identity
// and three sessions.
func fullAccount() authcore.Account {
	account, pending, unlinked := newAccount("ada"), newIdentity("pending"), newIdentity("unlinked")
	pending.State, pending.Expires, pending.Created = authcore.IdentityPending, at(day), at(time.Minute)
	unlinked.State, unlinked.Created = authcore.IdentityUnlinked, at(2*time.Minute)
	account.Identities = append(account.Identities, pending, unlinked)
	account.Sessions = append(account.Sessions, newSession(time.Minute), newSession(2*time.Minute))
	return account
}

func revokeUser(id string) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: at(14 * day)}
}

// revokeSession returns the entry that ends a session.
func revokeSession(s authcore.Session) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeSession, ID: s.ID, Until: s.Expires}
}

func byID(id string) authcore.UserRef                 { return authcore.UserRef{ID: id} }
func byEmail(key string) authcore.UserRef             { return authcore.UserRef{EmailKey: key} }
func byIdentity(i authcore.Identity) authcore.UserRef { return authcore.UserRef{Identity: i.Key()} }

// storing returns a Decide that stores an account, whatever was found.
func storing(account authcore.Account) func(authcore.LoginFound) (authcore.Account, error) {
	return func(authcore.LoginFound) (authcore.Account, error) { return account.Clone(), nil }
}

// signUp stores a new account and returns its live part at start.
func signUp(t *testing.T, store authcore.Store, account authcore.Account) authcore.Account {
	t.Helper()
	stored, err := store.Login(t.Context(), authcore.LoginStep{Now: start, Decide: storing(account)})
	wantErr(t, "Login of a new user", err, nil)
	stored.Revocations = nil
	stored.Identities = slices.DeleteFunc(stored.Identities, func(i authcore.Identity) bool { return !i.Live(start) })
	stored.Sessions = slices.DeleteFunc(stored.Sessions, func(s authcore.Session) bool { return !start.Before(s.Expires) })
	return stored
}

// signUpNamed stores newAccount(name).
func signUpNamed(t *testing.T, store authcore.Store, name string) authcore.Account {
	t.Helper()
	return signUp(t, store, newAccount(name))
}

// update applies a change that succeeds.
func update(t *testing.T, store authcore.Store, userID string, change func(*authcore.Account)) authcore.Account {
	t.Helper()
	account, err := store.UpdateAccount(t.Context(), userID, start, func(a *authcore.Account) error {
		change(a)
		return nil
	})
	wantErr(t, "UpdateAccount", err, nil)
	return account
}

func disable(t *testing.T, store authcore.Store, userID string, until time.Time) {
	t.Helper()
	update(t, store, userID, func(a *authcore.Account) { a.Disable(until) })
}

// put stores records without options.
func put(t *testing.T, store authcore.Store, records ...authcore.Record) {
	t.Helper()
	for _, record := range records {
		err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start})
		wantErr(t, "PutRecord "+record.Key, err, nil)
	}
}

// together makes n calls at the same time and returns when all have ended.
func together(n int, call func(i int)) {
	var calls sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		calls.Go(func() {
			<-begin
			call(i)
		})
	}
	close(begin)
	calls.Wait()
}
