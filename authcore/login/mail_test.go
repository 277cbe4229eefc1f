package login_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

func TestByLink(t *testing.T) {
	f := newFixture(t, nil)
	receipt, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "\u00a0Ann@Example.com\u200b\n", Caller: caller})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[\w-]{22}$`).MatchString(receipt.RequestID) || receipt.ExpiresIn != 15*time.Minute || receipt.DebugLink != "" {
		t.Errorf("RequestLink() = %+v, want a request ID, 15 minutes, no link", receipt)
	}
	mail := f.mails.last(t)
	if mail.To != "Ann@example.com" || mail.Lifetime != 15*time.Minute || mail.Decoy {
		t.Errorf("mail = %+v, want one to Ann@example.com", mail)
	}
	if !regexp.MustCompile(`^https://frontend\.app/auth/link/[\w-]{64}$`).MatchString(mail.Link) {
		t.Errorf("link = %s, want 48 bytes in base64url", mail.Link)
	}
	if !strings.HasPrefix(tokenOf(mail), receipt.RequestID[:21]) {
		t.Errorf("token = %s, want the request ID %s at the beginning", tokenOf(mail), receipt.RequestID)
	}
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(mail.Code) {
		t.Errorf("code = %s, want six digits", mail.Code)
	}
	grant, err := f.byLink("\u2003" + tokenOf(mail) + "\ufeff \n")
	if err != nil {
		t.Fatal(err)
	}
	user := grant.User
	if !grant.IsNew || user.Email != "Ann@example.com" || !user.EmailVerified || !user.LastLogin.Equal(f.clock.Now()) || !user.Created.Equal(f.clock.Now()) {
		t.Errorf("ByLink() = %+v, want a new user", grant)
	}
	if want := f.clock.Now().Add(14 * 24 * time.Hour); !grant.ExpiresAt().Equal(want) {
		t.Errorf("ExpiresAt() = %s, want %s", grant.ExpiresAt(), want)
	}
	claims := f.claims(grant)
	if claims.Subject != user.ID || claims.Session != grant.Session.ID || claims.Client != "web" ||
		claims.Method != "link" || claims.Email != "Ann@example.com" {
		t.Errorf("claims = %+v, want those of %+v", claims, grant)
	}
	f.clock.Advance(time.Hour)
	again := f.loginAs("ANN@example.com")
	if again.IsNew || again.User.ID != user.ID || !again.User.LastLogin.Equal(f.clock.Now()) || !again.User.Created.Equal(user.Created) {
		t.Errorf("second login = %+v, want user %s", again.User, user.ID)
	}
	if got, want := f.events.names(), "link_requested signup login link_requested login"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
}

