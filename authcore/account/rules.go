package account

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Values of Rules.Signup.
const (
	SignupOpen    = "open"
	SignupClosed  = "closed"
	SignupDomains = "domains"
)

// Values of Rules.LinkByEmail.
const (
	// LinkByEmailVerified links a social login to an existing account if both
	// have verified the same address.
	LinkByEmailVerified = "verified"
	// LinkByEmailNever links no login by its address.
	LinkByEmailNever = "never"
)

// Values of Rules.EmailTaken.
const (
	// EmailTakenConflict refuses the login with 409.
	EmailTakenConflict = "conflict"
	// EmailTakenNewAccount creates an account without the address.
	EmailTakenNewAccount = "new_account"
)

// Rules are the account rules of a realm. Call SetDefaults and Validate before
// use.
type Rules struct {
	// Signup is SignupOpen (default), SignupClosed or SignupDomains.
	Signup string
	// Domains lists the domains that may sign up with SignupDomains; the address
	// must be verified. Sub-domains are not included.
	Domains []string
	// LinkByEmail is LinkByEmailVerified (default) or LinkByEmailNever.
	LinkByEmail string
	// EmailTaken applies to a social login whose verified address belongs to
	// another account. It is EmailTakenConflict (default) or
	// EmailTakenNewAccount.
	EmailTaken string
	// Allow lists addresses and domains. Unless it is empty, a login requires a
	// verified address on it, with or without an existing account. Sub-domains
	// are not included.
	Allow []string
	// Deny lists addresses and domains that may not log in, verified or not. It
	// overrides Allow. A domain includes its sub-domains, and an address includes
	// the other spellings of its mailbox.
	Deny []string

	// SecondFactor is SecondFactorOff (default), SecondFactorOptional or
	// SecondFactorRequired. SecondFactorRoles limits SecondFactorRequired to users that
	// have one of these roles; for all others it is optional.
	SecondFactor      string
	SecondFactorRoles []string
	// Roles lists the roles that the configuration gives to verified addresses.
	Roles []RoleRule
	// RoleProviders has the providers whose roles count, and ProviderRolesAge is the
	// time for which they count after a login; zero means no limit.
	RoleProviders    map[string]bool
	ProviderRolesAge time.Duration

	// allowed, denied and roles are made by Validate.
	allowed, denied addressList
	roles           roleRules
}

// ProviderRules replaces rules of the realm for logins through one provider. An
// empty field keeps the realm's rule.
type ProviderRules struct {
	// Signup and Domains are those of Rules. They replace each other's values
	// together.
	Signup  string
	Domains []string
	// LinkByEmail is that of Rules.
	LinkByEmail string
}

// Through returns the rules for logins through a provider.
func (r *Rules) Through(own ProviderRules) *Rules {
	rules := *r
	if own.Signup != "" || len(own.Domains) > 0 {
		rules.Signup, rules.Domains = own.Signup, own.Domains
	}
	rules.LinkByEmail = cmp.Or(own.LinkByEmail, rules.LinkByEmail)
	return &rules
}

// SetDefaults sets the default values of empty fields.
func (r *Rules) SetDefaults() {
	r.Signup = cmp.Or(r.Signup, SignupOpen)
	r.LinkByEmail = cmp.Or(r.LinkByEmail, LinkByEmailVerified)
	r.EmailTaken = cmp.Or(r.EmailTaken, EmailTakenConflict)
	r.SecondFactor = cmp.Or(r.SecondFactor, SecondFactorOff)
}

// Validate returns all faults of the rules, joined, and prepares them for use.
func (r *Rules) Validate() error {
	var allowFault, denyFault, roleFault error
	r.allowed, allowFault = parseAllow(r.Allow)
	r.denied, denyFault = parseDeny(r.Deny)
	r.roles, roleFault = parseRoleRules(r.Roles)
	return errors.Join(r.validateSignup(), oneOf("email_taken", r.EmailTaken, EmailTakenConflict, EmailTakenNewAccount), r.validateFactor(), allowFault, denyFault, roleFault)
}

// ValidateProvider returns all faults of the rules that a provider replaces,
// joined.
func (r *Rules) ValidateProvider(own ProviderRules) error {
	return r.Through(own).validateSignup()
}

func (r *Rules) validateSignup() error {
	faults := []error{
		oneOf("signup", r.Signup, SignupOpen, SignupClosed, SignupDomains),
		oneOf("link_by_email", r.LinkByEmail, LinkByEmailVerified, LinkByEmailNever),
	}
	switch {
	case r.Signup == SignupDomains && len(r.Domains) == 0:
		faults = append(faults, fmt.Errorf("signup: %s needs a domain; write for example: signup domains example.com", SignupDomains))
	case r.Signup != SignupDomains && len(r.Domains) > 0:
		faults = append(faults, fmt.Errorf("signup: domains are used with %q only; remove them or write signup domains", SignupDomains))
	}
	for _, domain := range r.Domains {
		if _, err := authcore.ParseDomain(domain); err != nil {
			faults = append(faults, fmt.Errorf("signup: %q is not a domain; write for example example.com", domain))
		}
	}
	return errors.Join(faults...)
}

func oneOf(option, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is not valid; use one of %s", option, value, strings.Join(allowed, ", "))
}

// MaySignUp reports whether a new account may be created for this address. Only a
// verified address counts.
func (r *Rules) MaySignUp(address authcore.Address, verified bool) bool {
	switch r.Signup {
	case SignupOpen:
		return true
	case SignupDomains:
		return verified && slices.ContainsFunc(r.Domains, func(domain string) bool {
			normal, err := authcore.ParseDomain(domain)
			return err == nil && normal == address.Domain()
		})
	default:
		return false
	}
}
