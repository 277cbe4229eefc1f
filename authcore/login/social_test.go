package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func TestSocial(t *testing.T) {
	f := newFixture(t, nil)
	profile := authcore.Profile{Subject: "42", FirstName: "Ann", LastName: "Lee", Nickname: "annlee", Email: "Ann@Example.com", EmailVerified: true}
	grant, err := f.social(profile)
	if err != nil {
		t.Fatal(err)
	}
	user := grant.User
	if !grant.IsNew || user.Username() != "annlee" || user.Name() != "Ann Lee" || user.Email != "Ann@example.com" || !user.EmailVerified ||
		grant.Session.Method != "github" || !user.LastLogin.Equal(f.clock.Now()) {
		t.Errorf("Social() = %+v, want a new user", grant)
	}
	if got := f.provider.lastRequest(t).RedirectURI; got != frontend {
		t.Errorf("redirect URI = %q, want %q", got, frontend)
	}
	identities, err := f.Accounts.Identities(t.Context(), f.claims(grant))
	if err != nil || len(identities) != 1 || identities[0].PublicID != grant.Session.Identity || identities[0].PublicID == "" {
		t.Errorf("identities = %+v, %v, want one with the ID %q of the session", identities, err, grant.Session.Identity)
	}
	profile.Email = "new@example.com"
	again, err := f.social(profile)
	if err != nil || again.IsNew || again.User.ID != user.ID || again.Session.Identity != grant.Session.Identity {
		t.Errorf("second Social() = %+v, %v, want user %s", again, err, user.ID)
	}
	identities, err = f.Accounts.Identities(t.Context(), f.claims(again))
	if err != nil || identities[0].Email != "new@example.com" || !identities[0].EmailVerified {
		t.Errorf("identities = %+v, %v, want the new address", identities, err)
	}
	if got, want := f.events.names(), "signup login login"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
}

func TestSocialAdmission(t *testing.T) {
	f := newFixture(t, nil)
	for name, c := range map[string]struct {
		login  login.SocialLogin
		status int
		code   authcore.Code
	}{
		"client key":             {login.SocialLogin{Provider: "github", ClientKey: "wrong"}, 400, authcore.CodeInvalidClient},
		"unknown provider":       {login.SocialLogin{Provider: "gitlab", ClientKey: clientKey}, 404, authcore.CodeNotFound},
		"case of the provider":   {login.SocialLogin{Provider: "GitHub", ClientKey: clientKey}, 404, authcore.CodeNotFound},
		"provider not allowed":   {login.SocialLogin{Provider: "github", ClientKey: "app-key"}, 404, authcore.CodeNotFound},
		"redirect URI":           {login.SocialLogin{Provider: "github", ClientKey: clientKey, RedirectURI: "https://evil.example/"}, 400, authcore.CodeInvalidRequest},
		"code is refused":        {login.SocialLogin{Provider: "github", ClientKey: clientKey, Code: "bad"}, 400, authcore.CodeProviderDenied},
		"client key comes first": {login.SocialLogin{Provider: "gitlab", ClientKey: "wrong"}, 400, authcore.CodeInvalidClient},
	} {
		_, err := f.Logins.Social(t.Context(), c.login)
		t.Run(name, func(t *testing.T) { wantCode(t, err, c.status, c.code) })
	}
	if len(f.provider.requests) != 1 {
		t.Errorf("the provider received %d codes, want that of the last case only", len(f.provider.requests))
	}
}

func TestRedirectURIIsRequiredIfThereAreSeveral(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Clients[1].Providers = nil })
	f.provider.set("code", authcore.Profile{Subject: "1"})
	request := login.SocialLogin{Provider: "github", Code: "code", ClientKey: "app-key"}
	_, err := f.Logins.Social(t.Context(), request)
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
	request.RedirectURI = "https://app.example/b"
	if _, err := f.Logins.Social(t.Context(), request); err != nil {
		t.Errorf("Social() with a redirect URI failed: %v", err)
	}
}

func TestProviderFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   authcore.Code
	}{
		{authcore.ErrProviderDenied, 400, authcore.CodeProviderDenied},
		{authcore.ErrProviderMismatch, 400, authcore.CodeProviderMismatch},
		{authcore.ErrProviderTimeout, 504, authcore.CodeProviderTimeout},
		{authcore.ErrProviderFailed, 502, authcore.CodeProviderUnavailable},
		{context.DeadlineExceeded, 504, authcore.CodeProviderTimeout},
		{context.Canceled, 503, authcore.CodeUnavailable},
		{errors.New("anything else"), 502, authcore.CodeProviderUnavailable},
	} {
		f := newFixture(t, nil)
		f.provider.fail(fmt.Errorf("<secret words> of the provider: %w", c.err))
		_, err := f.social(authcore.Profile{})
		wantCode(t, err, c.status, c.code)
		if public, ok := errors.AsType[*authcore.Error](err); ok && strings.Contains(public.Detail, "secret words") {
			t.Errorf("detail = %s, want nothing of the provider", public.Detail)
		}
		_, err = f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey})
		wantCode(t, err, c.status, c.code)
		if infos, err := f.Logins.Providers(t.Context(), clientKey); err != nil || len(infos) != 0 {
			t.Errorf("Providers() = %v, %v, want none", infos, err)
		}
	}
}

