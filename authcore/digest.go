package authcore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Digest is a SHA-256 hash. Secrets are stored as digests only, so that a reader
// of the store learns no link, code or state.
type Digest [sha256.Size]byte

// DigestOf hashes a secret for one purpose. The purpose and the length of each
// part are hashed too, so that a digest made for one purpose matches no other.
func DigestOf(purpose string, parts ...string) Digest {
	h := sha256.New()
	for _, part := range append([]string{purpose}, parts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return Digest(h.Sum(nil))
}

// String returns the digest in base64url without padding, 43 characters.
func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }
