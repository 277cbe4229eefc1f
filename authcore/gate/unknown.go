package gate

import (
	"encoding/json"
	"strings"
	"time"
)

// UnknownKey returns the id of the key that a token names, when only this key is
// missing to judge it: the header is one that the issuer writes, the claims are
// those of a token that is good at the time now, and no known key has that
// header. Nothing of it is proven, so that it is a reason to look for keys and
// for nothing else.
func (v *Verifier) UnknownKey(text string, now time.Time) (id string, ok bool) {
	if _, err := v.split(text); err != ErrUnknownKey {
		return "", false
	}
	header, rest, _ := strings.Cut(text, ".")
	if id, ok = v.keyID(header); !ok {
		return "", false
	}
	// A signature has no dot, nor has a payload.
	encoded, signature, ok := strings.Cut(rest, ".")
	if _, decodes := decode(signature); !ok || !decodes || signature == "" {
		return "", false
	}
	body, ok := decode(encoded)
	if !ok {
		return "", false
	}
	p, ok := parsePayload(string(body))
	return id, ok && v.checkClaims(&p, now.Unix()) == nil
}

// keyID reads a header that HeaderSegment could have written.
func (v *Verifier) keyID(segment string) (id string, ok bool) {
	text, ok := decode(segment)
	if !ok {
		return "", false
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if json.Unmarshal(text, &header) != nil || checkKeyID(header.KeyID) != nil {
		return "", false
	}
	switch header.Algorithm {
	case EdDSA, ES256, RS256, HS256:
		key := Key{ID: header.KeyID, Algorithm: header.Algorithm}
		return header.KeyID, HeaderSegment(key, v.cfg.Purpose) == segment
	}
	return "", false
}
