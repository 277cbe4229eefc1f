package gate

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// refused fails the test unless a token is refused twice for this reason and is not in
// the cache.
func refused(t *testing.T, v *Verifier, token string, want error) {
	t.Helper()
	before := v.cached()
	for range 2 {
		claims, err := v.Verify(token, testNow)
		if claims != nil || !errors.Is(err, want) || !errors.Is(err, ErrInvalidToken) {
			t.Errorf("Verify(%.120q) = %v, %v, want %v", token, claims, err, want)
		}
	}
	if v.cached() != before {
		t.Errorf("Verify(%.120q) put the token into the cache", token)
	}
}

func goodPayload(t *testing.T) string {
	t.Helper()
	payload, err := json.Marshal(testStatement(testClaims()))
	if err != nil {
		t.Fatalf("json.Marshal = %v", err)
	}
	return string(payload)
}

// A token claims to need no signature (RFC 8725, section 2.1; CWE-347).
func TestAlgorithmNone(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	for _, s := range testSigners() {
		for _, none := range []string{"none", "None", "NONE", "nOnE", ""} {
			header := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, none, s.key.ID)
			input := b64(header) + "." + b64(goodPayload(t))
			refused(t, v, input+".", ErrUnknownKey)
			refused(t, v, input, ErrUnknownKey)
		}
	}
	unsigned, err := jwt.New(jwt.SigningMethodNone).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatalf("jwt.New = %v", err)
	}
	refused(t, v, unsigned, ErrUnknownKey)
	header, payload, _ := segments(testSigners()[EdDSA].sign(testClaims()))
	refused(t, v, header+"."+payload+".", ErrMalformed)
	refused(t, v, header+"."+payload, ErrMalformed)
}

// An attacker uses the bytes of the public keys, in every published form, as an HMAC
// secret (RFC 8725, section 2.1).
func TestPublicKeyAsSecret(t *testing.T) {
	v := NewVerifier(testConfig())
	set := testKeySet(t, EdDSA, ES256, RS256)
	v.SetKeys(set)
	for _, key := range set.Keys() {
		der, err := x509.MarshalPKIXPublicKey(key.Public)
		if err != nil {
			t.Fatalf("x509.MarshalPKIXPublicKey = %v", err)
		}
		secrets := [][]byte{
			der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), set.JWKS(), []byte(key.ID), {},
		}
		if public, ok := key.Public.(*rsa.PublicKey); ok {
			secrets = append(secrets, public.N.Bytes(), x509.MarshalPKCS1PublicKey(public))
		}
		for _, secret := range secrets {
			confused := fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"login+jwt"}`, key.ID)
			input := b64(confused) + "." + b64(goodPayload(t))
			refused(t, v, signAs(HS256, secret, input), ErrUnknownKey)
			// With the expected header, an HMAC does not have the right length.
			input = HeaderSegment(key, PurposeLogin) + "." + b64(goodPayload(t))
			refused(t, v, signAs(HS256, secret, input), ErrMalformed)
		}
	}
}

// The header names the algorithm of another key, or a key that did not make the
// signature: signatures of EdDSA and ES256 have the same length.
func TestAlgorithmSwap(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	for _, signs := range algorithms {
		for _, claimed := range algorithms {
			if signs == claimed {
				continue
			}
			signer, other := testSigners()[signs], testSigners()[claimed]
			for _, header := range []string{
				fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, claimed, signer.key.ID),
				fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, signs, other.key.ID),
			} {
				refused(t, v, signer.signText(header, goodPayload(t)), ErrUnknownKey)
			}
			want := ErrMalformed
			if signs != RS256 && signs != HS256 && claimed != RS256 && claimed != HS256 {
				want = ErrSignature
			}
			refused(t, v, signer.signText(other.header(PurposeLogin), goodPayload(t)), want)
		}
	}
	rs := testSigners()[RS256]
	for _, sibling := range []string{"RS384", "RS512", "PS256"} {
		header := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, sibling, rs.key.ID)
		refused(t, v, signAs(sibling, rs.private, b64(header)+"."+b64(goodPayload(t))), ErrUnknownKey)
		refused(t, v, signAs(sibling, rs.private, rs.headerSegment()+"."+b64(goodPayload(t))), ErrSignature)
	}
}

func (s signer) headerSegment() string { return HeaderSegment(s.key, PurposeLogin) }

// Every header but the expected one is refused without interpretation: keys and
// locations of keys, "crit" (RFC 7515, section 4.1), paths and queries in "kid",
// duplicate members, other spellings. All of them have a valid signature here.
func TestHeaders(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	for _, s := range testSigners() {
		alg, kid, jwks := s.key.Algorithm, s.key.ID, string(testKeySet(t, EdDSA).JWKS())
		headers := []string{
			``, `null`, `[]`, `{}`, `"`, `{"alg":` + strings.Repeat("[", 1000),
			fmt.Sprintf(`{"alg":%q}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":"","typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":null,"typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":[%q],"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":"../../../../dev/null","typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":"https://evil.example/key","typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":"%s\u0000","typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":"' OR 1=1 --","typ":"login+jwt"}`, alg),
			fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt","jwk":%s}`, alg, kid, jwks),
			fmt.Sprintf(`{"alg":%q,"jku":"https://evil.example/jwks.json","kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt","x5u":"https://evil.example/x"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt","x5c":["AA"]}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"crit":["exp"],"kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"b64":false,"crit":["b64"],"kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":"none","alg":%q,"kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"alg":"none","kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"alg":%q,"kid":"x","kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"ALG":%q,"kid":%q,"typ":"login+jwt"}`, alg, kid),
			fmt.Sprintf(`{"kid":%q,"alg":%q,"typ":"login+jwt"}`, kid, alg),
			s.header(PurposeLogin) + " ", " " + s.header(PurposeLogin), s.header(PurposeLogin) + "{}",
			strings.Replace(s.header(PurposeLogin), "+", `\u002b`, 1),
			s.header(""), s.header("LOGIN+JWT"), s.header("application/login+jwt"), s.header(PurposeAssertion),
		}
		for _, header := range headers {
			refused(t, v, s.signText(header, goodPayload(t)), ErrUnknownKey)
		}
	}
}

