package authcore

import (
	"slices"
	"time"
)

// SigningKey is a key of the realm in the form in which it is stored.
type SigningKey struct {
	// ID is the "kid", derived from the public key (RFC 7638).
	ID string `json:"id"`
	// Algorithm is "EdDSA", "ES256", "RS256" or "HS256". The key decides it.
	Algorithm string `json:"algorithm"`
	// Private is PKCS #8 DER, for HS256 the secret itself.
	Private []byte    `json:"private"`
	Created time.Time `json:"created"`
	// Signs is the time of the first signature. The key is published before.
	Signs time.Time `json:"signs"`
	// Expires is the expiry of the last token that it signed; zero while the key is
	// the newest one.
	Expires time.Time `json:"expires"`
	// Needed is the expiry of the last API key that it signed; zero if it signed none.
	// The key expires later.
	Needed time.Time `json:"needed,omitzero"`
}

// Live reports whether a token that the key signed may be valid.
func (k SigningKey) Live(now time.Time) bool { return k.Expires.IsZero() || now.Before(k.Expires) }

// MergeKeys adds those of the new keys whose ID is not among the stored ones. It
// returns all of them in the order in which they begin to sign, and the number of
// added keys. Transfer.Import uses it.
func MergeKeys(stored, keys []SigningKey) (merged []SigningKey, added int) {
	merged = slices.Clone(stored)
	for _, key := range keys {
		if !slices.ContainsFunc(merged, func(k SigningKey) bool { return k.ID == key.ID }) {
			merged = append(merged, key)
			added++
		}
	}
	slices.SortStableFunc(merged, func(a, b SigningKey) int { return a.Signs.Compare(b.Signs) })
	return merged, added
}
