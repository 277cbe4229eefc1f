package provider

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// tenantMark stands in the issuer of a provider that has one per tenant, as
// Microsoft writes it in its discovery document.
const tenantMark = "{tenantid}"

// validTenant is the id of a tenant, in the only form that tokens have it.
var validTenant = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// isIssuer reports whether an issuer is this provider's. Where it has one per
// tenant, tenant is the one that must stand in it; "" for any.
func (p *provider) isIssuer(issuer, tenant string) bool {
	before, after, perTenant := strings.Cut(p.issuer, tenantMark)
	if !perTenant {
		return issuer == p.issuer || p.issuer == p.spec.issuer && slices.Contains(p.spec.issuerAliases, issuer)
	}
	if tenant == "" {
		tenant = strings.TrimSuffix(strings.TrimPrefix(issuer, before), after)
	}
	return validTenant.MatchString(tenant) && issuer == before+tenant+after
}

// checkIssuer checks the issuer of an ID token, and that the key which verified
// it signs for that issuer: a key set may hold keys of several, and without
// this check each of them could speak for every tenant.
func (p *provider) checkIssuer(claims object, keyIssuer string) error {
	issuer, ok := claims.text("iss")
	tenant := claims.display("tid")
	if strings.Contains(p.issuer, tenantMark) {
		ok = ok && tenant != ""
		if keyIssuer != "" && strings.ReplaceAll(keyIssuer, tenantMark, tenant) != issuer {
			return errors.New("the key that signed it belongs to another issuer")
		}
	}
	if !ok || !p.isIssuer(issuer, tenant) {
		return errors.New("iss is not the configured issuer")
	}
	return nil
}
