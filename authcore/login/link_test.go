package authcore_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestLoginByLink(t *testing.T) {
	f := newFixture(t, nil)
	receipt, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "Ann@Example.com", Caller: caller})
	if err != nil {
		t.Fatal(err)
	}
	if receipt != (authcore.LinkReceipt{ExpiresIn: 15 * time.Minute}) {
		t.Errorf("receipt is %+v", receipt)
	}
	mail := f.mails.last(t)
	if mail.To != "Ann@example.com" || mail.Lifetime != 15*time.Minute || mail.Decoy {
		t.Errorf("mail is %+v", mail)
	}
	if !regexp.MustCompile(`^https://frontend\.app/auth/link/[A-Za-z0-9_-]{43}$`).MatchString(mail.Link) {
		t.Errorf("link is %s", mail.Link)
	}
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(mail.Code) {
		t.Errorf("code is %s", mail.Code)
	}
	login, err := f.spend(secretOf(mail))
	if err != nil {
		t.Fatal(err)
	}
	if !login.IsNew || login.User.Email != "Ann@example.com" || !login.User.EmailVerified || login.User.Username() != "Ann" {
		t.Errorf("login is %+v", login)
	}
	if want := f.clock.Now().Add(14 * 24 * time.Hour); !login.ExpiresAt().Equal(want) {
		t.Errorf("expires %s, want %s", login.ExpiresAt(), want)
	}
	claims := f.claims(login.Token)
	if claims.Subject != login.User.ID || claims.Session != login.Session.ID || claims.Client != "web" ||
		claims.Method != "link" || claims.Email != "Ann@example.com" || f.statement(login.Token).Issuer != "edgeauth" {
		t.Errorf("claims are %+v", claims)
	}
	again := f.loginAs("ANN@example.com")
	if again.IsNew || again.User.ID != login.User.ID {
		t.Errorf("the same address logged in as %+v", again.User)
	}
	if got, want := f.events.names(), "link_requested signup login link_requested login"; got != want {
		t.Errorf("events are %s, want %s", got, want)
	}
}

func TestLoginByCode(t *testing.T) {
	f := newFixture(t, nil)
	mail := f.mail("ann@example.com")
	byCode := func(code string) (authcore.Login, error) {
		return f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "ANN@example.com", Code: code, ClientKey: clientKey, Caller: caller})
	}
	login, err := byCode(" " + mail.Code[:3] + " " + mail.Code[3:])
	if err != nil || login.Session.Method != "code" {
		t.Fatalf("login by code: %+v, %v", login, err)
	}
	_, err = f.spend(secretOf(mail))
	wantCode(t, err, 400, authcore.CodeInvalidLink)
	_, err = byCode(mail.Code)
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	_, err = f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "nonsense", Code: "1", ClientKey: clientKey})
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
	_, err = f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "ann@example.com", Code: "1", ClientKey: "wrong"})
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

func TestLinkOfAClient(t *testing.T) {
	f := newFixture(t, nil)
	request := authcore.LinkRequest{Email: "ann@example.com", ClientKey: "app-key", Caller: caller}
	if _, err := f.RequestLink(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	mail := f.mails.last(t)
	if !strings.HasPrefix(mail.Link, "https://app.example/in?t=") || mail.Locale != "de" || mail.Client != "app" {
		t.Errorf("mail is %+v", mail)
	}
	login, err := f.LoginByLink(t.Context(), authcore.LinkLogin{
		Token: strings.TrimPrefix(mail.Link, "https://app.example/in?t="), ClientKey: "app-key", Caller: caller,
	})
	if err != nil || !login.ExpiresAt().Equal(f.clock.Now().Add(time.Hour)) {
		t.Errorf("login is %+v, %v", login, err)
	}
	request.ClientKey = "wrong"
	_, err = f.RequestLink(t.Context(), request)
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

func TestLinksEnd(t *testing.T) {
	for name, end := range map[string]func(f *fixture, secret string){
		"used": func(f *fixture, secret string) {
			if _, err := f.spend(secret); err != nil {
				f.t.Fatal(err)
			}
		},
		"expired":    func(f *fixture, _ string) { f.clock.Advance(15 * time.Minute) },
		"superseded": func(f *fixture, _ string) { f.mail("ANN@example.com") },
		"swept": func(f *fixture, _ string) {
			f.clock.Advance(16 * time.Minute)
			if err := f.Maintain(f.t.Context()); err != nil {
				f.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			secret := secretOf(f.mail("ann@example.com"))
			end(f, secret)
			_, err := f.spend(secret)
			wantCode(t, err, 400, authcore.CodeInvalidLink)
		})
	}
	f := newFixture(t, nil)
	for _, secret := range []string{"", "x", strings.Repeat("A", 43), "\x00"} {
		_, err := f.spend(secret)
		wantCode(t, err, 400, authcore.CodeInvalidLink)
	}
}

// A scanner or a wrong client must not be able to burn somebody's link.
func TestClientKeyIsCheckedBeforeTheLinkIsSpent(t *testing.T) {
	f := newFixture(t, nil)
	secret := secretOf(f.mail("ann@example.com"))
	_, err := f.LoginByLink(t.Context(), authcore.LinkLogin{Token: secret, ClientKey: "wrong"})
	wantCode(t, err, 400, authcore.CodeInvalidClient)
	if _, err := f.spend(secret); err != nil {
		t.Errorf("the link was spent by a request with a wrong client key: %v", err)
	}
}

func TestOneOfHundredLoginsWins(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Limits = noLimits() })
	secret := secretOf(f.mail("ann@example.com"))
	var won atomic.Int32
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if _, err := f.spend(secret); err == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d logins with one link", won.Load())
	}
}

