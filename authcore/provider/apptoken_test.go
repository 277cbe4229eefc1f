package provider

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// verify presents an application's ID token. changes replaces claims; absent
// removes one.
func (s *script) verify(t *testing.T, nonce string, changes map[string]any) (authcore.Profile, error) {
	t.Helper()
	verifier, ok := s.provider().(authcore.IDTokenVerifier)
	if !ok {
		t.Fatalf("%s does not verify ID tokens", s.cfg.Name)
	}
	claims := maps.Clone(s.claims)
	delete(claims, "at_hash")
	delete(claims, "nonce")
	for name, value := range changes {
		if claims[name] = value; value == absent {
			delete(claims, name)
		}
	}
	return verifier.VerifyIDToken(t.Context(), authcore.IDTokenRequest{IDToken: s.sign(claims), Nonce: nonce})
}

// TestAppTokenKinds lists the kinds that implement IDTokenVerifier.
func TestAppTokenKinds(t *testing.T) {
	want := map[string]bool{
		"apple-id": true, "auth0": true, "azuread-oauth2": true, "facebook": true, "google-oauth2": true,
		"keycloak": true, "oidc": true, "okta-openidconnect": true,
	}
	forEach(t, func(t *testing.T, r *recorded) {
		if _, got := r.script(t).provider().(authcore.IDTokenVerifier); got != want[r.kind] {
			t.Errorf("kinds that verify ID tokens = %v", got)
		}
	})
}

// TestAppTokens logs in with the ID token of an application.
func TestAppTokens(t *testing.T) {
	for _, kind := range []string{"apple-id", "auth0", "azuread-oauth2", "google-oauth2", "keycloak"} {
		t.Run(kind, func(t *testing.T) {
			row := rowOf(t, kind)
			s := row.script(t)
			s.cfg.Audiences = []string{"com.example.ios"}
			want := row.want
			if kind == "apple-id" { // the name is not in the token
				want.FirstName, want.LastName = "", ""
			}
			for _, audience := range []any{testID, "com.example.ios", []string{"com.example.ios"}} {
				got, err := s.verify(t, "nonce-2", map[string]any{"aud": audience, "azp": absent, "nonce": "nonce-2"})
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("verify() =\n%+v, %v, want\n%+v", got, err, want)
				}
			}
			if s.at.userInfo != "" && len(s.to(s.at.userInfo)) > 0 {
				t.Error("the user info was requested without an access token")
			}
		})
	}
}

// TestAppTokenAlone uses claims only: without an access token the user info is not
// available.
func TestAppTokenAlone(t *testing.T) {
	for kind, want := range map[string]authcore.Profile{
		"oidc":               {Issuer: testIssuer, Subject: "subject-1"},
		"okta-openidconnect": unverified(ada("https://example.okta.com/oauth2/default", "00uid4BxXw6I6TV4m0g3")),
	} {
		s := rowOf(t, kind).script(t)
		got, err := s.verify(t, "", nil)
		if err != nil || !reflect.DeepEqual(got, want) || len(s.to(s.at.userInfo)) > 0 {
			t.Errorf("%s: verify() = %+v, %v", kind, got, err)
		}
	}
}

// TestAppTokenOfAppleWithName uses the name that accompanies the token.
func TestAppTokenOfAppleWithName(t *testing.T) {
	s := rowOf(t, "apple-id").script(t)
	verifier := s.provider().(authcore.IDTokenVerifier)
	for user, want := range map[string][2]string{
		`{"name":{"firstName":"Ada","lastName":"Lovelace"}}`:      {"Ada", "Lovelace"},
		`{"name":{"firstName":["Ada"],"lastName":7},"email":"x"}`: {"", ""},
		`{"name":"Ada"}`: {"", ""}, `["name"]`: {"", ""}, `{`: {"", ""}, "": {"", ""},
	} {
		delete(s.claims, "nonce")
		delete(s.claims, "at_hash")
		got, err := verifier.VerifyIDToken(t.Context(), authcore.IDTokenRequest{IDToken: s.sign(s.claims), User: user})
		if err != nil || got.FirstName != want[0] || got.LastName != want[1] || got.Email != "ada@example.com" {
			t.Errorf("%s: VerifyIDToken() = %+v, %v", user, got, err)
		}
	}
}

