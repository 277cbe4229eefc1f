package authcore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// native is a fixture with a provider that takes the ID token "h.p.s".
func native(t *testing.T, change func(*authcore.Config)) (*fixture, *openIDProvider) {
	t.Helper()
	provider := &openIDProvider{fakeProvider: &fakeProvider{name: "google-oauth2", profiles: map[string]authcore.Profile{
		"h.p.s": {Issuer: "https://idp.example", Subject: "42", Email: "ann@example.com", EmailVerified: true},
		"h.p.t": {Issuer: "https://idp.example", Subject: "42"},
		"h.q.s": {Issuer: "https://idp.example", Subject: "42"},
	}}}
	return newFixture(t, func(c *authcore.Config) {
		c.Providers = append(c.Providers, provider)
		if change != nil {
			change(c)
		}
	}), provider
}

func (f *fixture) native(token string) (authcore.Login, error) {
	return f.LoginSocial(f.t.Context(), authcore.SocialLogin{
		Provider: "google-oauth2", IDToken: token, Nonce: "n", User: "u", ClientKey: clientKey, Caller: caller,
	})
}

func TestLoginByIDToken(t *testing.T) {
	f, provider := native(t, func(c *authcore.Config) { c.Clients[0].RedirectURIs = nil }) // an app has none
	login, err := f.native("h.p.s")
	if err != nil || !login.IsNew || login.User.Email != "ann@example.com" || login.Session.Method != "google-oauth2" {
		t.Fatalf("got %+v, %v", login, err)
	}
	if want := (authcore.IDTokenRequest{IDToken: "h.p.s", Nonce: "n", User: "u"}); provider.tokens[0] != want {
		t.Errorf("verified %+v", provider.tokens[0])
	}
	again, err := f.native("h.q.s")
	if err != nil || again.User.ID != login.User.ID || again.IsNew {
		t.Errorf("a second login: %+v, %v", again, err)
	}
	_, err = f.native("x.y.z")
	wantCode(t, err, 400, authcore.CodeProviderMismatch)
	_, err = f.native("no token")
	wantCode(t, err, 400, authcore.CodeProviderMismatch)
	_, err = f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "github", IDToken: "h.p.s", ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 400, authcore.CodeIDTokenUnsupported)
	_, err = f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "google-oauth2", IDToken: "h.p.s", ClientKey: "wrong", Caller: caller})
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

// An ID token that somebody finds in a log, or is given at another service of
// the same audience, logs nobody in a second time (RFC 9700, section 4.5; CWE-294).
func TestIDTokenIsGoodOnce(t *testing.T) {
	f, provider := native(t, nil)
	if _, err := f.native("h.p.s"); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same": "h.p.s", "the same with another signature": "h.p.t"} {
		t.Run(name, func(t *testing.T) {
			_, err := f.native(token)
			wantCode(t, err, 400, authcore.CodeIDTokenUsed)
		})
	}
	t.Run("after a restart that lost the counters, for as long as it could be good", func(t *testing.T) {
		f.clock.Advance(24*time.Hour - time.Second) // past the counter's window
		_, err := f.native("h.p.s")
		wantCode(t, err, 400, authcore.CodeIDTokenUsed)
	})
	// One that was refused, or met a store that was down, is not spent.
	provider.err = authcore.ErrProviderTimeout
	_, err := f.native("h.q.s")
	wantCode(t, err, 504, authcore.CodeProviderTimeout)
	provider.err = nil
	if _, err := f.native("h.q.s"); err != nil {
		t.Error(err)
	}
}

// A site may have one issuer configured twice, as for its web page and its app:
// a token that logged in through one is spent for the other, whose account is the
// same one by the address (CWE-294).
func TestIDTokenIsGoodOnceAtAllProviders(t *testing.T) {
	second := &openIDProvider{fakeProvider: &fakeProvider{name: "second", profiles: map[string]authcore.Profile{
		"h.p.s": {Issuer: "https://idp.example", Subject: "42", Email: "ann@example.com", EmailVerified: true},
	}}}
	f, _ := native(t, func(c *authcore.Config) { c.Providers = append(c.Providers, second) })
	if _, err := f.native("h.p.s"); err != nil {
		t.Fatal(err)
	}
	_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
		Provider: "second", IDToken: "h.p.s", Nonce: "n", ClientKey: clientKey, Caller: caller,
	})
	wantCode(t, err, 400, authcore.CodeIDTokenUsed)
}

// raced is a store in which nobody sees the flow that another call just put.
type raced struct{ authcore.Store }

func (raced) UpdateFlow(context.Context, authcore.Digest, time.Time, func(*authcore.Flow) error) (authcore.Flow, error) {
	return authcore.Flow{}, authcore.ErrNotFound
}

func TestOneOfManyIDTokenLoginsWins(t *testing.T) {
	f, _ := native(t, func(c *authcore.Config) { c.Limits, c.Store = noLimits(), raced{c.Store} })
	var won atomic.Int32
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			_, err := f.native("h.p.s")
			var public *authcore.Error
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &public) || public.Code != authcore.CodeIDTokenUsed:
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if won.Load() != 1 {
		t.Errorf("%d logins won", won.Load())
	}
}

// flowless is a store that cannot keep flows.
type flowless struct{ authcore.Store }

func (flowless) PutFlow(context.Context, authcore.Flow) error { return authcore.ErrUnavailable }

// No login without a record that the token was spent.
func TestIDTokenIsNotTakenUnrecorded(t *testing.T) {
	f, _ := native(t, func(c *authcore.Config) { c.Store = flowless{c.Store} })
	_, err := f.native("h.p.s")
	wantCode(t, err, 503, authcore.CodeUnavailable)
}
