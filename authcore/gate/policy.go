package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy contains the conditions for requests to proceed. The zero value requires a
// valid token. A policy must not be changed while it is in use.
type Policy struct {
	// Optional allows requests without a token, which are anonymous. An invalid token
	// is still refused. It excludes Require: a client that does not meet a
	// requirement could omit its token.
	Optional bool
	// Require lists requirements that all have to hold.
	Require []Requirement
	// MaxAge is the greatest age of the login; zero means no limit.
	MaxAge time.Duration
}

// Requirement holds if a field has one of the values.
type Requirement struct {
	// Field is id, email, email_domain, email_verified, method, client, name, role, amr or
	// acr. email and email_domain hold only for a verified address, in any case of
	// letters, and acr also for a greater value. The others are compared exactly. A field
	// that is a list, such as role or amr, has to contain one of the values. A login that
	// lacks a value of amr or acr can be repeated with it; see [Decision].
	Field string
	// Values lists at least one accepted value; none is empty.
	Values []string
}

// Validate returns all faults of the policy, joined.
func (p *Policy) Validate() error {
	var faults []error
	if p.MaxAge < 0 {
		faults = append(faults, errors.New("max_age: must not be negative"))
	}
	if p.Optional && len(p.Require) > 0 {
		faults = append(faults, errors.New("optional: excludes require, which anonymous requests cannot meet; remove one"))
	}
	for i := range p.Require {
		if err := p.Require[i].validate(); err != nil {
			faults = append(faults, fmt.Errorf("require %s: %w", p.Require[i].Field, err))
		}
	}
	return errors.Join(faults...)
}

func (r *Requirement) validate() error {
	switch r.Field {
	case "id", "email", "email_domain", "email_verified", "method", "client", "name", fieldRole, "amr", "acr":
	default:
		return errors.New("unknown field")
	}
	if len(r.Values) == 0 {
		return errors.New("needs a value")
	}
	for _, value := range r.Values {
		if err := r.validateValue(value); err != nil {
			return err
		}
	}
	return nil
}

// validateValue refuses values that no token can have.
func (r *Requirement) validateValue(value string) error {
	if value == "" {
		return errors.New("a value is empty")
	}
	local, domain, isAddress := strings.Cut(value, "@")
	switch r.Field {
	case "email":
		if !isAddress || local == "" || !isDomain(domain) {
			return errors.New("a value is not an e-mail address in ASCII form")
		}
	case "email_domain":
		if !isDomain(value) {
			return errors.New("a value is not a domain in ASCII form, without \"@\"")
		}
	case "email_verified":
		if value != "true" && value != "false" {
			return errors.New("a value is neither true nor false")
		}
	case fieldRole:
		if !IsRole(value) {
			return fmt.Errorf("a value is not the name of a role, which has 1 to %d of the characters a-z, 0-9, \"_\" and \"-\"", MaxRoleName)
		}
	case "amr":
		if !slices.Contains(methods(), value) {
			return fmt.Errorf("a value is not one of %s", strings.Join(methods(), ", "))
		}
	case "acr":
		if value != "1" && value != "2" {
			return errors.New("a value is neither 1 nor 2")
		}
	}
	return nil
}

// isDomain reports whether text can be the domain of a verified address, which is in
// ASCII form (RFC 5891, section 4.4).
func isDomain(text string) bool {
	for i := range len(text) {
		if c := foldHeader(text[i]); c == '-' && text[i] != '-' && text[i] != '.' {
			return false
		}
	}
	return text != "" && text[0] != '.' && text[len(text)-1] != '.'
}

// fieldRole is the field of a Requirement that is met by a role.
const fieldRole = "role"

// holds reports whether the claims meet the requirement.
func (r *Requirement) holds(c *Claims) bool {
	if values, ok := listField(c, r.Field); ok {
		return slices.ContainsFunc(r.Values, func(wanted string) bool { return slices.Contains(values, wanted) })
	}
	value, known := Field(c, r.Field)
	if !known || value == "" {
		return false
	}
	anyCase := r.Field == "email" || r.Field == "email_domain"
	for _, wanted := range r.Values {
		if value == wanted || anyCase && equalFold(value, wanted) || r.Field == "acr" && value > wanted {
			return true
		}
	}
	return false
}
