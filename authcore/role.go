package authcore

import (
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// MaxRoles is the number of roles that a user can have.
const MaxRoles = gate.MaxRoles

// ParseRoles checks names of roles and returns them in ascending order, each once. A
// name has 1 to 32 of the characters a-z, 0-9, "_" and "-"; see [gate.IsRole].
func ParseRoles(names []string) ([]string, error) {
	for _, name := range names {
		if !gate.IsRole(name) {
			return nil, fmt.Errorf("%.40q is not the name of a role; use 1 to %d of the characters a-z, 0-9, \"_\" and \"-\"", name, gate.MaxRoleName)
		}
	}
	roles := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(roles) > MaxRoles {
		return nil, fmt.Errorf("%d roles are too many; use %d at most", len(roles), MaxRoles)
	}
	return roles, nil
}

// SetRoles replaces the roles that the user has now. If they differ, it appends the
// revocation that gives the new roles to tokens that were issued before. The revocation
// lasts until all tokens of the live sessions have expired. Without a live session it
// lifts an earlier one, which would give the roles of then to the token of a login soon
// after it.
func (a *Account) SetRoles(roles []string, now time.Time) {
	if slices.Equal(a.User.Roles, roles) {
		return
	}
	a.User.Roles = roles
	var until time.Time
	for _, session := range a.Sessions {
		if session.Expires.After(until) {
			until = session.Expires
		}
	}
	switch {
	case until.After(now):
		a.Revocations = append(a.Revocations, gate.RolesChange(a.User.ID, roles, now, until))
	case a.User.Created.Before(now): // otherwise there was no change before
		a.Revocations = append(a.Revocations, Revocation{Kind: RevokeRoles, ID: a.User.ID})
	}
}
