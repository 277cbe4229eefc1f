package gate

import (
	"encoding/base64"
	"encoding/json"
)

// encoding is base64url without padding and without stray bits in the last
// character (RFC 7515, section 2; RFC 4648, section 3.5), so that a value has one
// encoding. It skips CR and LF; callers compare the length as well.
var encoding = base64.RawURLEncoding.Strict()

// decode decodes base64url, strictly.
func decode(text string) ([]byte, bool) {
	data, err := encoding.DecodeString(text)
	return data, err == nil && len(data) == encoding.DecodedLen(len(text))
}

// HeaderSegment returns the first segment of every token that a key signs for a
// purpose: the base64url of the JOSE header with members in alphabetical order, as
// golang-jwt writes it. The issuer and the Verifier both use it. A verifier
// compares it as a whole and never interprets a header, so that a token cannot
// influence how it is verified (RFC 8725, sections 2.1, 3.1 and 3.11): "none",
// another algorithm, "jwk", "jku", "x5u", "crit", a path in "kid" and a duplicate
// member all give an unknown header.
func HeaderSegment(key Key, purpose Purpose) string {
	header, err := json.Marshal(struct {
		Algorithm string  `json:"alg"`
		KeyID     string  `json:"kid"`
		Type      Purpose `json:"typ"`
	}{key.Algorithm, key.ID, purpose})
	if err != nil {
		panic("gate: " + err.Error()) // strings can always be marshalled
	}
	return encoding.EncodeToString(header)
}
