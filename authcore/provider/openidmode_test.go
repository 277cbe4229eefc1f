package provider

import (
	"maps"
	"reflect"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestScopeOpenIDKeepsIdentities adds and removes the scope openid: identities are
// the same, at the public service and at a self-hosted one.
func TestScopeOpenIDKeepsIdentities(t *testing.T) {
	for _, test := range []struct{ kind, base, issuer string }{
		{"twitch", "", ""},
		{"gitlab", "", ""},
		{"gitlab", "https://gitlab.com/", ""},
		{"gitlab", "https://git.example/sub/", "https://git.example/sub"},
	} {
		type account struct{ issuer, subject string }
		who := map[account]bool{}
		for _, name := range []string{test.kind, test.kind + "-openid"} {
			row := rowOf(t, name)
			row.cfg.BaseURL = test.base
			s := row.script(t)
			if test.issuer != "" && s.claims != nil {
				s.claims["iss"] = test.issuer
			}
			got, err := row.login(s)
			if err != nil || got.Issuer != test.issuer {
				t.Errorf("%s at %q: login() = %+v, %v", name, test.base, got, err)
			}
			who[account{got.Issuer, got.Subject}] = true
		}
		if len(who) != 1 {
			t.Errorf("%s at %q: identities = %v, want one", test.kind, test.base, who)
		}
	}
}

// TestSelfHostedGitLabByOpenID verifies no addresses, and accepts only its own ID
// tokens.
func TestSelfHostedGitLabByOpenID(t *testing.T) {
	for issuer, want := range map[string]error{
		"https://git.example":  nil,
		"https://gitlab.com":   authcore.ErrProviderMismatch,
		"https://git.example/": authcore.ErrProviderMismatch,
		"":                     authcore.ErrProviderMismatch,
	} {
		row := rowOf(t, "gitlab-openid")
		row.cfg.Name, row.cfg.BaseURL = "git", "https://git.example"
		s := row.script(t)
		s.claims["iss"] = issuer
		got, err := row.login(s)
		wants(t, err, want)
		profile := unverified(row.want)
		profile.Issuer = "https://git.example"
		if err == nil && !reflect.DeepEqual(got, profile) {
			t.Errorf("login() = %+v", got)
		}
	}
}

// TestGitLabHashedSubject refuses old servers whose subject is a hash of the id: it
// is another identifier of the same account, and changes with the server's secret.
func TestGitLabHashedSubject(t *testing.T) {
	for subject, want := range map[string]error{
		"1":                    nil,
		"18446744073709551615": nil,
		"18446744073709551616": authcore.ErrProviderFailed,
		"01":                   authcore.ErrProviderFailed,
		"+1":                   authcore.ErrProviderFailed,
		"-1":                   authcore.ErrProviderFailed,
		"1e3":                  authcore.ErrProviderFailed,
		"d5b5e4d7a0f3c1b2968778695a4b3c2d1e0f112233445566778899aabbccddee": authcore.ErrProviderFailed,
	} {
		row := rowOf(t, "gitlab-openid")
		s := row.script(t)
		s.claims["sub"] = subject
		got, err := row.login(s)
		wants(t, err, want)
		if err == nil && got.Subject != subject {
			t.Errorf("%s: login() = %+v", subject, got)
		}
	}
}

// TestGitLabWithNamesInTheUserInfo covers servers with few claims in their ID
// tokens, as in older versions of GitLab.
func TestGitLabWithNamesInTheUserInfo(t *testing.T) {
	row := rowOf(t, "gitlab-openid")
	s := row.script(t)
	for _, claim := range []string{"name", "nickname", "preferred_username", "picture", "profile"} {
		delete(s.claims, claim)
	}
	if got, err := row.login(s); err != nil || !reflect.DeepEqual(got, row.want) {
		t.Errorf("login() = %+v, %v", got, err)
	}
	checkRequest(t, s, "https://gitlab.com/oauth/userinfo", bearer)
}

// TestTwitchTokensOfOthers presents ID tokens of another application or another
// issuer.
func TestTwitchTokensOfOthers(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"another application": {"aud": "client-2"},
		"for another one":     {"azp": "client-2"},
		"another issuer":      {"iss": "https://id.twitch.tv"},
		"another login":       {"nonce": "nonce-2"},
		"no nonce":            {"nonce": nil},
		"another token":       {"at_hash": accessHash("access-2")},
		"expired":             {"exp": testTime.Unix()},
	} {
		row := rowOf(t, "twitch-openid")
		s := row.script(t)
		maps.Copy(s.claims, claims)
		_, err := row.login(s)
		if err == nil {
			t.Errorf("%s: the login succeeded", name)
		}
		wants(t, err, authcore.ErrProviderMismatch)
	}
}
