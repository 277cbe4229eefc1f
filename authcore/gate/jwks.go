package gate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// maxJWKS is the length of the longest key set that is parsed, in bytes.
const maxJWKS = 1 << 20

// jwk is a JSON Web Key (RFC 7517, section 4) of a known type.
type jwk struct {
	Type      string `json:"kty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

// newJWK returns the JWK of a public key with the members of its thumbprint (RFC
// 7638, section 3.2).
func newJWK(public any) (jwk, error) {
	switch public := public.(type) {
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encoding.EncodeToString(public)}, nil
	case *ecdsa.PublicKey:
		point, err := p256Point(public)
		if err != nil {
			return jwk{}, err
		}
		return jwk{
			Type: "EC", Curve: "P-256",
			X: encoding.EncodeToString(point[1:33]),
			Y: encoding.EncodeToString(point[33:]),
		}, nil
	case *rsa.PublicKey:
		if public == nil || public.N == nil {
			break
		}
		return jwk{
			Type: "RSA",
			N:    encoding.EncodeToString(public.N.Bytes()),
			E:    encoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		}, nil
	}
	return jwk{}, errors.New("not a known type of public key")
}

func marshalJWKS(keys []*verifyKey) []byte {
	document := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, key := range keys {
		if j, err := newJWK(key.Public); err == nil { // otherwise it is a secret
			j.Use, j.Algorithm, j.ID = "sig", key.Algorithm, key.ID
			document.Keys = append(document.Keys, j)
		}
	}
	data, err := json.Marshal(document)
	if err != nil {
		panic("gate: " + err.Error()) // strings can always be marshalled
	}
	return data
}

// ParseJWKS reads a JSON Web Key Set of public keys. A member that only private and
// symmetric keys have is an error, whatever the type of the key: the document was
// copied to the wrong place. Keys of other types, algorithms and uses are left out (RFC
// 7517, section 5); it is an error if no key is left. A key without "kid" gets its
// Thumbprint. Syntax is strict: no duplicate members, at most 1 MiB. Errors contain no
// part of the document.
func ParseJWKS(data []byte) (*KeySet, error) {
	if len(data) > maxJWKS {
		return nil, fmt.Errorf("gate: key set: longer than %d bytes", maxJWKS)
	}
	keys, err := scanJWKS(string(data))
	if err != nil {
		return nil, fmt.Errorf("gate: key set: %w", err)
	}
	if len(keys) == 0 {
		return nil, errors.New("gate: key set: it contains no key that can verify tokens")
	}
	return NewKeySet(keys...)
}

// scanJWKS returns the usable keys of a document.
func scanJWKS(text string) (keys []Key, err error) {
	s, n, present := scanner{text: text}, 0, false
	element := func() bool {
		var key Key
		var usable bool
		n++
		if key, usable, err = s.key(); err != nil {
			err = fmt.Errorf("key %d: %w", n, err)
		} else if usable {
			keys = append(keys, key)
		}
		return err == nil
	}
	ok := s.object(func(name string) bool {
		if name != "keys" {
			return s.skip(maxDepth)
		}
		present = true
		return s.array(element)
	}) && s.atEnd()
	switch {
	case err != nil:
		return nil, err
	case !ok || !present:
		return nil, errors.New("not a JSON object with an array of keys")
	}
	return keys, nil
}

// key reads one JWK. It is not usable if its type is unknown.
func (s *scanner) key() (key Key, usable bool, err error) {
	var j jwk
	private := false
	ok := s.object(func(name string) bool {
		switch name {
		case "kty":
			return s.string(&j.Type)
		case "use":
			return s.string(&j.Use)
		case "alg":
			return s.string(&j.Algorithm)
		case "kid":
			return s.string(&j.ID)
		case "crv":
			return s.string(&j.Curve)
		case "x":
			return s.string(&j.X)
		case "y":
			return s.string(&j.Y)
		case "n":
			return s.string(&j.N)
		case "e":
			return s.string(&j.E)
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k": // RFC 7518, sections 6.2.2, 6.3.2 and 6.4
			private = true
		}
		return s.skip(maxDepth)
	})
	switch {
	case private || j.Type == "oct":
		return Key{}, false, errors.New("is private or symmetric; only public keys belong here")
	case !ok:
		return Key{}, false, errors.New("not a JSON object")
	}
	return j.key()
}

// key returns the key that the JWK describes.
func (j *jwk) key() (key Key, usable bool, err error) {
	var algorithm string
	var read func() (any, error)
	switch {
	case j.Type == "OKP" && j.Curve == "Ed25519":
		algorithm, read = EdDSA, j.ed25519
	case j.Type == "EC" && j.Curve == "P-256":
		algorithm, read = ES256, j.p256
	case j.Type == "RSA":
		algorithm, read = RS256, j.rsa
	}
	if read == nil || j.Algorithm != "" && j.Algorithm != algorithm || j.Use != "" && j.Use != "sig" {
		return Key{}, false, nil
	}
	public, err := read()
	if err != nil {
		return Key{}, false, err
	}
	if j.ID == "" {
		if j.ID, err = Thumbprint(public); err != nil {
			return Key{}, false, err
		}
	}
	return Key{ID: j.ID, Algorithm: algorithm, Public: public}, true, nil
}

func (j *jwk) ed25519() (any, error) {
	x, ok := decode(j.X)
	if !ok || len(x) != ed25519.PublicKeySize {
		return nil, errors.New("not an Ed25519 public key")
	}
	return ed25519.PublicKey(x), nil
}

func (j *jwk) p256() (any, error) {
	x, okX := decode(j.X)
	y, okY := decode(j.Y)
	if !okX || !okY || len(x) != 32 || len(y) != 32 { // RFC 7518, section 6.2.1.2
		return nil, errors.New("not an ECDSA public key on P-256")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, errors.New("not a point on P-256")
	}
	return public, nil
}

func (j *jwk) rsa() (any, error) {
	n, okN := decode(j.N)
	e, okE := decode(j.E)
	if !okN || !okE || len(n) == 0 || n[0] == 0 || len(e) == 0 || e[0] == 0 || len(e) > 4 { // RFC 7518, section 2
		return nil, errors.New("not an RSA public key")
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent > 1<<31-1 {
		return nil, errors.New("not an RSA public key")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}, nil
}