// TestAppTokenAttacks presents ID tokens that were issued for another login or
// application. Another application of the same provider receives tokens about the
// same users, and its operator could log in as them (CWE-346; OpenID Connect Core
// 1.0, section 3.1.3.7).
func TestAppTokenAttacks(t *testing.T) {
	hash := sha256Of("nonce-2")
	for _, test := range []struct {
		name    string
		nonce   string
		changes map[string]any
		want    error
	}{
		{"no nonce on either side", "", nil, nil},
		{"the nonce", "nonce-2", map[string]any{"nonce": "nonce-2"}, nil},
		{"its hash, as some SDKs send it", "nonce-2", map[string]any{"nonce": hash}, nil},
		{"its hash in upper case", "nonce-2", map[string]any{"nonce": strings.ToUpper(hash)}, authcore.ErrProviderMismatch},
		{"another nonce", "nonce-2", map[string]any{"nonce": "nonce-3"}, authcore.ErrProviderMismatch},
		{"the hash for a nonce", hash, map[string]any{"nonce": "nonce-2"}, authcore.ErrProviderMismatch},
		{"a nonce that the token lacks", "nonce-2", nil, authcore.ErrProviderMismatch},
		{"a nonce that the application does not know", "", map[string]any{"nonce": "nonce-2"}, authcore.ErrProviderMismatch},
		{"the hash of no nonce", "", map[string]any{"nonce": sha256Of("")}, authcore.ErrProviderMismatch},
		{"a nonce of a wrong type", "1", map[string]any{"nonce": 1}, authcore.ErrProviderFailed},
		{"an app of ours", "", map[string]any{"aud": "app-1"}, nil},
		{"an app of ours that presents a token for the server", "", map[string]any{"azp": "app-1"}, nil},
		{"a foreign app", "", map[string]any{"aud": "app-2"}, authcore.ErrProviderMismatch},
		{"a foreign app that presents a token for us", "", map[string]any{"azp": "app-2"}, authcore.ErrProviderMismatch},
		{"no audience", "", map[string]any{"aud": absent}, authcore.ErrProviderMismatch},
		{"another provider", "", map[string]any{"iss": "https://evil.example"}, authcore.ErrProviderMismatch},
		{"an old token", "", map[string]any{"iat": testTime.Add(-maxAge - time.Second).Unix()}, authcore.ErrProviderMismatch},
		{"an expired token", "", map[string]any{"exp": testTime.Unix()}, authcore.ErrProviderMismatch},
		{"no subject", "", map[string]any{"sub": absent}, authcore.ErrProviderFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := googleScript(t)
			s.cfg.Audiences = []string{"app-1"}
			_, err := s.verify(t, test.nonce, test.changes)
			wants(t, err, test.want)
		})
	}
	t.Run("not signed by the provider", func(t *testing.T) {
		s := googleScript(t)
		s.sign = signer(jwt.SigningMethodRS256, testKeys().otherRSA, "kid-1")
		_, err := s.verify(t, "", nil)
		wants(t, err, authcore.ErrProviderMismatch)
	})
	t.Run("no token at all", func(t *testing.T) {
		verifier := googleScript(t).provider().(authcore.IDTokenVerifier)
		for _, text := range []string{"", "None", strings.Repeat("a", maxIDToken+1)} {
			_, err := verifier.VerifyIDToken(t.Context(), authcore.IDTokenRequest{IDToken: text})
			wants(t, err, authcore.ErrProviderMismatch)
		}
	})
}

// TestCodeFlowTakesNoAppAudience redeems a code for an ID token that was issued to
// an application: the code belongs to another client (RFC 9700, section 4.4).
func TestCodeFlowTakesNoAppAudience(t *testing.T) {
	s := googleScript(t)
	s.cfg.Audiences = []string{"app-1"}
	s.claims["aud"], s.claims["azp"] = "app-1", "app-1"
	_, err := s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderMismatch)
}

// TestFacebookLimitedLogin accepts an ID token, which the code flow does not
// return. Both identify the same user.
func TestFacebookLimitedLogin(t *testing.T) {
	row := rowOf(t, "facebook")
	s := row.script(t)
	limited := s.docs["limited"].(map[string]any)
	s.withIDTokens(limited["iss"].(string)).claim(limited)
	got, err := s.verify(t, "nonce-2", map[string]any{"nonce": "nonce-2"})
	if err != nil || !reflect.DeepEqual(got, row.want) {
		t.Errorf("verify() =\n%+v, %v, want\n%+v", got, err, row.want)
	}
	got, err = s.verify(t, "", map[string]any{"email_verified": true})
	if err != nil || got.EmailVerified {
		t.Errorf("verify() = %+v, %v, want an unverified address", got, err)
	}
}
