package authcore

import (
	"errors"
	"fmt"
	"net/http"
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

// AccountRules says who may log in, which accounts come into being, and what
// belongs together.
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
	// Allow lists addresses and domains. Unless it is empty, only people with a
	// verified address on it log in, whether they have an account or not.
	Allow []string
	// Deny lists addresses and domains that do not log in, verified or not. It
	// is stronger than Allow, and an address on it stands for all its "+tag"
	// forms.
	Deny []string

	// What Allow and Deny mean; made by validate.
	allowed, denied addressList
}

// ProviderRules replaces rules of the realm for logins through one provider. An
// empty field leaves the realm's rule.
type ProviderRules struct {
	// Signup and Domains are those of AccountRules.
	Signup  string
	Domains []string
	// LinkByEmail is that of AccountRules.
	LinkByEmail string
}

// through returns the rules for logins through a provider.
func (r *AccountRules) through(own ProviderRules) *AccountRules {
	rules := *r
	if own.Signup != "" || len(own.Domains) > 0 {
		rules.Signup, rules.Domains = own.Signup, own.Domains
	}
	setIf(&rules.LinkByEmail, own.LinkByEmail)
	return &rules
}

func (r *AccountRules) setDefaults() {
	setDefault(&r.Signup, SignupOpen)
	setDefault(&r.LinkByEmail, LinkByEmailVerified)
	setDefault(&r.EmailTaken, EmailTakenConflict)
}

// validate checks the rules of the realm and prepares them for use.
func (r *AccountRules) validate() []error {
	faults := r.validateSignup()
	faults = append(faults, oneOf("email_taken", r.EmailTaken, EmailTakenConflict, EmailTakenNewAccount))
	var err error
	r.allowed, err = newAddressList("allow", r.Allow)
	faults = append(faults, err)
	r.denied, err = newAddressList("deny", r.Deny)
	return append(faults, err)
}

// validateSignup checks the rules that a provider may have of its own.
func (r *AccountRules) validateSignup() []error {
	faults := []error{
		oneOf("signup", r.Signup, SignupOpen, SignupClosed, SignupDomains),
		oneOf("link_by_email", r.LinkByEmail, LinkByEmailVerified, LinkByEmailNever),
	}
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

func oneOf(option, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is not one of %s", option, value, strings.Join(allowed, ", "))
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

// claim is an address with which somebody comes, or that an account has.
type claim struct {
	email    string
	verified bool
}

// admits reports whether the lists let somebody with these addresses in. What
// is no address is on no list.
func (r *AccountRules) admits(claims ...claim) bool {
	allowed := len(r.allowed) == 0
	for _, c := range claims {
		address, err := ParseAddress(c.email)
		if err != nil {
			continue
		}
		if r.denied.has(address.Key(), address.LimitKey(), address.Domain()) {
			return false
		}
		allowed = allowed || c.verified && r.allowed.has(address.Key(), address.Domain())
	}
	return allowed
}

func notAdmitted() *Error {
	return &Error{Status: http.StatusForbidden, Code: CodeNotAdmitted, Detail: "This account may not log in here."}
}

// addressList holds keys of addresses and domains. The former have an "@", the
// latter have none.
type addressList map[string]bool

func newAddressList(option string, entries []string) (addressList, error) {
	list := make(addressList, len(entries))
	var faults []error
	for _, entry := range entries {
		if strings.Contains(entry, "*") { // a star may stand in an address, but nobody means that
			faults = append(faults, fmt.Errorf("%s: %q has a wildcard; write a domain by itself, for all of its addresses", option, entry))
		} else if address, err := ParseAddress(entry); err == nil {
			list[address.Key()] = true
		} else if domain, err := normalizeDomain(entry); err == nil {
			list[domain] = true
		} else {
			faults = append(faults, fmt.Errorf("%s: %q is neither an e-mail address nor a domain", option, entry))
		}
	}
	return list, errors.Join(faults...)
}

func (l addressList) has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return l[key] })
}
