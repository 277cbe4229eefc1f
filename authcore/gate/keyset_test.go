package gate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func TestNewKeySetRefuses(t *testing.T) {
	ed, ec, rs := testSigners()[EdDSA].key, testSigners()[ES256].key, testSigners()[RS256].key
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatalf("ecdsa.GenerateKey = %v", err)
	}
	n := rs.Public.(*rsa.PublicKey).N
	tests := []struct {
		name string
		keys []Key
	}{
		{"no id", []Key{{Algorithm: EdDSA, Public: ed.Public}}},
		{"long id", []Key{{ID: strings.Repeat("x", 256), Algorithm: EdDSA, Public: ed.Public}}},
		{"blank in the id", []Key{{ID: "a b", Algorithm: EdDSA, Public: ed.Public}}},
		{"id not ASCII", []Key{{ID: "é", Algorithm: EdDSA, Public: ed.Public}}},
		{"id twice", []Key{ed, {ID: ed.ID, Algorithm: ES256, Public: ec.Public}}},
		{"no algorithm", []Key{{ID: "1", Public: ed.Public}}},
		{"none", []Key{{ID: "1", Algorithm: "none", Public: ed.Public}}},
		{"other algorithm", []Key{{ID: "1", Algorithm: "RS512", Public: rs.Public}}},
		{"no key", []Key{{ID: "1", Algorithm: EdDSA}}},
		{"Ed25519 for ES256", []Key{{ID: "1", Algorithm: ES256, Public: ed.Public}}},
		{"ECDSA for EdDSA", []Key{{ID: "1", Algorithm: EdDSA, Public: ec.Public}}},
		{"public key for HS256", []Key{{ID: "1", Algorithm: HS256, Public: ed.Public}}},
		{"private Ed25519 key", []Key{{ID: "1", Algorithm: EdDSA, Public: testSigners()[EdDSA].private}}},
		{"short Ed25519 key", []Key{{ID: "1", Algorithm: EdDSA, Public: ed.Public.(ed25519.PublicKey)[:31]}}},
		{"P-384", []Key{{ID: "1", Algorithm: ES256, Public: &p384.PublicKey}}},
		{"nil ECDSA key", []Key{{ID: "1", Algorithm: ES256, Public: (*ecdsa.PublicKey)(nil)}}},
		{"ECDSA key without point", []Key{{ID: "1", Algorithm: ES256, Public: &ecdsa.PublicKey{Curve: elliptic.P256()}}}},
		{"nil RSA key", []Key{{ID: "1", Algorithm: RS256, Public: (*rsa.PublicKey)(nil)}}},
		{"RSA key without modulus", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{E: 65537}}}},
		{"RSA 2040", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: new(big.Int).Rsh(n, 8), E: 65537}}}},
		{"RSA 8200", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: new(big.Int).Lsh(n, 8200-2048), E: 65537}}}},
		{"RSA exponent 1", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: n, E: 1}}}},
		{"RSA even exponent", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: n, E: 65538}}}},
		{"RSA even modulus", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: new(big.Int).Lsh(n, 1), E: 65537}}}},
		{"RSA negative modulus", []Key{{ID: "1", Algorithm: RS256, Public: &rsa.PublicKey{N: new(big.Int).Neg(n), E: 65537}}}},
		{"short secret", []Key{{ID: "1", Algorithm: HS256, Public: make([]byte, 31)}}},
		{"secret as text", []Key{{ID: "1", Algorithm: HS256, Public: strings.Repeat("s", 32)}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := NewKeySet(test.keys...); err == nil {
				t.Errorf("NewKeySet(%v) succeeded, want an error", test.keys)
			}
		})
	}
}

// Anyone can make signatures for a point of low order: with S = 0 and R the neutral
// element, the equation holds for one message in order(A) (CWE-347).
func TestLowOrderKeysCanBeForgedAndAreRefused(t *testing.T) {
	points := []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1
	for _, point := range points {
		key, err := hex.DecodeString(point)
		if err != nil {
			t.Fatalf("hex.DecodeString = %v", err)
		}
		forged := false
		for i := 0; i < 256 && !forged; i++ {
			forged = ed25519.Verify(key, fmt.Appendf(nil, "message %d", i), signature)
		}
		if !forged {
			t.Errorf("no forgery was found for %s, want one", point)
		}
		if _, err := NewKeySet(Key{ID: "1", Algorithm: EdDSA, Public: ed25519.PublicKey(key)}); err == nil {
			t.Errorf("NewKeySet(%s) succeeded, want an error", point)
		}
	}
}

