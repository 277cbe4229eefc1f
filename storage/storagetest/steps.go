package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Steps returns a call of every method on a store that [Furnish] has filled, by
// the name of the method. Each call has items of its own: all succeed once, in any
// order. WatchRevocations is missing, because it does not end.
func Steps(store authcore.Store) map[string]func(ctx context.Context) error {
	user := StepID("user")
	return map[string]func(ctx context.Context) error{
		"User":    func(ctx context.Context) error { return drop(store.User(ctx, byEmail("user@example.com"))) },
		"Account": func(ctx context.Context) error { return drop(store.Account(ctx, byID(user), start)) },
		"Login": func(ctx context.Context) error {
			return drop(store.Login(ctx, authcore.LoginStep{
				Now: start, Proof: StepRecord("proof").RecordKey, Claims: []authcore.Record{StepRecord("claim")},
				Refs: []authcore.UserRef{byEmail("new@example.com")}, Decide: storing(stepAccount("new")),
			}))
		},
		"UpdateAccount": func(ctx context.Context) error {
			return drop(store.UpdateAccount(ctx, user, start, func(a *authcore.Account) error {
				a.User.Nickname += "x"
				a.Start(authcore.Session{ID: StepID("session"), Created: start, Expires: at(time.Hour)}, 1)
				return nil
			}))
		},
		"DeleteUser": func(ctx context.Context) error {
			return store.DeleteUser(ctx, StepID("deleted"), revokeUser(StepID("deleted")))
		},
		"Users": func(ctx context.Context) error { _, _, err := store.Users(ctx, authcore.UserFilter{}, ""); return err },
		"MarkSeen": func(ctx context.Context) error {
			seen := authcore.SessionRef{UserID: StepID("seen"), ID: StepID("session of seen")}
			return store.MarkSeen(ctx, map[authcore.SessionRef]time.Time{seen: at(time.Minute)})
		},
		"PutRecord": func(ctx context.Context) error {
			return store.PutRecord(ctx, StepRecord("put"), authcore.PutOptions{Now: start, IfAbsent: true, Keep: 9})
		},
		"Record": func(ctx context.Context) error { return drop(store.Record(ctx, StepRecord("read").RecordKey, start)) },
		"TakeRecord": func(ctx context.Context) error {
			return drop(store.TakeRecord(ctx, StepRecord("take").RecordKey, start))
		},
		"UpdateRecord": func(ctx context.Context) error {
			return drop(store.UpdateRecord(ctx, StepRecord("update").RecordKey, start, func(r *authcore.Record) error {
				r.Data = append(r.Data, 'x')
				return nil
			}))
		},
		"ListRecords": func(ctx context.Context) error {
			_, _, err := store.ListRecords(ctx, authcore.RecordFilter{Kind: "step", Owner: "owner"}, start, "")
			return err
		},
		"DeleteRecord":     func(ctx context.Context) error { return store.DeleteRecord(ctx, StepRecord("delete").RecordKey) },
		"RevocationsSince": func(ctx context.Context) error { _, _, err := store.RevocationsSince(ctx, ""); return err },
		"UpdateKeys":       func(ctx context.Context) error { return drop(addKey(ctx, store, "k", func() {})) },
		"Count": func(ctx context.Context) error {
			return drop(store.Count(ctx, start, []authcore.Counter{{Limit: "l", Party: "p", Window: time.Hour, Add: 1}}))
		},
		"Sweep":  func(ctx context.Context) error { return drop(store.Sweep(ctx, start)) },
		"Export": func(ctx context.Context) error { _, _, err := store.Export(ctx, "", start); return err },
		"Import": func(ctx context.Context) error {
			imported := stepAccount("imported").User
			return drop(store.Import(ctx, []authcore.Item{{User: &imported}}))
		},
	}
}

// Furnish stores what [Steps] need.
func Furnish(tb testing.TB, store authcore.Store) {
	tb.Helper()
	for _, name := range []string{"user", "deleted", "seen"} {
		step := authcore.LoginStep{Now: start, Decide: storing(stepAccount(name))}
		if _, err := store.Login(tb.Context(), step); err != nil {
			tb.Fatalf("Login of a new user: error %v", err)
		}
	}
	for _, name := range []string{"proof", "read", "take", "update", "delete"} {
		if err := store.PutRecord(tb.Context(), StepRecord(name), authcore.PutOptions{Now: start}); err != nil {
			tb.Fatalf("PutRecord: error %v", err)
		}
	}
}

// StepID returns the ID of a user of [Furnish] and [Steps]: "user", "deleted" and
// "seen" by Furnish, "new" by Login, "imported" by Import.
func StepID(name string) string { return uuidOf(name) }

// StepRecord returns a record of [Furnish]: "proof" for Login, "take", "update",
// "read" and "delete" for the methods of these names.
func StepRecord(name string) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "step", Key: name}, Owner: "owner of " + name,
		Created: start, Expires: at(time.Hour), Data: []byte(name),
	}
}

// stepAccount returns an account with an address, an identity and a session.
func stepAccount(name string) authcore.Account {
	return authcore.Account{
		User:       authcore.User{ID: StepID(name), Email: name + "@example.com", EmailVerified: true, Created: start},
		Identities: []authcore.Identity{{Provider: "p", Subject: name, PublicID: StepID("identity of " + name), Created: start}},
		Sessions:   []authcore.Session{{ID: StepID("session of " + name), Created: start, Expires: at(time.Hour)}},
	}
}

// drop returns the error of a call.
func drop[T any](_ T, err error) error { return err }
