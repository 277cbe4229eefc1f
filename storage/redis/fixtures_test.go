package redis

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/edgeauth/edgeauth/authcore"
)

// start is the time of most steps.
var start = time.Now().UTC().Truncate(time.Millisecond) //nolint:gochecknoglobals // never changed

// id returns the UUID that belongs to a name.
func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return uuid.UUID(sum[:16]).String()
}

func user(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: start}
}

func session(id string) authcore.Session {
	return authcore.Session{
		ID: id, Created: start, LastSeen: start, Expires: start.Add(time.Hour),
		Token: authcore.SessionToken{ID: "t-" + id, Issued: start, Expires: start.Add(time.Hour)},
	}
}

func record(name string) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: name}, Owner: name + "@example.com",
		Created: start, Expires: start.Add(time.Hour), Data: []byte("data"),
	}
}

// signUp stores a new account.
func signUp(tb testing.TB, store *Store, account authcore.Account) authcore.Account {
	tb.Helper()
	stored, err := store.Login(tb.Context(), authcore.LoginStep{
		Now: start, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
	})
	if err != nil {
		tb.Fatalf("Login of a new user failed: %v", err)
	}
	return stored
}
