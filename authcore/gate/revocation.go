package gate

import "time"

// RevocationKind says which tokens a Revocation ends.
type RevocationKind string

// The kinds of Revocation.
const (
	// RevokeToken ends the one token whose "jti" is the ID.
	RevokeToken RevocationKind = "token"
	// RevokeSession ends every token whose "sid" is the ID.
	RevokeSession RevocationKind = "session"
	// RevokeUser ends every token whose "sub" is the ID: the user was disabled
	// or deleted.
	RevokeUser RevocationKind = "user"
)

// Revocation says that tokens have ended before they expire. Kind and ID
// identify it; a later one replaces an earlier one.
type Revocation struct {
	Kind RevocationKind `json:"kind"`
	ID   string         `json:"id"`
	// Until is when the last token concerned has expired by itself: from then
	// on the entry may be forgotten. A zero Until lifts an earlier revocation.
	Until time.Time `json:"until"`
	// Value holds what a kind needs in addition, as text.
	Value string `json:"value,omitempty"`
	// Age is how long ago it was made when a store gave it out, by the clock of
	// the engine at both ends: those of two nodes may differ. Zero means that
	// nobody knows. It is for measuring and decides nothing.
	Age time.Duration `json:"-"`
}