func TestKeySetIsImmutable(t *testing.T) {
	s := testSigners()[HS256]
	secret := bytes.Clone(s.key.Public.([]byte))
	public := *testSigners()[RS256].key.Public.(*rsa.PublicKey)
	public.N = new(big.Int).Set(public.N)
	set, err := NewKeySet(
		Key{ID: s.key.ID, Algorithm: HS256, Public: secret},
		Key{ID: testSigners()[RS256].key.ID, Algorithm: RS256, Public: &public},
	)
	if err != nil {
		t.Fatalf("NewKeySet = %v", err)
	}
	v := NewVerifier(testConfig())
	v.SetKeys(set)
	before := set.JWKS()
	clear(secret)
	public.N.SetInt64(1)
	public.E = 3
	set.JWKS()[0] = 'x'
	set.Keys()[0] = Key{}
	for _, algorithm := range []string{HS256, RS256} {
		if _, err := v.Verify(testSigners()[algorithm].sign(testClaims()), testNow); err != nil {
			t.Errorf("Verify(%s token) = %v, want no error", algorithm, err)
		}
	}
	if !bytes.Equal(set.JWKS(), before) || set.Keys()[0].ID != s.key.ID {
		t.Error("a change of the arguments or results changed the set")
	}
}

func TestJWKS(t *testing.T) {
	set := testKeySet(t, algorithms...)
	var document struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(set.JWKS(), &document); err != nil {
		t.Fatalf("json.Unmarshal = %v", err)
	}
	if len(document.Keys) != 3 {
		t.Fatalf("got %d keys, want all but the HS256 secret", len(document.Keys))
	}
	for i, algorithm := range []string{EdDSA, ES256, RS256} {
		key := document.Keys[i]
		if key["alg"] != algorithm || key["use"] != "sig" || key["kid"] != testSigners()[algorithm].key.ID {
			t.Errorf("JWKS has the key %v, want one of %s", key, algorithm)
		}
	}
	if secret := b64(string(testSigners()[HS256].key.Public.([]byte))); bytes.Contains(set.JWKS(), []byte(secret)) {
		t.Error("JWKS contains the secret")
	}
	if !bytes.Equal(set.JWKS(), testKeySet(t, algorithms...).JWKS()) {
		t.Error("JWKS of equal sets differ")
	}
	parsed, err := ParseJWKS(set.JWKS())
	if err != nil {
		t.Fatalf("ParseJWKS = %v", err)
	}
	if !bytes.Equal(parsed.JWKS(), set.JWKS()) {
		t.Errorf("ParseJWKS(JWKS()) =\n%s\nwant\n%s", parsed.JWKS(), set.JWKS())
	}
	empty, err := NewKeySet()
	if err != nil || string(empty.JWKS()) != `{"keys":[]}` {
		t.Errorf("JWKS of an empty set = %s, %v, want no keys", empty.JWKS(), err)
	}
}

