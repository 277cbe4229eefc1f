package authcore

import "github.com/edgeauth/edgeauth/authcore/gate"

// Revocation says that tokens have ended before they expire. See
// gate.Revocation for the kinds; the type is shared so that what the store
// feeds and what the gate checks cannot drift apart.
type Revocation = gate.Revocation

// The kinds of Revocation.
const (
	RevokeToken   = gate.RevokeToken
	RevokeSession = gate.RevokeSession
	RevokeUser    = gate.RevokeUser
)
