package caddymodule

import (
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// AccountOptions are the account rules that a realm has, and that a provider may
// have of its own. A provider module that embeds them has them.
type AccountOptions struct {
	// Who may sign up: `open`, `closed` or `domains`. Default: `open`; for a
	// provider that of the realm.
	Signup string `json:"signup,omitempty"`
	// The domains of verified addresses that may sign up under `domains`.
	SignupDomains []string `json:"signup_domains,omitempty"`
	// Whether a social login joins the account of its address: `verified` (when
	// both sides verified it) or `never`. Default: `verified`; for a provider
	// that of the realm.
	LinkByEmail string `json:"link_by_email,omitempty"`
}

// AccountRules returns the rules of a provider.
func (o *AccountOptions) AccountRules() authcore.ProviderRules {
	return authcore.ProviderRules{
		Signup: o.Signup, Domains: slices.Clone(o.SignupDomains), LinkByEmail: o.LinkByEmail,
	}
}

// accountRuler is a provider module with account rules of its own.
type accountRuler interface {
	AccountRules() authcore.ProviderRules
}

// parse reads one of the options, and reports whether it was one. Syntax:
//
//	signup        open|closed|domains <domain…>
//	link_by_email verified|never
func (o *AccountOptions) parse(b *block) (known bool, err error) {
	switch b.Val() {
	case "signup":
		return true, o.parseSignup(b)
	case "link_by_email":
		return true, b.oneOf(&o.LinkByEmail, authcore.LinkByEmailVerified, authcore.LinkByEmailNever)
	}
	return false, nil
}

func (o *AccountOptions) parseSignup(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	modes := []string{authcore.SignupOpen, authcore.SignupClosed, authcore.SignupDomains}
	switch {
	case len(arguments) == 0 || !slices.Contains(modes, arguments[0]):
		return b.Errf("signup: expected open, closed, or domains and a list of domains")
	case (arguments[0] == authcore.SignupDomains) != (len(arguments) > 1):
		return b.Errf("signup: domains go with %q, and at least one is needed there", authcore.SignupDomains)
	}
	o.Signup, o.SignupDomains = arguments[0], arguments[1:]
	return nil
}
