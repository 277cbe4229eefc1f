package provider

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestIDTokenSignatures forges tokens. The key decides the algorithm, never the
// token (RFC 8725, sections 2.1 and 3.1; CWE-347).
func TestIDTokenSignatures(t *testing.T) {
	keys := testKeys()
	publicPEM := func() []byte {
		der, err := x509.MarshalPKIXPublicKey(&keys.rsa.PublicKey)
		if err != nil {
			t.Fatalf("MarshalPKIXPublicKey() failed: %v", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	reheader := func(header map[string]any) func(map[string]any) string {
		return func(claims map[string]any) string {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
			for name, value := range header {
				token.Header[name] = value
			}
			text, _ := token.SignedString(keys.otherRSA)
			return text
		}
	}
	good := signer(jwt.SigningMethodRS256, keys.rsa, "kid-1")
	none := func(alg string) func(map[string]any) string {
		return func(claims map[string]any) string {
			payload, _ := json.Marshal(claims)
			header := fmt.Sprintf(`{"alg":%q,"kid":"kid-1","typ":"JWT"}`, alg)
			return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
		}
	}
	for _, test := range []struct {
		name string
		sign func(map[string]any) string
		want error
	}{
		{"ours", good, nil},
		{"without kid", signer(jwt.SigningMethodRS256, keys.rsa, ""), nil},
		{"alg none", none("none"), authcore.ErrProviderMismatch},
		{"alg NoNe", none("NoNe"), authcore.ErrProviderMismatch},
		{"alg RS256 without signature", none("RS256"), authcore.ErrProviderMismatch},
		{"HS256 with the public key", signer(jwt.SigningMethodHS256, publicPEM(), "kid-1"), authcore.ErrProviderMismatch},
		{"HS256 with the client secret", signer(jwt.SigningMethodHS256, []byte(testSecret), "kid-1"), authcore.ErrProviderMismatch},
		{"another key under our kid", signer(jwt.SigningMethodRS256, keys.otherRSA, "kid-1"), authcore.ErrProviderMismatch},
		{"another key without kid", signer(jwt.SigningMethodRS256, keys.otherRSA, ""), authcore.ErrProviderMismatch},
		{"an algorithm that was not announced", signer(jwt.SigningMethodPS256, keys.rsa, "kid-1"), authcore.ErrProviderMismatch},
		{"an elliptic key under our kid", signer(jwt.SigningMethodES256, keys.ec, "kid-1"), authcore.ErrProviderMismatch},
		{"a key inside the header", reheader(map[string]any{
			"jwk": jose.JSONWebKey{Key: &keys.otherRSA.PublicKey, KeyID: "kid-1"}, "kid": "kid-1",
		}), authcore.ErrProviderMismatch},
		{"a key set named in the header", reheader(map[string]any{"jku": "https://evil.example/keys"}), authcore.ErrProviderMismatch},
		{"a certificate named in the header", reheader(map[string]any{"x5u": "https://evil.example/cert"}), authcore.ErrProviderMismatch},
		{"an extension that must be understood", func(claims map[string]any) string {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
			token.Header["crit"], token.Header["x"] = []string{"x"}, 1
			text, _ := token.SignedString(keys.rsa)
			return text
		}, authcore.ErrProviderMismatch},
		{"a changed payload", func(claims map[string]any) string {
			parts := strings.Split(good(claims), ".")
			changed := strings.Split(none("RS256")(map[string]any{"sub": "victim"}), ".")
			return parts[0] + "." + changed[1] + "." + parts[2]
		}, authcore.ErrProviderMismatch},
		{"JSON serialization", func(claims map[string]any) string {
			parts := strings.Split(good(claims), ".")
			text, _ := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
			return string(text)
		}, authcore.ErrProviderMismatch},
		{"four parts", func(claims map[string]any) string { return good(claims) + ".e30" }, authcore.ErrProviderMismatch},
		{"no token", func(map[string]any) string { return "None" }, authcore.ErrProviderMismatch},
		{"null for claims", func(map[string]any) string {
			token, _ := (&jwt.Token{Method: jwt.SigningMethodRS256, Header: map[string]any{"alg": "RS256"}, Claims: jwt.MapClaims(nil)}).SignedString(keys.rsa)
			return token
		}, authcore.ErrProviderMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := oidcScript(t)
			s.sign = test.sign
			_, err := s.exchange(s.provider())
			wants(t, err, test.want)
			if s.heard("evil.example") {
				t.Error("a URL in the token's header was requested")
			}
		})
	}
}

// TestAnnouncedAlgorithms accepts announced algorithms that are safe.
func TestAnnouncedAlgorithms(t *testing.T) {
	keys := testKeys()
	for _, test := range []struct {
		announced any
		sign      func(map[string]any) string
		want      error
	}{
		{[]string{"ES256"}, signer(jwt.SigningMethodES256, keys.ec, "kid-1"), nil},
		{[]string{"EdDSA"}, signer(jwt.SigningMethodEdDSA, keys.ed, "kid-1"), nil},
		{[]string{"PS256"}, signer(jwt.SigningMethodPS256, keys.rsa, "kid-1"), nil},
		{[]string{"ES256"}, signer(jwt.SigningMethodRS256, keys.rsa, "kid-1"), nil},
		{[]string{"none", "HS256"}, signer(jwt.SigningMethodHS256, []byte(testSecret), "kid-1"), authcore.ErrProviderMismatch},
		{[]string{"none"}, signer(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "kid-1"), authcore.ErrProviderMismatch},
		{[]string{"RS256"}, signer(jwt.SigningMethodES256, keys.ec, "kid-1"), authcore.ErrProviderMismatch},
		{nil, signer(jwt.SigningMethodES256, keys.ec, "kid-1"), authcore.ErrProviderMismatch},
		{map[string]any{"ES256": true}, signer(jwt.SigningMethodES256, keys.ec, "kid-1"), authcore.ErrProviderMismatch},
	} {
		t.Run(fmt.Sprint(test.announced, test.want == nil), func(t *testing.T) {
			s := oidcScript(t)
			s.announce("id_token_signing_alg_values_supported", test.announced)
			s.answer(s.at.jwks, 200, publicKeys("kid-1", &keys.rsa.PublicKey, &keys.ec.PublicKey, keys.ed.Public()))
			s.sign = test.sign
			_, err := s.exchange(s.provider())
			wants(t, err, test.want)
		})
	}
}

// TestKeySets refuses keys that are not verification keys.
func TestKeySets(t *testing.T) {
	keys := testKeys()
	set := func(change func(*jose.JSONWebKey)) jose.JSONWebKeySet {
		s := publicKeys("kid-1", &keys.rsa.PublicKey)
		change(&s.Keys[0])
		return s
	}
	unknown := fmt.Sprintf(`{"keys":[{"kty":"AKP","kid":"q"},{"kty":"OKP","crv":"Ed448","x":"AA"},1,%s]}`,
		func() []byte { b, _ := json.Marshal(set(func(*jose.JSONWebKey) {}).Keys[0]); return b }())
	among := func(others ...jose.JSONWebKey) jose.JSONWebKeySet {
		s := set(func(*jose.JSONWebKey) {})
		s.Keys = append(others, s.Keys...)
		return s
	}
	var many []jose.JSONWebKey
	for i := range 500 {
		many = append(many, publicKeys(fmt.Sprint("tenant-", i), &keys.otherRSA.PublicKey).Keys...)
	}
	other := publicKeys("kid-1", &keys.otherRSA.PublicKey).Keys[0]
	encryption := other
	encryption.Use, encryption.Algorithm = "enc", "RSA-OAEP"
	nameless := publicKeys("", &keys.otherRSA.PublicKey).Keys[0]
	for _, test := range []struct {
		name string
		body any
		want error
	}{
		{"right", set(func(*jose.JSONWebKey) {}), nil},
		{"the last of many", among(many...), nil},
		{"after another key of the same ID", among(other), nil},
		{"after an encryption key of the same ID", among(encryption), nil},
		{"after a key without an ID", among(nameless), nil},
		{"without an ID", set(func(k *jose.JSONWebKey) { k.KeyID = "" }), nil},
		{"another key without an ID", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{nameless}}, authcore.ErrProviderMismatch},
		{"another ID", set(func(k *jose.JSONWebKey) { k.KeyID = "kid-2" }), authcore.ErrProviderMismatch},
		{"among unknown keys", unknown, nil},
		{"for encryption", set(func(k *jose.JSONWebKey) { k.Use = "enc" }), authcore.ErrProviderFailed},
		{"for another algorithm", set(func(k *jose.JSONWebKey) { k.Algorithm = "PS256" }), authcore.ErrProviderMismatch},
		{"weak", set(func(k *jose.JSONWebKey) { k.Key = &keys.weakRSA.PublicKey }), authcore.ErrProviderFailed},
		{"symmetric", `{"keys":[{"kty":"oct","kid":"kid-1","k":"c2VjcmV0LTEtbmV2ZXItc2hvd24"}]}`, authcore.ErrProviderFailed},
		{"private", set(func(k *jose.JSONWebKey) { k.Key = keys.rsa }), authcore.ErrProviderFailed},
		{"none", `{"keys":[]}`, authcore.ErrProviderFailed},
		{"null", `{"keys":null}`, authcore.ErrProviderFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := oidcScript(t)
			s.answer(s.at.jwks, 200, test.body)
			_, err := s.exchange(s.provider())
			wants(t, err, test.want)
		})
	}
}