// Six digits can be guessed, so guesses are counted by the link, wherever they
// come from (CWE-307).
func TestGuessesAreCounted(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Limits = noLimits() })
	mail := f.mail("ann@example.com")
	wrong := fmt.Sprintf("%06d", (atoi(mail.Code)+1)%1_000_000)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "ann@example.com", Code: wrong, ClientKey: clientKey})
			if err == nil {
				t.Error("a wrong code logged in")
			}
		})
	}
	group.Wait()
	_, err := f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "ann@example.com", Code: mail.Code, ClientKey: clientKey})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	if _, err := f.spend(secretOf(mail)); err != nil {
		t.Errorf("guessing at the code killed the link: %v", err)
	}
}

func atoi(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

// Whoever asks for a link learns nothing about who has an account: the answer is
// the same, only the mail is left out (CWE-204).
func TestLinkRequestsLookAlike(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) {
		c.Accounts = authcore.AccountRules{Signup: authcore.SignupDomains, Domains: []string{"example.com"}}
	})
	known := f.loginAs("ann@example.com")
	disabled := f.loginAs("bob@example.com")
	if _, err := f.DisableUser(t.Context(), disabled.User.ID, true); err != nil {
		t.Fatal(err)
	}
	for address, decoy := range map[string]bool{
		known.User.Email: false, "new@example.com": false, "bob@example.com": true, "eve@elsewhere.example": true,
	} {
		receipt, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: address, Caller: caller})
		if err != nil || receipt != (authcore.LinkReceipt{ExpiresIn: 15 * time.Minute}) {
			t.Errorf("%s: %+v, %v", address, receipt, err)
		}
		if mail := f.mails.last(t); mail.Decoy != decoy {
			t.Errorf("%s: decoy is %t", address, mail.Decoy)
		}
	}
}

func TestSignupRulesHoldWhenTheLinkIsSpent(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Accounts.Signup = authcore.SignupClosed })
	_, err := f.spend(secretOf(f.mail("ann@example.com")))
	wantCode(t, err, 403, authcore.CodeSignupClosed)
}

func TestDebugLink(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.DebugLinks, c.Mailer = true, nil })
	receipt, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann@example.com", Caller: caller})
	if err != nil || !strings.HasPrefix(receipt.DebugLink, "https://frontend.app/auth/link/") {
		t.Errorf("receipt is %+v, %v", receipt, err)
	}
}

func TestFullMailQueueIs503(t *testing.T) {
	f := newFixture(t, nil)
	f.mails.err = authcore.ErrMailQueueFull
	_, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann@example.com", Caller: caller})
	wantCode(t, err, 503, authcore.CodeUnavailable)
}

func TestBadAddress(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann", Caller: caller})
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
}

func noLimits() authcore.Limits {
	return authcore.Limits{LinkOverall: authcore.Rate{N: 1 << 30, Window: time.Minute}}
}

// FuzzLinkToken: nothing but the secret in the mail is the secret in the mail.
func FuzzLinkToken(f *testing.F) {
	for _, seed := range []string{"", "x", strings.Repeat("A", 43), "\x00", "a/b", "../", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		fixture := newFixture(t, func(c *authcore.Config) { c.Limits = noLimits() })
		fixture.mail("ann@example.com")
		_, err := fixture.spend(token)
		wantCode(t, err, 400, authcore.CodeInvalidLink)
	})
}
