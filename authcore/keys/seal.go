package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrNotSealed is returned by [Ring.Open] for every text that it does not open.
var ErrNotSealed = errors.New("keys: text was not sealed here for this purpose")

// Sizes of a sealed text: hint, nonce, ciphertext, tag.
const (
	hintSize  = 4
	nonceSize = 12
	tagSize   = 16
	// maxSealed limits the length of the texts that Open decodes.
	maxSealed = 8 << 10
)

// Seal encrypts and authenticates a value that only this realm opens again, for
// the same purpose: AES-256-GCM with a key that HKDF (RFC 5869) derives from the
// current signing key, in base64url. The text is 43 characters longer than the
// encoded value. It opens as long as the signing key is in the ring: at least for
// the lifetime of a token, unless the key is revoked.
func (r *Ring) Seal(purpose string, plaintext []byte) (string, error) {
	s, err := r.signer(r.cfg.Now())
	if err != nil {
		return "", err
	}
	aead, err := s.aead(purpose)
	if err != nil {
		return "", err
	}
	hint := s.hint()
	sealed := aead.Seal(hint, nil, plaintext, hint) //nolint:gosec // G407: NewGCMWithRandomNonce makes the nonce
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns the value that Seal made this text of. Its error is ErrNotSealed,
// whatever the reason.
func (r *Ring) Open(purpose, text string) ([]byte, error) {
	if len(text) > maxSealed || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, ErrNotSealed
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < hintSize+nonceSize+tagSize {
		return nil, ErrNotSealed
	}
	hint, rest := sealed[:hintSize], sealed[hintSize:]
	for _, s := range r.state.Load().keys {
		if !bytes.Equal(s.hint(), hint) {
			continue
		}
		aead, err := s.aead(purpose)
		if err != nil {
			return nil, err
		}
		if plaintext, err := aead.Open(nil, nil, rest, hint); err == nil {
			return plaintext, nil
		}
	}
	return nil, ErrNotSealed
}

// hint distinguishes the keys of a ring. It reveals nothing: key ids are public,
// except for HS256, where an id is a hash of the secret already.
func (s signer) hint() []byte {
	sum := sha256.Sum256([]byte("edgeauth seal hint " + s.key.ID))
	return bytes.Clone(sum[:hintSize])
}

// aead returns the cipher of a purpose. Each message gets a random nonce, which is
// sufficient for 2^32 messages of one key (NIST SP 800-38D, section 8.3): 500 a
// second for 90 days.
func (s signer) aead(purpose string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.secret, nil, "edgeauth seal "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
