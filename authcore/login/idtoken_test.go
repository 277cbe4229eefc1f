package login_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// withIDTokens returns a fixture with a provider that accepts the ID token "h.p.s".
func withIDTokens(t *testing.T, change func(*realm.Config)) (*fixture, *openIDProvider) {
	t.Helper()
	provider := &openIDProvider{fakeProvider: &fakeProvider{name: "google-oauth2", profiles: map[string]authcore.Profile{
		"h.p.s": {Issuer: "https://idp.example", Subject: "42", Email: "ann@example.com", EmailVerified: true},
		"h.p.t": {Issuer: "https://idp.example", Subject: "42"},
		"h.q.s": {Issuer: "https://idp.example", Subject: "42"},
		"g.p.s": {Issuer: "https://idp.example", Subject: "42"},
	}}}
	return newFixture(t, func(c *realm.Config) {
		c.Providers = append(c.Providers, provider)
		if change != nil {
			change(c)
		}
	}), provider
}

// nonceOf returns the nonce of a token: its payload.
func nonceOf(token string) string {
	parts := strings.Split(token, ".")
	return parts[min(1, len(parts)-1)]
}

func (f *fixture) byIDToken(provider, token string) (session.Grant, error) {
	return f.Logins.Social(f.t.Context(), login.SocialLogin{
		Provider: provider, IDToken: token, Nonce: nonceOf(token), User: "u", ClientKey: clientKey, Caller: caller,
	})
}

func TestByIDToken(t *testing.T) {
	f, provider := withIDTokens(t, func(c *realm.Config) { c.Clients[0].RedirectURIs = nil }) // an application has none
	grant, err := f.byIDToken("google-oauth2", "h.p.s")
	if err != nil || !grant.IsNew || grant.User.Email != "ann@example.com" || grant.Session.Method != "google-oauth2" {
		t.Fatalf("Social() = %+v, %v, want a new user", grant, err)
	}
	if want := (authcore.IDTokenRequest{IDToken: "h.p.s", Nonce: "p", User: "u"}); provider.tokens[0] != want {
		t.Errorf("verified %+v, want %+v", provider.tokens[0], want)
	}
	again, err := f.byIDToken("google-oauth2", "h.q.s")
	if err != nil || again.User.ID != grant.User.ID || again.IsNew {
		t.Errorf("second Social() = %+v, %v, want the user", again, err)
	}
	for _, token := range []string{"x.y.z", "not a token", ".", ""} {
		if token == "" {
			continue
		}
		_, err = f.byIDToken("google-oauth2", token)
		wantCode(t, err, 400, authcore.CodeProviderMismatch)
	}
	_, err = f.byIDToken("github", "h.p.s")
	wantCode(t, err, 400, authcore.CodeIDTokenUnsupported)
}

// An ID token that is found in a log, or that another service of the same audience
// received, works once (RFC 9700, section 4.5; CWE-294).
func TestHardeningIDTokenWorksOnce(t *testing.T) {
	f, provider := withIDTokens(t, nil)
	if _, err := f.byIDToken("google-oauth2", "h.p.s"); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same": "h.p.s", "with another signature": "h.p.t", "another token with its nonce": "g.p.s"} {
		t.Run(name, func(t *testing.T) {
			_, err := f.byIDToken("google-oauth2", token)
			wantCode(t, err, 400, authcore.CodeIDTokenUsed)
		})
	}
	f.clock.Advance(24*time.Hour - time.Second)
	_, err := f.byIDToken("google-oauth2", "h.p.s")
	wantCode(t, err, 400, authcore.CodeIDTokenUsed)
	// A token that was refused, or met a failure, is not used up.
	provider.fail(authcore.ErrProviderTimeout)
	_, err = f.byIDToken("google-oauth2", "h.q.s")
	wantCode(t, err, 504, authcore.CodeProviderTimeout)
	provider.fail(nil)
	f.store.failing(func(method string, _ int) (error, bool) {
		if method == "Login" {
			return errDown, false
		}
		return nil, false
	})
	_, err = f.byIDToken("google-oauth2", "h.q.s")
	wantCode(t, err, 503, authcore.CodeUnavailable)
	f.store.failing(nil)
	if _, err := f.byIDToken("google-oauth2", "h.q.s"); err != nil {
		t.Errorf("Social() after failures failed: %v", err)
	}
}

// A site may configure one issuer twice, for its web page and its application. A
// token that logged in through one is used up for the other (CWE-294).
func TestHardeningIDTokenWorksOnceAtAllProviders(t *testing.T) {
	second := &openIDProvider{fakeProvider: &fakeProvider{name: "second", profiles: map[string]authcore.Profile{
		"h.p.s": {Issuer: "https://idp.example", Subject: "42", Email: "ann@example.com", EmailVerified: true},
	}}}
	f, _ := withIDTokens(t, func(c *realm.Config) { c.Providers = append(c.Providers, second) })
	if _, err := f.byIDToken("google-oauth2", "h.p.s"); err != nil {
		t.Fatal(err)
	}
	_, err := f.byIDToken("second", "h.p.s")
	wantCode(t, err, 400, authcore.CodeIDTokenUsed)
}

// Of many simultaneous requests with one ID token, one logs in (CWE-367).
func TestHardeningOneOfManyIDTokenLogins(t *testing.T) {
	f, _ := withIDTokens(t, nil)
	var won atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := f.byIDToken("google-oauth2", "h.p.s")
			if err == nil {
				won.Add(1)
				return
			}
			if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Code != authcore.CodeIDTokenUsed {
				t.Errorf("Social() failed with %v, want id_token_used", err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d logins with one ID token, want 1", won.Load())
	}
}

// The faults of an SDK's token have codes of their own: the application gets a new
// token and repeats the login.
func TestIDTokenExpired(t *testing.T) {
	f, provider := withIDTokens(t, nil)
	provider.fail(fmt.Errorf("%w: %w", authcore.ErrIDTokenExpired, authcore.ErrProviderMismatch))
	_, err := f.byIDToken("google-oauth2", "h.p.s")
	wantCode(t, err, 400, authcore.CodeIDTokenExpired)
}

// A token without a nonce works once; another one of the same account is independent.
func TestIDTokenWithoutNonce(t *testing.T) {
	f, _ := withIDTokens(t, nil)
	login := func(token string) error {
		_, err := f.Logins.Social(f.t.Context(), login.SocialLogin{
			Provider: "google-oauth2", IDToken: token, ClientKey: clientKey, Caller: caller,
		})
		return err
	}
	for _, token := range []string{"h.p.s", "g.p.s", "h.q.s"} {
		if err := login(token); err != nil {
			t.Errorf("Social(%s) = %v, want a login", token, err)
		}
		wantCode(t, login(token), 400, authcore.CodeIDTokenUsed)
	}
}
