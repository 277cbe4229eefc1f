package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func contextChecks() []check {
	return []check{
		{"Canceled", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			endedContext(t, store, ctx)
		}},
		{"DeadlineExceeded", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
			defer cancel()
			endedContext(t, store, ctx)
		}},
		{"StoreGoesOn", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			together(crowd, func(i int) {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					cancel()
				}
				defer cancel()
				err := store.PutSession(ctx, newSession(user.ID, 0))
				if i%2 == 1 {
					wantErr(t, "PutSession beside cancelled ones", err, nil)
				}
			})
			_, err := store.SessionsOf(t.Context(), user.ID, start)
			wantErr(t, "SessionsOf", err, nil)
		}},
	}
}

// endedContext calls every method with a context that has ended.
func endedContext(t *testing.T, store authcore.Store, ctx context.Context) { //nolint:revive // it is the subject
	user := addUser(t, store, "ada@example.com")
	session := addSession(t, store, user.ID, 0)
	link, flow := newLink("ada@example.com", "s", "c"), newFlow("s")
	calls := map[string]func() error{
		"User":           func() error { _, err := store.User(ctx, user.ID); return err },
		"UserByEmail":    func() error { _, err := store.UserByEmail(ctx, "ada@example.com"); return err },
		"EnsureUser":     func() error { _, _, err := store.EnsureUser(ctx, newUser("", false)); return err },
		"DeleteUser":     func() error { return store.DeleteUser(ctx, user.ID, at(time.Hour), start) },
		"UserByIdentity": func() error { _, err := store.UserByIdentity(ctx, newIdentity("1", "")); return err },
		"LinkIdentity":   func() error { return store.LinkIdentity(ctx, newIdentity("1", user.ID)) },
		"UnlinkIdentity": func() error { return store.UnlinkIdentity(ctx, newIdentity("1", user.ID)) },
		"IdentitiesOf":   func() error { _, err := store.IdentitiesOf(ctx, user.ID); return err },
		"PutLink":        func() error { return store.PutLink(ctx, link) },
		"TakeLink":       func() error { _, err := store.TakeLink(ctx, link.Secret, start); return err },
		"TakeCode":       func() error { _, err := store.TakeCode(ctx, link.EmailKey, link.Code, start); return err },
		"PutFlow":        func() error { return store.PutFlow(ctx, flow) },
		"TakeFlow":       func() error { _, err := store.TakeFlow(ctx, flow.State, start); return err },
		"PutSession":     func() error { return store.PutSession(ctx, newSession(user.ID, 0)) },
		"SessionsOf":     func() error { _, err := store.SessionsOf(ctx, user.ID, start); return err },
		"EndSessions":    func() error { _, err := store.EndSessions(ctx, user.ID, everySession, start); return err },
		"MarkSeen": func() error {
			return store.MarkSeen(ctx, map[string]time.Time{session.ID: at(time.Hour)})
		},
		"RevocationsSince": func() error { _, _, err := store.RevocationsSince(ctx, ""); return err },
		"ReplaceIdentity": func() error {
			return second(store.ReplaceIdentity(ctx, newIdentity("1", ""), []authcore.Identity{newIdentity("2", "")}))
		},
		"Sweep":  func() error { return store.Sweep(ctx, start) },
		"Export": func() error { _, _, err := store.Export(ctx, "", start); return err },
		"Import": func() error { _, err := store.Import(ctx, inhabitants(1)); return err },
		"UpdateFlow": func() error {
			_, err := store.UpdateFlow(ctx, flow.State, start, func(*authcore.Flow) error { return nil })
			return err
		},
		"UpdateUser": func() error {
			_, err := store.UpdateUser(ctx, user.ID, func(*authcore.User) error { return nil })
			return err
		},
		"SetDisabled": func() error {
			_, err := store.SetDisabled(ctx, user.ID, true, at(time.Hour), start)
			return err
		},
		"EnsureIdentity": func() error {
			_, _, err := store.EnsureIdentity(ctx, newIdentity("1", ""), newUser("", false), false)
			return err
		},
		"RenewSession": func() error {
			_, err := store.RenewSession(ctx, session.ID, session.TokenID, uuid(), session.Expires, start)
			return err
		},
		"UpdateKeys": func() error {
			_, err := store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
				return []authcore.SigningKey{newKey("a")}, nil
			})
			return err
		},
		"Count": func() error {
			_, err := store.Count(ctx, start, []authcore.Counter{{Party: "a", Window: time.Hour}})
			return err
		},
	}
	for name, call := range calls {
		err := call()
		wantErr(t, name, err, authcore.ErrUnavailable)
		wantErr(t, name, err, ctx.Err())
	}
}
