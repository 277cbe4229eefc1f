package authcore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// linked is a fixture in which a user without a verified address has two
// identities, one at each of two providers.
func linked(t *testing.T, change func(*authcore.Config)) (*fixture, authcore.Login) {
	t.Helper()
	other := &fakeProvider{name: "other", profiles: map[string]authcore.Profile{"code": {Subject: "7", Email: "ann@other.example"}}}
	f := newFixture(t, func(c *authcore.Config) {
		c.Providers = append(c.Providers, other)
		if change != nil {
			change(c)
		}
	})
	login, err := f.social(authcore.Profile{Subject: "42", Nickname: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(1e9)
	_, err = f.LoginSocial(t.Context(), authcore.SocialLogin{
		Provider: "other", Code: "code", ClientKey: clientKey, LinkTo: f.claims(login.Token), Caller: caller,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, login
}

// identities returns the ids of a user's identities by provider.
func (f *fixture) identities(claims *gate.Claims) map[string]string {
	f.t.Helper()
	list, err := f.Identities(f.t.Context(), claims)
	if err != nil {
		f.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, identity := range list {
		ids[identity.Provider] = identity.PublicID()
	}
	return ids
}

func TestUnlink(t *testing.T) {
	f, login := linked(t, nil)
	claims := f.claims(login.Token)
	ids := f.identities(claims)
	if len(ids) != 2 || strings.Contains(ids["github"], "42") || len(ids["github"]) != 43 {
		t.Fatalf("identities are %v", ids)
	}
	if err := f.Unlink(t.Context(), claims, ids["other"]); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.Unlink(t.Context(), claims, ids["other"]), 404, authcore.CodeNotFound)
	wantCode(t, f.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
	if left := f.identities(claims); len(left) != 1 || left["github"] != ids["github"] {
		t.Errorf("left are %v", left)
	}
	// Who comes with it now is somebody else.
	stranger, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "other", Code: "code", ClientKey: clientKey, Caller: caller})
	if err != nil || stranger.User.ID == login.User.ID {
		t.Errorf("the unlinked identity logs in as %+v, %v", stranger.User, err)
	}
	if !strings.Contains(f.events.names(), "identity_unlinked") {
		t.Errorf("events are %s", f.events.names())
	}
}

// A verified address is a way in: with it the last identity can go.
func TestUnlinkTheLastOfMany(t *testing.T) {
	f := newFixture(t, nil)
	login, err := f.social(authcore.Profile{Subject: "42", Email: "ann@example.com", EmailVerified: true})
	if err != nil {
		t.Fatal(err)
	}
	claims := f.claims(login.Token)
	if err := f.Unlink(t.Context(), claims, f.identities(claims)["github"]); err != nil {
		t.Error(err)
	}
	if again := f.loginAs("ann@example.com"); again.User.ID != login.User.ID {
		t.Error("the link leads to another account")
	}
}

// An identity of a provider that is configured no more is no way in.
func TestUnlinkLeavesAWayThatWorks(t *testing.T) {
	f, login := linked(t, nil)
	claims := f.claims(login.Token)
	ids := f.identities(claims)
	without := newFixture(t, func(c *authcore.Config) { c.Store = f.store })
	wantCode(t, without.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
	if err := without.Unlink(t.Context(), claims, ids["other"]); err != nil {
		t.Error(err)
	}
}

// meanwhile is a store in which something happens, once, before a session is
// recorded or an identity goes.
type meanwhile struct {
	authcore.Store
	do func()
}

func (m *meanwhile) once() {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
}

func (m *meanwhile) PutSession(ctx context.Context, session authcore.Session) error {
	m.once()
	return m.Store.PutSession(ctx, session)
}

func (m *meanwhile) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	m.once()
	return m.Store.UnlinkIdentity(ctx, identity)
}

// A user who closes the page while a login is taken away still puts out whoever
// got hold of it (CWE-613).
func TestUnlinkIsFinished(t *testing.T) {
	store := &meanwhile{}
	f, login := linked(t, func(c *authcore.Config) {
		store.Store = c.Store
		c.Store = store
	})
	thief, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "other", Code: "code", ClientKey: clientKey, Caller: caller})
	if err != nil {
		t.Fatal(err)
	}
	claims := f.claims(login.Token)
	id := f.identities(claims)["other"]
	ctx, hangUp := context.WithCancel(t.Context())
	store.do = hangUp
	if err := f.Unlink(ctx, claims, id); err != nil {
		t.Error(err)
	}
	if !f.refused(thief.Token) {
		t.Error("the session goes on")
	}
}

// The store fails in the middle while a login is taken away of which somebody else
// makes use, also at that moment. Whatever was done by then, the user hears that
// it did not succeed, and the next call finishes it: nobody stays in whose login
// is gone (CWE-613).
func TestUnlinkWhileTheStoreFails(t *testing.T) {
	for step, script := range map[string]struct {
		failing string // the step of the store
		number  int    // of its calls
		again   authcore.Code
	}{
		"sessions end":       {"EndSessions", 1, ""},
		"the identity goes":  {"UnlinkIdentity", 1, ""},
		"sessions end again": {"EndSessions", 2, authcore.CodeNotFound},
	} {
		t.Run(step, func(t *testing.T) {
			between := &meanwhile{}
			var store *scripted
			f, login := linked(t, func(c *authcore.Config) {
				between.Store = c.Store
				store = newScripted(between)
				c.Store = store
			})
			thief := func() authcore.Login {
				login, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "other", Code: "code", ClientKey: clientKey, Caller: caller})
				if err != nil {
					t.Error(err)
				}
				return login
			}
			claims := f.claims(login.Token)
			id := f.identities(claims)["other"]
			stolen := []authcore.Login{thief()}
			between.do = func() { stolen = append(stolen, thief()) }
			before := store.begun(script.failing)
			store.do(func(context.Context, string) error {
				if store.begun(script.failing) == before+script.number {
					return errDown
				}
				return nil
			}, script.failing)
			wantCode(t, f.Unlink(t.Context(), claims, id), 503, authcore.CodeUnavailable)
			store.do(nil)
			if err := f.Unlink(t.Context(), claims, id); script.again != "" {
				wantCode(t, err, 404, script.again)
			} else if err != nil {
				t.Error(err)
			}
			if len(f.identities(claims)) != 1 || len(stolen) != 2 {
				t.Fatalf("left are %v, stolen %d", f.identities(claims), len(stolen))
			}
			for i, session := range stolen {
				if !f.refused(session.Token) {
					t.Errorf("session %d goes on", i)
				}
			}
			f.claims(login.Token)
		})
	}
}

