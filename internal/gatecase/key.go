package gatecase

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Key is a key that signs tokens of the table.
type Key struct {
	Name    string
	Key     gate.Key
	Private any
}

// PKCS8 returns the private key in the form in which realms store keys.
func (k *Key) PKCS8(tb testing.TB) []byte {
	tb.Helper()
	if secret, ok := k.Private.([]byte); ok {
		return secret
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		tb.Fatalf("x509.MarshalPKCS8PrivateKey = %v", err)
	}
	return der
}

// Keys returns the test keys. Those whose name begins with "other" belong to other
// issuers.
func Keys(tb testing.TB) map[string]*Key {
	tb.Helper()
	var file struct {
		About string
		Keys  map[string][]string // lines of PEM
	}
	read(tb, "keys.json", &file)
	keys := map[string]*Key{}
	for name, lines := range file.Keys {
		text := ""
		for _, line := range lines {
			text += line + "\n"
		}
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			tb.Fatalf("key %s is not PEM", name)
		}
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			tb.Fatalf("ParsePKCS8PrivateKey(%s) = %v", name, err)
		}
		keys[name] = newKey(tb, name, private)
	}
	return keys
}

func newKey(tb testing.TB, name string, private any) *Key {
	tb.Helper()
	k := &Key{Name: name, Private: private}
	switch private := private.(type) {
	case ed25519.PrivateKey:
		k.Key = gate.Key{Algorithm: gate.EdDSA, Public: private.Public()}
	case *ecdsa.PrivateKey:
		k.Key = gate.Key{Algorithm: gate.ES256, Public: &private.PublicKey}
	case *rsa.PrivateKey:
		k.Key = gate.Key{Algorithm: gate.RS256, Public: &private.PublicKey}
	}
	id, err := gate.Thumbprint(k.Key.Public)
	if err != nil {
		tb.Fatalf("gate.Thumbprint = %v", err)
	}
	k.Key.ID = id
	return k
}

// sign signs a text with the algorithm of a key. Signatures are deterministic (RFC
// 8032; RFC 8017, section 8.2; RFC 6979).
func sign(tb testing.TB, private any, text string) []byte {
	tb.Helper()
	sum := sha256.Sum256([]byte(text))
	switch private := private.(type) {
	case []byte:
		mac := hmac.New(sha256.New, private)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(text))
	case *rsa.PrivateKey:
		signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:])
		if err != nil {
			tb.Fatalf("rsa.SignPKCS1v15 = %v", err)
		}
		return signature
	case *ecdsa.PrivateKey:
		der, err := private.Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			tb.Fatalf("private.Sign = %v", err)
		}
		var pair struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &pair); err != nil {
			tb.Fatalf("asn1.Unmarshal = %v", err)
		}
		size := (elliptic.P256().Params().BitSize + 7) / 8
		return append(pair.R.FillBytes(make([]byte, size)), pair.S.FillBytes(make([]byte, size))...)
	}
	tb.Fatalf("sign with %T is not possible", private)
	return nil
}

func encode[T string | []byte](data T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(data))
}
