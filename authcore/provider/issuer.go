package provider

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// tenantMark is the placeholder for the tenant in an issuer, as in Microsoft's
// discovery document.
const tenantMark = "{tenantid}"

// validTenant matches a tenant id in the only form that tokens contain.
var validTenant = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// isIssuer reports whether an issuer belongs to this provider. If the issuer
// contains a tenant, it must be the given one; "" accepts any.
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

// checkIssuer checks the issuer of an ID token and whether the verifying key
// belongs to that issuer. A key set may contain keys of several issuers; without
// this check each key could sign for every tenant.
func (p *provider) checkIssuer(claims object, keyIssuer string) error {
	issuer, ok := claims.text("iss")
	tenant := claims.display("tid")
	if strings.Contains(p.issuer, tenantMark) {
		ok = ok && tenant != ""
		if keyIssuer != "" && strings.ReplaceAll(keyIssuer, tenantMark, tenant) != issuer {
			return errors.New("the signing key belongs to another issuer")
		}
	}
	if !ok || !p.isIssuer(issuer, tenant) {
		return errors.New("iss is not the configured issuer")
	}
	return nil
}
