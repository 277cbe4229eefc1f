package provider

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keysLifetime is the cache lifetime of a key set. A key that the provider
// withdraws is trusted for at most this time.
const keysLifetime = time.Hour

// Limits of a key set.
const (
	// Providers with a key for each tenant or client have hundreds. maxTried limits the
	// keys that are tried for one token.
	maxKeys  = 1024
	maxTried = 64

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
	body, err := p.download(ctx, "key set", md.jwks)
	if err != nil {
		return nil, err
	}
	return readKeys(body)
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
		members, _ := parseObject(raw)
		if key, ok := readKey(members); ok {
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

// readKey parses one key from the members that a verification uses (RFC 7517,
// section 4; RFC 7518, section 6). A fault in another member, such as a certificate,
// does not lose the key.
func readKey(members object) (jose.JSONWebKey, bool) {
	used := map[string]any{}
	for _, name := range []string{"kty", "use", "alg", "crv"} {
		if text := members.display(name); text != "" {
			used[name] = text
		}
	}
	if id, ok := members.idText("kid"); ok && id != "" {
		used["kid"] = id
	}
	for _, name := range []string{"n", "e", "x", "y"} {
		if text := members.display(name); text != "" {
			used[name] = base64URL(text)
		}
	}
	if used["kty"] == "EC" {
		padCoordinates(used)
	}
	var key jose.JSONWebKey
	reduced, err := json.Marshal(used)
	if err != nil || json.Unmarshal(reduced, &key) != nil || members.has("d") || members.has("k") {
		return key, false
	}
	operations, listed := members.texts("key_ops")
	return key, isVerificationKey(&key) && (!listed || slices.Contains(operations, "verify"))
}

// base64URL converts other forms of base64 to that of RFC 7515, section 2.
func base64URL(text string) string {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
}

// padCoordinates adds the leading zeros of coordinates, which some servers omit
// (RFC 7518, section 6.2.1.2).
func padCoordinates(members map[string]any) {
	curve, _ := members["crv"].(string)
	size := map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[curve]
	for _, name := range []string{"x", "y"} {
		text, _ := members[name].(string)
		if short, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(short) < size {
			members[name] = base64.RawURLEncoding.EncodeToString(append(make([]byte, size-len(short)), short...))
		}
	}
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
// if present, its "alg" (RFC 8725, section 3.1). A key without an ID can be the one
// that the token names. Keys in the token's header are never used.
func (s keySet) verify(token *jose.JSONWebSignature) (payload []byte, issuer string, ok bool) {
	header := token.Signatures[0].Header
	tried := 0
	for i := range s {
		key := &s[i]
		if header.KeyID != "" && key.KeyID != "" && key.KeyID != header.KeyID {
			continue
		}
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if payload, err := token.Verify(key.Key); err == nil {
			return payload, key.issuer, true
		}
	}
	return nil, "", false
}
