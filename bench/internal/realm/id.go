package realm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// The kinds of ids.
const (
	userKind byte = iota + 1
	sessionKind
	tokenKind
	oldTokenKind
)

// id returns number i of a kind in the form of a UUID. It begins with i, the
// rest looks random.
func id(kind byte, i int) string {
	var bytes [16]byte
	binary.BigEndian.PutUint32(bytes[:], uint32(i)) //nolint:gosec // not as many
	sum := sha256.Sum256(append([]byte{kind}, bytes[:4]...))
	copy(bytes[4:], sum[:])
	bytes[6] = bytes[6]&0x0f | 0x40
	bytes[8] = bytes[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], bytes[0:4])
	hex.Encode(text[9:13], bytes[4:6])
	hex.Encode(text[14:18], bytes[6:8])
	hex.Encode(text[19:23], bytes[8:10])
	hex.Encode(text[24:36], bytes[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// sessionsPerUser is how many sessions share a user.
const sessionsPerUser = 10

func userID(session int) string { return id(userKind, session/sessionsPerUser) }

func email(session int) string { return fmt.Sprintf("user%07d@example.com", session/sessionsPerUser) }
