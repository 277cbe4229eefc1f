package provider

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// labelled makes an address answer with a body under any media type.
func (s *script) labelled(address string, status int, mediaType, body string) {
	s.handle(address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{mediaType}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// wantsAlso checks that an error wraps another one.
func wantsAlso(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error = %v, want %v", what, err, want)
	}
}

// signer2 signs with the second key.
func signer2(kid string) func(map[string]any) string {
	return signer(jwt.SigningMethodRS256, testKeys().otherRSA, kid)
}

// TestSignedUserInfo reads user info that is a signed JWT, and refuses one that is
// for another client or not signed by the provider (OpenID Connect Core 1.0, section
// 5.3.2; CWE-347).
func TestSignedUserInfo(t *testing.T) {
	user := func(changes map[string]any) map[string]any {
		claims := map[string]any{"iss": testIssuer, "aud": testID, "sub": "subject-1", "email": "ada@example.com", "email_verified": true}
		for name, value := range changes {
			claims[name] = value
		}
		return claims
	}
	good := signer(jwt.SigningMethodRS256, testKeys().rsa, "kid-1")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good(user(nil)), ".")[1] + "."
	for _, test := range []struct {
		name, body string
		want       error
	}{
		{"signed", good(user(nil)), nil},
		{"signed, with a line feed", good(user(nil)) + "\n", nil},
		{"signed for several", good(user(map[string]any{"aud": []string{"other", testID}})), nil},
		{"signed without issuer and audience", good(map[string]any{"sub": "subject-1", "email": "ada@example.com", "email_verified": true}), nil},
		{"signed for another client", good(user(map[string]any{"aud": "client-2"})), authcore.ErrProviderMismatch},
		{"signed by another issuer", good(user(map[string]any{"iss": "https://evil.example"})), authcore.ErrProviderMismatch},
		{"about another user", good(user(map[string]any{"sub": "subject-2"})), authcore.ErrProviderMismatch},
		{"signed by another key", signer(jwt.SigningMethodRS256, testKeys().otherRSA, "kid-1")(user(nil)), authcore.ErrProviderFailed},
		{"signed with the public key as a secret", signer(jwt.SigningMethodHS256, []byte("secret"), "kid-1")(user(nil)), authcore.ErrProviderFailed},
		{"unsigned", unsigned, authcore.ErrProviderFailed},
		{"encrypted", "e30.AA.AA.AA.AA", authcore.ErrProviderFailed},
	} {
		for _, label := range []string{"application/jwt", "application/json", "text/plain"} {
			s := oidcScript(t)
			s.labelled(s.at.userInfo, 200, label, test.body)
			got, err := s.exchange(s.provider())
			wants(t, err, test.want)
			if err == nil && (got.Email != "ada@example.com" || !got.EmailVerified) {
				t.Errorf("Exchange() with %s user info = %+v, want the address", test.name, got)
			}
		}
	}
	s := githubScript(t)
	s.labelled(s.at.userInfo, 200, "application/jwt", good(user(nil)))
	_, err := s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderFailed)
}

// TestKeysWithFaultyMembers keeps a key whose unused members are not valid.
func TestKeysWithFaultyMembers(t *testing.T) {
	rsaKey := func(changes map[string]any) map[string]any {
		public := testKeys().rsa.PublicKey
		key := map[string]any{
			"kty": "RSA", "kid": "kid-1", "use": "sig", "alg": "RS256",
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		}
		for name, value := range changes {
			key[name] = value
		}
		return key
	}
	public := testKeys().rsa.PublicKey
	for _, test := range []struct {
		name    string
		changes map[string]any
		usable  bool
	}{
		{"certificate of a wrong type", map[string]any{"x5c": "MIIB"}, true},
		{"certificate that is not one", map[string]any{"x5c": []string{"AAAA"}}, true},
		{"thumbprint of a wrong length", map[string]any{"x5t": "AA", "x5t#S256": 1}, true},
		{"address of a certificate", map[string]any{"x5u": ":"}, true},
		{"times and others", map[string]any{"iat": "x", "exp": []int{1}, "ext": "true"}, true},
		{"operations", map[string]any{"key_ops": []string{"verify"}}, true},
		{"operations as text", map[string]any{"key_ops": "verify"}, true},
		{"other operations", map[string]any{"key_ops": []string{"encrypt"}}, false},
		{"use of a wrong type", map[string]any{"use": []string{"sig"}}, true},
		{"for encryption", map[string]any{"use": "enc"}, false},
		{"padded base64", map[string]any{"n": base64.URLEncoding.EncodeToString(public.N.Bytes())}, true},
		{"base64 with another alphabet", map[string]any{"n": base64.StdEncoding.EncodeToString(public.N.Bytes())}, true},
		{"a private key", map[string]any{"d": "AQAB"}, false},
		{"no modulus", map[string]any{"n": nil}, false},
	} {
		body, err := json.Marshal(map[string]any{"keys": []any{rsaKey(test.changes)}})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := readKeys(body)
		if (err == nil) != test.usable || err == nil && len(keys) != 1 {
			t.Errorf("readKeys() with %s = %d keys, %v, want usable %t", test.name, len(keys), err, test.usable)
		}
	}
}

// TestShortCoordinates pads coordinates without their leading zeros.
func TestShortCoordinates(t *testing.T) {
	members := map[string]any{"crv": "P-256", "x": "AQ", "y": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}
	padCoordinates(members)
	for _, name := range []string{"x", "y"} {
		raw, err := base64.RawURLEncoding.DecodeString(members[name].(string))
		if err != nil || len(raw) != 32 {
			t.Errorf("padCoordinates() made %s of %d bytes, %v, want 32", name, len(raw), err)
		}
	}
}
