package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// RoleRule gives a role to users by their verified address.
type RoleRule struct {
	Role string
	// To lists addresses and domains, the latter as example.com or @example.com.
	// Sub-domains are not included.
	To []string
}

// roleRules maps the key of an address, or a domain, to roles.
type roleRules map[string][]string

// parseRoleRules returns all faults, joined.
func parseRoleRules(rules []RoleRule) (roleRules, error) {
	parsed := make(roleRules, len(rules))
	var faults []error
	for _, rule := range rules {
		if _, err := authcore.ParseRoles([]string{rule.Role}); err != nil {
			faults = append(faults, fmt.Errorf("role: %w", err))
			continue
		}
		if len(rule.To) == 0 {
			faults = append(faults, fmt.Errorf("role %s: has no address; write for example: role %s ann@example.com @example.com", rule.Role, rule.Role))
		}
		list, err := parseList("role "+rule.Role, withoutAt(rule.To), authcore.Address.Key, func(domain string) string { return domain })
		faults = append(faults, err)
		for key := range maps.Keys(list) {
			if !slices.Contains(parsed[key], rule.Role) {
				parsed[key] = append(parsed[key], rule.Role)
			}
		}
	}
	return parsed, errors.Join(faults...)
}

// withoutAt removes the "@" before domains.
func withoutAt(entries []string) []string {
	entries = slices.Clone(entries)
	for i, entry := range entries {
		if len(entry) > 1 && entry[0] == '@' {
			entries[i] = entry[1:]
		}
	}
	return entries
}

// of returns the roles of a verified address.
func (r roleRules) of(user authcore.User) []string {
	if len(r) == 0 || !user.EmailVerified {
		return nil
	}
	address, err := authcore.ParseAddress(user.Email)
	if err != nil {
		return nil
	}
	return slices.Concat(r[address.Key()], r[address.Domain()])
}

// RolesOf returns the roles that an account has now, in ascending order: the granted
// ones, those that the configuration gives to its verified address, and those that
// providers reported at the last login with each of its active identities. The latter
// end with ProviderRolesAge. If there are more than authcore.MaxRoles, the first of this
// order count.
func (r *Rules) RolesOf(a *authcore.Account, now time.Time) []string {
	sources := append([][]string{a.User.Granted, r.roles.of(a.User)}, r.providerRoles(a, now)...)
	var roles []string
	for _, source := range sources {
		for _, role := range slices.Sorted(slices.Values(source)) {
			if len(roles) < authcore.MaxRoles && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	slices.Sort(roles)
	return roles
}

func (r *Rules) providerRoles(a *authcore.Account, now time.Time) (lists [][]string) {
	for _, identity := range a.Identities {
		fresh := r.ProviderRolesAge == 0 || now.Before(identity.RolesAt.Add(r.ProviderRolesAge))
		if identity.State == authcore.IdentityActive && fresh && r.RoleProviders[identity.Provider] {
			lists = append(lists, identity.Roles)
		}
	}
	return lists
}

// UpdateRoles computes the roles of an account anew. Every step that changes an account
// calls it, before a session starts. A step that changes the roles appends the
// revocation of authcore.Account.SetRoles.
func (r *Rules) UpdateRoles(a *authcore.Account, now time.Time) {
	a.SetRoles(r.RolesOf(a, now), now)
}

// SetRoles replaces the roles that operators grant to a user. Roles from the
// configuration and from providers stay. Tokens that were issued before have the new
// roles as soon as the revocation arrives at a verifier. The error is 400 if a name is
// not valid or there are too many.
func (s *Service) SetRoles(ctx context.Context, userID string, roles []string) (authcore.User, error) {
	granted, err := authcore.ParseRoles(roles)
	if err != nil {
		return authcore.User{}, authcore.FieldError(authcore.CodeInvalidRequest, "roles", sentence(err))
	}
	event := authcore.Event{Name: authcore.EventRolesGranted, UserID: userID, Detail: strings.Join(granted, " ")}
	return s.operate(ctx, event, func(account *authcore.Account) { account.User.Granted = granted })
}

// sentence returns an error as a sentence.
func sentence(err error) string { return err.Error() + "." }
