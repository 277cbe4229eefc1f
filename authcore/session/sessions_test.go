package authcore_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestLogout(t *testing.T) {
	f := newFixture(t, nil)
	here, there := f.loginAs("ann@example.com"), f.loginAs("ann@example.com")
	if err := f.Logout(t.Context(), f.claims(here.Token), false); err != nil {
		t.Fatal(err)
	}
	if !f.refused(here.Token) || f.refused(there.Token) {
		t.Error("the logout did not end this session alone")
	}
	third := f.loginAs("ann@example.com")
	bob := f.loginAs("bob@example.com")
	if err := f.Logout(t.Context(), f.claims(third.Token), true); err != nil {
		t.Fatal(err)
	}
	if !f.refused(there.Token) || !f.refused(third.Token) {
		t.Error("a session survived the logout everywhere")
	}
	if f.refused(bob.Token) || f.refused(f.loginAs("ann@example.com").Token) {
		t.Error("the logout everywhere ended too much")
	}
}

func TestRefresh(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	old := f.claims(login.Token)
	f.clock.Advance(24 * time.Hour)
	fresh, err := f.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if !f.refused(login.Token) {
		t.Error("the old token still works")
	}
	claims := f.claims(fresh.Token)
	if claims.Session != old.Session || claims.ID == old.ID || claims.AuthTime != old.AuthTime {
		t.Errorf("refreshed claims are %+v, were %+v", claims, old)
	}
	if want := f.clock.Now().Add(14 * 24 * time.Hour); !fresh.ExpiresAt().Equal(want) {
		t.Errorf("expires %s, want %s", fresh.ExpiresAt(), want)
	}
	_, err = f.Refresh(t.Context(), old)
	wantCode(t, err, 401, authcore.CodeInvalidToken)
	if err := f.Logout(t.Context(), claims, false); err != nil {
		t.Fatal(err)
	}
	_, err = f.Refresh(t.Context(), claims)
	wantCode(t, err, 401, authcore.CodeInvalidToken)
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.claims(f.loginAs("ann@example.com").Token)
	var won atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := f.Refresh(t.Context(), claims); err == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d refreshes with one token", won.Load())
	}
}

func TestSessions(t *testing.T) {
	f := newFixture(t, nil)
	first := f.loginAs("ann@example.com")
	f.clock.Advance(time.Minute)
	second := f.loginAs("ann@example.com")
	bob := f.loginAs("bob@example.com")
	claims := f.claims(second.Token)
	list, err := f.Sessions(t.Context(), claims)
	if err != nil || len(list) != 2 || list[0].ID != second.Session.ID {
		t.Fatalf("sessions are %+v, %v", list, err)
	}
	if list[0].IP != "192.0.2.7" || list[0].UserAgent != "test/1" || list[0].Client != "web" {
		t.Errorf("session is %+v", list[0])
	}
	if err := f.EndSession(t.Context(), claims, first.Session.ID); err != nil {
		t.Fatal(err)
	}
	if !f.refused(first.Token) {
		t.Error("the ended session's token works")
	}
	for _, id := range []string{first.Session.ID, bob.Session.ID, "", "nonsense"} {
		wantCode(t, f.EndSession(t.Context(), claims, id), 404, authcore.CodeNotFound)
	}
	if f.refused(bob.Token) {
		t.Error("somebody ended another's session")
	}
}

// A disabled user gets no token and keeps none.
func TestDisabledUser(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	pending := secretOf(f.mail("ann@example.com"))
	if _, err := f.DisableUser(t.Context(), login.User.ID, true); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(t.Context(), []string{"Token " + login.Token})
	var refused *authcore.Unauthenticated
	if !errors.As(err, &refused) || refused.Decision.Body != `{"detail":"User inactive or deleted."}` {
		t.Errorf("refused with %v", err)
	}
	_, err = f.spend(pending)
	wantCode(t, err, 403, authcore.CodeUserInactive)
	if _, err := f.DisableUser(t.Context(), login.User.ID, false); err != nil {
		t.Fatal(err)
	}
	if !f.refused(login.Token) {
		t.Error("a token from before came back to life")
	}
	if f.refused(f.loginAs("ann@example.com").Token) {
		t.Error("the enabled user cannot log in")
	}
	if _, err := f.DisableUser(t.Context(), "nobody", true); err == nil {
		t.Error("disabled nobody")
	}
}