func TestByCode(t *testing.T) {
	f := newFixture(t, nil)
	requestID, mail := f.request("ann@example.com")
	grant, err := f.byCode(" "+requestID+"\u200b", " "+mail.Code[:3]+"\u2011"+mail.Code[3:]+". ")
	if err != nil || grant.Session.Method != "code" || grant.User.Email != "ann@example.com" {
		t.Fatalf("ByCode() = %+v, %v, want a login", grant, err)
	}
	_, err = f.byLink(tokenOf(mail))
	wantCode(t, err, 400, authcore.CodeInvalidLink)
	_, err = f.byCode(requestID, mail.Code)
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	_, err = f.Logins.ByCode(t.Context(), login.CodeLogin{RequestID: requestID, Code: "123456", ClientKey: "wrong"})
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

// A code is bound to the request whose mail contains it: an attacker who requests
// mails to an address cannot try the code of a mail that the owner requested.
func TestCodeOfAnotherRequest(t *testing.T) {
	f := newFixture(t, nil)
	owned, mail := f.request("ann@example.com")
	other, second := f.request("ann@example.com")
	if mail.Code == second.Code {
		t.Skip("both mails have the same code")
	}
	for _, requestID := range []string{other, "", "x", strings.Repeat("A", 22), strings.Repeat("A", 400), "\x00"} {
		_, err := f.byCode(requestID, mail.Code)
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	if _, err := f.byCode(owned, mail.Code); err != nil {
		t.Errorf("ByCode() with the code's own request failed: %v", err)
	}
}

// A user sends the link of one client with the key of another, to get its lifetime or
// to meet `require client`. This is allowed: keys of browser clients are public, so
// that a comparison would keep out no attacker. The session belongs to the client
// whose key was used, as docs/caddyfile.md describes.
func TestHardeningClientIsNotABoundary(t *testing.T) {
	f := newFixture(t, nil)
	request := login.LinkRequest{Email: "ann@example.com", ClientKey: "app-key", Caller: caller}
	if _, err := f.Logins.RequestLink(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	mail := f.mails.last(t)
	token, found := strings.CutPrefix(mail.Link, "https://app.example/in?t=")
	if !found || mail.Locale != "de" || mail.Client != "app" {
		t.Errorf("mail = %+v, want the template and locale of the client", mail)
	}
	grant, err := f.byLink(token)
	if err != nil || grant.Session.Client != "web" {
		t.Errorf("ByLink() with another client = %+v, %v, want a session of web", grant, err)
	}
	if _, err = f.Logins.RequestLink(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	grant, err = f.Logins.ByLink(t.Context(), login.LinkLogin{
		Token: strings.TrimPrefix(f.mails.last(t).Link, "https://app.example/in?t="), ClientKey: "app-key", Caller: caller,
	})
	if err != nil || !grant.ExpiresAt().Equal(f.clock.Now().Add(time.Hour)) {
		t.Errorf("ByLink() = %+v, %v, want the lifetime of the client", grant, err)
	}
	request.ClientKey = "wrong"
	_, err = f.Logins.RequestLink(t.Context(), request)
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

func TestLinksEnd(t *testing.T) {
	for name, end := range map[string]func(f *fixture, token string){
		"used by another network": func(f *fixture, token string) {
			if _, err := f.byLink(token); err != nil {
				f.t.Fatal(err)
			}
			f.clock.Advance(10 * time.Second)
		},
		"expired": func(f *fixture, _ string) { f.clock.Advance(15 * time.Minute) },
		"three newer links": func(f *fixture, _ string) {
			for range 3 {
				f.clock.Advance(time.Second)
				f.mail("ANN@example.com")
			}
		},
		"login with a newer link": func(f *fixture, _ string) { f.loginAs("ann@example.com") },
		"login with a newer code": func(f *fixture, _ string) {
			requestID, mail := f.request("ann@example.com")
			if _, err := f.byCode(requestID, mail.Code); err != nil {
				f.t.Fatal(err)
			}
		},
		"swept": func(f *fixture, _ string) {
			f.clock.Advance(17 * time.Minute)
			if err := f.Maintain(f.t.Context()); err != nil {
				f.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			token := tokenOf(f.mail("ann@example.com"))
			end(f, token)
			_, err := f.byLink(token)
			wantCode(t, err, 400, authcore.CodeInvalidLink)
		})
	}
}

// The newest three links of an address are live. Mail is not delivered in order, and
// users click the first one that arrives.
func TestThreeLinksAreLive(t *testing.T) {
	for i := range 3 {
		f := newFixture(t, nil)
		var tokens []string
		for range 3 {
			tokens = append(tokens, tokenOf(f.mail("ann@example.com")))
			f.clock.Advance(time.Second)
		}
		if _, err := f.byLink(tokens[i]); err != nil {
			t.Errorf("ByLink() with link %d of 3 failed: %v", i+1, err)
		}
	}
}

func TestInvalidTokens(t *testing.T) {
	f := newFixture(t, nil)
	token := tokenOf(f.mail("ann@example.com"))
	other := "A"
	if token[21] == 'A' {
		other = "B"
	}
	for _, bad := range []string{
		"", "x", strings.Repeat("A", 43), strings.Repeat("A", 64), "\x00", token + "A", token[:63], token + "=",
		token[:21] + other + token[22:],      // another request
		token[:32] + strings.Repeat("A", 32), // another secret of the same request
		strings.ReplaceAll(token, "A", "B") + ".", token[:10] + "\n" + token[10:],
	} {
		_, err := f.byLink(bad)
		wantCode(t, err, 400, authcore.CodeInvalidLink)
	}
	if _, err := f.byLink(token); err != nil {
		t.Errorf("ByLink() after wrong tokens failed: %v", err)
	}
}

// A scanner or a wrong client must not be able to use up a link (CWE-841).
func TestClientKeyIsCheckedBeforeTheLinkIsUsed(t *testing.T) {
	f := newFixture(t, nil)
	token := tokenOf(f.mail("ann@example.com"))
	_, err := f.Logins.ByLink(t.Context(), login.LinkLogin{Token: token, ClientKey: "wrong"})
	wantCode(t, err, 400, authcore.CodeInvalidClient)
	if _, err := f.byLink(token); err != nil {
		t.Errorf("ByLink() after a wrong client key failed: %v", err)
	}
}

func TestSignupRulesHoldForLinks(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.Signup = account.SignupClosed })
	token := tokenOf(f.mail("ann@example.com"))
	_, err := f.byLink(token)
	wantCode(t, err, 403, authcore.CodeSignupClosed)
	denied := newFixture(t, func(c *realm.Config) { c.Rules.Deny = []string{"example.com"} })
	requestID, mail := denied.request("ann@example.com")
	_, err = denied.byCode(requestID, mail.Code)
	wantCode(t, err, 403, authcore.CodeNotAdmitted)
}

func TestDisabledUserGetsNoToken(t *testing.T) {
	f := newFixture(t, nil)
	grant := f.loginAs("ann@example.com")
	token := tokenOf(f.mail("ann@example.com"))
	if _, err := f.Accounts.Disable(t.Context(), grant.User.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.byLink(token)
	wantCode(t, err, 403, authcore.CodeUserInactive)
	if _, err := f.Accounts.Enable(t.Context(), grant.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.byLink(token); err != nil {
		t.Errorf("ByLink() of the enabled user failed: %v", err)
	}
}

func TestDebugLink(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.DebugLinks, c.Mailer = true, nil })
	receipt, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "ann@example.com", Caller: caller})
	if err != nil || !strings.HasPrefix(receipt.DebugLink, linkBase) {
		t.Errorf("RequestLink() = %+v, %v, want a link", receipt, err)
	}
}

func TestBadAddress(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "ann", Caller: caller})
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
}

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
