package authcore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// A look-alike of a registered redirect URI sends the code to somebody else
// (RFC 9700, section 4.1; CWE-601).
func TestRedirectURILookAlikes(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.profiles["code"] = authcore.Profile{Subject: "1"}
	for _, uri := range []string{
		"https://frontend.app/auth/callback/", "https://frontend.app/auth/callback?x=1", "https://frontend.app/auth/callback#x",
		"https://frontend.app/auth/callback/../evil", "https://frontend.app/auth%2fcallback", "https://frontend.app//auth/callback",
		"https://FRONTEND.app/auth/callback", "HTTPS://frontend.app/auth/callback", "http://frontend.app/auth/callback",
		"https://frontend.app:443/auth/callback", "https://frontend.app.evil.example/auth/callback", "https://sub.frontend.app/auth/callback",
		"https://frontend.app@evil.example/auth/callback", "https://evil.example\\@frontend.app/auth/callback",
		"https://frontend.app\t/auth/callback", " https://frontend.app/auth/callback", "https://frontend.app/auth/callback ",
		"https://frontend.app/auth/callback\x00", "//frontend.app/auth/callback", "/auth/callback",
	} {
		_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "github", Code: "code", ClientKey: clientKey, RedirectURI: uri})
		if err == nil {
			t.Errorf("%q was taken", uri)
			continue
		}
		wantCode(t, err, 400, authcore.CodeInvalidRequest)
		if _, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, RedirectURI: uri}); err == nil {
			t.Errorf("a login was begun with %q", uri)
		}
	}
	if len(f.provider.requests)+len(f.provider.started) > 0 {
		t.Error("the provider was asked")
	}
}

// FuzzRedirectURI: only the very string that is registered is taken, and what
// configuration lets through is safe to send a browser to.
func FuzzRedirectURI(f *testing.F) {
	const registered = "https://frontend.app/auth/callback"
	for _, seed := range []string{registered, registered + "/", "https://frontend.app@evil.example", `https:\\evil.example`, "javascript:x", "com.example.app:/cb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		cfg := authcore.Config{
			EmailLink: "https://a.example/{token}",
			Clients:   []authcore.Client{{Name: "web", Key: "k", RedirectURIs: []string{uri}}},
		}
		if cfg.Validate() == nil && strings.ContainsAny(uri, "*\\ \t\r\n#") {
			t.Fatalf("%q passed the configuration", uri)
		}
		fixture := newFixture(t, nil)
		_, err := fixture.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "github", Code: "none", ClientKey: clientKey, RedirectURI: uri})
		var public *authcore.Error
		if !errors.As(err, &public) {
			t.Fatalf("%q: %v", uri, err)
		}
		if reached := public.Code == authcore.CodeProviderDenied; reached != (uri == registered || uri == "") {
			t.Fatalf("%q: %v", uri, err)
		}
	})
}

// Whoever reads the store, a backup of it say, must not find links, codes or
// states that still work (CWE-312).
func TestSecretsAreStoredHashed(t *testing.T) {
	var stored bytes.Buffer
	f := newFixture(t, func(c *authcore.Config) { c.Store = spyStore{c.Store, &stored} })
	mail := f.mail("ann@example.com")
	begun, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey})
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"link": secretOf(mail), "code": mail.Code, "state": begun.State} {
		if strings.Contains(stored.String(), secret) {
			t.Errorf("the %s is stored", name)
		}
	}
	if stored.Len() == 0 {
		t.Error("nothing was stored")
	}
}

// spyStore writes down what is stored of links and flows.
type spyStore struct {
	authcore.Store
	seen *bytes.Buffer
}

func (s spyStore) PutLink(ctx context.Context, link authcore.Link) error {
	fmt.Fprintf(s.seen, "%s %s %+v", link.Secret[:], link.Code[:], link)
	return s.Store.PutLink(ctx, link)
}

func (s spyStore) PutFlow(ctx context.Context, flow authcore.Flow) error {
	fmt.Fprintf(s.seen, "%s %+v", flow.State[:], flow)
	return s.Store.PutFlow(ctx, flow)
}

