package gate

import "time"

// RevocationKind selects the tokens that a Revocation ends.
type RevocationKind string

// The kinds of Revocation.
const (
	// RevokeSession ends every token whose "sid" is the ID.
	RevokeSession RevocationKind = "session"
	// RevokeUser ends every token whose "sub" is the ID: the user was disabled
	// or deleted.
	RevokeUser RevocationKind = "user"
	// RevokeRoles replaces the roles in tokens whose "sub" is the ID and that were
	// issued before the roles of the user changed. It ends no token. See
	// RolesChange, which makes its Value.
	RevokeRoles RevocationKind = "roles"
)

// Revocation ends tokens before they expire. It is identified by Kind and ID; a
// later one replaces an earlier one.
type Revocation struct {
	Kind RevocationKind `json:"kind"`
	ID   string         `json:"id"`
	// Until is the time at which the last of the tokens has expired; from then on
	// the entry may be deleted. A zero Until lifts an earlier revocation.
	Until time.Time `json:"until"`
	// Value holds what a kind needs in addition, as text.
	Value string `json:"value,omitempty"`
	// Age is the time since the revocation was made, measured by the store's
	// clock at both ends, because the clocks of nodes may differ. Zero means
	// unknown. It is used for metrics, and leaves entries out of deltas that are
	// hours old.
	Age time.Duration `json:"-"`
}
