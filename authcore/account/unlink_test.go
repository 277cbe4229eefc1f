package account_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestUnlink(t *testing.T) {
	f := newFixture(t, authcore.User{}, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}, nil)
	if got, want := f.shown(), []string{"github", "google-oauth2"}; !slices.Equal(got, want) {
		t.Fatalf("Identities() = %v, want %v", got, want)
	}
	if err := f.Unlink(t.Context(), f.claims, authcore.Caller{}, "google-oauth2"); err != nil {
		t.Fatalf("Unlink() failed: %v", err)
	}
	wantError(t, "repeated Unlink()", f.Unlink(t.Context(), f.claims, authcore.Caller{}, "google-oauth2"), 404, authcore.CodeNotFound)
	wantError(t, "Unlink() of the last one", f.Unlink(t.Context(), f.claims, authcore.Caller{}, "github"), 409, authcore.CodeLastIdentity)
	if got, want := f.shown(), []string{"github"}; !slices.Equal(got, want) {
		t.Errorf("Identities() = %v, want %v", got, want)
	}
	unlinked := f.stored().Identities[1]
	if unlinked.State != authcore.IdentityUnlinked || unlinked.Subject != "1" {
		t.Errorf("stored identity = %+v, want state %s", unlinked, authcore.IdentityUnlinked)
	}
	if want := []authcore.EventName{authcore.EventUnlinked}; !slices.Equal(f.events, want) {
		t.Errorf("events = %v, want %v", f.events, want)
	}
}

// The last usable login method stays, whatever else is stored: a click on "unlink"
// locks no user out (CWE-841).
func TestUnlinkKeepsAUsableMethod(t *testing.T) {
	allow := func(list ...string) func(*account.Config) {
		return func(c *account.Config) { c.Rules.Allow = list }
	}
	deny := func(list ...string) func(*account.Config) {
		return func(c *account.Config) { c.Rules.Deny = list }
	}
	offeredTo := func(first, second []string) func(*account.Config) {
		return func(c *account.Config) { c.Clients[0].Providers, c.Clients[1].Providers = first, second }
	}
	recognized := func(issuers ...string) func(*account.Config) {
		return func(c *account.Config) { c.Providers["google-oauth2"] = tokenProvider{provider{issuers: issuers}} }
	}
	github, google, other := []string{"github"}, []string{"google-oauth2"}, []string{"other"}
	alone := []authcore.Identity{identity("github", ann)}
	both := []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}
	apart := []authcore.Identity{identity("github", ann), identity("google-oauth2", "ann@corp.example")}
	vouched := []authcore.Identity{identity("github", ann), identity("google-oauth2", "ann@corp.example")}
	vouched[1].EmailVerified = true
	withGone := []authcore.Identity{identity("github", ann), identity("gone", ann)}
	in := func(state authcore.IdentityState) []authcore.Identity {
		list := []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}
		list[1].State = state
		return list
	}
	for name, c := range map[string]struct {
		verified   bool
		identities []authcore.Identity
		change     func(*account.Config)
		unlink     string
		stays      bool
	}{
		"mail":                               {true, alone, nil, "github", false},
		"mail that is allowed":               {true, alone, allow("example.com"), "github", false},
		"mail that is not allowed":           {true, alone, allow("other.example"), "github", true},
		"mail that is denied":                {true, alone, deny(ann), "github", true},
		"mail of a denied domain":            {true, alone, deny("example.com"), "github", true},
		"mail that could not sign up":        {true, alone, func(c *account.Config) { c.Rules.Signup = "closed" }, "github", false},
		"an unverified address":              {false, alone, nil, "github", true},
		"another identity":                   {false, both, nil, "github", false},
		"another one, denied account":        {true, both, deny(ann), "github", true},
		"another one, denied there":          {false, apart, deny("corp.example"), "github", true},
		"the denied one goes":                {false, apart, deny("corp.example"), "google-oauth2", false},
		"another one, allowed account":       {true, apart, allow(ann), "google-oauth2", false},
		"another one, allowed by its word":   {false, vouched, allow("corp.example"), "github", false},
		"another one, allowed, not by word":  {false, apart, allow("corp.example"), "github", true},
		"another one, no client redirects":   {false, both, func(c *account.Config) { c.Clients[0].RedirectURIs, c.Clients[1].RedirectURIs = nil, nil }, "google-oauth2", true},
		"another one by ID token only":       {false, both, func(c *account.Config) { c.Clients[0].Providers, c.Clients[1].RedirectURIs = github, nil }, "github", false},
		"another one that is not offered":    {false, both, offeredTo(github, github), "github", true},
		"another one, offered by one client": {false, both, offeredTo(github, google), "github", false},
		"one that is not offered goes":       {false, both, offeredTo(github, github), "google-oauth2", false},
		"none is offered, one is left":       {false, both, offeredTo(other, other), "github", false},
		"none is offered, the only one":      {false, alone, offeredTo(other, other), "github", true},
		"none is offered, denied address":    {true, alone, func(c *account.Config) { deny(ann)(c); offeredTo(other, other)(c) }, "github", false},
		"another one of a removed provider":  {false, withGone, nil, "github", true},
		"the provider was removed":           {false, withGone, nil, "gone", false},
		"another one at an earlier server":   {false, both, recognized("https://now.example"), "github", true},
		"another one at the current server":  {false, both, recognized("https://now.example", ""), "github", false},
		"the one at an earlier server goes":  {false, both, recognized("https://now.example"), "google-oauth2", false},
		"another one is pending":             {false, in(authcore.IdentityPending), nil, "github", true},
		"another one is retired":             {false, in(authcore.IdentityRetired), nil, "github", true},
		"another one is unlinked":            {false, in(authcore.IdentityUnlinked), nil, "github", true},
		"the pending one goes":               {false, in(authcore.IdentityPending), nil, "google-oauth2", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, authcore.User{Email: ann, EmailVerified: c.verified}, slices.Clone(c.identities), c.change)
			err := f.Unlink(t.Context(), f.claims, authcore.Caller{}, c.unlink)
			if c.stays {
				wantError(t, "Unlink()", err, 409, authcore.CodeLastIdentity)
			} else if err != nil {
				t.Errorf("Unlink() = %v, want nil", err)
			}
			if got := slices.Contains(f.shown(), c.unlink); got != c.stays {
				t.Errorf("Identities() contains %s: %t, want %t", c.unlink, got, c.stays)
			}
		})
	}
}

