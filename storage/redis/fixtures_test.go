package redis

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/edgeauth/edgeauth/authcore"
)

// start is the time of most steps.
var start = time.Now().UTC().Truncate(time.Millisecond)

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

func put(tb testing.TB, store *Store, record authcore.Record) {
	tb.Helper()
	if err := store.PutRecord(tb.Context(), record, authcore.PutOptions{Now: start}); err != nil {
		tb.Fatalf("PutRecord failed: %v", err)
	}
}

// begin starts a session of a user.
func begin(ctx context.Context, store *Store, userID, sessionID string) error {
	_, err := store.UpdateAccount(ctx, userID, start, func(a *authcore.Account) error {
		a.Start(session(sessionID), 0)
		return nil
	})
	return err
}

// end ends the sessions of a user with this ID, or all for "".
func end(ctx context.Context, store *Store, userID, sessionID string) error {
	_, err := store.UpdateAccount(ctx, userID, start, func(a *authcore.Account) error {
		a.EndSessions(func(s authcore.Session) bool { return sessionID == "" || s.ID == sessionID })
		return nil
	})
	return err
}

// sessions returns the IDs of the live sessions of a user.
func sessions(t *testing.T, store *Store, userID string) map[string]bool {
	t.Helper()
	account, err := store.Account(t.Context(), authcore.UserRef{ID: userID}, start)
	if err != nil {
		t.Fatalf("Account failed: %v", err)
	}
	ids := make(map[string]bool)
	for _, session := range account.Sessions {
		ids[session.ID] = true
	}
	return ids
}

// follow reads the feed to its end, as a node does, and returns the IDs.
func follow(t *testing.T, store *Store, cursor string) (map[string]bool, string) {
	t.Helper()
	ids := make(map[string]bool)
	for {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatalf("RevocationsSince failed: %v", err)
		}
		for _, entry := range entries {
			ids[entry.ID] = true
		}
		if cursor = next; len(entries) == 0 {
			return ids, next
		}
	}
}

// watch follows the feed and returns channels of notifications and of the end.
func watch(ctx context.Context, store *Store) (news chan struct{}, ended chan error) {
	news, ended = make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- store.WatchRevocations(ctx, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	return news, ended
}

// logTo returns a logger that sends the attribute message to a channel, or drops it.
func logTo(messages chan string) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "message" {
				select {
				case messages <- a.Value.String():
				default:
				}
			}
			return a
		},
	}))
}
