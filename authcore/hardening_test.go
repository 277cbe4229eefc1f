package authcore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
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