// The key of RFC 8037, appendix A.3, and the one of RFC 7638, section 3.1.
func TestThumbprintOfPublishedKeys(t *testing.T) {
	tests := []struct{ jwks, want string }{
		{
			`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
			"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		},
		{
			`{"keys":[{"kty":"RSA","alg":"RS256","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}]}`,
			"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		},
	}
	for _, test := range tests {
		set, err := ParseJWKS([]byte(test.jwks))
		if err != nil {
			t.Fatalf("ParseJWKS = %v", err)
		}
		if got := set.Keys()[0].ID; got != test.want {
			t.Errorf("the ID of the parsed key is %s, want %s", got, test.want)
		}
	}
}

func TestThumbprintOfSecret(t *testing.T) {
	secret := testSigners()[HS256].key.Public.([]byte)
	one, err := Thumbprint(secret)
	if err != nil || len(one) != 43 {
		t.Fatalf("Thumbprint(secret) = %q, %v, want 43 characters", one, err)
	}
	if other, _ := Thumbprint(append(bytes.Clone(secret), 0)); other == one {
		t.Error("Thumbprint of two secrets is equal")
	}
	for _, guessable := range []string{string(secret), `{"k":"` + b64(string(secret)) + `","kty":"oct"}`} {
		if sum := sha256.Sum256([]byte(guessable)); b64(string(sum[:])) == one {
			t.Error("Thumbprint is a common hash of the secret")
		}
	}
	for _, unknown := range []any{
		nil, "text", testSigners()[RS256].private,
		(*ecdsa.PublicKey)(nil), &ecdsa.PublicKey{}, &ecdsa.PublicKey{Curve: elliptic.P256()},
		(*rsa.PublicKey)(nil), &rsa.PublicKey{},
	} {
		if _, err := Thumbprint(unknown); err == nil {
			t.Errorf("Thumbprint(%T) succeeded, want an error", unknown)
		}
	}
}

func TestParseJWKS(t *testing.T) {
	const ed = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	const ec = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	modulus := testSigners()[RS256].key.Public.(*rsa.PublicKey).N.Bytes()
	tests := []struct {
		name, document string
		keys           int // 0: an error
	}{
		{"one", `{"keys":[{` + ed + `,"kid":"1"}]}`, 1},
		{"two kinds", `{"keys":[{` + ed + `,"kid":"1"},{` + ec + `,"kid":"2","alg":"ES256","use":"sig"}]}`, 2},
		{"other members", `{"x":[1,{"y":null}],"keys":[{` + ed + `,"kid":"1","key_ops":["verify"],"n1":-1.5e3}],"z":true}`, 1},
		{"blanks", " {\n\"keys\" :\t[ {" + ed + ",\"kid\" : \"1\"} ] }\r\n", 1},
		{"unknown type in addition", `{"keys":[{"kty":"new"},{` + ed + `}]}`, 1},
		{"unknown curve in addition", `{"keys":[{"kty":"OKP","crv":"Ed448","x":"AA"},{` + ed + `}]}`, 1},
		{"other algorithm in addition", `{"keys":[{` + ec + `,"alg":"ECDH-ES"},{` + ed + `}]}`, 1},
		{"encryption key in addition", `{"keys":[{` + ec + `,"use":"enc"},{` + ed + `}]}`, 1},
		{"nothing usable", `{"keys":[{` + ec + `,"use":"enc"}]}`, 0},
		{"no keys", `{"keys":[]}`, 0},
		{"keys missing", `{}`, 0},
		{"keys null", `{"keys":null}`, 0},
		{"keys an object", `{"keys":{}}`, 0},
		{"key a string", `{"keys":["x"]}`, 0},
		{"a bare key", `{` + ed + `}`, 0},
		{"an array", `[{` + ed + `}]`, 0},
		{"nothing", ``, 0},
		{"cut off", `{"keys":[{` + ed + `}]`, 0},
		{"more after the end", `{"keys":[{` + ed + `}]}{}`, 0},
		{"keys twice", `{"keys":[{` + ed + `}],"keys":[{` + ed + `}]}`, 0},
		{"member twice", `{"keys":[{` + ed + `,"kid":"1","kid":"2"}]}`, 0},
		{"member twice, once escaped", `{"keys":[{` + ed + `,"kid":"1","\u006bid":"2"}]}`, 0},
		{"id twice", `{"keys":[{` + ed + `,"kid":"1"},{` + ec + `,"kid":"1"}]}`, 0},
		{"member of a wrong type", `{"keys":[{` + ed + `,"kid":1}]}`, 0},
		{"private Ed25519 key", `{"keys":[{` + ed + `,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`, 0},
		{"private member of a wrong type", `{"keys":[{` + ed + `,"d":1}]}`, 0},
		{"private key of an unknown kind", `{"keys":[{` + ed + `},{"kty":"new","d":"AA"}]}`, 0},
		{"RSA prime", `{"keys":[{` + ed + `,"p":"AA"}]}`, 0},
		{"secret in disguise", `{"keys":[{` + ed + `,"k":"AA"}]}`, 0},
		{"secret", `{"keys":[{` + ed + `},{"kty":"oct","k":"AA"}]}`, 0},
		{"secret of no value", `{"keys":[{` + ed + `},{"kty":"oct"}]}`, 0},
		{"Ed25519 key too short", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`, 0},
		{"padding", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]}`, 0},
		{"stray bits", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"}]}`, 0},
		{"line feed in a value", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n"}]}`, 0},
		{"low order", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`, 0},
		{"not on the curve", strings.Replace(`{"keys":[{`+ec+`}]}`, `"x":"f`, `"x":"g`, 1), 0},
		{"short coordinate", `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`, 0},
		{"RSA key too short", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, 0},
		{"RSA", `{"keys":[{"kty":"RSA","n":"` + b64(string(modulus)) + `","e":"AQAB"}]}`, 1},
		{"RSA leading zero in n", `{"keys":[{"kty":"RSA","n":"` + b64("\x00"+string(modulus)) + `","e":"AQAB"}]}`, 0},
		{"RSA leading zero in e", `{"keys":[{"kty":"RSA","n":"` + b64(string(modulus)) + `","e":"AAEAAQ"}]}`, 0},
		{"RSA no e", `{"keys":[{"kty":"RSA","n":"` + b64(string(modulus)) + `"}]}`, 0},
		{"RSA long exponent", `{"keys":[{"kty":"RSA","n":"` + b64(string(modulus)) + `","e":"AQAAAAE"}]}`, 0},
		{"RSA big exponent", `{"keys":[{"kty":"RSA","n":"` + b64(string(modulus)) + `","e":"_____w"}]}`, 0},
		{"too long", `{"keys":[{` + ed + `}]}` + strings.Repeat(" ", maxJWKS), 0},
		{"too deep", `{"x":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `,"keys":[{` + ed + `}]}`, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, err := ParseJWKS([]byte(test.document))
			if test.keys == 0 {
				if err == nil {
					t.Error("ParseJWKS succeeded, want an error")
				}
				return
			}
			if err != nil || len(set.Keys()) != test.keys {
				t.Errorf("ParseJWKS = %v, %v, want %d keys", set, err, test.keys)
			}
		})
	}
}

func FuzzParseJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	f.Add([]byte(`{"a":[{"b":-1.5e+7}],"keys":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := ParseJWKS(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Errorf("ParseJWKS(%q) succeeded, but it is not JSON", data)
		}
		again, err := ParseJWKS(set.JWKS())
		if err != nil || !bytes.Equal(again.JWKS(), set.JWKS()) {
			t.Errorf("ParseJWKS(%q) does not survive a round trip: %v", data, err)
		}
	})
}
