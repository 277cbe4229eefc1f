package authcore

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Sizes of generated keys.
const (
	rsaBits     = 2048
	secretBytes = 32
)

// generateKey makes a key for an algorithm (RFC 7518, RFC 8037).
func generateKey(algorithm string, random io.Reader) (SigningKey, error) {
	key := SigningKey{Algorithm: algorithm}
	var private, public any
	var err error
	switch algorithm {
	case "EdDSA":
		public, private, err = ed25519.GenerateKey(random)
	case "ES256":
		var pair *ecdsa.PrivateKey
		if pair, err = ecdsa.GenerateKey(elliptic.P256(), random); err == nil {
			private, public = pair, &pair.PublicKey
		}
	case "RS256":
		var pair *rsa.PrivateKey
		if pair, err = rsa.GenerateKey(random, rsaBits); err == nil {
			private, public = pair, &pair.PublicKey
		}
	case "HS256":
		key.Private = make([]byte, secretBytes)
		_, err = io.ReadFull(random, key.Private)
		public = key.Private
	default:
		err = fmt.Errorf("unknown algorithm %q", algorithm)
	}
	if err != nil {
		return SigningKey{}, fmt.Errorf("generate key: %w", err)
	}
	if private != nil {
		if key.Private, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
			return SigningKey{}, fmt.Errorf("generate key: %w", err)
		}
	}
	if key.ID, err = gate.Thumbprint(public); err != nil {
		return SigningKey{}, fmt.Errorf("generate key: %w", err)
	}
	return key, nil
}

func parseSigner(stored SigningKey) (signer, error) {
	s := signer{key: gate.Key{ID: stored.ID, Algorithm: stored.Algorithm}, signs: stored.Signs}
	if stored.Algorithm == "HS256" {
		s.private, s.key.Public = stored.Private, stored.Private
		return s, nil
	}
	private, err := x509.ParsePKCS8PrivateKey(stored.Private)
	if err != nil {
		// The error of crypto/x509 may quote what it read.
		return signer{}, fmt.Errorf("is not a PKCS #8 private key")
	}
	s.private = private
	switch private := private.(type) {
	case ed25519.PrivateKey:
		s.key.Public = private.Public()
	case *ecdsa.PrivateKey:
		s.key.Public = &private.PublicKey
	case *rsa.PrivateKey:
		s.key.Public = &private.PublicKey
	default:
		return signer{}, fmt.Errorf("has an unknown type")
	}
	return s, nil
}

// sign makes a compact JWS (RFC 7515, section 7.1). The header is the one that
// the gate expects of this key, to the byte.
func (s signer) sign(purpose gate.Purpose, payload []byte) (string, error) {
	method := jwt.GetSigningMethod(s.key.Algorithm)
	if method == nil {
		return "", fmt.Errorf("unknown algorithm %q", s.key.Algorithm)
	}
	text := gate.HeaderSegment(s.key, purpose) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := method.Sign(text, s.private)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
