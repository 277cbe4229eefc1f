package provider

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// The words that stand for groups of tenants, and the tenant of all personal
// accounts (https://learn.microsoft.com/entra/identity-platform/v2-protocols).
const (
	allTenants      = "common"
	workTenants     = "organizations"
	personalTenants = "consumers"
	personalTenant  = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// azureAD is Microsoft Entra ID, once Azure AD, by its v2.0 endpoints
// (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
//
// The issuer has the person's tenant in it. The subject is "oid", the id of the
// account in that tenant: "sub" is another one for each of an operator's
// applications, and UPN and e-mail are changed by any tenant's administrator to
// whatever they like. For the same reason an address is verified only where
// "xms_edov" says that the tenant owns its domain. The user info endpoint is not
// asked, as it knows neither.
func azureAD() spec {
	return spec{
		kind:   "azuread-oauth2",
		issuer: "https://login.microsoftonline.com/" + tenantMark + "/v2.0",
		public: endpoints{
			authorize: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
			token:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
			jwks:      "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys",
		},
		selfHosted: endpoints{
			authorize: "/{tenant}/oauth2/v2.0/authorize",
			token:     "/{tenant}/oauth2/v2.0/token",
			jwks:      "/{tenant}/discovery/v2.0/keys",
		},
		issuerPath: "/" + tenantMark + "/v2.0",
		scopes:     []string{"openid", "profile", "email"},
		authStyle:  oauth2.AuthStyleInParams,
		pkce:       true,
		nonce:      true,
		appTokens:  true,
		options:    []string{"tenant", "audience", "jwks_url"},
		profile:    azureProfile,
		recognizes: azureRecognizes,
	}
}

// azureRecognizes looks for the tenant in the issuer.
func azureRecognizes(p *provider, issuer string) bool {
	before, after, _ := strings.Cut(p.issuer, tenantMark)
	tenant := strings.TrimSuffix(strings.TrimPrefix(issuer, before), after)
	return p.isIssuer(issuer, tenant) && p.admitsTenant(tenant)
}

func azureProfile(_ context.Context, g *grant) (authcore.Profile, error) {
	tenant := g.claims.display("tid")
	if !g.provider.admitsTenant(tenant) {
		return authcore.Profile{}, denied("ID token: the person is from a tenant that is not configured")
	}
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	id, ok := g.claims.text("oid")
	if !ok || id == "" {
		return authcore.Profile{}, failed("ID token: oid is missing; is the scope profile asked for?")
	}
	profile.Issuer, profile.Subject = g.claims.display("iss"), id
	profile.EmailVerified = g.claims.truth("xms_edov") || g.claims.isOne("xms_edov")
	return profile, nil
}

// tenantPath is what stands for the tenant in addresses.
func (c *Config) tenantPath() string {
	if len(c.Tenants) == 1 {
		return c.Tenants[0]
	}
	return allTenants
}

func isTenantGroup(tenant string) bool {
	return tenant == allTenants || tenant == workTenants || tenant == personalTenants
}

// admitsTenant decides who may log in. Microsoft lets in whom the address of the
// authorize endpoint stands for; but that address went through the browser.
func (p *provider) admitsTenant(tenant string) bool {
	if len(p.tenants) == 0 {
		return true
	}
	switch p.tenants[0] {
	case allTenants:
		return true
	case workTenants:
		return tenant != personalTenant
	case personalTenants:
		return tenant == personalTenant
	default:
		return slices.Contains(p.tenants, tenant)
	}
}
