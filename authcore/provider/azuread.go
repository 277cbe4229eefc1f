package provider

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// Names of tenant groups, and the tenant that contains all personal accounts
// (https://learn.microsoft.com/entra/identity-platform/v2-protocols).
const (
	allTenants      = "common"
	workTenants     = "organizations"
	personalTenants = "consumers"
	personalTenant  = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// azureAD describes Microsoft Entra ID, formerly Azure AD, with its v2.0 endpoints
// (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
//
// The issuer contains the user's tenant. The subject is "oid", the ID of the
// account in that tenant: "sub" differs between applications of one operator, and
// tenant administrators can set UPN and e-mail to any value. For the same reason an
// address is verified only if "xms_edov" confirms that the tenant owns its domain.
// The user info endpoint returns neither claim and is not requested.
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

		configFault: microsoftConfigFault,
	}
}

// microsoftConfigFault reads the error codes about the redirect URI
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes): it is
// not registered, or it differs from that of the authorization request.
func microsoftConfigFault(answer object) error {
	var codes []int
	_ = json.Unmarshal(answer["error_codes"], &codes) // another type contains no code
	if slices.Contains(codes, 50011) || slices.Contains(codes, 500112) {
		return authcore.ErrProviderRedirectURI
	}
	return nil
}

// azureRecognizes extracts the tenant from the issuer.
func azureRecognizes(p *provider, issuer string) bool {
	before, after, _ := strings.Cut(p.issuer, tenantMark)
	tenant := strings.TrimSuffix(strings.TrimPrefix(issuer, before), after)
	return p.isIssuer(issuer, tenant) && p.admitsTenant(tenant)
}

func azureProfile(_ context.Context, g *grant) (authcore.Profile, error) {
	tenant := g.claims.display("tid")
	if !g.provider.admitsTenant(tenant) {
		return authcore.Profile{}, denied("ID token: the tenant is not configured")
	}
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	id, ok := g.claims.text("oid")
	if !ok || id == "" {
		return authcore.Profile{}, failed("ID token: oid is missing; request the scope profile")
	}
	profile.Issuer, profile.Subject = g.claims.display("iss"), id
	profile.EmailVerified = g.claims.truth("xms_edov") || g.claims.isOne("xms_edov")
	return profile, nil
}

// tenantPath returns the tenant segment of the endpoint URLs.
func (c *Config) tenantPath() string {
	if len(c.Tenants) == 1 {
		return c.Tenants[0]
	}
	return allTenants
}

func isTenantGroup(tenant string) bool {
	return tenant == allTenants || tenant == workTenants || tenant == personalTenants
}

// admitsTenant reports whether users of a tenant may log in. The tenant in the
// authorization URL does not enforce this, because the browser can change the URL.
func (p *provider) admitsTenant(tenant string) bool {
	if len(p.cfg.Tenants) == 0 {
		return true
	}
	switch p.cfg.Tenants[0] {
	case allTenants:
		return true
	case workTenants:
		return tenant != personalTenant
	case personalTenants:
		return tenant == personalTenant
	default:
		return slices.Contains(p.cfg.Tenants, tenant)
	}
}
