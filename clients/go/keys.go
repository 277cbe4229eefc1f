package edgeauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// parse checks a token of one purpose. Without the purpose, another kind of token would pass
// as a login.
func (e *Edge) parse(token, purpose string, claims jwt.Claims, options ...jwt.ParserOption) error {
	options = append(options, jwt.WithIssuer(e.o.Issuer), jwt.WithExpirationRequired())
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		name, _ := t.Header["kid"].(string)
		key, known := (*e.keys.Load())[name]
		if !known || t.Header["typ"] != purpose || t.Method.Alg() != key.algorithm {
			return nil, ErrInvalid
		}
		return key.public, nil
	}, options...)
	return err
}

// key is a public key with the only algorithm that it may be used with.
type key struct {
	algorithm string
	public    crypto.PublicKey
}

// parseKeys reads a key set (RFC 7517). Keys of other algorithms are left out.
func parseKeys(text []byte) (map[string]key, error) {
	var set struct {
		Keys []struct{ Kid, Alg, Crv, X, Y, N, E string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("edgeauth: key set: %w", err)
	}
	keys := map[string]key{}
	for _, k := range set.Keys {
		x, n, e := decode(k.X), decode(k.N), decode(k.E)
		switch {
		case k.Alg == "EdDSA" && len(x) == ed25519.PublicKeySize:
			keys[k.Kid] = key{k.Alg, ed25519.PublicKey(x)}
		case k.Alg == "ES256":
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), decode(k.Y)...))
			if err != nil {
				return nil, fmt.Errorf("edgeauth: key %s: %w", k.Kid, err)
			}
			keys[k.Kid] = key{k.Alg, public}
		case k.Alg == "RS256" && len(n) >= 256 && len(e) <= 4:
			keys[k.Kid] = key{k.Alg, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}}
		}
	}
	return keys, nil
}

// decode returns nothing for text that is not base64url.
func decode(text string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}