// Two calls at once take the two ways in, while an identity of a provider that is
// configured no more makes the store believe that there is a third (CWE-362).
func TestUnlinkOfTheLastWaysInAtOnce(t *testing.T) {
	store := &meanwhile{}
	f, login := linked(t, func(c *authcore.Config) {
		store.Store = c.Store
		c.Store = store
	})
	gone := authcore.Identity{Provider: "gone", Subject: "1", UserID: login.User.ID, Created: f.clock.Now()}
	if err := f.store.LinkIdentity(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	claims := f.claims(login.Token)
	ids := f.identities(claims)
	store.do = func() {
		if err := f.Unlink(t.Context(), claims, ids["other"]); err != nil {
			t.Error(err)
		}
	}
	wantCode(t, f.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
	if left := f.identities(claims); left["github"] != ids["github"] {
		t.Errorf("left are %v", left)
	}
}

// Somebody logs in all the time with a login that the user is taking away: the
// session that comes on record after the others were ended ends too (CWE-367).
func TestLoginDuringUnlink(t *testing.T) {
	store := &meanwhile{}
	f, login := linked(t, func(c *authcore.Config) {
		store.Store = c.Store
		c.Store = store
	})
	claims := f.claims(login.Token)
	ids := f.identities(claims)
	store.do = func() {
		if err := f.Unlink(t.Context(), claims, ids["other"]); err != nil {
			t.Error(err)
		}
	}
	thief := authcore.SocialLogin{Provider: "other", Code: "code", ClientKey: clientKey, Caller: caller}
	_, err := f.LoginSocial(t.Context(), thief)
	wantCode(t, err, 400, authcore.CodeInvalidState)
	sessions, err := f.Sessions(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	for _, session := range sessions {
		if session.ID != claims.Session && session.Method == "other" && session.Created.Equal(f.clock.Now()) {
			t.Errorf("the session goes on: %+v", session)
		}
	}
	if again, err := f.LoginSocial(t.Context(), thief); err != nil || again.User.ID == login.User.ID {
		t.Errorf("logs in as %+v, %v", again.User, err)
	}
}

// Whoever unlinks a login that somebody else got hold of wants them out: their
// sessions end, and nobody else's.
func TestUnlinkEndsSessions(t *testing.T) {
	f, login := linked(t, nil)
	in := func(provider string) authcore.Login {
		t.Helper()
		login, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: provider, Code: "code", ClientKey: clientKey, Caller: caller})
		if err != nil {
			t.Fatal(err)
		}
		return login
	}
	thief, current, elsewhere := in("other"), in("other"), in("github")
	claims := f.claims(current.Token)
	if err := f.Unlink(t.Context(), claims, f.identities(claims)["other"]); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		ended bool
	}{
		"of the same provider": {thief.Token, true}, "the one that asks": {current.Token, false},
		"of another provider": {elsewhere.Token, false}, "the first": {login.Token, false},
	} {
		if f.refused(c.token) != c.ended {
			t.Errorf("session %s: ended is %t", name, !c.ended)
		}
	}
}

