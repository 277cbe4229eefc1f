package authcore

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// MaxGuesses is how many guesses at a mailed code are evaluated.
const MaxGuesses = 5

// Digest is a SHA-256 hash. Secrets are stored as digests only: whoever reads
// the store learns no link, code or state.
type Digest [sha256.Size]byte

// DigestOf hashes a secret for one purpose. The purpose and the length of each
// part are hashed too, so that a digest made for one place fits no other.
func DigestOf(purpose string, parts ...string) Digest {
	h := sha256.New()
	for _, part := range append([]string{purpose}, parts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return Digest(h.Sum(nil))
}

// Link is a mailed link that waits to be used, with the code that stands in the
// same mail. Using either ends both.
type Link struct {
	// Secret is DigestOf the 256 random bits in the link.
	Secret Digest `json:"secret"`
	// Code is DigestOf the six digits, salted with the address.
	Code Digest `json:"code"`
	// Email is the address in the form of Address.String.
	Email string `json:"email"`
	// EmailKey is the Address.Key: one live link for each.
	EmailKey string    `json:"email_key"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	// Guesses counts the evaluated wrong guesses at the code.
	Guesses int `json:"guesses,omitempty"`
}

// Flow is a social login that was begun with Service.Authorize: what must come
// back, and what stays at our side (RFC 6749 section 10.12, RFC 7636, OpenID
// Connect Core 1.0 section 3.1.2.1).
type Flow struct {
	// State is DigestOf the state parameter.
	State Digest `json:"state"`
	// Client and Provider are the names for which the flow was begun.
	Client      string    `json:"client"`
	Provider    string    `json:"provider"`
	RedirectURI string    `json:"redirect_uri"`
	Nonce       string    `json:"nonce"`
	Verifier    string    `json:"verifier"`
	Expires     time.Time `json:"expires"`
	// CallbackURI is the redirect URI that the provider was given, where that
	// is the bridge (Service.HandOn) and not RedirectURI itself.
	CallbackURI string `json:"callback_uri,omitempty"`
	// User is ExchangeRequest.User, kept by the bridge until the login call.
	User string `json:"user,omitempty"`
}
