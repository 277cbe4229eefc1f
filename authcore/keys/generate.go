package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Sizes of generated keys.
const (
	rsaBits     = 2048
	secretBytes = 32
)

// Algorithms lists the signature algorithms that a realm can use (RFC 7518, RFC
// 8037).
func Algorithms() []string { return []string{gate.EdDSA, gate.ES256, gate.RS256, gate.HS256} }

// generate makes a key for an algorithm.
func generate(algorithm string, random io.Reader) (authcore.SigningKey, error) {
	key := authcore.SigningKey{Algorithm: algorithm}
	var private, public any
	var err error
	switch algorithm {
	case gate.EdDSA:
		public, private, err = ed25519.GenerateKey(random)
	case gate.ES256:
		var pair *ecdsa.PrivateKey
		if pair, err = ecdsa.GenerateKey(elliptic.P256(), random); err == nil {
			private, public = pair, &pair.PublicKey
		}
	case gate.RS256:
		var pair *rsa.PrivateKey
		if pair, err = rsa.GenerateKey(random, rsaBits); err == nil {
			private, public = pair, &pair.PublicKey
		}
	case gate.HS256:
		key.Private = make([]byte, secretBytes)
		_, err = io.ReadFull(random, key.Private)
		public = key.Private
	default:
		err = fmt.Errorf("unknown algorithm %q", algorithm)
	}
	if err == nil && private != nil {
		key.Private, err = x509.MarshalPKCS8PrivateKey(private)
	}
	if err == nil {
		key.ID, err = gate.Thumbprint(public)
	}
	if err != nil {
		return authcore.SigningKey{}, fmt.Errorf("generate key: %w", err)
	}
	return key, nil
}

// signer is a key that signs.
type signer struct {
	key     gate.Key
	private any
	signs   time.Time
	// secret is the input of the key derivation for sealing.
	secret []byte
}

func parseSigner(stored authcore.SigningKey) (signer, error) {
	s := signer{
		key:   gate.Key{ID: stored.ID, Algorithm: stored.Algorithm},
		signs: stored.Signs, secret: stored.Private,
	}
	if stored.Algorithm == gate.HS256 {
		s.private, s.key.Public = stored.Private, stored.Private
		return s, nil
	}
	private, err := x509.ParsePKCS8PrivateKey(stored.Private)
	if err != nil {
		// The error of crypto/x509 may quote its input.
		return signer{}, errors.New("not a PKCS #8 private key")
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
		return signer{}, errors.New("unknown type of private key")
	}
	return s, nil
}

// sign makes a compact JWS (RFC 7515, section 7.1). Its header is, to the byte, the
// one that the gate expects of this key.
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