// Sessions that began through the provider end, on this node immediately.
func TestUnlinkEndsSessions(t *testing.T) {
	for current, want := range map[string][]string{"link": {"current", "github", "link"}, "other": {"github", "link", "other"}} {
		f := newFixture(t, authcore.User{}, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}, nil)
		f.begin("other", "google-oauth2", "google-oauth2")
		f.begin("github", "github", "github")
		f.begin("link", "link", "")
		f.begin("attacker", "google-oauth2", "google-oauth2")
		if current == "other" {
			f.claims.Session = current
			want = append([]string{"current"}, want...)
		}
		if err := f.Unlink(t.Context(), f.claims, authcore.Caller{}, "google-oauth2"); err != nil {
			t.Fatalf("Unlink() failed: %v", err)
		}
		if got := f.sessions(); !slices.Equal(got, want) {
			t.Errorf("sessions after Unlink() by %s = %v, want %v", current, got, want)
		}
		for id, ended := range map[string]bool{"attacker": true, "other": current != "other", "github": false, "link": false} {
			if got := f.revoked.Check(&gate.Claims{Subject: annID, Session: id}) != nil; got != ended {
				t.Errorf("Unlink() by %s: session %s is revoked: %t, want %t", current, id, got, ended)
			}
		}
	}
}

// The session that unlinks its own login is judged by another method afterwards.
func TestUnlinkKeepsTheCallersSession(t *testing.T) {
	for name, c := range map[string]struct {
		verified bool
		want     string
	}{"mail is left": {true, ""}, "another identity is left": {false, "google-oauth2"}} {
		t.Run(name, func(t *testing.T) {
			user := authcore.User{Email: ann, EmailVerified: c.verified}
			f := newFixture(t, user, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}, nil)
			f.begin("own", "github", "github")
			f.claims.Session = "own"
			if err := f.Unlink(t.Context(), f.claims, authcore.Caller{}, "github"); err != nil {
				t.Fatalf("Unlink() failed: %v", err)
			}
			for _, session := range f.stored().Sessions {
				if session.ID == "own" && session.Identity != c.want {
					t.Errorf("session names identity %q, want %q", session.Identity, c.want)
				}
			}
			if !slices.Contains(f.sessions(), "own") {
				t.Error("Unlink() ended the session of the caller")
			}
		})
	}
}

// A pending identity that its user removes is retired, so that another import does
// not restore it.
func TestUnlinkOfAPendingIdentity(t *testing.T) {
	pending := authcore.Identity{
		Provider: "github", Subject: "old@example.com", State: authcore.IdentityPending, PublicID: "pending",
		Expires: time.Now().Add(time.Hour),
	}
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, []authcore.Identity{pending}, nil)
	if err := f.Unlink(t.Context(), f.claims, authcore.Caller{}, "pending"); err != nil {
		t.Fatalf("Unlink() failed: %v", err)
	}
	if got := f.shown(); len(got) != 0 {
		t.Errorf("Identities() = %v, want none", got)
	}
	f.now = f.now.Add(100 * 24 * time.Hour)
	left := f.stored().Identities
	if len(left) != 1 || left[0].State != authcore.IdentityRetired || !left[0].Key().Pending || !left[0].Expires.IsZero() {
		t.Errorf("stored identities = %+v, want a retired one without end", left)
	}
	wantError(t, "repeated Unlink()", f.Unlink(t.Context(), f.claims, authcore.Caller{}, "pending"), 404, authcore.CodeNotFound)
}

