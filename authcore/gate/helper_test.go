package gate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	testIssuer   = "https://auth.example.com"
	testAudience = "example.com"

	testUser    = "0b0e8f5e-6c0a-4d0e-9d55-1f4a5a1d9c01"
	testToken   = "3f1d2c4b-5a69-4788-97a6-b5c4d3e2f102"
	testSession = "9c8b7a69-5847-4635-a241-302f1e0d0c03"
)

var algorithms = []string{EdDSA, ES256, RS256, HS256}

// testNow is the time in these tests.
var testNow = time.Unix(1_800_000_000, 0)

// signer is a key of the issuer.
type signer struct {
	key     Key
	private any
}

// testSigners makes one key of each algorithm, once, because RSA keys take long.
var testSigners = sync.OnceValue(func() map[string]signer {
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	secret := make([]byte, 32)
	_, err = rand.Read(secret)
	must(err)
	signers := map[string]signer{
		EdDSA: {Key{Algorithm: EdDSA, Public: edPublic}, edPrivate},
		ES256: {Key{Algorithm: ES256, Public: &ec.PublicKey}, ec},
		RS256: {Key{Algorithm: RS256, Public: &pair.PublicKey}, pair},
		HS256: {Key{Algorithm: HS256, Public: secret}, secret},
	}
	for name, s := range signers {
		s.key.ID, err = Thumbprint(s.key.Public)
		must(err)
		signers[name] = s
	}
	return signers
})

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// signText signs the two segments with the key's own algorithm.
func (s signer) signText(header, payload string) string {
	return signAs(s.key.Algorithm, s.private, b64(header)+"."+b64(payload))
}

// signAs signs with any algorithm of golang-jwt.
func signAs(algorithm string, private any, input string) string {
	signature, err := jwt.GetSigningMethod(algorithm).Sign(input, private)
	must(err)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// header returns the JSON of the header that the verifier expects of the key.
func (s signer) header(purpose Purpose) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":%q}`, s.key.Algorithm, s.key.ID, purpose)
}

// sign makes a login token.
func (s signer) sign(claims Claims) string {
	return s.signStatement(testStatement(claims))
}

func (s signer) signStatement(statement Statement) string {
	payload, err := json.Marshal(statement)
	must(err)
	return s.signText(s.header(PurposeLogin), string(payload))
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func testStatement(claims Claims) Statement {
	return Statement{Issuer: testIssuer, Audience: testAudience, Claims: claims}
}

// testClaims are the claims of a valid token.
func testClaims() Claims {
	return Claims{
		Subject: testUser, ID: testToken, Session: testSession,
		IssuedAt: testNow.Unix() - 60, ExpiresAt: testNow.Unix() + 3600, AuthTime: testNow.Unix() - 120,
		Client: "web", Method: "link", AMR: []string{"mail"}, ACR: "1",
		Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace",
	}
}

// distinct returns a valid token that differs from those of other numbers.
func (s signer) distinct(n int) string {
	claims := testClaims()
	claims.ID = fmt.Sprintf("3f1d2c4b-5a69-4788-97a6-%012x", n)
	claims.Session = fmt.Sprintf("9c8b7a69-5847-4635-a241-%012x", n)
	return s.sign(claims)
}

func testConfig() VerifierConfig {
	return VerifierConfig{Issuer: testIssuer, Audience: testAudience, Purpose: PurposeLogin, CacheSize: 64}
}

// newTestVerifier returns a verifier with the keys of all algorithms.
func newTestVerifier(tb testing.TB, cfg VerifierConfig) *Verifier {
	tb.Helper()
	v := NewVerifier(cfg)
	v.SetKeys(testKeySet(tb, algorithms...))
	return v
}

func testKeySet(tb testing.TB, algorithms ...string) *KeySet {
	tb.Helper()
	keys := make([]Key, 0, len(algorithms))
	for _, algorithm := range algorithms {
		keys = append(keys, testSigners()[algorithm].key)
	}
	set, err := NewKeySet(keys...)
	if err != nil {
		tb.Fatalf("NewKeySet = %v", err)
	}
	return set
}

// cached returns the number of tokens in the cache.
func (v *Verifier) cached() int {
	n := 0
	for i := range v.cache.buckets {
		for j := range v.cache.buckets[i].slots {
			if v.cache.buckets[i].slots[j].entry.Load() != nil {
				n++
			}
		}
	}
	return n
}

func segments(token string) (header, payload, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

// otherKey makes an Ed25519 key that no verifier has.
func otherKey(tb testing.TB) (ed25519.PublicKey, ed25519.PrivateKey) {
	tb.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatalf("ed25519.GenerateKey = %v", err)
	}
	return public, private
}
