package storagetest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// crowd is the number of callers that race where one may win.
	crowd = 100
	// day is a calendar day without a change of the clock.
	day = 24 * time.Hour
)

// start is the time from which all times of the suite are counted.
var start = time.Now().UTC().Truncate(time.Millisecond) //nolint:gochecknoglobals // never changed

// errRefused is an error of a callback.
var errRefused = errors.New("refused by the test")

// at returns the time that lies d after start.
func at(d time.Duration) time.Time { return start.Add(d) }

// uuid returns a random UUID.
func uuid() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails, see crypto/rand
	return formatUUID(bits[:])
}

// uuidOf returns the same UUID for the same text.
func uuidOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return formatUUID(sum[:])
}

func formatUUID(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, section 5.4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// newUser returns a user. The address is verified unless it is empty.
func newUser(email string) authcore.User {
	return authcore.User{
		ID:            uuid(),
		Email:         email,
		EmailVerified: email != "",
		FirstName:     "Ada",
		LastName:      "Lovelace",
		AvatarURL:     "https://img.example/ada.png",
		Nickname:      "ada",
		Roles:         []string{"editor", "operator"},
		Created:       start,
		LastLogin:     at(time.Minute),
	}
}

func newIdentity(subject string) authcore.Identity {
	return authcore.Identity{
		Provider: "github", Subject: subject, PublicID: uuid(), Email: "ada@example.com", Created: start,
	}
}

func newSession(created time.Duration) authcore.Session {
	return authcore.Session{
		ID:         uuid(),
		Client:     "web",
		Method:     "link",
		Created:    at(created),
		Expires:    at(created + 14*day),
		LastSeen:   at(created),
		IP:         "2001:db8::1",
		UserAgent:  "suite/1.0",
		Token:      authcore.SessionToken{ID: uuid(), Issued: at(created), Expires: at(created + day)},
		Superseded: []authcore.SupersededToken{{ID: uuid(), At: at(created - time.Minute)}},
	}
}

// newRecord returns a record that expires after 15 minutes. Kind "link" is as
// good as any.
func newRecord(key, owner string) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: key},
		Owner:     owner,
		Created:   start,
		Expires:   at(15 * time.Minute),
		Data:      []byte("data of " + key),
	}
}

func newKey(id string) authcore.SigningKey {
	return authcore.SigningKey{
		ID:        id,
		Algorithm: "EdDSA",
		Private:   []byte("private part of " + id),
		Created:   start,
		Signs:     at(time.Hour),
		Expires:   at(day),
	}
}

// newAccount returns an account with an identity and a session. The name is part
// of the address and the subject.
func newAccount(name string) authcore.Account {
	user := newUser(name + "@example.com")
	identity, session := newIdentity(name), newSession(0)
	identity.UserID, session.UserID = user.ID, user.ID
	return authcore.Account{
		User: user, Identities: []authcore.Identity{identity}, Sessions: []authcore.Session{session},
	}
}

func revokeUser(id string) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: at(14 * day)}
}

func byID(id string) authcore.UserRef     { return authcore.UserRef{ID: id} }
func byEmail(key string) authcore.UserRef { return authcore.UserRef{EmailKey: key} }
func byIdentity(i authcore.Identity) authcore.UserRef {
	return authcore.UserRef{Identity: i.Key()}
}

// storing returns a Decide that stores an account, whatever was found.
func storing(account authcore.Account) func(authcore.LoginFound) (authcore.Account, error) {
	return func(authcore.LoginFound) (authcore.Account, error) { return account.Clone(), nil }
}

// signUp stores a new account and returns its live part at start.
func signUp(t *testing.T, store authcore.Store, account authcore.Account) authcore.Account {
	t.Helper()
	stored, err := store.Login(t.Context(), authcore.LoginStep{Now: start, Decide: storing(account)})
	if err != nil {
		t.Fatalf("Login of a new user: error %v", err)
	}
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
	if err != nil {
		t.Errorf("UpdateAccount: error %v, want none", err)
	}
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

// wantErr checks the class of an error; nil asks for success.
func wantErr(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", call, err, want)
	}
}

// wantSame compares two values. Times are equal if they are the same instant, and
// an empty slice equals nil.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := plain(got), plain(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// wantAccount checks a whole account, by ID. Revocations are left out.
func wantAccount(t *testing.T, store authcore.Store, now time.Time, want authcore.Account) {
	t.Helper()
	got, err := store.Account(t.Context(), byID(want.User.ID), now)
	wantErr(t, "Account", err, nil)
	want.Revocations = nil
	authcore.SortAccount(&want)
	wantSame(t, "Account", got, want)
}

// wantNoUser checks that a reference selects no user.
func wantNoUser(t *testing.T, store authcore.Store, ref authcore.UserRef) {
	t.Helper()
	user, err := store.User(t.Context(), ref)
	if !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("User(%+v) = %s, error %v, want %v", ref, plain(user), err, authcore.ErrNotFound)
	}
}

// wantUser checks that a reference selects a user.
func wantUser(t *testing.T, store authcore.Store, ref authcore.UserRef, id string) {
	t.Helper()
	user, err := store.User(t.Context(), ref)
	if err != nil || user.ID != id {
		t.Errorf("User(%+v) = %q, error %v, want %q", ref, user.ID, err, id)
	}
}

// wantRecord checks a record at start.
func wantRecord(t *testing.T, store authcore.Store, want authcore.Record) {
	t.Helper()
	got, err := store.Record(t.Context(), want.RecordKey, start)
	wantErr(t, "Record "+want.Key, err, nil)
	wantSame(t, "Record "+want.Key, got, want)
}

// wantNoRecord checks that a record is absent at start.
func wantNoRecord(t *testing.T, store authcore.Store, key authcore.RecordKey) {
	t.Helper()
	wantErr(t, "Record "+key.Key, drop(store.Record(t.Context(), key, start)), authcore.ErrNotFound)
}

// wantRecordsOf checks the keys of the records of an owner.
func wantRecordsOf(t *testing.T, store authcore.Store, kind, owner string, want ...string) {
	t.Helper()
	records, err := store.RecordsOf(t.Context(), kind, owner, start)
	keys := make([]string, 0, len(records))
	for _, record := range records {
		keys = append(keys, record.Key)
	}
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("RecordsOf(%s, %s) = %q, error %v, want %q", kind, owner, keys, err, want)
	}
}

// plain returns a value as text with its times in UTC.
func plain(value any) string {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return "nothing"
	}
	text, err := json.Marshal(normal(v).Interface())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// normal returns a deep copy with times in UTC and nil for empty slices.
func normal(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		instant, _ := v.Interface().(time.Time)
		out.Set(reflect.ValueOf(instant.UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(normal(v.Field(i)))
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(normal(v.Elem()))
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			out.Set(reflect.Append(out, normal(v.Index(i))))
		}
	default:
		out.Set(v)
	}
	return out
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

// wantOneWinner makes racing calls of which one succeeds. All others must fail
// with the given error.
func wantOneWinner(t *testing.T, loser error, call func(i int) error) {
	t.Helper()
	var mu sync.Mutex
	won := 0
	together(crowd, func(i int) {
		err := call(i)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			won++
		} else if !errors.Is(err, loser) {
			t.Errorf("a caller that lost got error %v, want %v", err, loser)
		}
	})
	if won != 1 {
		t.Errorf("%d of %d callers succeeded, want 1", won, crowd)
	}
}