// The identity of another user is not found, by its ID or by anything else
// (CWE-639).
func TestUnlinkOfAnotherUser(t *testing.T) {
	f := newFixture(t, authcore.User{}, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)}, nil)
	unnamed := authcore.Identity{Provider: "other", Subject: "2", UserID: eveID, Created: f.now}
	f.put(authcore.Item{Identity: &unnamed})
	eve := &gate.Claims{Subject: eveID, Session: "eve"}
	for _, tried := range []string{"github", "", "1", "other", strings.ToUpper("github")} {
		wantError(t, "Unlink("+tried+")", f.Unlink(t.Context(), eve, authcore.Caller{}, tried), 404, authcore.CodeNotFound)
	}
	if got := f.shown(); len(got) != 2 {
		t.Errorf("Identities() = %v, want both", got)
	}
}

func TestIdentitiesOfInactiveUsers(t *testing.T) {
	for name, end := range map[string]func(*fixture) error{
		"disabled": func(f *fixture) error {
			_, err := f.Disable(t.Context(), annID)
			return err
		},
		"deleted": func(f *fixture) error { return f.Delete(t.Context(), annID) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, authcore.User{}, []authcore.Identity{identity("github", ann)}, nil)
			if err := end(f); err != nil {
				t.Fatalf("Disable() or Delete() failed: %v", err)
			}
			_, err := f.Identities(t.Context(), f.claims)
			wantError(t, "Identities()", err, 403, authcore.CodeUserInactive)
			_, err = f.CurrentUser(t.Context(), f.claims)
			wantError(t, "CurrentUser()", err, 403, authcore.CodeUserInactive)
			_, err = f.UpdateProfile(t.Context(), f.claims, account.ProfileChange{})
			wantError(t, "UpdateProfile()", err, 403, authcore.CodeUserInactive)
			wantError(t, "Unlink()", f.Unlink(t.Context(), f.claims, authcore.Caller{}, "github"), 403, authcore.CodeUserInactive)
		})
	}
}

// Two simultaneous calls must not each remove one of the last two (CWE-362).
func TestUnlinkOfTheLastTwo(t *testing.T) {
	for range 20 {
		f := newFixture(t, authcore.User{}, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann), identity("gone", ann)}, nil)
		var mu sync.Mutex
		var removed int
		var callers sync.WaitGroup
		for _, id := range []string{"github", "google-oauth2"} {
			callers.Go(func() {
				err := f.Unlink(context.WithoutCancel(t.Context()), f.claims, authcore.Caller{}, id)
				mu.Lock()
				defer mu.Unlock()
				var public *authcore.Error
				switch {
				case err == nil:
					removed++
				case !errors.As(err, &public) || public.Code != authcore.CodeLastIdentity:
					t.Errorf("Unlink(%s) = %v, want nil or last_identity", id, err)
				}
			})
		}
		callers.Wait()
		if removed != 1 || len(f.shown()) != 2 {
			t.Fatalf("Unlink() removed %d of two, left %v, want 1", removed, f.shown())
		}
	}
}

// Identities and passkeys that are removed at the same time must not be the last ones
// (CWE-362).
func TestUnlinkNextToPasskeys(t *testing.T) {
	for range 20 {
		f := newFixture(t, authcore.User{Passkeys: []string{"p", "q"}}, []authcore.Identity{identity("github", ann), identity("google-oauth2", ann)},
			func(cfg *account.Config) {
				cfg.Passkeys, cfg.Observe = true, func(context.Context, authcore.Event) {} // events of the fixture have no lock
			})
		var removed atomic.Int32
		var callers sync.WaitGroup
		remove := func(what string, call func(ctx context.Context) error) {
			callers.Go(func() {
				err := call(context.WithoutCancel(t.Context()))
				public, _ := errors.AsType[*authcore.Error](err)
				switch {
				case err == nil:
					removed.Add(1)
				case public == nil || public.Code != authcore.CodeLastIdentity:
					t.Errorf("removal of %s = %v, want nil or last_identity", what, err)
				}
			})
		}
		for _, id := range []string{"github", "google-oauth2"} {
			remove(id, func(ctx context.Context) error { return f.Unlink(ctx, f.claims, authcore.Caller{}, id) })
		}
		for _, id := range []string{"p", "q"} {
			remove(id, func(ctx context.Context) error { return f.RemovePasskey(ctx, annID, id, "", false) })
		}
		callers.Wait()
		user, err := f.CurrentUser(t.Context(), f.claims)
		if left := len(user.Passkeys) + len(f.shown()); err != nil || removed.Load() != 3 || left != 1 {
			t.Fatalf("%d of 4 removals succeeded, %d login methods are left, %v, want 3 and 1", removed.Load(), left, err)
		}
	}
}

// A realm without passkeys does not count those that users have from before.
func TestUnlinkWithPasskeysOff(t *testing.T) {
	f := newFixture(t, authcore.User{Passkeys: []string{"p"}}, []authcore.Identity{identity("github", ann)}, nil)
	wantError(t, "Unlink()", f.Unlink(t.Context(), f.claims, authcore.Caller{}, "github"), 409, authcore.CodeLastIdentity)
}
