package provider

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// checkProfile checks the guarantees of sanitize.
func checkProfile(t *testing.T, raw authcore.Profile) {
	t.Helper()
	got, err := sanitize(raw)
	if err != nil {
		if !errors.Is(err, authcore.ErrProviderFailed) {
			t.Fatalf("the error %v wraps no ErrProvider error", err)
		}
		return
	}
	if got.Subject == "" || got.Subject != raw.Subject || len(got.Subject) > maxSubject {
		t.Errorf("sanitize() changed subject %q to %q", raw.Subject, got.Subject)
	}
	if got.EmailVerified && (got.Email == "" || !raw.EmailVerified) {
		t.Errorf("sanitize() = %+v, verified without reason", got)
	}
	if got.AvatarURL != "" && !strings.HasPrefix(got.AvatarURL, "https://") {
		t.Errorf("avatar = %q, want https", got.AvatarURL)
	}
	for _, text := range []string{got.Subject, got.Email, got.FirstName, got.LastName, got.Nickname, got.AvatarURL} {
		if len(text) > maxAvatar || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("name %q contains controls", text)
		}
	}
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, authcore.ErrProviderFailed) {
		t.Errorf("the error %v wraps no ErrProvider error", err)
	}
}

func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"1","email":"a@example.com","email_verified":"true","name":"Ada Lovelace","picture":"https://a.example/"}`,
		`{"sub":"1","given_name":"\u202eAda","family_name":"\u0000","preferred_username":"\ud800"}`,
		`{"sub":null,"email":[]}`, `null`, `{"sub":" "}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		claims, ok := parseObject(data)
		if !ok {
			return
		}
		profile, err := readClaims(claims)
		checkFault(t, err)
		if err == nil {
			checkProfile(t, profile)
		}
	})
}

func FuzzGitHubUser(f *testing.F) {
	for _, seed := range []string{
		`{"id":9007199254740993,"login":"ada","name":"Ada Lovelace","avatar_url":"https://a.example/"}`,
		`{"id":"1"}`, `{"id":1e3}`, `[]`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		profile, err := readGitHubUser(data)
		checkFault(t, err)
		if err == nil {
			checkProfile(t, profile)
		}
	})
}

func FuzzGitHubEmails(f *testing.F) {
	for _, seed := range []string{
		`[{"email":"a@example.com","primary":true,"verified":true}]`, `[{"primary":true}]`, `[null]`, `null`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		email, verified, more, err := readGitHubEmails(data)
		checkFault(t, err)
		if verified && email == "" || more && email != "" {
			t.Errorf("readGitHubEmails() = %q, %v, %v", email, verified, more)
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/a","token_endpoint":"https://idp.example/t",
		"jwks_uri":"https://idp.example/k","token_endpoint_auth_methods_supported":["client_secret_post"],
		"id_token_signing_alg_values_supported":["ES256","none"]}`))
	f.Add([]byte(`{"issuer":"https://idp.example","authorization_endpoint":"javascript:1"}`))
	p, err := newProvider(generalOIDC(), Config{Name: "oidc", ClientID: "a", ClientSecret: "b", Issuer: testIssuer}, Deps{})
	if err != nil {
		f.Fatalf("newProvider() failed: %v", err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := p.readDiscovery(data)
		checkFault(t, err)
		if err != nil {
			return
		}
		for _, address := range []string{md.authorize, md.token, md.jwks} {
			if !strings.HasPrefix(strings.ToLower(address), "https://") || checkURL(address, false) != nil {
				t.Errorf("unsafe endpoint %q", address)
			}
		}
		for _, algorithm := range md.algorithms {
			if algorithm == "none" || strings.HasPrefix(string(algorithm), "HS") {
				t.Errorf("unsafe algorithm %s", algorithm)
			}
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","n":"AA","e":"AQAB"},null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := readKeys(data)
		checkFault(t, err)
		for i := range keys {
			if !keys[i].IsPublic() || !keys[i].Valid() {
				t.Errorf("key %d is not public", i)
			}
		}
		if err == nil && (len(keys) == 0 || len(keys) > maxKeys) {
			t.Errorf("readKeys() returned %d keys", len(keys))
		}
	})
}

// canned returns the same response to every request.
type canned struct{ body []byte }

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r}, nil
}

// FuzzUserInfo parses a user info response with each kind.
func FuzzUserInfo(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		seed, err := os.ReadFile(file)
		if err != nil {
			f.Fatalf("ReadFile() failed: %v", err)
		}
		f.Add(seed)
	}
	all := rows()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, row := range all {
			s := row.spec()
			cfg := row.cfg
			cfg.Name, cfg.Kind, cfg.ClientID, cfg.TrustAddresses = "fuzzed", row.kind, testID, []string{"*"}
			if !s.noSecret {
				cfg.ClientSecret = testSecret
			}
			p, err := newProvider(s, cfg, Deps{Transport: canned{data}})
			if err != nil {
				t.Fatalf("newProvider() failed: %v", err)
			}
			md := metadata{endpoints: endpoints{userInfo: "https://idp.example/userinfo"}}
			g := &grant{provider: p, metadata: md, token: &tokens{access: testAccess}, user: string(data)}
			if s.openID() && !s.appTokensOnly {
				g.claims, _ = parseObject(data)
			}
			profile, err := g.profile(t.Context())
			switch {
			case err == nil:
				checkProfile(t, profile)
			case errors.Is(err, authcore.ErrProviderFailed), errors.Is(err, authcore.ErrProviderDenied), errors.Is(err, authcore.ErrProviderMismatch):
			default:
				t.Errorf("%s: the error %v wraps no ErrProvider error", row.name(), err)
			}
		}
	})
}