func TestDeletedUser(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	claims := f.claims(login.Token)
	if err := f.DeleteUser(t.Context(), login.User.ID); err != nil {
		t.Fatal(err)
	}
	if !f.refused(login.Token) {
		t.Error("the deleted user's token works")
	}
	_, err := f.CurrentUser(t.Context(), claims)
	wantCode(t, err, 403, authcore.CodeUserInactive)
	_, err = f.UpdateProfile(t.Context(), claims, authcore.ProfileChange{})
	wantCode(t, err, 403, authcore.CodeUserInactive)
	_, err = f.FindUser(t.Context(), "ann@example.com")
	wantCode(t, err, 404, authcore.CodeNotFound)
	if again := f.loginAs("ann@example.com"); again.User.ID == login.User.ID {
		t.Error("the id was used again")
	}
	wantCode(t, f.DeleteUser(t.Context(), login.User.ID), 404, authcore.CodeNotFound)
}

func TestProfile(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	claims := f.claims(login.Token)
	first, long := " Ann ", strings.Repeat("ä", 151)
	user, err := f.UpdateProfile(t.Context(), claims, authcore.ProfileChange{FirstName: &first})
	if err != nil || user.FirstName != "Ann" || user.LastName != "" {
		t.Errorf("profile is %+v, %v", user, err)
	}
	_, err = f.UpdateProfile(t.Context(), claims, authcore.ProfileChange{LastName: &long})
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
	found, err := f.FindUser(t.Context(), "ANN@example.com")
	if err != nil || found.ID != login.User.ID || found.FirstName != "Ann" {
		t.Errorf("found %+v, %v", found, err)
	}
	if found, err = f.FindUser(t.Context(), login.User.ID); err != nil || found.Email != "ann@example.com" {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestLimits(t *testing.T) {
	one := authcore.Rate{N: 1, Window: time.Minute}
	ask := func(f *fixture, email, key, ip string) error {
		_, err := f.RequestLink(f.t.Context(), authcore.LinkRequest{Email: email, ClientKey: key, Caller: authcore.Caller{IP: netip.MustParseAddr(ip)}})
		return err
	}
	for name, c := range map[string]struct {
		limits           authcore.Limits
		first, over, not [3]string // e-mail, client key, address
	}{
		"address": {
			authcore.Limits{LinkPerAddress: one},
			[3]string{"ann@example.com", "", "192.0.2.1"},
			[3]string{"ANN+x@example.com", "", "192.0.2.2"},
			[3]string{"bob@example.com", "", "192.0.2.1"},
		},
		"client address": {
			authcore.Limits{LinkPerIP: one},
			[3]string{"ann@example.com", "", "192.0.2.1"},
			[3]string{"bob@example.com", "", "::ffff:192.0.2.1"},
			[3]string{"bob@example.com", "", "192.0.2.2"},
		},
		"IPv6 network": {
			authcore.Limits{LinkPerIP: one},
			[3]string{"ann@example.com", "", "2001:db8::1"},
			[3]string{"bob@example.com", "", "2001:db8::ffff:2"},
			[3]string{"bob@example.com", "", "2001:db8:0:1::1"},
		},
		"client": {
			authcore.Limits{LinkPerClient: one},
			[3]string{"ann@example.com", clientKey, "192.0.2.1"},
			[3]string{"bob@example.com", clientKey, "192.0.2.2"},
			[3]string{"bob@example.com", "app-key", "192.0.2.2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *authcore.Config) { cfg.Limits = c.limits })
			if err := ask(f, c.first[0], c.first[1], c.first[2]); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(18 * time.Second)
			err := ask(f, c.over[0], c.over[1], c.over[2])
			wantCode(t, err, 429, authcore.CodeThrottled)
			var public *authcore.Error
			if errors.As(err, &public); public.RetryAfter != 42*time.Second || public.Detail != "Request was throttled. Expected available in 42 seconds." {
				t.Errorf("refused with %+v", public)
			}
			if err := ask(f, c.not[0], c.not[1], c.not[2]); err != nil {
				t.Errorf("somebody else was throttled: %v", err)
			}
			f.clock.Advance(time.Minute)
			if err := ask(f, c.over[0], c.over[1], c.over[2]); err != nil {
				t.Errorf("after the window: %v", err)
			}
		})
	}
	f := newFixture(t, func(cfg *authcore.Config) { cfg.Limits = authcore.Limits{LoginPerIP: one, AuthorizePerIP: one} })
	_, err := f.spend("x")
	wantCode(t, err, 400, authcore.CodeInvalidLink)
	_, err = f.spend("x")
	wantCode(t, err, 429, authcore.CodeThrottled)
	start := authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller}
	if _, err := f.Authorize(t.Context(), start); err != nil {
		t.Error(err)
	}
	_, err = f.Authorize(t.Context(), start)
	wantCode(t, err, 429, authcore.CodeThrottled)
}

// downStore fails every call.
type downStore struct{ authcore.Store }

var errDown = fmt.Errorf("%w: no route", authcore.ErrUnavailable)

func (downStore) Count(context.Context, time.Time, []authcore.Counter) ([]authcore.Tally, error) {
	return nil, errDown
}

func (downStore) User(context.Context, string) (authcore.User, error) {
	return authcore.User{}, errDown
}

func (downStore) SessionsOf(context.Context, string, time.Time) ([]authcore.Session, error) {
	return nil, errDown
}

func (downStore) EndSessions(context.Context, string, func(authcore.Session) bool, time.Time) ([]authcore.Session, error) {
	return nil, errDown
}

// A store that is down is 503, and says nothing about anybody's credentials.
func TestStoreIsDown(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Store = downStore{c.Store} })
	_, linkErr := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann@example.com"})
	_, loginErr := f.spend("x")
	claims := &gate.Claims{Subject: "s", Session: "t", ID: "u"}
	_, userErr := f.CurrentUser(t.Context(), claims)
	_, refreshErr := f.Refresh(t.Context(), claims)
	_, sessionsErr := f.Sessions(t.Context(), claims)
	_, findErr := f.FindUser(t.Context(), "id")
	for name, err := range map[string]error{
		"link": linkErr, "login": loginErr, "user": userErr, "refresh": refreshErr, "sessions": sessionsErr,
		"find": findErr, "logout": f.Logout(t.Context(), claims, false), "end": f.EndSession(t.Context(), claims, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, err, 503, authcore.CodeUnavailable)
			var public *authcore.Error
			if errors.As(err, &public); public.RetryAfter <= 0 || strings.Contains(public.Detail, "route") {
				t.Errorf("answered %+v", public)
			}
		})
	}
}

// What another node revokes arrives by the store, and what was seen is written
// down, also at the end.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *authcore.Config) { c.Now = nil })
		other, err := authcore.New(t.Context(), authcore.Config{
			EmailLink: "https://frontend.app/{token}", Clients: []authcore.Client{{Name: "web", Key: "k"}},
			Store: f.store, Mailer: f.mails,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Run(ctx) })
		login := f.loginAs("ann@example.com")
		<-time.After(2 * time.Minute) // in the bubble, where time is virtual
		f.claims(login.Token)
		claims, err := other.Authenticate(t.Context(), []string{"Token " + login.Token})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Logout(t.Context(), claims, false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !f.refused(login.Token) {
			t.Error("a logout at another node is unknown here")
		}
		last := f.loginAs("ann@example.com")
		<-time.After(time.Hour)
		f.claims(last.Token)
		stop()
		running.Wait()
		list, err := f.store.SessionsOf(t.Context(), last.User.ID, time.Now())
		if err != nil || len(list) != 1 || time.Since(list[0].LastSeen) > time.Minute {
			t.Errorf("sessions are %+v, %v", list, err)
		}
	})
}
