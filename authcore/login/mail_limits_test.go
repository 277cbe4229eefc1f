package login_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// A full mail queue is a 503, refunds what was counted, and costs no older link.
func TestFullMailQueue(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Limits = ratelimit.Limits{LinkPerAddress: ratelimit.Rate{N: 2, Window: time.Hour}}
	})
	token := tokenOf(f.mail("ann@example.com"))
	f.mails.err = authcore.ErrMailQueueFull
	for range 5 {
		_, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "ann@example.com", Caller: caller})
		wantCode(t, err, 503, authcore.CodeUnavailable)
	}
	f.mails.err = nil
	f.mail("ann@example.com")
	if _, err := f.byLink(token); err != nil {
		t.Errorf("ByLink() with the older link failed: %v", err)
	}
}

func TestLimitsOfLinks(t *testing.T) {
	one := ratelimit.Rate{N: 1, Window: time.Minute}
	for name, c := range map[string]struct {
		limits             ratelimit.Limits
		first, over, other login.LinkRequest
	}{
		"client address": {
			ratelimit.Limits{LinkPerIP: one},
			from("192.0.2.1", "ann@example.com", ""), from("::ffff:192.0.2.1", "bob@example.com", ""), from("192.0.2.2", "bob@example.com", ""),
		},
		"client": {
			ratelimit.Limits{LinkPerClient: one},
			from("192.0.2.1", "ann@example.com", clientKey), from("192.0.2.2", "bob@example.com", clientKey), from("192.0.2.2", "bob@example.com", "app-key"),
		},
		"no client": {
			ratelimit.Limits{LinkPerClient: one},
			from("192.0.2.1", "ann@example.com", ""), from("192.0.2.2", "bob@example.com", ""), from("192.0.2.2", "bob@example.com", clientKey),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *realm.Config) { cfg.Limits = c.limits })
			if _, err := f.Logins.RequestLink(t.Context(), c.first); err != nil {
				t.Fatal(err)
			}
			_, err := f.Logins.RequestLink(t.Context(), c.over)
			wantCode(t, err, 429, authcore.CodeThrottled)
			if _, err := f.Logins.RequestLink(t.Context(), c.other); err != nil {
				t.Errorf("RequestLink() of another party failed: %v", err)
			}
		})
	}
}

func from(ip, email, key string) login.LinkRequest {
	at := caller
	at.IP = mustAddr(ip)
	return login.LinkRequest{Email: email, ClientKey: key, Caller: at}
}

func TestLimitsOfLogins(t *testing.T) {
	one := ratelimit.Rate{N: 1, Window: time.Minute}
	f := newFixture(t, func(cfg *realm.Config) { cfg.Limits = ratelimit.Limits{LoginPerIP: one, AuthorizePerIP: one} })
	_, err := f.byLink("x")
	wantCode(t, err, 400, authcore.CodeInvalidLink)
	_, err = f.byLink("x")
	wantCode(t, err, 429, authcore.CodeThrottled)
	f.begin(nil)
	_, err = f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 429, authcore.CodeThrottled)
}

// Of 100 simultaneous requests with one link, all from one browser, one creates a
// session; from different networks, one gets a token (CWE-367).
func TestOneOfHundredLogins(t *testing.T) {
	for name, c := range map[string]struct {
		spread, program bool
		tokens          int
	}{"one page": {false, false, 100}, "many networks": {true, false, 1}, "a program": {false, true, 1}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			token := tokenOf(f.mail("ann@example.com"))
			var (
				mu       sync.Mutex
				sessions = map[string]int{}
				group    sync.WaitGroup
			)
			for i := range 100 {
				at := caller
				at.Browser = !c.program
				if c.spread {
					at.IP = mustAddr(fmt.Sprintf("198.51.100.%d", i))
				}
				group.Go(func() {
					grant, err := f.Logins.ByLink(t.Context(), login.LinkLogin{Token: token, ClientKey: clientKey, Caller: at})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						sessions[grant.Session.ID]++
						return
					}
					if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Code != authcore.CodeInvalidLink {
						t.Errorf("ByLink() failed with %v, want invalid_link", err)
					}
				})
			}
			group.Wait()
			if len(sessions) != 1 {
				t.Fatalf("%d sessions began, want 1", len(sessions))
			}
			for _, n := range sessions {
				if n != c.tokens {
					t.Errorf("%d requests got the session, want %d", n, c.tokens)
				}
			}
			if n := f.events.count(authcore.EventLogin); n != 1 {
				t.Errorf("%d logins were observed, want 1", n)
			}
		})
	}
}

