package provider

import (
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// anyDomain trusts a provider with the addresses of all domains.
const anyDomain = "*"

// trusted returns the domains for which the provider may verify addresses, in the
// form of [authcore.Address.Domain].
func (c *Config) trusted(s *spec) []string {
	if len(c.TrustAddresses) == 0 && !s.administered {
		return []string{anyDomain}
	}
	var domains []string
	for _, text := range c.TrustAddresses {
		if text == anyDomain {
			return []string{anyDomain}
		}
		if domain, err := authcore.ParseDomain(text); err == nil {
			domains = append(domains, domain)
		}
	}
	return domains
}

// trusts reports whether the provider's word verifies an address. The administrator
// of a provider can give an account any address and call it verified; with an
// address of another domain, that would be a login as its owner (CWE-346).
func (p *provider) trusts(email string) bool {
	if slices.Contains(p.trusted, anyDomain) {
		return true
	}
	address, err := authcore.ParseAddress(email)
	return err == nil && slices.Contains(p.trusted, address.Domain())
}
