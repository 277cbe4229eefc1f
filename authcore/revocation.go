package authcore

import "github.com/edgeauth/edgeauth/authcore/gate"

// Revocation ends tokens before they expire. It is the type of package gate, so
// that what the store keeps and what the gate checks cannot differ.
type Revocation = gate.Revocation

// The kinds of Revocation.
const (
	RevokeSession = gate.RevokeSession
	RevokeUser    = gate.RevokeUser
	RevokeRoles   = gate.RevokeRoles
)