// A digest made for one purpose must fit no other, nor must two ways to cut the
// same text into parts.
func TestDigestsAreApart(t *testing.T) {
	seen := map[authcore.Digest]bool{}
	for _, parts := range [][]string{{"link", "abc"}, {"code", "abc"}, {"code", "ab", "c"}, {"code", "a", "bc"}, {"codea", "bc"}, {"code", "abc", ""}} {
		d := authcore.DigestOf(parts[0], parts[1:]...)
		if seen[d] {
			t.Errorf("%q has the digest of another", parts)
		}
		seen[d] = true
	}
}

// An upstream that is given an assertion must not be able to use it as the
// user's token, nor may a token of another realm work here (RFC 8725, 3.11 and
// 3.12).
func TestTokensOfAnotherPurposeOrRealm(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	assertion, err := f.Assert(f.claims(login.Token), "app", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !f.refused(assertion) {
		t.Error("an assertion was taken as a login token")
	}
	asAssertion := gate.NewVerifier(gate.VerifierConfig{Issuer: "edgeauth", Audience: "app", Purpose: gate.PurposeAssertion})
	jwks, _ := f.JWKS()
	keys, err := gate.ParseJWKS(jwks)
	if err != nil {
		t.Fatal(err)
	}
	asAssertion.SetKeys(keys)
	if claims, err := asAssertion.Verify(assertion, f.clock.Now()); err != nil || claims.Subject != login.User.ID {
		t.Errorf("the upstream sees %+v, %v", claims, err)
	}
	if _, err := asAssertion.Verify(login.Token, f.clock.Now()); err == nil {
		t.Error("a login token was taken as an assertion")
	}
	f.clock.Advance(time.Minute)
	if _, err := asAssertion.Verify(assertion, f.clock.Now()); err == nil {
		t.Error("the assertion outlived its minute")
	}
	for _, change := range []func(*authcore.Config){
		func(c *authcore.Config) { c.Realm = "staff" },
		func(c *authcore.Config) { c.Issuer = "other" },
		func(c *authcore.Config) { c.Audience = "other" },
	} {
		// The same store, so the same keys.
		other := newFixture(t, func(c *authcore.Config) { c.Store = f.store; change(c) })
		if !other.refused(login.Token) {
			t.Error("a token of another realm was taken")
		}
	}
}

// Logs are read by many, kept long and sent around (CWE-532).
func TestNoSecretsInLogs(t *testing.T) {
	var logs bytes.Buffer
	f := newFixture(t, func(c *authcore.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	mail := f.mail("ann@example.com")
	login, err := f.spend(secretOf(mail))
	if err != nil {
		t.Fatal(err)
	}
	begun, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey})
	if err != nil {
		t.Fatal(err)
	}
	f.provider.err = fmt.Errorf("%w: status 500", authcore.ErrProviderFailed)
	_, _ = f.social(authcore.Profile{})
	_, _ = f.spend(secretOf(mail))
	if !strings.Contains(logs.String(), "social login failed") {
		t.Errorf("the log is %q", logs.String())
	}
	var events strings.Builder
	for _, event := range f.events.list {
		fmt.Fprintf(&events, "%+v", event)
	}
	for _, secret := range []string{secretOf(mail), mail.Code, login.Token, clientKey, begun.State, "ann@"} {
		if strings.Contains(logs.String(), secret) || strings.Contains(events.String(), secret) {
			t.Errorf("%q is in a log or an event", secret)
		}
	}
}

// A restart forgets no revocation: what was logged out stays out.
func TestRevocationsSurviveARestart(t *testing.T) {
	f := newFixture(t, nil)
	out, in := f.loginAs("ann@example.com"), f.loginAs("ann@example.com")
	refreshed := f.loginAs("ann@example.com")
	if err := f.Logout(t.Context(), f.claims(out.Token), false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Refresh(t.Context(), f.claims(refreshed.Token)); err != nil {
		t.Fatal(err)
	}
	again := newFixture(t, func(c *authcore.Config) { c.Store, c.Now = f.store, f.clock.Now })
	if !again.refused(out.Token) || !again.refused(refreshed.Token) || again.refused(in.Token) {
		t.Error("the restarted service judges tokens differently")
	}
}

// A user agent is shown to people later; what it holds is not to be trusted.
func TestUserAgentIsBounded(t *testing.T) {
	f := newFixture(t, nil)
	mail := f.mail("ann@example.com")
	hostile := "a\r\nb\x00" + strings.Repeat("ü", 5000) + "\xff"
	login, err := f.LoginByLink(t.Context(), authcore.LinkLogin{Token: secretOf(mail), ClientKey: clientKey, Caller: authcore.Caller{UserAgent: hostile}})
	if err != nil || len(login.Session.UserAgent) > 256 || !utf8.ValidString(login.Session.UserAgent) || strings.ContainsAny(login.Session.UserAgent, "\r\n\x00") {
		t.Errorf("user agent is %q, %v", login.Session.UserAgent, err)
	}
}

// The configuration that a service was made of must not be printable with its
// secrets by accident: clients are the only secret values in it.
func TestErrorsDoNotPrintClientKeys(t *testing.T) {
	cfg := authcore.Config{Clients: []authcore.Client{{Name: "a", Key: "the-key"}, {Name: "b", Key: "the-key"}}}
	if err := cfg.Validate(); err == nil || strings.Contains(err.Error(), "the-key") {
		t.Errorf("error is %v", err)
	}
	if !reflect.DeepEqual(authcore.Algorithms(), []string{"EdDSA", "ES256", "RS256", "HS256"}) {
		t.Error("an algorithm came or went; is it safe?")
	}
}

// One caller who is over its own limit must not use up what belongs to a mailbox,
// a client or everybody (CWE-770).
func TestThrottledCallersLockNobodyOut(t *testing.T) {
	f := newFixture(t, nil)
	ask := func(ip, email string) error {
		_, err := f.RequestLink(t.Context(), authcore.LinkRequest{
			Email: email, ClientKey: clientKey, Caller: authcore.Caller{IP: netip.MustParseAddr(ip)},
		})
		return err
	}
	for i := range 3000 {
		if err := ask("192.0.2.66", fmt.Sprintf("a%d@example.com", i)); (err != nil) != (i >= 60) {
			t.Fatalf("request %d: %v", i, err)
		}
		if i >= 100 && i < 110 { // far over, at one mailbox
			_ = ask("192.0.2.66", "victim@example.com")
		}
	}
	if err := ask("192.0.2.9", "victim@example.com"); err != nil {
		t.Errorf("a stranger is locked out: %v", err)
	}
}

func TestOverallLimit(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) {
		c.Limits = authcore.Limits{LinkOverall: authcore.Rate{N: 2, Window: time.Minute}}
	})
	for i := range 3 {
		_, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: fmt.Sprintf("a%d@example.com", i), Caller: caller})
		if (err != nil) != (i == 2) {
			t.Errorf("request %d: %v", i, err)
		}
	}
}

