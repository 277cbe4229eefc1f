package login_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

const callbackURI = apiURL + "/social/callback/github/"

// withFormPost returns a fixture whose provider posts its responses.
func withFormPost(t *testing.T, change func(*realm.Config)) *fixture {
	t.Helper()
	f := newFixture(t, func(c *realm.Config) {
		c.APIURL = apiURL + "/"
		if change != nil {
			change(c)
		}
	})
	f.provider.posts = true
	f.provider.set("code", authcore.Profile{Subject: "42"})
	return f
}

func (f *fixture) formPost(c login.Callback) (string, error) {
	c.Provider, c.Caller = "github", caller
	return f.Logins.FormPost(f.t.Context(), c)
}

func TestFormPost(t *testing.T) {
	f := withFormPost(t, nil)
	state := f.begin(nil)
	if got := f.provider.started[0].RedirectURI; got != callbackURI {
		t.Errorf("redirect URI of the provider = %s, want %s", got, callbackURI)
	}
	target, err := f.formPost(login.Callback{State: state, Code: "co de&x=1", Issuer: "https://idp.example", User: `{"name":1}`})
	if err != nil {
		t.Fatal(err)
	}
	if want := frontend + "?code=co+de%26x%3D1&iss=https%3A%2F%2Fidp.example&state=" + state; target != want {
		t.Errorf("FormPost() = %s, want %s", target, want)
	}
	// A second post changes nothing and uses nothing up.
	if _, err := f.formPost(login.Callback{State: state, Code: "code", User: "later"}); err != nil {
		t.Errorf("second FormPost() failed: %v", err)
	}
	if _, err := f.withCode(state); err != nil {
		t.Fatal(err)
	}
	if got := f.provider.lastRequest(t); got.RedirectURI != callbackURI || got.User != `{"name":1}` || got.Verifier == "" || got.Nonce == "" {
		t.Errorf("exchanged with %+v, want the callback URI and the first user", got)
	}
	_, err = f.formPost(login.Callback{State: state, Code: "code", User: "{}"})
	wantCode(t, err, 400, authcore.CodeInvalidState)
	if n := len(f.store.puts); n != 1 {
		t.Errorf("%d records were stored, want one user", n)
	}
}

// A callback without the name stores nothing.
func TestFormPostStoresTheUserOnly(t *testing.T) {
	for name, c := range map[string]login.Callback{
		"no user":       {Code: "code"},
		"long user":     {Code: "code", User: strings.Repeat("a", 4097)},
		"with an error": {Error: "access_denied", User: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			f := withFormPost(t, nil)
			c.State = f.begin(nil)
			if _, err := f.formPost(c); err != nil {
				t.Fatal(err)
			}
			if n := len(f.store.puts); n != 0 {
				t.Errorf("%d records were stored, want none", n)
			}
			if _, err := f.withCode(c.State); err != nil || f.provider.lastRequest(t).User != "" {
				t.Errorf("Social() failed or had a user: %v", err)
			}
		})
	}
}

// An error code of the provider is passed on if it is one (RFC 6749, section
// 4.1.2.1; CWE-79).
// A native application is redirected to the port on which it listens (RFC 8252,
// section 7.3).
func TestFormPostToLoopbackPort(t *testing.T) {
	f := withFormPost(t, func(c *realm.Config) { c.Clients[0].RedirectURIs = []string{"http://127.0.0.1/cb"} })
	const page = "http://127.0.0.1:51234/cb"
	begun, err := f.Logins.Authorize(t.Context(), login.AuthorizeStart{
		Provider: "github", ClientKey: clientKey, RedirectURI: page, Caller: caller,
	})
	if err != nil {
		t.Fatalf("Authorize() = %v, want a state", err)
	}
	target, err := f.formPost(login.Callback{State: begun.State, Code: "code"})
	if err != nil || !strings.HasPrefix(target, page+"?code=code&") {
		t.Errorf("FormPost() = %s, %v, want the page %s", target, err, page)
	}
}

func TestFormPostErrors(t *testing.T) {
	f := withFormPost(t, nil)
	for sent, want := range map[string]string{
		"access_denied":                "access_denied",
		"user_cancelled_authorize":     "user_cancelled_authorize",
		"<script>alert(1)</script>":    "server_error",
		"a b":                          "server_error",
		strings.Repeat("a", 65):        "server_error",
		"access_denied\r\nLocation: x": "server_error",
	} {
		state := f.begin(nil)
		target, err := f.formPost(login.Callback{State: state, Code: "code", Error: sent})
		if err != nil || target != frontend+"?error="+want+"&state="+state {
			t.Errorf("FormPost(error %q) = %s, %v, want error %s", sent, target, err, want)
		}
	}
}

// A redirect URI may have a query, and need not be a web page.
func TestFormPostKeepsTheRedirectURI(t *testing.T) {
	for uri, begins := range map[string]string{
		"https://frontend.app/cb?a=1": "https://frontend.app/cb?a=1&code=code&state=ea.",
		"https://frontend.app":        "https://frontend.app?code=code&state=ea.",
		"app.example:/callback":       "app.example:/callback?code=code&state=ea.",
		"app.example://cb":            "app.example://cb?code=code&state=ea.",
	} {
		f := withFormPost(t, func(c *realm.Config) { c.Clients[0].RedirectURIs = []string{uri} })
		begun, err := f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
		if err != nil {
			t.Fatal(err)
		}
		target, err := f.formPost(login.Callback{State: begun.State, Code: "code"})
		if err != nil || !strings.HasPrefix(target, begins) {
			t.Errorf("FormPost() for %s = %s, %v, want %s…", uri, target, err, begins)
		}
		if parsed, err := url.Parse(target); err != nil || parsed.Query().Get("state") != begun.State {
			t.Errorf("FormPost() for %s = %s, %v, want the state", uri, target, err)
		}
	}
}

