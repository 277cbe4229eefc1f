package authcore_test

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
)

func TestLoginSocial(t *testing.T) {
	f := newFixture(t, nil)
	profile := authcore.Profile{Subject: "42", FirstName: "Ann", LastName: "Lee", Nickname: "annlee", Email: "ann@example.com", EmailVerified: true}
	login, err := f.social(profile)
	if err != nil {
		t.Fatal(err)
	}
	if !login.IsNew || login.User.Username() != "annlee" || login.User.Name() != "Ann Lee" || login.Session.Method != "github" {
		t.Errorf("login is %+v", login)
	}
	if got := f.provider.requests[0].RedirectURI; got != "https://frontend.app/auth/callback" {
		t.Errorf("redirect URI is %q", got)
	}
	again, err := f.social(profile)
	if err != nil || again.IsNew || again.User.ID != login.User.ID {
		t.Errorf("second login is %+v, %v", again, err)
	}
}

func TestAuthorizeBindsTheLogin(t *testing.T) {
	f := newFixture(t, nil)
	start := func() string {
		t.Helper()
		begun, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
		if err != nil {
			t.Fatal(err)
		}
		return begun.State
	}
	f.provider.profiles["code"] = authcore.Profile{Subject: "42"}
	login := func(state string) error {
		_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
			Provider: "github", Code: "code", ClientKey: clientKey, State: state,
			Verifier: "from the body", Nonce: "from the body", Caller: caller,
		})
		return err
	}
	state := start()
	if err := login(state); err != nil {
		t.Fatal(err)
	}
	begun, exchanged := f.provider.started[0], f.provider.requests[0]
	challenge := sha256.Sum256([]byte(exchanged.Verifier))
	if begun.Challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) || begun.Nonce != exchanged.Nonce || begun.Nonce == "" {
		t.Errorf("began with %+v, exchanged with %+v", begun, exchanged)
	}
	wantCode(t, login(state), 400, authcore.CodeInvalidState) // used

	state = start()
	f.clock.Advance(10 * time.Minute)
	wantCode(t, login(state), 400, authcore.CodeInvalidState) // expired
	wantCode(t, login("ea.forged"), 400, authcore.CodeInvalidState)

	// A state of the frontend's own is its own business.
	if err := login("frontend-state"); err != nil {
		t.Errorf("a foreign state was refused: %v", err)
	}
	if last := f.provider.requests[len(f.provider.requests)-1]; last.Verifier != "from the body" || last.Nonce != "from the body" {
		t.Errorf("exchanged with %+v", last)
	}
}

// A state is good for the client, provider and redirect URI that it was made
// for (RFC 9700, section 4.7; CWE-352).
func TestStateOfAnotherLogin(t *testing.T) {
	other := &fakeProvider{name: "other", profiles: map[string]authcore.Profile{"code": {Subject: "1"}}}
	f := newFixture(t, func(c *authcore.Config) {
		c.Providers = append(c.Providers, other)
		c.Clients[0].RedirectURIs = append(c.Clients[0].RedirectURIs, "https://frontend.app/second")
		c.Clients[1].Providers = nil
	})
	const first = "https://frontend.app/auth/callback"
	for name, use := range map[string]authcore.SocialLogin{
		"client":       {Provider: "github", ClientKey: "app-key", RedirectURI: "https://app.example/a"},
		"provider":     {Provider: "other", ClientKey: clientKey, RedirectURI: first},
		"redirect URI": {Provider: "github", ClientKey: clientKey, RedirectURI: "https://frontend.app/second"},
	} {
		t.Run(name, func(t *testing.T) {
			begun, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, RedirectURI: first})
			if err != nil {
				t.Fatal(err)
			}
			use.Code, use.State = "code", begun.State
			_, err = f.LoginSocial(t.Context(), use)
			wantCode(t, err, 400, authcore.CodeInvalidState)
		})
	}
}

func TestSocialParties(t *testing.T) {
	f := newFixture(t, nil)
	for name, c := range map[string]struct {
		login  authcore.SocialLogin
		status int
		code   authcore.Code
	}{
		"client key":             {authcore.SocialLogin{Provider: "github", ClientKey: "wrong"}, 400, authcore.CodeInvalidClient},
		"unknown provider":       {authcore.SocialLogin{Provider: "gitlab", ClientKey: clientKey}, 404, authcore.CodeNotFound},
		"case of the provider":   {authcore.SocialLogin{Provider: "GitHub", ClientKey: clientKey}, 404, authcore.CodeNotFound},
		"provider not allowed":   {authcore.SocialLogin{Provider: "github", ClientKey: "app-key"}, 404, authcore.CodeNotFound},
		"redirect URI":           {authcore.SocialLogin{Provider: "github", ClientKey: clientKey, RedirectURI: "https://evil.example/"}, 400, authcore.CodeInvalidRequest},
		"code is refused":        {authcore.SocialLogin{Provider: "github", ClientKey: clientKey, Code: "bad"}, 400, authcore.CodeProviderDenied},
		"client key comes first": {authcore.SocialLogin{Provider: "gitlab", ClientKey: "wrong"}, 400, authcore.CodeInvalidClient},
	} {
		_, err := f.LoginSocial(t.Context(), c.login)
		t.Run(name, func(t *testing.T) { wantCode(t, err, c.status, c.code) })
	}
	if len(f.provider.requests) != 1 {
		t.Errorf("%d codes were spent, want that of the last case only", len(f.provider.requests))
	}
}