// TestUnknownKeyFlood presents ID tokens with made-up key ids, sequentially and
// concurrently. The keys are fetched once per interval (CWE-405).
func TestUnknownKeyFlood(t *testing.T) {
	s := oidcScript(t)
	p := s.provider()
	if _, err := s.exchange(p); err != nil {
		t.Fatalf("exchange() failed: %v", err)
	}
	var made atomic.Int64
	s.sign = func(claims map[string]any) string {
		kid := fmt.Sprint("made-up-", made.Add(1))
		return signer(jwt.SigningMethodRS256, testKeys().otherRSA, kid)(claims)
	}
	flood := func() {
		var logins sync.WaitGroup
		for range 20 {
			logins.Go(func() {
				_, err := p.(authcore.IDTokenVerifier).VerifyIDToken(t.Context(), authcore.IDTokenRequest{IDToken: s.sign(s.claims), Nonce: s.nonce})
				if err == nil {
					t.Error("a forged token was accepted")
				}
			})
		}
		logins.Wait()
	}
	flood()
	if n := len(s.to(s.at.jwks)); n != 1 {
		t.Errorf("number of fetches in the first interval = %d, want 1", n)
	}
	s.clock.advance(loadInterval)
	flood()
	flood()
	if n := len(s.to(s.at.jwks)); n != 2 {
		t.Errorf("number of fetches in two intervals = %d, want 2", n)
	}
}

// TestKeyRotation finds a new key, and distinguishes unavailable keys from a forged
// token.
func TestKeyRotation(t *testing.T) {
	s := oidcScript(t)
	p := s.provider()
	if _, err := s.exchange(p); err != nil {
		t.Fatalf("exchange() failed: %v", err)
	}
	s.sign = signer(jwt.SigningMethodRS256, testKeys().otherRSA, "kid-2")
	s.answer(s.at.jwks, 500, `{}`)
	s.clock.advance(loadInterval)
	s.once.Clear()
	_, err := s.exchange(p)
	wants(t, err, authcore.ErrProviderFailed)

	s.answer(s.at.jwks, 200, publicKeys("kid-2", &testKeys().otherRSA.PublicKey))
	s.clock.advance(loadInterval)
	s.once.Clear()
	if _, err := s.exchange(p); err != nil {
		t.Errorf("exchange() failed: %v", err)
	}

	// The withdrawn key is no longer trusted.
	s.sign = signer(jwt.SigningMethodRS256, testKeys().rsa, "kid-1")
	s.once.Clear()
	_, err = s.exchange(p)
	wants(t, err, authcore.ErrProviderMismatch)
}
