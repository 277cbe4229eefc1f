package provider

import (
	"maps"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestScopeOpenIDMovesNobody adds the scope openid to a provider that people
// have logged in with, and takes it away again: they are who they were, on the
// public service and on one of one's own.
func TestScopeOpenIDMovesNobody(t *testing.T) {
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
				t.Errorf("%s at %q: got %+v, %v", name, test.base, got, err)
			}
			who[account{got.Issuer, got.Subject}] = true
		}
		if len(who) != 1 {
			t.Errorf("%s at %q: got %v", test.kind, test.base, who)
		}
	}
}

// TestGitLabOfOnesOwnByOpenID confirms addresses unasked here too, and its ID
// tokens are its own.
func TestGitLabOfOnesOwnByOpenID(t *testing.T) {
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
		if err == nil && got != profile {
			t.Errorf("got %+v", got)
		}
	}
}

// TestGitLabHashedSubject refuses servers that are so old that they send a hash
// of the id: it is another person's name for the same account, and changes when
// the server's secret does.
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
			t.Errorf("%s: got %+v", subject, got)
		}
	}
}

// TestGitLabWithNamesInTheUserInfo is a server that puts little into its ID
// tokens, as GitLab did for years.
func TestGitLabWithNamesInTheUserInfo(t *testing.T) {
	row := rowOf(t, "gitlab-openid")
	s := row.script(t)
	for _, claim := range []string{"name", "nickname", "preferred_username", "picture", "profile"} {
		delete(s.claims, claim)
	}
	if got, err := row.login(s); err != nil || got != row.want {
		t.Errorf("got %+v, %v", got, err)
	}
	checkRequest(t, s, "https://gitlab.com/oauth/userinfo", bearer)
}

// TestTwitchTokensOfOthers are ID tokens of Twitch that belong to another
// application, or are none of Twitch's.
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
			t.Errorf("%s: logs in", name)
		}
		wants(t, err, authcore.ErrProviderMismatch)
	}
}
