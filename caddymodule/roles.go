package caddymodule

import (
	"maps"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/account"
)

// parseRole reads one role. Syntax:
//
//	role <name> <address or domain…>
func (r *Realm) parseRole(b *block) error {
	arguments := b.RemainingArgs()
	if len(arguments) < 2 {
		return b.Errf("role: expected a name and at least one address or domain, for example: role admin ann@example.com @example.com")
	}
	rule := account.RoleRule{Role: arguments[0], To: slices.Clone(arguments[1:])}
	// Addresses with placeholders are checked when the configuration is loaded.
	rule.To = slices.DeleteFunc(rule.To, func(entry string) bool { return strings.Contains(entry, "{") })
	if len(rule.To) == 0 {
		rule.To = []string{"example.com"}
	}
	rules := account.Rules{Roles: []account.RoleRule{rule}}
	rules.SetDefaults()
	if err := rules.Validate(); err != nil {
		return b.WrapErr(err)
	}
	if r.Roles == nil {
		r.Roles = map[string][]string{}
	}
	r.Roles[arguments[0]] = append(r.Roles[arguments[0]], arguments[1:]...)
	return nil
}

// resolveRoles returns the rules of the option role.
func resolveRoles(resolve resolver, configured map[string][]string) ([]account.RoleRule, error) {
	rules := make([]account.RoleRule, 0, len(configured))
	for _, role := range slices.Sorted(maps.Keys(configured)) {
		to, err := resolve.list("role "+role, configured[role])
		if err != nil {
			return nil, err
		}
		rules = append(rules, account.RoleRule{Role: role, To: to})
	}
	return rules, nil
}

// parseRoles reads: roles <claim path> [<prefix>].
func (p *SocialProvider) parseRoles(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	if len(arguments) != 1 && len(arguments) != 2 {
		return b.Errf("roles: expected the path of a claim, and optionally a prefix, for example: roles realm_access.roles")
	}
	p.Roles = arguments[0]
	if len(arguments) == 2 {
		p.RolePrefix = arguments[1]
	}
	return nil
}
