package provider

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// openIDScope requests an ID token (OpenID Connect Core 1.0, section 3.1.2.1).
const openIDScope = "openid"

// spec describes one kind of provider. Everything that is not in the spec is the
// same for all kinds.
type spec struct {
	// kind is the name in the configuration, the same as in python-social-auth.
	kind string
	// issuer is the "iss" of the public service's ID tokens; "" if it has none or
	// if the issuer is configured.
	issuer string
	// issuerAliases are other spellings of issuer in the public service's tokens.
	// An identity always has issuer.
	issuerAliases []string
	// issuerPath follows a configured base URL in the issuer.
	issuerPath string
	// issuerEndsInSlash is set if every issuer of the kind ends in a slash, which
	// operators tend to omit.
	issuerEndsInSlash bool
	// discovery is set if the issuer is configured and the endpoints come from its
	// discovery document.
	discovery bool
	// public holds the endpoints of the public service.
	public endpoints
	// selfHosted holds their paths below a configured base URL; empty if the
	// service cannot be self-hosted.
	selfHosted endpoints
	// scopes are requested by default, in this order.
	scopes []string
	// scopeSeparator is " " (RFC 6749, section 3.3) unless set.
	scopeSeparator string
	// authStyle is the client authentication method at the token endpoint. It is
	// never detected, because detection sends a single-use code twice. With
	// discovery it may be zero: then the document decides.
	authStyle oauth2.AuthStyle
	// pkce is set if the provider accepts an S256 challenge (RFC 7636).
	pkce bool
	// nonce is set if the provider copies the nonce into its ID tokens.
	nonce bool
	// appTokens is set if ID tokens of applications are accepted, appTokensOnly if
	// the code flow returns none.
	appTokens, appTokensOnly bool
	// openIDMode changes the spec for logins with OpenID Connect, if the kind
	// supports both protocols and the scope openid is configured. It must not
	// change identities, so that users keep their accounts when the scope is added
	// or removed: the subject is the same, and identities keep the issuer that they
	// have without it.
	openIDMode func(spec) spec
	// responseMode is "form_post" if the provider requires it.
	responseMode string
	// authorizeParams returns parameters that are added to every authorization URL.
	authorizeParams func(p *provider) map[string]string
	// options lists the fields of Config that only some kinds accept. An
	// exclamation mark after the name makes the option required.
	options []string
	// administered is set if others than the operator administer the accounts and
	// may set any verified address. Then the provider is trusted with the addresses
	// of the configured domains only.
	administered bool
	// noSecret is set if the kind has no configured client secret.
	noSecret bool
	// oneTenant is set if responses do not contain the tenant, so that a list of
	// tenants cannot be checked.
	oneTenant bool
	// secret returns the client secret for one token request, if it is not the
	// configured one.
	secret func(p *provider) (string, error)
	// exchangeParams returns additional parameters of the token request, or an
	// error if the request lacks their input.
	exchangeParams func(request authcore.ExchangeRequest) (map[string]string, error)
	// refuses reads a provider-specific error of the token endpoint. It reports
	// whether the error concerns this code or this user, so that another login may
	// succeed.
	refuses func(answer object) bool
	// configFault reads a provider-specific error of the token endpoint. It returns
	// authcore.ErrProviderRedirectURI or authcore.ErrProviderMisconfigured for a
	// fault that the operator must correct, otherwise nil.
	configFault func(answer object) error
	// profile returns the user as the provider describes it; sanitize cleans,
	// limits and checks everything afterwards. The caller sets Issuer unless the
	// profile has one.
	profile func(ctx context.Context, g *grant) (authcore.Profile, error)
	// recognizes matches the issuers that profile sets, if it sets any.
	recognizes func(p *provider, issuer string) bool
}

// endpoints are the URLs of a provider.
type endpoints struct {
	authorize, token, userInfo, jwks string
}

// or returns the endpoints, with missing ones from other.
func (e endpoints) or(other endpoints) endpoints {
	return endpoints{
		authorize: cmp.Or(e.authorize, other.authorize),
		token:     cmp.Or(e.token, other.token),
		userInfo:  cmp.Or(e.userInfo, other.userInfo),
		jwks:      cmp.Or(e.jwks, other.jwks),
	}
}

// each returns the endpoints with a change to all that exist.
func (e endpoints) each(change func(string) string) endpoints {
	for _, one := range []*string{&e.authorize, &e.token, &e.userInfo, &e.jwks} {
		if *one != "" {
			*one = change(*one)
		}
	}
	return e
}

// below joins the endpoints, which are paths, to a base URL.
func (e endpoints) below(base string) endpoints {
	return e.each(func(path string) string { return base + path })
}

// replaced returns the endpoints with every from replaced by to.
func (e endpoints) replaced(from, to string) endpoints {
	return e.each(func(address string) string { return strings.ReplaceAll(address, from, to) })
}

// openID reports whether the provider issues ID tokens.
func (s *spec) openID() bool { return s.discovery || s.issuer != "" }

// choosesClientAuth reports whether the client authentication method can be
// configured: with OpenID Connect, providers may support several (OpenID Connect
// Core 1.0, section 9).
func (s *spec) choosesClientAuth() bool {
	return s.openID() && !s.noSecret && !s.appTokensOnly
}

// asking returns the spec for logins with these scopes.
func (s *spec) asking(scopes []string) spec {
	if s.openIDMode != nil && slices.Contains(scopes, openIDScope) {
		return s.openIDMode(*s)
	}
	return *s
}

// takes reports whether the kind accepts an option that only some kinds accept, and
// whether it requires it.
func (s *spec) takes(option string) (taken, needed bool) {
	needed = slices.Contains(s.options, option+"!")
	return needed || slices.Contains(s.options, option), needed
}

// specs is the table of all kinds.
func specs() []spec {
	return []spec{
		apple(),
		auth0(),
		azureAD(),
		bitbucket(),
		discord(),
		facebook(),
		github(),
		gitlab(),
		google(),
		keycloak(),
		linkedInLegacy(),
		linkedIn(),
		mailRu(),
		mailRuLegacy(),
		microsoftGraph(),
		generalOAuth2(),
		generalOIDC(),
		okta(),
		slack(),
		spotify(),
		twitch(),
		twitter(),
		vkID(),
		vk(),
		yandex(),
	}
}

// Kinds lists the valid values of Config.Kind.
func Kinds() []string {
	var kinds []string
	for _, s := range specs() {
		kinds = append(kinds, s.kind)
	}
	return kinds
}

// findSpec returns the spec of a kind.
func findSpec(kind string) (spec, bool) {
	for _, s := range specs() {
		if s.kind == kind {
			return s, true
		}
	}
	return spec{}, false
}