// Pages send a request twice. The second one gets the same session
// for ten seconds, from the same client and network only.
func TestRepeatedRequest(t *testing.T) {
	f := newFixture(t, nil)
	token := tokenOf(f.mail("ann@example.com"))
	first, err := f.byLink(token)
	if err != nil {
		t.Fatal(err)
	}
	again := func(key, ip string) (session.Grant, error) {
		at := caller
		at.IP = mustAddr(ip)
		return f.Logins.ByLink(t.Context(), login.LinkLogin{Token: token, ClientKey: key, Caller: at})
	}
	f.clock.Advance(9 * time.Second)
	second, err := again(clientKey, "192.0.2.7")
	if err != nil || second.Session.ID != first.Session.ID || second.Token != first.Token || !second.IsNew || second.User.ID != first.User.ID {
		t.Errorf("second ByLink() = %+v, %v, want %+v", second, err, first)
	}
	for name, c := range map[string][2]string{"another network": {clientKey, "192.0.2.8"}, "another client": {"app-key", "192.0.2.7"}} {
		if _, err := again(c[0], c[1]); err == nil {
			t.Errorf("%s: the second ByLink() succeeded, want invalid_link", name)
		}
	}
	f.clock.Advance(time.Second)
	_, err = again(clientKey, "192.0.2.7")
	wantCode(t, err, 400, authcore.CodeInvalidLink)
}

func TestRepeatedRequestAfterTheSessionEnded(t *testing.T) {
	for name, end := range map[string]func(f *fixture, grant session.Grant) error{
		"logout": func(f *fixture, grant session.Grant) error {
			return f.Sessions.Logout(f.t.Context(), f.claims(grant), false)
		},
		"disabled": func(f *fixture, grant session.Grant) error {
			_, err := f.Accounts.Disable(f.t.Context(), grant.User.ID)
			return err
		},
		"deleted": func(f *fixture, grant session.Grant) error { return f.Accounts.Delete(f.t.Context(), grant.User.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			token := tokenOf(f.mail("ann@example.com"))
			grant, err := f.byLink(token)
			if err == nil {
				err = end(f, grant)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.byLink(token)
			wantCode(t, err, 400, authcore.CodeInvalidLink)
		})
	}
}

// A user has at most MaxSessions sessions. The oldest ends, and its token with it, on
// this node immediately.
func TestSessionsAreCapped(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.MaxSessions = 2 })
	var grants []session.Grant
	for range 3 {
		grants = append(grants, f.loginAs("ann@example.com"))
		f.clock.Advance(time.Second)
	}
	for i, grant := range grants {
		_, err := f.authenticate(grant)
		if (err != nil) != (i == 0) {
			t.Errorf("token of session %d: error = %v, want one for the oldest only", i, err)
		}
	}
}

// TestDeadLinkIsNotMailed: the mailer does not send a link that was used, displaced or
// never stored. An unavailable store does not prevent the mail.
func TestDeadLinkIsNotMailed(t *testing.T) {
	f := newFixture(t, nil)
	_, mail := f.request("ann@example.com")
	if !mail.Live(t.Context()) || mail.IP != caller.IP || mail.UserAgent != caller.UserAgent || !mail.Requested.Equal(f.clock.Now()) {
		t.Errorf("mail = %+v, want a live link and the request", mail)
	}
	f.store.failing(func(method string, _ int) (error, bool) {
		if method == "Record" {
			return errors.New("down"), false
		}
		return nil, false
	})
	if !mail.Live(t.Context()) {
		t.Error("Live() without the store = false, want true")
	}
	f.store.failing(nil)
	for range 3 {
		f.clock.Advance(time.Second)
		f.request("ann@example.com")
	}
	if mail.Live(t.Context()) {
		t.Error("Live() of a displaced link = true, want false")
	}
	f.store.failing(func(method string, _ int) (error, bool) {
		if method == "PutRecord" {
			return errors.New("down"), false
		}
		return nil, false
	})
	if _, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "ann@example.com", Caller: caller}); err == nil {
		t.Fatal("RequestLink() without the store succeeded, want an error")
	}
	if f.mails.last(t).Live(t.Context()) {
		t.Error("Live() of a link that was not stored = true, want false")
	}
}
