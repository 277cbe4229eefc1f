package gate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"filippo.io/edwards25519"
)

// The algorithms of keys (RFC 7518, section 3.1; RFC 8037, section 3.1).
const (
	EdDSA = "EdDSA"
	ES256 = "ES256"
	RS256 = "RS256"
	HS256 = "HS256"
)

// Limits on keys.
const (
	minRSABits     = 2048 // RFC 7518, section 3.3
	maxRSABits     = 8192 // the cost of a verification grows with the square
	minRSAExponent = 65537
	minSecret      = 32 // RFC 7518, section 3.2
	maxKeyID       = 255
)

// Key is a key that verifies tokens. It determines the algorithm.
type Key struct {
	// ID is the "kid" of the tokens: 1 to 255 visible ASCII characters.
	ID string
	// Algorithm is EdDSA, ES256, RS256 or HS256.
	Algorithm string
	// Public is an ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey or, for
	// HS256, the secret as []byte.
	Public any
}

// verifyKey is a valid Key that only this package refers to.
type verifyKey struct {
	Key
	// thumbprint is equal for equal keys.
	thumbprint string
	// forKeys reports that it verifies API keys and no login tokens.
	forKeys bool
	// signature is the length of its signatures.
	signature int
	// ed25519 returns the verifier of a key of algorithm EdDSA. It is made with the
	// first signature, because a key is parsed more often than it is used.
	ed25519 func() *ed25519Verifier
}

// newVerifyKey checks a key and copies it.
func newVerifyKey(key Key) (*verifyKey, error) {
	if err := checkKeyID(key.ID); err != nil {
		return nil, err
	}
	k := &verifyKey{Key: key}
	var err error
	switch key.Algorithm {
	case EdDSA:
		var public ed25519.PublicKey
		var point *edwards25519.Point
		if public, point, err = ed25519Key(key.Public); err == nil {
			k.signature, k.Public = ed25519.SignatureSize, public
			k.ed25519 = sync.OnceValue(func() *ed25519Verifier { return newEd25519Verifier(public, point) })
		}
	case ES256:
		k.signature = 64 // RFC 7518, section 3.4
		k.Public, err = p256Key(key.Public)
	case RS256:
		var public *rsa.PublicKey
		if public, err = rsaKey(key.Public); err == nil {
			k.signature, k.Public = public.Size(), public
		}
	case HS256:
		k.signature = 32
		k.Public, err = secretKey(key.Public)
	default:
		err = errors.New("unknown algorithm")
	}
	if err != nil {
		return nil, err
	}
	k.thumbprint, err = Thumbprint(k.Public)
	return k, err
}

func checkKeyID(id string) error {
	if id == "" || len(id) > maxKeyID {
		return fmt.Errorf("the key ID does not have 1 to %d characters", maxKeyID)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return errors.New("the key ID is not visible ASCII")
		}
	}
	return nil
}

func ed25519Key(public any) (ed25519.PublicKey, *edwards25519.Point, error) {
	key, ok := public.(ed25519.PublicKey)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, nil, errors.New("not an Ed25519 public key")
	}
	if isLowOrder(key) {
		return nil, nil, errors.New("an Ed25519 key of low order, for which anyone can sign")
	}
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return nil, nil, errors.New("not an Ed25519 public key: not a point of the curve")
	}
	return bytes.Clone(key), point, nil
}

func p256Key(public any) (*ecdsa.PublicKey, error) {
	key, _ := public.(*ecdsa.PublicKey)
	point, err := p256Point(key)
	if err != nil {
		return nil, err
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// p256Point returns the uncompressed encoding of a key (SEC 1, section 2.3.3).
func p256Point(key *ecdsa.PublicKey) ([]byte, error) {
	//nolint:staticcheck // Bytes panics without coordinates
	if key == nil || key.Curve != elliptic.P256() || key.X == nil || key.Y == nil {
		return nil, errors.New("not an ECDSA public key on P-256")
	}
	point, err := key.Bytes() // checks that the point is on the curve
	if err != nil {
		return nil, errors.New("not a point on P-256")
	}
	return point, nil
}

func rsaKey(public any) (*rsa.PublicKey, error) {
	key, ok := public.(*rsa.PublicKey)
	if !ok || key == nil || key.N == nil {
		return nil, errors.New("not an RSA public key")
	}
	if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return nil, fmt.Errorf("an RSA key of %d bits; it must have %d to %d", bits, minRSABits, maxRSABits)
	}
	if key.N.Sign() < 0 || key.N.Bit(0) == 0 || key.E < minRSAExponent || key.E&1 == 0 {
		return nil, errors.New("an RSA key with an unsafe modulus or exponent")
	}
	return &rsa.PublicKey{N: new(big.Int).Set(key.N), E: key.E}, nil
}

func secretKey(public any) ([]byte, error) {
	key, ok := public.([]byte)
	if !ok || len(key) < minSecret {
		return nil, fmt.Errorf("not a secret of %d bytes or more", minSecret)
	}
	return bytes.Clone(key), nil
}

// isLowOrder reports whether a key is one of the points of order 8 or less, in any
// encoding. Signatures for them can be made without a private key.
func isLowOrder(key ed25519.PublicKey) bool {
	// The y coordinates, also as y+p if that fits into 255 bits.
	lowOrder := [...]string{
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
		"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
		"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	}
	y := bytes.Clone(key)
	y[31] &= 0x7f // the sign of x
	for _, low := range lowOrder {
		if string(y) == low {
			return true
		}
	}
	return false
}
