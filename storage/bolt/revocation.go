package bolt

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// revocation is an entry of the feed. Unlike the rest of the file it is not kept
// as JSON: a node reads all of them when it starts, and there may be a million.
//
//	kind length (1 byte) | kind | until (8 bytes) | forget (8 bytes) | id
//
// Times are nanoseconds since 1970 as big-endian integers; 0 is the zero time.
type revocation struct {
	authcore.Revocation
	// Forget is when nobody needs the entry any more. For an entry that lifts a
	// revocation that is when the lifted one would have ended: until then
	// somebody may still hold it.
	Forget time.Time
}

func (r revocation) bytes() []byte {
	text := make([]byte, 0, 1+len(r.Kind)+16+len(r.ID))
	text = append(text, byte(len(r.Kind))) //nolint:gosec // a kind is a short word
	text = append(text, r.Kind...)
	text = binary.BigEndian.AppendUint64(text, nanoseconds(r.Until))
	text = binary.BigEndian.AppendUint64(text, nanoseconds(r.Forget))
	return append(text, r.ID...)
}

func parseRevocation(text []byte) (revocation, error) {
	if len(text) == 0 || len(text) < 1+int(text[0])+16 {
		return revocation{}, damaged(errors.New("too short"), revocationsTable)
	}
	kind, rest := text[1:1+text[0]], text[1+text[0]:]
	return revocation{
		Revocation: authcore.Revocation{
			Kind:  kindOf(kind),
			ID:    string(rest[16:]),
			Until: timeOf(binary.BigEndian.Uint64(rest)),
		},
		Forget: timeOf(binary.BigEndian.Uint64(rest[8:])),
	}, nil
}

// kindOf returns one of the known kinds without making a text of its own.
func kindOf(kind []byte) gate.RevocationKind {
	for _, known := range []gate.RevocationKind{gate.RevokeToken, gate.RevokeSession, gate.RevokeUser} {
		if string(kind) == string(known) {
			return known
		}
	}
	return gate.RevocationKind(kind)
}

func nanoseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func timeOf(nanoseconds uint64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(nanoseconds)).UTC() //nolint:gosec // written by nanoseconds, bit for bit
}
