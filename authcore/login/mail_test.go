package login_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
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
