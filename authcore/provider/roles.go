package provider

import (
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// ReportsRoles implements [authcore.RoleReporter].
func (p *provider) ReportsRoles() bool { return len(p.rolePath) > 0 }

// roles returns the roles in the claims of a verified ID token, in ascending order. It
// returns none if the claim is neither a text nor a list of texts. Names that are not
// valid with the prefix are omitted.
func (p *provider) roles(claims object) []string {
	if len(p.rolePath) == 0 {
		return nil
	}
	last := len(p.rolePath) - 1
	for _, name := range p.rolePath[:last] {
		inner, ok := parseObject(claims[name])
		if !ok {
			return nil
		}
		claims = inner
	}
	names, ok := claims.texts(p.rolePath[last])
	if !ok {
		return nil
	}
	var roles []string
	for _, name := range names {
		// A member that is null has been read as "".
		if role := p.cfg.RolePrefix + name; name != "" && gate.IsRole(role) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	return slices.Clip(roles[:min(len(roles), authcore.MaxRoles)])
}

// rolePath returns the claim names of a path. Dots separate them; `\.` is a dot in a
// name and `\\` a backslash. It is false if the path is not valid.
func rolePath(path string) ([]string, bool) {
	if path == "" {
		return nil, false
	}
	var names []string
	var name strings.Builder
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '.':
			names = append(names, name.String())
			name.Reset()
			continue
		case '\\':
			if i++; i == len(path) || path[i] != '.' && path[i] != '\\' {
				return nil, false
			}
		}
		name.WriteByte(path[i])
	}
	names = append(names, name.String())
	return names, len(names) <= maxPathDepth && !slices.Contains(names, "")
}

// validateRoles refuses roles of tenants that the operator has not chosen: their
// administrators can give any role to any of their users.
func (c *Config) validateRoles(s *spec, found *faults) {
	switch {
	case c.Roles == "" && c.RolePrefix == "":
		return
	case !s.openID() || s.appTokensOnly:
		found.add("roles", "kind %s does not use it; remove it, roles come from ID tokens", s.kind)
		return
	}
	if _, valid := rolePath(c.Roles); !valid {
		found.add("roles", `%q is not a valid path; use claim names separated by dots, for example realm_access.roles, and \. for a dot in a name`, c.Roles)
	}
	if c.RolePrefix != "" && !gate.IsRole(c.RolePrefix) {
		found.add("roles", "%q is not a valid prefix; use the characters a-z, 0-9, \"_\" and \"-\"", c.RolePrefix)
	}
	if strings.Contains(c.issuer(s), tenantMark) && (len(c.Tenants) == 0 || isTenantGroup(c.Tenants[0])) {
		found.add("roles", "the administrators of every tenant could give roles; list the ids of your tenants with the option tenant")
	}
}
