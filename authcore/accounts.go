package authcore

import (
	"fmt"
	"slices"
	"strings"
)

// Who may sign up.
const (
	SignupOpen    = "open"
	SignupClosed  = "closed"
	SignupDomains = "domains"
)

// Whether a social login may join an existing account.
const (
	// LinkByEmailVerified joins when both sides have verified the address.
	LinkByEmailVerified = "verified"
	// LinkByEmailNever never joins.
	LinkByEmailNever = "never"
)

// What becomes of a social login whose address belongs to somebody else.
const (
	// EmailTakenConflict refuses the login with 409.
	EmailTakenConflict = "conflict"
	// EmailTakenNewAccount makes an account without the address.
	EmailTakenNewAccount = "new_account"
)

// AccountRules says which accounts come into being and what belongs together.
type AccountRules struct {
	// Signup is SignupOpen (default), SignupClosed or SignupDomains.
	Signup string
	// Domains that may sign up under SignupDomains; the address must be
	// verified. A domain does not stand for its sub-domains.
	Domains []string
	// LinkByEmail is LinkByEmailVerified (default) or LinkByEmailNever.
	LinkByEmail string
	// EmailTaken is EmailTakenConflict (default) or EmailTakenNewAccount.
	EmailTaken string
}

func (r *AccountRules) setDefaults() {
	setDefault(&r.Signup, SignupOpen)
	setDefault(&r.LinkByEmail, LinkByEmailVerified)
	setDefault(&r.EmailTaken, EmailTakenConflict)
}

func (r *AccountRules) validate() []error {
	var faults []error
	oneOf := func(option, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults = append(faults, fmt.Errorf("%s: %q is not one of %s", option, value, strings.Join(allowed, ", ")))
		}
	}
	oneOf("signup", r.Signup, SignupOpen, SignupClosed, SignupDomains)
	oneOf("link_by_email", r.LinkByEmail, LinkByEmailVerified, LinkByEmailNever)
	oneOf("email_taken", r.EmailTaken, EmailTakenConflict, EmailTakenNewAccount)
	if (r.Signup == SignupDomains) != (len(r.Domains) > 0) {
		faults = append(faults, fmt.Errorf("signup: domains go with %q, and at least one is needed there", SignupDomains))
	}
	for i, domain := range r.Domains {
		normal, err := normalizeDomain(domain)
		if err != nil {
			faults = append(faults, fmt.Errorf("signup: %q is not a domain", domain))
			continue
		}
		r.Domains[i] = normal
	}
	return faults
}

// maySignUp reports whether a new account may be made for this person. The
// address counts only when it is verified.
func (r *AccountRules) maySignUp(address Address, verified bool) bool {
	switch r.Signup {
	case SignupOpen:
		return true
	case SignupDomains:
		return verified && slices.Contains(r.Domains, address.Domain())
	default:
		return false
	}
}