// A token of one purpose is presented for another (RFC 8725, section 2.8).
func TestPurposesAreApart(t *testing.T) {
	s := testSigners()[EdDSA]
	cfg := testConfig()
	cfg.Purpose = PurposeAssertion
	assertions := newTestVerifier(t, cfg)
	login := newTestVerifier(t, testConfig())
	refused(t, assertions, s.sign(testClaims()), ErrUnknownKey)
	assertion := s.signText(s.header(PurposeAssertion), goodPayload(t))
	refused(t, login, assertion, ErrUnknownKey)
	if _, err := assertions.Verify(assertion, testNow); err != nil {
		t.Errorf("assertions.Verify = %v", err)
	}
}

// Another realm signs with its own keys under the IDs of ours.
func TestForgedWithAnotherKey(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	public, private := otherKey(t)
	forger := signer{Key{ID: testSigners()[EdDSA].key.ID, Algorithm: EdDSA, Public: public}, private}
	refused(t, v, forger.sign(testClaims()), ErrSignature)
	forger.key.ID = "another"
	refused(t, v, forger.sign(testClaims()), ErrUnknownKey)
}

// Noise is cheap: it is refused because of its length before it is read.
func TestLongTokens(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	s := testSigners()[HS256]
	claims := testClaims()
	claims.Name = strings.Repeat("x", MaxToken)
	refused(t, v, s.sign(claims), ErrMalformed)
	refused(t, v, strings.Repeat("x", 5000), ErrMalformed)
	refused(t, v, strings.Repeat(".", MaxToken), ErrUnknownKey)
	claims.Name = strings.Repeat("x", 2500)
	token := s.sign(claims)
	if _, err := v.Verify(token, testNow); err != nil || len(token) > MaxToken {
		t.Errorf("Verify(%d bytes) = %v, want no error", len(token), err)
	}
}

// Neither errors nor reasons contain a part of a token.
func TestErrorsHoldNoSecret(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := testSigners()[EdDSA].sign(testClaims())
	header, payload, signature := segments(token)
	for _, text := range []string{token + "x", header + "." + payload + "." + flip(signature), "secret.secret.secret", payload} {
		var p Policy
		d := p.decide(v, Credentials{}, &Request{Now: testNow, Header: Header{"Authorization": []string{"Token " + text}}})
		for _, part := range []string{payload, signature, "secret", "ada@", testUser} {
			if strings.Contains(d.Err.Error()+d.Reason+d.Body, part) {
				t.Errorf("the decision %+v contains %s", d, part)
			}
		}
	}
}
