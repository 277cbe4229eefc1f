package gate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// wycheproofGroup is a group of vectors with one key. Members that a file does not have
// are empty.
type wycheproofGroup struct {
	KeySize   int `json:"keySize"`
	TagSize   int `json:"tagSize"`
	PublicKey struct {
		Ed25519      string `json:"pk"`
		Uncompressed string `json:"uncompressed"`
		Modulus      string `json:"modulus"`
		Exponent     string `json:"publicExponent"`
	} `json:"publicKey"`
	Tests []struct {
		ID        int    `json:"tcId"`
		Comment   string `json:"comment"`
		Key       string `json:"key"`
		Message   string `json:"msg"`
		Signature string `json:"sig"`
		Tag       string `json:"tag"`
		// Result is "valid", "invalid" or "acceptable", which leaves it open.
		Result string `json:"result"`
	} `json:"tests"`
}

// key returns the key of a group, or nil if keys of its kind are not supported.
func (g *wycheproofGroup) key(t *testing.T, algorithm, secret string) *verifyKey {
	t.Helper()
	key := Key{ID: "k", Algorithm: algorithm}
	switch algorithm {
	case EdDSA:
		key.Public = ed25519.PublicKey(unhex(t, g.PublicKey.Ed25519))
	case ES256:
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), unhex(t, g.PublicKey.Uncompressed))
		if err != nil {
			t.Fatalf("ParseUncompressedPublicKey: %v", err)
		}
		key.Public = public
	case RS256:
		key.Public = &rsa.PublicKey{
			N: new(big.Int).SetBytes(unhex(t, g.PublicKey.Modulus)),
			E: int(new(big.Int).SetBytes(unhex(t, g.PublicKey.Exponent)).Int64()),
		}
	case HS256:
		key.Public = unhex(t, secret)
	}
	made, err := newVerifyKey(key)
	if err != nil {
		return nil
	}
	return made
}

// Forged, malleable and malformed signatures, which made other verifiers accept them, are
// refused (CWE-347): the vectors of Wycheproof, for every algorithm. `make conformance`
// obtains them.
func TestHardeningWycheproof(t *testing.T) {
	folder := os.Getenv("WYCHEPROOF")
	if folder == "" {
		t.Skip("SKIPPED, NOT TESTED: WYCHEPROOF is not set; run make conformance")
	}
	for _, test := range []struct {
		file, algorithm string
		// least is the number of vectors that must be judged.
		least int
	}{
		{"ed25519_test", EdDSA, 150},
		{"ecdsa_secp256r1_sha256_p1363_test", ES256, 250},
		{"rsa_signature_2048_sha256_test", RS256, 200},
		{"rsa_signature_3072_sha256_test", RS256, 200},
		{"rsa_signature_8192_sha256_test", RS256, 200},
		{"hmac_sha256_test", HS256, 50},
	} {
		t.Run(test.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, "testvectors_v1", test.file+".json"))
			if err != nil {
				t.Fatalf("ReadFile: %v", err)
			}
			var file struct {
				Groups []wycheproofGroup `json:"testGroups"`
			}
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatalf("Unmarshal: %v", err)
			}
			judged := 0
			for i := range file.Groups {
				judged += file.Groups[i].judge(t, test.algorithm)
			}
			if judged < test.least {
				t.Errorf("%s has %d vectors for %s, want at least %d", test.file, judged, test.algorithm, test.least)
			}
			t.Logf("%d vectors", judged)
		})
	}
}

// judge compares the verifier with the vectors of a group, and returns their number.
func (g *wycheproofGroup) judge(t *testing.T, algorithm string) (judged int) {
	t.Helper()
	if algorithm == HS256 && g.TagSize != 256 {
		return 0 // truncated tags do not exist in a JWS
	}
	for _, vector := range g.Tests {
		key := g.key(t, algorithm, vector.Key)
		signature := unhex(t, vector.Signature+vector.Tag)
		if key == nil {
			continue // its keys are refused before any signature
		}
		judged++
		// The verifier compares the length first.
		got := len(signature) == key.signature && key.verify(string(unhex(t, vector.Message)), signature)
		if want := vector.Result == "valid"; got != want && vector.Result != "acceptable" {
			t.Errorf("verify(vector %d, %s) = %t, want %t", vector.ID, vector.Comment, got, want)
		}
	}
	return judged
}