// The callback redirects only for a login that began here, with this provider, and
// to a page that the client still has (CWE-601).
func TestHardeningFormPostIsNotAnOpenRedirect(t *testing.T) {
	f := withFormPost(t, func(c *realm.Config) { c.Providers = append(c.Providers, &fakeProvider{name: "other", posts: true}) })
	good := login.Callback{Provider: "github", State: f.begin(nil), Code: "code", Caller: caller}
	direct := newFixture(t, func(c *realm.Config) { c.Store, c.APIURL = f.store, apiURL }).begin(nil)
	for name, c := range map[string]struct {
		change func(*login.Callback)
		code   authcore.Code
	}{
		"no state":                   {func(c *login.Callback) { c.State = "" }, authcore.CodeInvalidState},
		"state of the frontend":      {func(c *login.Callback) { c.State = "mine" }, authcore.CodeInvalidState},
		"made-up state":              {func(c *login.Callback) { c.State = "ea." + strings.Repeat("A", 43) }, authcore.CodeInvalidState},
		"URL":                        {func(c *login.Callback) { c.State = "ea.https://evil.example" }, authcore.CodeInvalidState},
		"another provider":           {func(c *login.Callback) { c.Provider = "other" }, authcore.CodeInvalidState},
		"unknown provider":           {func(c *login.Callback) { c.Provider = "none" }, authcore.CodeInvalidState},
		"login without the callback": {func(c *login.Callback) { c.State = direct }, authcore.CodeInvalidState},
		"neither code nor error":     {func(c *login.Callback) { c.Code = "" }, authcore.CodeInvalidRequest},
		"endless code":               {func(c *login.Callback) { c.Code = strings.Repeat("a", 4097) }, authcore.CodeInvalidRequest},
		"endless issuer":             {func(c *login.Callback) { c.Issuer = strings.Repeat("a", 1025) }, authcore.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			callback := good
			c.change(&callback)
			target, err := f.Logins.FormPost(t.Context(), callback)
			wantCode(t, err, 400, c.code)
			if target != "" {
				t.Errorf("FormPost() = %s, want no address", target)
			}
		})
	}
	for name, change := range map[string]func(*realm.Config){
		"removed page":               func(c *realm.Config) { c.Clients[0].RedirectURIs = []string{"https://frontend.app/new"} },
		"removed client":             func(c *realm.Config) { c.Clients = c.Clients[1:] },
		"provider taken from client": func(c *realm.Config) { c.Clients[0].Providers = []string{"other"} },
		"removed provider":           func(c *realm.Config) { c.Providers = nil },
	} {
		t.Run(name, func(t *testing.T) {
			now := newFixture(t, func(c *realm.Config) {
				c.Store, c.APIURL = f.store, apiURL
				change(c)
			})
			_, err := now.Logins.FormPost(t.Context(), good)
			wantCode(t, err, 400, authcore.CodeInvalidState)
		})
	}
	f.clock.Advance(10 * time.Minute)
	_, err := f.Logins.FormPost(t.Context(), good)
	wantCode(t, err, 400, authcore.CodeInvalidState)
}

func TestFormPostNeedsAnAddress(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.posts = true
	_, err := f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 502, authcore.CodeProviderUnavailable)
}

func TestFormPostIsLimited(t *testing.T) {
	f := withFormPost(t, func(c *realm.Config) { c.Limits.AuthorizePerIP = ratelimit.Rate{N: 2, Window: time.Minute} })
	callback := login.Callback{State: f.begin(nil), Code: "code"}
	for range 2 {
		if _, err := f.formPost(callback); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.formPost(callback)
	wantCode(t, err, 429, authcore.CodeThrottled)
}

func TestFormPostWhileTheStoreIsDown(t *testing.T) {
	f := withFormPost(t, nil)
	callback := login.Callback{State: f.begin(nil), Code: "code", User: "{}"}
	for _, method := range []string{"Record", "PutRecord"} {
		f.store.failing(func(called string, _ int) (error, bool) {
			if called == method {
				return errDown, false
			}
			return nil, false
		})
		_, err := f.formPost(callback)
		wantCode(t, err, 503, authcore.CodeUnavailable)
	}
	f.store.failing(nil)
	if _, err := f.formPost(callback); err != nil {
		t.Errorf("FormPost() after the failure failed: %v", err)
	}
}

func TestValidateAPIURL(t *testing.T) {
	for text, valid := range map[string]bool{
		"https://api.example.com/v1/auth": true,
		"http://localhost:8080/v1/auth":   true,
		"http://127.0.0.1/v1/auth":        true,
		"http://[::1]/v1/auth":            true,
		"":                                true,
		"http://api.example.com/v1/auth":  false,
		"https://api.example.com/?x=1":    false,
		"https://api.example.com/#x":      false,
		"https://u@api.example.com/":      false,
		"api.example.com":                 false,
		"https://":                        false,
	} {
		if err := login.ValidateAPIURL(text, nil); (err == nil) != valid {
			t.Errorf("ValidateAPIURL(%q) = %v, want valid %t", text, err, valid)
		}
	}
}