func TestRedirectURIIsRequiredWhenThereAreSeveral(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Clients[1].Providers = nil })
	f.provider.profiles["code"] = authcore.Profile{Subject: "1"}
	login := authcore.SocialLogin{Provider: "github", Code: "code", ClientKey: "app-key"}
	_, err := f.LoginSocial(t.Context(), login)
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
	login.RedirectURI = "https://app.example/b"
	if _, err := f.LoginSocial(t.Context(), login); err != nil {
		t.Error(err)
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
		f.provider.err = fmt.Errorf("said <secret words>: %w", c.err)
		_, err := f.social(authcore.Profile{})
		wantCode(t, err, c.status, c.code)
		var public *authcore.Error
		if errors.As(err, &public) && strings.Contains(public.Detail, "secret words") {
			t.Errorf("the answer repeats the provider: %s", public.Detail)
		}
		_, err = f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey})
		wantCode(t, err, c.status, c.code)
		if infos, err := f.ProvidersFor(t.Context(), clientKey); err != nil || len(infos) != 0 {
			t.Errorf("providers are %v, %v", infos, err)
		}
	}
}

// A provider that names nobody must not log in everybody (CWE-287).
func TestEmptySubjectIsNobody(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.social(authcore.Profile{Email: "ann@example.com", EmailVerified: true})
	wantCode(t, err, 502, authcore.CodeProviderUnavailable)
}

// An id that some store could not keep is the provider's fault, with every store
// alike, and none of ours: 503 would have people try for ever.
func TestAccountsThatNoStoreKeeps(t *testing.T) {
	longest := strings.Repeat("é", 512)
	for name, c := range map[string]struct {
		subject, issuer string
		refused         bool
	}{
		"the longest":               {longest, longest, false},
		"an id that is too long":    {longest + "x", "", true},
		"an issuer too long":        {"1", longest + "x", true},
		"NUL in an id":              {"1\x00", "", true},
		"an issuer that is no text": {"1", "\xff", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			login, err := f.social(authcore.Profile{Subject: c.subject, Issuer: c.issuer})
			if c.refused {
				wantCode(t, err, 502, authcore.CodeProviderUnavailable)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if again, err := f.social(authcore.Profile{Subject: c.subject, Issuer: c.issuer}); err != nil || again.User.ID != login.User.ID {
				t.Errorf("again: %+v, %v", again.User, err)
			}
		})
	}
}

func TestProvidersFor(t *testing.T) {
	f := newFixture(t, nil)
	infos, err := f.ProvidersFor(t.Context(), clientKey)
	if err != nil || len(infos) != 1 || infos[0].Name != "github" || infos[0].ClientID != "id" {
		t.Errorf("providers are %+v, %v", infos, err)
	}
	if infos, err := f.ProvidersFor(t.Context(), "app-key"); err != nil || len(infos) != 0 {
		t.Errorf("the other client sees %+v, %v", infos, err)
	}
	_, err = f.ProvidersFor(t.Context(), "wrong")
	wantCode(t, err, 400, authcore.CodeInvalidClient)
}

// hanging is a provider that says nothing until nobody waits for it any more.
type hanging struct{ *fakeProvider }

func (hanging) Endpoint(ctx context.Context) (authcore.Endpoint, error) {
	<-ctx.Done()
	return authcore.Endpoint{}, ctx.Err()
}

// Providers that hang are left out of the list soon, and all at once: the login
// page of everybody else waits for it (CWE-400).
func TestProvidersForWithoutThoseThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *authcore.Config) {
			for _, name := range []string{"a", "b", "c"} {
				c.Providers = append(c.Providers, hanging{&fakeProvider{name: name}})
			}
		})
		begun := time.Now()
		infos, err := f.ProvidersFor(t.Context(), clientKey)
		if err != nil || len(infos) != 1 || infos[0].Name != "github" {
			t.Errorf("providers are %+v, %v", infos, err)
		}
		if waited := time.Since(begun); waited > 5*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestLinkIdentity(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	claims := f.claims(ann.Token)
	f.provider.profiles["code"] = authcore.Profile{Subject: "42", Email: "other@example.com", EmailVerified: true}
	link := authcore.SocialLogin{Provider: "github", Code: "code", ClientKey: clientKey, LinkTo: claims}
	login, err := f.LoginSocial(t.Context(), link)
	if err != nil || login.User.ID != ann.User.ID || login.IsNew {
		t.Fatalf("linking: %+v, %v", login, err)
	}
	if _, err := f.LoginSocial(t.Context(), link); err != nil {
		t.Errorf("linking again: %v", err)
	}
	alone, err := f.social(authcore.Profile{Subject: "42"})
	if err != nil || alone.User.ID != ann.User.ID {
		t.Errorf("the linked identity logs in as %+v, %v", alone.User, err)
	}
	link.LinkTo = f.claims(f.loginAs("bob@example.com").Token)
	_, err = f.LoginSocial(t.Context(), link)
	wantCode(t, err, 409, authcore.CodeIdentityTaken)
	if err := f.DeleteUser(t.Context(), link.LinkTo.Subject); err != nil {
		t.Fatal(err)
	}
	_, err = f.LoginSocial(t.Context(), link)
	wantCode(t, err, 403, authcore.CodeUserInactive)
}