// A profile without a subject must not be an account that all such profiles share
// (CWE-287), and one that no store keeps is a fault of the provider.
func TestSubjects(t *testing.T) {
	longest := strings.Repeat("é", 512)
	for name, c := range map[string]struct {
		subject, issuer string
		refused         bool
	}{
		"none":                    {"", "", true},
		"the longest":             {longest, longest, false},
		"subject too long":        {longest + "x", "", true},
		"issuer too long":         {"1", longest + "x", true},
		"NUL":                     {"1\x00", "", true},
		"issuer not valid text":   {"1", "\xff", true},
		"issuer like a mark once": {"1", "former x", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			profile := authcore.Profile{Subject: c.subject, Issuer: c.issuer, Email: "ann@example.com", EmailVerified: true}
			grant, err := f.social(profile)
			if c.refused {
				wantCode(t, err, 502, authcore.CodeProviderUnavailable)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if again, err := f.social(profile); err != nil || again.User.ID != grant.User.ID {
				t.Errorf("second Social() = %+v, %v, want user %s", again.User, err, grant.User.ID)
			}
		})
	}
}

func TestProviders(t *testing.T) {
	f := newFixture(t, nil)
	infos, err := f.Logins.Providers(t.Context(), clientKey)
	if err != nil || len(infos) != 1 || infos[0].Name != "github" || infos[0].ClientID != "id" {
		t.Errorf("Providers() = %+v, %v, want github", infos, err)
	}
	if infos, err := f.Logins.Providers(t.Context(), "app-key"); err != nil || len(infos) != 0 {
		t.Errorf("Providers() of the other client = %+v, %v, want none", infos, err)
	}
	_, err = f.Logins.Providers(t.Context(), "wrong")
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

// hanging is a provider whose discovery does not return before its context ends.
type hanging struct{ *fakeProvider }

func (hanging) Endpoint(ctx context.Context) (authcore.Endpoint, error) {
	<-ctx.Done()
	return authcore.Endpoint{}, ctx.Err()
}

// panicking is a provider with a fault.
type panicking struct{ *fakeProvider }

func (panicking) Endpoint(context.Context) (authcore.Endpoint, error) { panic("fault") }

func (panicking) Exchange(context.Context, authcore.ExchangeRequest) (authcore.Profile, error) {
	panic("fault")
}

// A panic of a provider reaches the caller, which answers 500, but the failed login
// is observed.
func TestPanicIsObserved(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Providers = append(c.Providers, panicking{&fakeProvider{name: "d"}})
	})
	defer func() {
		if fault := recover(); fault != "fault" || f.events.names() != "login_failed" {
			t.Errorf("recovered %v, events = %s, want the fault and login_failed", fault, f.events.names())
		}
	}()
	_, _ = f.Logins.Social(t.Context(), login.SocialLogin{Provider: "d", Code: "code", ClientKey: clientKey, Caller: caller})
}

// Providers that hang or panic are left out of the list. The login pages of all
// users wait for it (CWE-400).
func TestProvidersWithFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *realm.Config) {
			for _, name := range []string{"a", "b", "c"} {
				c.Providers = append(c.Providers, hanging{&fakeProvider{name: name}})
			}
			c.Providers = append(c.Providers, panicking{&fakeProvider{name: "d"}})
		})
		began := time.Now()
		infos, err := f.Logins.Providers(t.Context(), clientKey)
		if err != nil || len(infos) != 1 || infos[0].Name != "github" {
			t.Errorf("Providers() = %+v, %v, want github", infos, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("Providers() took %s, want 5s at most", took)
		}
	})
}

func TestAuthorizeBindsTheLogin(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.set("code", authcore.Profile{Subject: "42"})
	state := f.begin(nil)
	if len(state) > 250 || !strings.HasPrefix(state, "ea.") {
		t.Errorf("state = %s, %d characters, want 250 at most", state, len(state))
	}
	if _, err := f.withCode(state); err != nil {
		t.Fatal(err)
	}
	begun, exchanged := f.provider.started[0], f.provider.lastRequest(t)
	challenge := sha256.Sum256([]byte(exchanged.Verifier))
	if begun.Challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) || begun.Nonce != exchanged.Nonce || len(begun.Nonce) != 43 || exchanged.Nonce == exchanged.Verifier {
		t.Errorf("began with %+v, exchanged with %+v, want the same nonce and the verifier of the challenge", begun, exchanged)
	}
	_, err := f.withCode(state)
	wantCode(t, err, 400, authcore.CodeInvalidState) // used
	if n := len(f.provider.requests); n != 1 {
		t.Errorf("the provider received %d codes, want none with a used state", n)
	}
	state = f.begin(nil)
	f.clock.Advance(10 * time.Minute)
	_, err = f.withCode(state)
	wantCode(t, err, 400, authcore.CodeInvalidState) // expired

	// A state of the frontend's own is not checked here.
	grant, err := f.Logins.Social(t.Context(), login.SocialLogin{
		Provider: "github", Code: "code", ClientKey: clientKey, State: "of the frontend", Verifier: "v", Nonce: "n", Caller: caller,
	})
	if err != nil || grant.IsNew {
		t.Errorf("Social() with a foreign state = %+v, %v, want a login", grant, err)
	}
	if last := f.provider.lastRequest(t); last.Verifier != "v" || last.Nonce != "n" {
		t.Errorf("exchanged with %+v, want the frontend's verifier and nonce", last)
	}
}

// A state of another node of the realm is valid, that of another realm is not.
func TestStateOfAnotherNode(t *testing.T) {
	f := newFixture(t, nil)
	state := f.begin(nil)
	node := newFixture(t, func(c *realm.Config) { c.Store = f.store })
	node.provider.set("code", authcore.Profile{Subject: "42"})
	if _, err := node.withCode(state); err != nil {
		t.Errorf("Social() at another node failed: %v", err)
	}
	other := newFixture(t, nil)
	other.provider.set("code", authcore.Profile{Subject: "42"})
	_, err := other.withCode(state)
	wantCode(t, err, 400, authcore.CodeInvalidState)
}
