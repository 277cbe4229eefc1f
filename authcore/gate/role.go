package gate

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of roles.
const (
	// MaxRoles is the number of roles that a user can have.
	MaxRoles = 32
	// MaxRoleName is the length of the longest name of a role.
	MaxRoleName = 32
	// roleSeparator separates roles in a text. No name contains it.
	roleSeparator = ","
)

// IsRole reports whether text is the name of a role: 1 to 32 of the characters a-z, 0-9,
// "_" and "-".
func IsRole(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || 'z' < c) && (c < '0' || '9' < c) && c != '_' && c != '-' {
			return false
		}
	}
	return text != "" && len(text) <= MaxRoleName
}

// parseRoles splits a text of role names in ascending order. It is false if a name is
// not valid, the order is different, or there are too many.
func parseRoles(text string) ([]string, bool) {
	if text == "" {
		return nil, true
	}
	if strings.Count(text, roleSeparator) >= MaxRoles {
		return nil, false
	}
	roles := strings.Split(text, roleSeparator)
	return roles, validRoles(roles)
}

// validRoles reports whether roles are at most MaxRoles names in ascending order.
func validRoles(roles []string) bool {
	for i, role := range roles {
		if !IsRole(role) || i > 0 && roles[i-1] >= role {
			return false
		}
	}
	return len(roles) <= MaxRoles
}

// RolesChange returns the revocation that replaces the roles in the tokens of a user that
// were issued before the time at. The roles are in ascending order. Until is the time at
// which the last of these tokens has expired.
func RolesChange(userID string, roles []string, at, until time.Time) Revocation {
	value := strconv.FormatInt(at.Unix(), 10) + " " + strings.Join(roles, roleSeparator)
	return Revocation{Kind: RevokeRoles, ID: userID, Until: until, Value: value}
}

// roleChange is a RevokeRoles entry.
type roleChange struct {
	feedEntry
	// at is the time of the change, in seconds since 1970.
	at uint32
	// roles are the names in ascending order, separated by roleSeparator.
	roles string
}

// newRoleChange reads a revocation. A damaged value takes all roles away.
func newRoleChange(r *Revocation) roleChange {
	change := roleChange{feedEntry: feedEntry{revocationIDOf(r.ID), seconds(r.Until)}}
	at, roles, _ := strings.Cut(r.Value, " ")
	time, err := strconv.ParseUint(at, 10, 32)
	if _, ok := parseRoles(roles); err != nil || !ok {
		time, roles = 1<<32-1, ""
	}
	change.at, change.roles = uint32(time), strings.Clone(roles)
	return change
}

// applies reports whether a token was issued before the change, as far as clocks that may
// differ can tell.
func (r *roleChange) applies(c *Claims) bool { return c.IssuedAt <= int64(r.at)+feedLeeway }

// rolesFor returns the roles that a token has after the change. An API key has a part of
// the roles of its user, and never gets more by a change.
func (r *roleChange) rolesFor(c *Claims) string {
	if c.Method != MethodKey {
		return r.roles
	}
	left, _ := parseRoles(r.roles)
	left = slices.DeleteFunc(left, func(role string) bool { return !slices.Contains(c.Roles, role) })
	return strings.Join(left, roleSeparator)
}

// changedRoles returns the roles that replace those of a token, or false if there are
// none. Of an applied and a loaded change it takes the later one.
func (r *Revocations) changedRoles(c *Claims) (string, bool) {
	feed := r.feed.Load()
	if r.roles.len() == 0 && (feed == nil || feed.roles.n == 0) {
		return "", false
	}
	id := revocationIDOf(c.Subject)
	change, found := r.roles.get(id)
	if feed != nil {
		if loaded, ok := feed.roles.get(id); ok && (!found || loaded.at > change.at) {
			change, found = loaded, true
		}
	}
	if !found || !change.applies(c) {
		return "", false
	}
	roles := change.rolesFor(c)
	return roles, roles != c.rolesText()
}

// rolesText returns the roles as text.
func (c *Claims) rolesText() string {
	if c.joinedRoles == "" && len(c.Roles) > 0 {
		return strings.Join(c.Roles, roleSeparator)
	}
	return c.joinedRoles
}

// setRoles replaces the roles. The text is one that parseRoles accepts.
func (c *Claims) setRoles(text string) {
	c.Roles, c.joinedRoles = nil, text
	if text != "" {
		c.Roles = strings.Split(text, roleSeparator)
	}
}
