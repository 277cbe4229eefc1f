package login_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// A state is valid for the client, provider and redirect URI that it was made for
// (RFC 9700, section 4.7; CWE-352).
func TestHardeningStateOfAnotherLogin(t *testing.T) {
	const second = "https://frontend.app/second"
	f := newFixture(t, func(c *realm.Config) {
		c.Providers = append(c.Providers, &fakeProvider{name: "other", profiles: map[string]authcore.Profile{"code": {Subject: "1"}}})
		c.Clients[0].RedirectURIs = append(c.Clients[0].RedirectURIs, second)
		c.Clients[1].Providers, c.Clients[1].RedirectURIs = nil, append(c.Clients[1].RedirectURIs, frontend)
	})
	for name, use := range map[string]login.SocialLogin{
		"client":       {Provider: "github", ClientKey: "app-key", RedirectURI: frontend},
		"provider":     {Provider: "other", ClientKey: clientKey, RedirectURI: frontend},
		"redirect URI": {Provider: "github", ClientKey: clientKey, RedirectURI: second},
	} {
		t.Run(name, func(t *testing.T) {
			use.Code, use.State = "code", f.begin(nil)
			_, err := f.Logins.Social(t.Context(), use)
			wantCode(t, err, 400, authcore.CodeInvalidState)
		})
	}
	if n := len(f.provider.requests); n != 0 {
		t.Errorf("the provider received %d codes, want none", n)
	}
}

// Only a state that was sealed here, for this purpose, is accepted, in the one form
// in which it was made (CWE-345).
func TestHardeningForgedStates(t *testing.T) {
	f := newFixture(t, nil)
	state := f.begin(nil)
	other, err := f.Keys.Seal("other", make([]byte, 81))
	if err != nil {
		t.Fatal(err)
	}
	short, err := f.Keys.Seal("state", make([]byte, 80))
	if err != nil {
		t.Fatal(err)
	}
	flags := make([]byte, 81)
	flags[0], flags[32] = 0x7f, 0xff
	unknown, err := f.Keys.Seal("state", flags)
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{
		"ea.", "ea.forged", "ea." + strings.Repeat("A", len(state)-3), "ea." + strings.Repeat("A", 100_000),
		state + "=", state + "A", state[:len(state)-1], "ea." + state, "ea." + other, "ea." + short, "ea." + unknown,
	}
	for i := 3; i < len(state); i++ { // each character is authenticated
		changed := byte('A')
		if state[i] == changed {
			changed = 'B'
		}
		forged = append(forged, state[:i]+string(changed)+state[i+1:])
	}
	f.provider.set("code", authcore.Profile{Subject: "42"})
	for _, text := range forged {
		_, err := f.withCode(text)
		wantCode(t, err, 400, authcore.CodeInvalidState)
	}
	if n := len(f.provider.requests); n != 0 {
		t.Errorf("the provider received %d codes, want none", n)
	}
	if _, err := f.withCode(state); err != nil {
		t.Errorf("Social() with the state itself failed: %v", err)
	}
}

// A flood of begun logins costs no memory and no disk, and ends no login of another
// user (CWE-770).
func TestHardeningAuthorizeStoresNothing(t *testing.T) {
	f := newFixture(t, nil)
	before := f.begin(nil)
	f.store.failing(nil)
	for range 20_000 {
		f.begin(nil)
	}
	if calls := f.store.counts(); len(calls) != 0 {
		t.Errorf("store calls = %v, want none", calls)
	}
	items, _, err := f.store.Export(t.Context(), "", f.Now())
	if err != nil || len(items) > 2 {
		t.Errorf("the store has %d items, %v, want the keys only", len(items), err)
	}
	f.provider.set("code", authcore.Profile{Subject: "42"})
	if _, err := f.withCode(before); err != nil {
		t.Errorf("Social() with the state from before failed: %v", err)
	}
}

// A state works once, also in simultaneous requests with different codes.
func TestHardeningStateWorksOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.set("code", authcore.Profile{Subject: "42"})
	state := f.begin(nil)
	var won atomic.Int32
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := f.withCode(state)
			if err == nil {
				won.Add(1)
				return
			}
			if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Code != authcore.CodeInvalidState {
				t.Errorf("Social() failed with %v, want invalid_state", err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d logins with one state, want 1", won.Load())
	}
}

// Used states are remembered as long as they could be used.
func TestHardeningUsedStatesExpireWithTheState(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.set("code", authcore.Profile{Subject: "42"})
	state := f.begin(nil)
	f.clock.Advance(5 * time.Minute)
	if _, err := f.withCode(state); err != nil {
		t.Fatal(err)
	}
	claims := f.store.steps[0].Claims
	want := f.clock.Now().Add(5 * time.Minute)
	if len(claims) != 1 || !claims[0].Expires.Equal(want) {
		t.Errorf("claims = %+v, want one that expires at %s", claims, want)
	}
	f.clock.Advance(5*time.Minute - time.Second)
	_, err := f.withCode(state)
	wantCode(t, err, 400, authcore.CodeInvalidState)
}

// A look-alike of a registered redirect URI would send the code to an attacker (RFC
// 9700, section 4.1; CWE-601).
func TestHardeningRedirectURIs(t *testing.T) {
	f := newFixture(t, nil)
	f.provider.set("code", authcore.Profile{Subject: "1"})
	for _, uri := range []string{
		frontend + "/", frontend + "?x=1", frontend + "#x", frontend + "/../evil", frontend + "\x00", " " + frontend, frontend + " ",
		"https://frontend.app/auth%2fcallback", "https://frontend.app//auth/callback", "https://FRONTEND.app/auth/callback",
		"HTTPS://frontend.app/auth/callback", "http://frontend.app/auth/callback", "https://frontend.app:443/auth/callback",
		"https://frontend.app.evil.example/auth/callback", "https://sub.frontend.app/auth/callback",
		"https://frontend.app@evil.example/auth/callback", "https://evil.example\\@frontend.app/auth/callback",
		"https://frontend.app\t/auth/callback", "//frontend.app/auth/callback", "/auth/callback",
	} {
		_, err := f.Logins.Social(t.Context(), login.SocialLogin{Provider: "github", Code: "code", ClientKey: clientKey, RedirectURI: uri})
		wantCode(t, err, 400, authcore.CodeInvalidRequest)
		_, err = f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey, RedirectURI: uri})
		wantCode(t, err, 400, authcore.CodeInvalidRequest)
	}
	if len(f.provider.requests)+len(f.provider.started) > 0 {
		t.Error("the provider was called with a redirect URI that is not registered")
	}
}
