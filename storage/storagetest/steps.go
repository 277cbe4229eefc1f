package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Steps is every call of a store that Furnish has filled, each on things of its own,
// by the name of its method: all succeed in any order, and once. The watch on
// revocations, which does not end, is not among them.
func Steps(store authcore.Store) map[string]func(ctx context.Context) error {
	identity := authcore.Identity{Provider: "p", Subject: "1", UserID: "u"}
	replaced := authcore.Identity{Provider: "p", Subject: "4", UserID: "u"}
	unlinked := authcore.Identity{Provider: "p", Subject: "3", UserID: "u"}
	return map[string]func(ctx context.Context) error{
		"User":        func(ctx context.Context) error { return second(store.User(ctx, "u")) },
		"UserByEmail": func(ctx context.Context) error { return second(store.UserByEmail(ctx, "ada@example.com")) },
		"EnsureUser": func(ctx context.Context) error {
			_, _, err := store.EnsureUser(ctx, stepUser("new", "new@example.com"))
			return err
		},
		"UpdateUser": func(ctx context.Context) error {
			return second(store.UpdateUser(ctx, "u", func(u *authcore.User) error { u.Nickname += "x"; return nil }))
		},
		"SetDisabled": func(ctx context.Context) error {
			return second(store.SetDisabled(ctx, "u", false, start, start))
		},
		"DeleteUser":     func(ctx context.Context) error { return store.DeleteUser(ctx, "gone", start, start) },
		"UserByIdentity": func(ctx context.Context) error { return second(store.UserByIdentity(ctx, identity)) },
		"EnsureIdentity": func(ctx context.Context) error {
			_, _, err := store.EnsureIdentity(ctx, authcore.Identity{Provider: "p", Subject: "2"}, stepUser("two", ""), false)
			return err
		},
		"LinkIdentity":   func(ctx context.Context) error { return store.LinkIdentity(ctx, identity) },
		"UnlinkIdentity": func(ctx context.Context) error { return store.UnlinkIdentity(ctx, unlinked) },
		"ReplaceIdentity": func(ctx context.Context) error {
			return second(store.ReplaceIdentity(ctx, replaced, []authcore.Identity{{Provider: "p", Subject: "5"}}))
		},
		"IdentitiesOf": func(ctx context.Context) error { return second(store.IdentitiesOf(ctx, "u")) },
		"PutLink":      func(ctx context.Context) error { return store.PutLink(ctx, StepLink("put")) },
		"TakeLink":     func(ctx context.Context) error { return second(store.TakeLink(ctx, StepLink("take").Secret, start)) },
		"TakeCode": func(ctx context.Context) error {
			return second(store.TakeCode(ctx, "code", StepLink("code").Code, start))
		},
		"PutFlow": func(ctx context.Context) error {
			return store.PutFlow(ctx, authcore.Flow{State: authcore.Digest{1}, Expires: at(time.Hour)})
		},
		"TakeFlow": func(ctx context.Context) error { return second(store.TakeFlow(ctx, authcore.Digest{2}, start)) },
		"UpdateFlow": func(ctx context.Context) error {
			return second(store.UpdateFlow(ctx, authcore.Digest{3}, start, func(f *authcore.Flow) error { f.Nonce += "x"; return nil }))
		},
		"PutSession": func(ctx context.Context) error { return store.PutSession(ctx, stepSession("put", "u")) },
		"SessionsOf": func(ctx context.Context) error { return second(store.SessionsOf(ctx, "u", start)) },
		"RenewSession": func(ctx context.Context) error {
			return second(store.RenewSession(ctx, "renew", "t-renew", "new", at(2*time.Hour), start))
		},
		"EndSessions": func(ctx context.Context) error {
			return second(store.EndSessions(ctx, "ending", everySession, start))
		},
		"MarkSeen": func(ctx context.Context) error {
			return store.MarkSeen(ctx, map[string]time.Time{"renew": at(time.Minute)})
		},
		"RevocationsSince": func(ctx context.Context) error {
			_, _, err := store.RevocationsSince(ctx, "")
			return err
		},
		"UpdateKeys": func(ctx context.Context) error {
			return second(store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
				return []authcore.SigningKey{{ID: "k"}}, nil
			}))
		},
		"Count": func(ctx context.Context) error {
			return second(store.Count(ctx, start, []authcore.Counter{{Limit: "l", Party: "p", Window: time.Hour}}))
		},
		"Sweep":  func(ctx context.Context) error { return store.Sweep(ctx, start) },
		"Export": func(ctx context.Context) error { _, _, err := store.Export(ctx, "", start); return err },
		"Import": func(ctx context.Context) error {
			imported := stepUser("imported", "")
			return second(store.Import(ctx, []authcore.Record{{User: &imported}}))
		},
	}
}

// Furnish stores what Steps work on.
func Furnish(tb testing.TB, store authcore.Store) {
	tb.Helper()
	for _, user := range []authcore.User{stepUser("u", "ada@example.com"), stepUser("gone", ""), stepUser("ending", "")} {
		if _, created, err := store.EnsureUser(tb.Context(), user); err != nil || !created {
			tb.Fatalf("EnsureUser: created %v, error %v", created, err)
		}
	}
	for _, err := range []error{
		store.LinkIdentity(tb.Context(), authcore.Identity{Provider: "p", Subject: "1", UserID: "u"}),
		store.LinkIdentity(tb.Context(), authcore.Identity{Provider: "p", Subject: "3", UserID: "u"}),
		store.LinkIdentity(tb.Context(), authcore.Identity{Provider: "p", Subject: "4", UserID: "u"}),
		store.PutLink(tb.Context(), StepLink("take")),
		store.PutLink(tb.Context(), StepLink("code")),
		store.PutFlow(tb.Context(), authcore.Flow{State: authcore.Digest{2}, Expires: at(time.Hour)}),
		store.PutFlow(tb.Context(), authcore.Flow{State: authcore.Digest{3}, Expires: at(time.Hour)}),
		store.PutSession(tb.Context(), stepSession("renew", "u")),
		store.PutSession(tb.Context(), stepSession("end", "ending")),
	} {
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// StepLink is a link of Furnish: "take" or "code", for TakeLink and TakeCode.
func StepLink(name string) authcore.Link {
	return authcore.Link{
		Secret: authcore.DigestOf("link", name), Code: authcore.DigestOf("code", name), EmailKey: name,
		Created: start, Expires: at(time.Hour),
	}
}

func stepUser(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: start}
}

func stepSession(id, userID string) authcore.Session {
	return authcore.Session{
		ID: id, UserID: userID, TokenID: "t-" + id, Created: start, Expires: at(time.Hour),
	}
}

func second[T any](_ T, err error) error { return err }
