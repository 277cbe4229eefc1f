package caddymodule

import (
	"slices"

	"github.com/edgeauth/edgeauth/authcore/account"
)

// AccountOptions are the account rules of a realm. A provider module that embeds
// them has account rules of its own.
type AccountOptions struct {
	// Who may sign up: `open`, `closed` or `domains`. Default: `open`; for a
	// provider that of the realm.
	Signup string `json:"signup,omitempty" option:"-"`
	// The domains of verified addresses that may sign up under `domains`.
	SignupDomains []string `json:"signup_domains,omitempty" option:"-"`
	// Whether a social login joins the account of its address: `verified` (when
	// both sides verified it) or `never`. Default: `verified`; for a provider
	// that of the realm.
	LinkByEmail string `json:"link_by_email,omitempty" oneof:"verified never"`
}

// AccountRules returns the rules of a provider.
func (o *AccountOptions) AccountRules() account.ProviderRules {
	return account.ProviderRules{
		Signup: o.Signup, Domains: slices.Clone(o.SignupDomains), LinkByEmail: o.LinkByEmail,
	}
}

// accountRuler is implemented by a provider module with account rules of its own.
type accountRuler interface {
	AccountRules() account.ProviderRules
}

// parseSignup reads: signup open|closed|domains <domain…>
func (o *AccountOptions) parseSignup(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	modes := []string{account.SignupOpen, account.SignupClosed, account.SignupDomains}
	switch {
	case len(arguments) == 0 || !slices.Contains(modes, arguments[0]):
		return b.Errf("signup: expected open, closed, or domains and a list of domains")
	case (arguments[0] == account.SignupDomains) != (len(arguments) > 1):
		return b.Errf("signup: domains go with %q, and at least one is needed there", account.SignupDomains)
	}
	o.Signup, o.SignupDomains = arguments[0], arguments[1:]
	return nil
}