// Each refresh leaves a revocation for as long as the old token would have lived.
func TestRefreshIsLimited(t *testing.T) {
	f := newFixture(t, nil)
	login := f.loginAs("ann@example.com")
	for i := range 31 {
		next, err := f.Refresh(t.Context(), f.claims(login.Token))
		if i == 30 {
			wantCode(t, err, 429, authcore.CodeThrottled)
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		login = next
	}
	if f.refused(login.Token) {
		t.Error("the last token ended with the refusal")
	}
}

// The lifetime of tokens may have been longer when a token was made.
func TestDeletedUserStaysDeleted(t *testing.T) {
	long := newFixture(t, func(c *authcore.Config) { c.TokenLifetime = 30 * 24 * time.Hour })
	login := long.loginAs("ann@example.com")
	short := newFixture(t, func(c *authcore.Config) {
		c.Store, c.Now, c.TokenLifetime = long.store, long.clock.Now, time.Hour
	})
	if err := short.DeleteUser(t.Context(), login.User.ID); err != nil {
		t.Fatal(err)
	}
	long.clock.Advance(3 * 24 * time.Hour)
	if err := short.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !short.refused(login.Token) {
		t.Error("the token of a deleted user came back to life")
	}
	again := newFixture(t, func(c *authcore.Config) { c.Store, c.Now = long.store, long.clock.Now })
	if !again.refused(login.Token) {
		t.Error("the token of a deleted user came back to life after a restart")
	}
}

// Two operators who act on one user at the same time must leave store and memory
// with the same view.
func TestDisableAndEnableAtOnce(t *testing.T) {
	for range 50 {
		f := newFixture(t, func(c *authcore.Config) { c.Limits = noLimits() })
		login := f.loginAs("ann@example.com")
		var group sync.WaitGroup
		for _, disabled := range []bool{true, false, true, false} {
			group.Go(func() {
				if _, err := f.DisableUser(t.Context(), login.User.ID, disabled); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		user, err := f.FindUser(t.Context(), login.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		if user.Disabled {
			continue
		}
		if f.refused(f.loginAs("ann@example.com").Token) {
			t.Fatal("an enabled user is refused")
		}
	}
}

// A mail queue that is full must not cost people the link that they have.
func TestFullQueueKeepsTheOlderLink(t *testing.T) {
	f := newFixture(t, nil)
	secret := secretOf(f.mail("ann@example.com"))
	f.mails.err = authcore.ErrMailQueueFull
	_, err := f.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann@example.com", Caller: caller})
	wantCode(t, err, 503, authcore.CodeUnavailable)
	if _, err := f.spend(secret); err != nil {
		t.Errorf("the older link: %v", err)
	}
}

// hangUp cancels the caller's context as soon as a link is taken.
type hangUp struct {
	authcore.Store
	cancel context.CancelFunc
}

func (h hangUp) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	defer h.cancel()
	return h.Store.TakeLink(ctx, secret, now)
}

// Whoever hangs up in the middle of a login must not end with neither link nor
// account.
func TestLoginIsFinishedWhenTheCallerHangsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFixture(t, func(c *authcore.Config) { c.Store = hangUp{c.Store, cancel} })
	secret := secretOf(f.mail("ann@example.com"))
	login, err := f.LoginByLink(ctx, authcore.LinkLogin{Token: secret, ClientKey: clientKey})
	if err != nil || f.refused(login.Token) {
		t.Errorf("login is %+v, %v", login, err)
	}
}

// forgetful fails to write once.
type forgetful struct {
	authcore.Store
	failures *atomic.Int32
}

func (s forgetful) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	if s.failures.Add(-1) >= 0 {
		return errDown
	}
	return s.Store.MarkSeen(ctx, seen)
}

func TestSeenSurvivesAFailedWrite(t *testing.T) {
	var failures atomic.Int32
	f := newFixture(t, func(c *authcore.Config) { c.Store = forgetful{c.Store, &failures} })
	login := f.loginAs("ann@example.com")
	f.clock.Advance(time.Hour)
	claims := f.claims(login.Token)
	failures.Store(1)
	if err := f.Maintain(t.Context()); err == nil {
		t.Error("the failure was not reported")
	}
	if err := f.Maintain(t.Context()); err != nil {
		t.Error(err)
	}
	list, err := f.Sessions(t.Context(), claims)
	if err != nil || len(list) != 1 || !list[0].LastSeen.Equal(f.clock.Now()) {
		t.Errorf("sessions are %+v, %v", list, err)
	}
}

// An assertion must not outlive the login that it speaks of.
func TestAssertionEndsWithTheToken(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.TokenLifetime = time.Hour })
	claims := f.claims(f.loginAs("ann@example.com").Token)
	f.clock.Advance(59*time.Minute + 30*time.Second)
	assertion, err := f.Assert(claims, "app", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	upstream := gate.NewVerifier(gate.VerifierConfig{Issuer: "edgeauth", Audience: "app", Purpose: gate.PurposeAssertion})
	jwks, _ := f.JWKS()
	keys, err := gate.ParseJWKS(jwks)
	if err != nil {
		t.Fatal(err)
	}
	upstream.SetKeys(keys)
	if _, err := upstream.Verify(assertion, f.clock.Now()); err != nil {
		t.Error(err)
	}
	if _, err := upstream.Verify(assertion, f.clock.Now().Add(30*time.Second)); err == nil {
		t.Error("the assertion outlived the token")
	}
}

// An IPv4 client that arrives over IPv6 is the same client in the list of
// sessions as in the limits.
func TestMappedAddressesAreShownPlain(t *testing.T) {
	f := newFixture(t, nil)
	secret := secretOf(f.mail("ann@example.com"))
	login, err := f.LoginByLink(t.Context(), authcore.LinkLogin{
		Token: secret, ClientKey: clientKey, Caller: authcore.Caller{IP: netip.MustParseAddr("::ffff:192.0.2.7")},
	})
	if err != nil || login.Session.IP != "192.0.2.7" {
		t.Errorf("address is %q, %v", login.Session.IP, err)
	}
}