// Somebody else's identity is not found, by its id or by anything else (CWE-639).
func TestUnlinkOfAnotherUser(t *testing.T) {
	f, login := linked(t, nil)
	id := f.identities(f.claims(login.Token))["other"]
	eve := f.claims(f.loginAs("eve@example.com").Token)
	for _, tried := range []string{id, "", "other", "7", id[:42], strings.ToUpper(id)} {
		wantCode(t, f.Unlink(t.Context(), eve, tried), 404, authcore.CodeNotFound)
	}
	if len(f.identities(eve)) != 0 || len(f.identities(f.claims(login.Token))) != 2 {
		t.Error("something was unlinked")
	}
}

func TestIdentitiesOfInactiveUsers(t *testing.T) {
	for name, end := range map[string]func(*fixture, string) error{
		"disabled": func(f *fixture, id string) error {
			_, err := f.DisableUser(t.Context(), id, true)
			return err
		},
		"deleted": func(f *fixture, id string) error { return f.DeleteUser(t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			f, login := linked(t, nil)
			claims := f.claims(login.Token) // verified a moment too early
			id := f.identities(claims)["other"]
			if err := end(f, login.User.ID); err != nil {
				t.Fatal(err)
			}
			_, err := f.Identities(t.Context(), claims)
			wantCode(t, err, 403, authcore.CodeUserInactive)
			wantCode(t, f.Unlink(t.Context(), claims, id), 403, authcore.CodeUserInactive)
		})
	}
}

// Two calls at once must not each take one of the last two (CWE-362).
func TestUnlinkOfTheLastTwoAtOnce(t *testing.T) {
	for range 20 {
		f, login := linked(t, nil)
		claims := f.claims(login.Token)
		errs := make(chan error, 2)
		var callers sync.WaitGroup
		for _, id := range f.identities(claims) {
			callers.Go(func() { errs <- f.Unlink(t.Context(), claims, id) })
		}
		callers.Wait()
		close(errs)
		done := 0
		for err := range errs {
			var public *authcore.Error
			switch {
			case err == nil:
				done++
			case !errors.As(err, &public) || public.Code != authcore.CodeLastIdentity:
				t.Error(err)
			}
		}
		if done != 1 || len(f.identities(claims)) != 1 {
			t.Fatalf("%d were unlinked, left are %v", done, f.identities(claims))
		}
	}
}

func TestPublicIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, identity := range []authcore.Identity{
		{Provider: "a", Issuer: "b", Subject: "c"},
		{Provider: "a", Issuer: "", Subject: "bc"},
		{Provider: "ab", Issuer: "", Subject: "c"},
		{Provider: "a", Issuer: "bc", Subject: ""},
	} {
		identity.UserID, identity.Email = "any", "any"
		id := identity.PublicID()
		if seen[id] || id != (authcore.Identity{Provider: identity.Provider, Issuer: identity.Issuer, Subject: identity.Subject}).PublicID() {
			t.Errorf("%+v: %s", identity, id)
		}
		seen[id] = true
	}
}
