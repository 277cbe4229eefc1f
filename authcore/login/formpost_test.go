package authcore_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	apiURL   = "https://api.example.com/v1/auth"
	bridge   = apiURL + "/social/callback/github/"
	frontend = "https://frontend.app/auth/callback"
)

// bridged is a fixture whose provider posts its answers.
func bridged(t *testing.T, change func(*authcore.Config)) *fixture {
	t.Helper()
	f := newFixture(t, func(c *authcore.Config) {
		c.APIURL = apiURL
		if change != nil {
			change(c)
		}
	})
	f.provider.posts = true
	f.provider.profiles["code"] = authcore.Profile{Subject: "42"}
	return f
}

// begin begins a login and returns its state.
func (f *fixture) begin() string {
	f.t.Helper()
	begun, err := f.Authorize(f.t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, RedirectURI: frontend, Caller: caller})
	if err != nil {
		f.t.Fatal(err)
	}
	return begun.State
}

func (f *fixture) finish(state string) error {
	f.t.Helper()
	_, err := f.LoginSocial(f.t.Context(), authcore.SocialLogin{
		Provider: "github", Code: "code", ClientKey: clientKey, RedirectURI: frontend, State: state, Caller: caller,
	})
	return err
}

func TestBridge(t *testing.T) {
	f := bridged(t, nil)
	state := f.begin()
	if got := f.provider.started[0].RedirectURI; got != bridge {
		t.Errorf("the provider was given %s", got)
	}
	target, err := f.HandOn(t.Context(), authcore.Callback{
		Provider: "github", State: state, Code: "co de&x=1", Issuer: "https://idp.example", User: `{"name":1}`, Caller: caller,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := frontend + "?code=co+de%26x%3D1&iss=https%3A%2F%2Fidp.example&state=" + state
	if target != want {
		t.Errorf("sent on to\n%s, want\n%s", target, want)
	}
	// Coming again changes nothing and spends nothing.
	if _, err := f.HandOn(t.Context(), authcore.Callback{Provider: "github", State: state, Code: "code", User: "later", Caller: caller}); err != nil {
		t.Error(err)
	}
	if err := f.finish(state); err != nil {
		t.Fatal(err)
	}
	if got := f.provider.requests[0]; got.RedirectURI != bridge || got.User != `{"name":1}` || got.Verifier == "" || got.Nonce == "" {
		t.Errorf("exchanged with %+v", got)
	}
	_, err = f.HandOn(t.Context(), authcore.Callback{Provider: "github", State: state, Code: "code", Caller: caller})
	wantCode(t, err, 400, authcore.CodeInvalidState)
}

// An error of the provider is passed on by name, and nothing that could be
// anything else (RFC 6749, section 4.1.2.1; CWE-79).
func TestBridgePassesErrorsOn(t *testing.T) {
	f := bridged(t, nil)
	for said, want := range map[string]string{
		"access_denied":                "access_denied",
		"user_cancelled_authorize":     "user_cancelled_authorize",
		"<script>alert(1)</script>":    "server_error",
		"a b":                          "server_error",
		strings.Repeat("a", 65):        "server_error",
		"access_denied\r\nLocation: x": "server_error",
	} {
		state := f.begin()
		target, err := f.HandOn(t.Context(), authcore.Callback{Provider: "github", State: state, Code: "code", Error: said, Caller: caller})
		if err != nil || target != frontend+"?error="+want+"&state="+state {
			t.Errorf("%q: %s, %v", said, target, err)
		}
	}
}

// A redirect URI may have a query of its own, and need not be a web page.
func TestBridgeKeepsTheRedirectURI(t *testing.T) {
	for uri, begins := range map[string]string{
		"https://frontend.app/cb?a=1": "https://frontend.app/cb?a=1&code=code&state=ea.",
		"https://frontend.app":        "https://frontend.app?code=code&state=ea.",
		"app.example:/callback":       "app.example:/callback?code=code&state=ea.",
		"app.example://cb":            "app.example://cb?code=code&state=ea.",
	} {
		f := bridged(t, func(c *authcore.Config) { c.Clients[0].RedirectURIs = []string{uri} })
		begun, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
		if err != nil {
			t.Fatal(err)
		}
		target, err := f.HandOn(t.Context(), authcore.Callback{Provider: "github", State: begun.State, Code: "code", Caller: caller})
		if err != nil || !strings.HasPrefix(target, begins) {
			t.Errorf("%s: %s, %v", uri, target, err)
		}
		if parsed, err := url.Parse(target); err != nil || parsed.Query().Get("state") != begun.State {
			t.Errorf("%s: %s, %v", uri, target, err)
		}
	}
}

// Nobody is sent anywhere who does not come from a login that was begun here,
// with this provider, and for a page that the client still has: the bridge is no
// open redirect (CWE-601).
func TestBridgeIsNoOpenRedirect(t *testing.T) {
	other := &fakeProvider{name: "other", posts: true}
	f := bridged(t, func(c *authcore.Config) { c.Providers = append(c.Providers, other) })
	good := authcore.Callback{Provider: "github", State: f.begin(), Code: "code", Caller: caller}
	late := f.begin()
	direct := newFixture(t, func(c *authcore.Config) { c.Store, c.APIURL = f.store, apiURL }).begin()
	for name, c := range map[string]struct {
		change func(*authcore.Callback)
		code   authcore.Code
	}{
		"no state":                   {func(c *authcore.Callback) { c.State = "" }, authcore.CodeInvalidState},
		"a state of the frontend's":  {func(c *authcore.Callback) { c.State = "mine" }, authcore.CodeInvalidState},
		"a made-up state":            {func(c *authcore.Callback) { c.State = "ea." + strings.Repeat("A", 43) }, authcore.CodeInvalidState},
		"a URL":                      {func(c *authcore.Callback) { c.State = "ea.https://evil.example" }, authcore.CodeInvalidState},
		"another provider":           {func(c *authcore.Callback) { c.Provider = "other" }, authcore.CodeInvalidState},
		"an unknown provider":        {func(c *authcore.Callback) { c.Provider = "nobody" }, authcore.CodeInvalidState},
		"a login without the bridge": {func(c *authcore.Callback) { c.State = direct }, authcore.CodeInvalidState},
		"neither code nor error":     {func(c *authcore.Callback) { c.Code = "" }, authcore.CodeInvalidRequest},
		"an endless code":            {func(c *authcore.Callback) { c.Code = strings.Repeat("a", 4097) }, authcore.CodeInvalidRequest},
		"an endless issuer":          {func(c *authcore.Callback) { c.Issuer = strings.Repeat("a", 1025) }, authcore.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			back := good
			c.change(&back)
			target, err := f.HandOn(t.Context(), back)
			wantCode(t, err, 400, c.code)
			if target != "" {
				t.Errorf("sent on to %s", target)
			}
		})
	}
	changed := func(change func(*authcore.Config)) error {
		now := newFixture(t, func(c *authcore.Config) {
			c.Store, c.APIURL = f.store, apiURL
			change(c)
		})
		_, err := now.HandOn(t.Context(), good)
		return err
	}
	t.Run("a page that the client has no more", func(t *testing.T) {
		wantCode(t, changed(func(c *authcore.Config) { c.Clients[0].RedirectURIs = []string{"https://frontend.app/new"} }), 400, authcore.CodeInvalidState)
	})
	t.Run("a client that is no more", func(t *testing.T) {
		wantCode(t, changed(func(c *authcore.Config) { c.Clients = c.Clients[1:] }), 400, authcore.CodeInvalidState)
	})
	t.Run("a provider that the client may not use any more", func(t *testing.T) {
		wantCode(t, changed(func(c *authcore.Config) { c.Clients[0].Providers = []string{"other"} }), 400, authcore.CodeInvalidState)
	})
	t.Run("too late", func(t *testing.T) {
		f.clock.Advance(10 * time.Minute)
		_, err := f.HandOn(t.Context(), authcore.Callback{Provider: "github", State: late, Code: "code", Caller: caller})
		wantCode(t, err, 400, authcore.CodeInvalidState)
	})
}

// The name that Apple posts is for display: a long one is dropped, and an error
// brings none.
func TestBridgeKeepsLittle(t *testing.T) {
	for name, back := range map[string]authcore.Callback{
		"long":          {Code: "code", User: strings.Repeat("a", 4097)},
		"with an error": {Error: "access_denied", User: "{}"},
	} {
		f := bridged(t, nil)
		state := f.begin()
		back.Provider, back.State, back.Caller = "github", state, caller
		if _, err := f.HandOn(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		if err := f.finish(state); err != nil {
			t.Fatal(err)
		}
		if got := f.provider.requests[0].User; got != "" {
			t.Errorf("%s: kept %d bytes", name, len(got))
		}
	}
}

func TestBridgeNeedsAnAddress(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.posts = true
	_, err := f.Authorize(t.Context(), authcore.AuthorizeStart{Provider: "github", ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 502, authcore.CodeProviderUnavailable)
}

func TestBridgeIsLimited(t *testing.T) {
	f := bridged(t, func(c *authcore.Config) {
		c.Limits = noLimits()
		c.Limits.AuthorizePerIP = authcore.Rate{N: 2, Window: time.Minute}
	})
	state := f.begin()
	back := authcore.Callback{Provider: "github", State: state, Code: "code", Caller: caller}
	for range 2 {
		if _, err := f.HandOn(t.Context(), back); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.HandOn(t.Context(), back)
	wantCode(t, err, 429, authcore.CodeThrottled)
}
