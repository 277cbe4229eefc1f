package authcore

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/google/uuid"
)

var sixDigits = big.NewInt(1_000_000)

// RandomBytes returns n random bytes. Like the functions below it uses crypto/rand, which
// never fails: it ends the process instead.
func RandomBytes(n int) []byte {
	bits := make([]byte, n)
	_, _ = rand.Read(bits)
	return bits
}

// RandomSecret returns 256 random bits in base64url.
func RandomSecret() string { return base64.RawURLEncoding.EncodeToString(RandomBytes(32)) }

// RandomCode returns six random digits.
func RandomCode() string {
	n, _ := rand.Int(rand.Reader, sixDigits)
	return fmt.Sprintf("%06d", n)
}

// RandomID returns a random UUID (RFC 9562, section 5.4).
func RandomID() string { return uuid.NewString() }
