package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// origin is the time of the tests. What expires an hour later is live for the
// server too.
var origin = time.Now().UTC().Truncate(time.Millisecond)

func second[T any](_ T, err error) error { return err }

func user(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: origin}
}

func session(id string) authcore.Session {
	return authcore.Session{
		ID: id, Client: "web", Method: "link", Created: origin, LastSeen: origin, Expires: origin.Add(time.Hour),
		IP: "2001:db8::1", UserAgent: "test/1.0", Token: authcore.SessionToken{ID: "token of " + id, Issued: origin, Expires: origin.Add(time.Hour)},
	}
}

func record(key, owner string) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: key}, Owner: owner, Created: origin, Expires: origin.Add(time.Hour),
		Data: []byte("data of " + key),
	}
}

// account returns an account with one session, whose ID is "s-" and the user's.
func account(id, email string) authcore.Account {
	return authcore.Account{User: user(id, email), Sessions: []authcore.Session{session("s-" + id)}}
}

// signUp stores a new account.
func signUp(tb testing.TB, store *Store, account authcore.Account) authcore.Account {
	tb.Helper()
	stored, err := store.Login(tb.Context(), authcore.LoginStep{
		Now: origin, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account.Clone(), nil },
	})
	if err != nil {
		tb.Fatalf("Login of a new user: error %v", err)
	}
	return stored
}

// errorsContain reports whether the text of an error contains a word.
func errorsContain(err error, word string) bool {
	return err != nil && strings.Contains(err.Error(), word)
}
