package provider

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keysLifetime is the cache lifetime of a key set. A key that the provider
// withdraws is trusted for at most this time.
const keysLifetime = time.Hour

// Limits of a key set.
const (
	maxKeys    = 64
	minRSABits = 2048
	maxRSABits = 8192
)

// keySet holds a provider's public keys (RFC 7517).
type keySet []publicKey

// publicKey is a key and the issuer that it signs for, or "" if the set does not
// contain one. Microsoft's sets contain keys of several issuers.
type publicKey struct {
	jose.JSONWebKey
	issuer string
}

// loadKeys loads the provider's keys.
func (p *provider) loadKeys(ctx context.Context) (keySet, error) {
	md, err := p.metadata(ctx)
	if err != nil {
		return nil, err
	}
	return p.fetchKeys(ctx, md)
}

func (p *provider) fetchKeys(ctx context.Context, md metadata) (keySet, error) {
	const what = "key set"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, md.jwks, nil)
	if err != nil {
		return nil, failed("%s: %w", what, errBadURL)
	}
	answer, err := p.http.do(what, request)
	if err != nil {
		return nil, err
	}
	if err := answer.ok(what); err != nil {
		return nil, err
	}
	return readKeys(answer.body)
}

// readKeys parses a key set. It skips keys of unknown types (RFC 7517, section 5)
// and keys that are weak, private, or not meant for signatures.
func readKeys(body []byte) (keySet, error) {
	document, ok := parseObject(body)
	if !ok {
		return nil, failed("key set: the response is not a JSON object")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(document["keys"], &list); err != nil {
		return nil, failed("key set: keys is not a list")
	}
	var keys keySet
	for _, raw := range list {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && isVerificationKey(&key) {
			members, _ := parseObject(raw)
			keys = append(keys, publicKey{key, members.display("issuer")})
		}
		if len(keys) == maxKeys {
			break
		}
	}
	if len(keys) == 0 {
		return nil, failed("key set: no key is usable")
	}
	return keys, nil
}

func isVerificationKey(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if public, isRSA := key.Key.(*rsa.PublicKey); isRSA {
		bits := public.N.BitLen()
		return minRSABits <= bits && bits <= maxRSABits
	}
	return true
}

// verify returns the payload of a token that one of the keys has signed, and the
// issuer of that key. The key determines the algorithm by its type, its curve and,
// if present, its "alg" (RFC 8725, section 3.1). Keys in the token's header are
// never used.
func (s keySet) verify(token *jose.JSONWebSignature) (payload []byte, issuer string, ok bool) {
	header := token.Signatures[0].Header
	for i := range s {
		key := &s[i]
		if header.KeyID != "" && key.KeyID != header.KeyID {
			continue
		}
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := token.Verify(key.Key); err == nil {
			return payload, key.issuer, true
		}
	}
	return nil, "", false
}
