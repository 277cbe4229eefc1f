package authcore

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"

	"github.com/google/uuid"
)

var sixDigits = big.NewInt(1_000_000)

// Random makes secrets and identifiers from a source of random bytes. The zero
// value uses crypto/rand.
type Random struct{ Source io.Reader }

// Bytes returns n random bytes.
func (r Random) Bytes(n int) ([]byte, error) {
	source := r.Source
	if source == nil {
		source = rand.Reader
	}
	bits := make([]byte, n)
	if _, err := io.ReadFull(source, bits); err != nil {
		return nil, fmt.Errorf("random source: %w", err)
	}
	return bits, nil
}

// Secret returns 256 random bits in base64url.
func (r Random) Secret() (string, error) {
	bits, err := r.Bytes(32)
	return base64.RawURLEncoding.EncodeToString(bits), err
}

// Code returns six random digits.
func (r Random) Code() (string, error) {
	source := r.Source
	if source == nil {
		source = rand.Reader
	}
	n, err := rand.Int(source, sixDigits)
	if err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// ID returns a random UUID.
func (r Random) ID() (string, error) {
	bits, err := r.Bytes(16)
	if err != nil {
		return "", err
	}
	id, err := uuid.FromBytes(bits)
	if err != nil {
		return "", err
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562, section 5.4
	return id.String(), nil
}
