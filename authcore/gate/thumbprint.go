package gate

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// secretDomain separates the hash of a secret from other uses of SHA-256 on it.
const secretDomain = "edgeauth key id of an HS256 secret\x00"

// Thumbprint returns the JWK thumbprint of a public key: base64url of the
// SHA-256 of its required members in alphabetical order (RFC 7638, section 3). For an
// HS256 secret, given as []byte, it is a separate hash, which does not reveal a random
// secret.
func Thumbprint(public any) (string, error) {
	if secret, ok := public.([]byte); ok {
		sum := sha256.Sum256(append([]byte(secretDomain), secret...))
		return encoding.EncodeToString(sum[:]), nil
	}
	j, err := newJWK(public)
	if err != nil {
		return "", fmt.Errorf("gate: thumbprint: %w", err)
	}
	members := map[string]string{"kty": j.Type}
	for name, value := range map[string]string{"crv": j.Curve, "x": j.X, "y": j.Y, "n": j.N, "e": j.E} {
		if value != "" {
			members[name] = value
		}
	}
	text, err := json.Marshal(members) // sorts by name, without blanks
	if err != nil {
		return "", fmt.Errorf("gate: thumbprint: %w", err)
	}
	sum := sha256.Sum256(text)
	return encoding.EncodeToString(sum[:]), nil
}
