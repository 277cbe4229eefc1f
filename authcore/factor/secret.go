package factor

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/edgeauth/edgeauth/authcore"
)

// The record with the realm key for secrets of factors. Signing keys are rotated and
// removed, so that they cannot encrypt what is kept for years. It has no owner: a user's
// deletion keeps it.
const (
	keyKind  = "factor-key"
	keyName  = "1"
	keyBytes = 32
)

// realmKey returns the key that encrypts secrets of factors. The first call makes it; of
// several nodes that do so at once, one stores its key and all use that.
func (s *Service) realmKey(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	if key != nil {
		return key, nil
	}
	id := authcore.RecordKey{Kind: keyKind, Key: keyName}
	record, err := s.store.Record(ctx, id, s.cfg.Now())
	if errors.Is(err, authcore.ErrNotFound) {
		record = authcore.Record{RecordKey: id, Created: s.cfg.Now(), Data: authcore.RandomBytes(keyBytes)}
		err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: s.cfg.Now(), IfAbsent: true})
		if errors.Is(err, authcore.ErrExists) {
			record, err = s.store.Record(ctx, id, s.cfg.Now())
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(record.Data) != keyBytes:
		return nil, fmt.Errorf("read the key of second factors: %d bytes, want %d", len(record.Data), keyBytes)
	}
	s.mu.Lock()
	s.key = record.Data
	s.mu.Unlock()
	return record.Data, nil
}

// encrypt encrypts a secret for one user (AES-256-GCM, NIST SP 800-38D). The user's ID is
// authenticated, so that a secret copied to another user does not decrypt.
func encrypt(key []byte, userID string, secret []byte) ([]byte, error) {
	aead, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, secret, []byte(userID)), nil //nolint:gosec // G407: NewGCMWithRandomNonce makes the nonce
}

func decrypt(key []byte, userID string, text []byte) ([]byte, error) {
	aead, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	secret, err := aead.Open(nil, nil, text, []byte(userID))
	if err != nil {
		return nil, fmt.Errorf("decrypt the secret of a second factor: %w", err)
	}
	return secret, nil
}

func newCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
