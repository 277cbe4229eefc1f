package provider

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// openIDScope asks for an ID token (OpenID Connect Core 1.0, section 3.1.2.1).
const openIDScope = "openid"

// spec describes one kind of provider. It is all that there is to say about
// it: whatever is not in the spec is the same for every provider.
type spec struct {
	// kind is the name in configuration, that of python-social-auth.
	kind string
	// issuer is the "iss" of the public service's ID tokens; "" where there are
	// none or where it is configured.
	issuer string
	// issuerAliases are other spellings of issuer in the public service's
	// tokens. An identity always carries issuer.
	issuerAliases []string
	// issuerPath follows a configured base URL in the issuer.
	issuerPath string
	// issuerEndsInSlash says that every configured issuer of the kind does, and
	// that people leave it out.
	issuerEndsInSlash bool
	// discovery says that the issuer is configured and that the endpoints come
	// from its discovery document.
	discovery bool
	// public holds the endpoints of the public service.
	public endpoints
	// selfHosted holds their paths below a configured base URL; empty where the
	// service cannot be hosted by others.
	selfHosted endpoints
	// scopes are asked for unless others are configured. Order is kept.
	scopes []string
	// scopeSeparator is " " (RFC 6749, section 3.3) unless set.
	scopeSeparator string
	// authStyle is how the client authenticates at the token endpoint. It is
	// never left to detection, which sends a single-use code twice. Only where
	// there is discovery may it be zero: then the document decides.
	authStyle oauth2.AuthStyle
	// pkce says that the provider takes an S256 challenge (RFC 7636).
	pkce bool
	// nonce says that the provider puts the nonce into its ID tokens.
	nonce bool
	// appTokens says that ID tokens are taken which an application got by
	// itself; appTokensOnly, that the code flow brings none.
	appTokens, appTokensOnly bool
	// openIDMode changes the spec for logins by OpenID Connect, where the kind
	// knows both: when the scope openid is configured. It changes whatever it
	// likes but who somebody is, so that nobody becomes somebody else when the
	// scope is added or taken away: the subject is the same, and identities carry
	// the issuer that they have without it.
	openIDMode func(spec) spec
	// responseMode is "form_post" where the provider insists on it.
	responseMode string
	// authorizeParams returns what is added to every authorize URL.
	authorizeParams func(p *provider) map[string]string
	// options lists those of Config that only some kinds take, by name. With an
	// exclamation mark after the name the kind needs it.
	options []string
	// noSecret says that no client secret is configured.
	noSecret bool
	// oneTenant says that nothing tells which tenant somebody is from, so that
	// there can be no list of them.
	oneTenant bool
	// secret makes the client secret of one token request, where it is not
	// simply the configured one.
	secret func(p *provider) (string, error)
	// exchangeParams returns further parameters of the token request, or an
	// error where the request lacks what they are made of.
	exchangeParams func(request authcore.ExchangeRequest) (map[string]string, error)
	// refuses reads an error of the token endpoint in a form, or with codes, of
	// the provider's own. It reports whether the error is about this code or
	// this person, so that another login may succeed.
	refuses func(answer object) bool
	// profile reads who logged in. It returns what the provider says, as it
	// says it: sanitize cleans, bounds and checks all of it afterwards. Issuer
	// is set by the caller unless the profile has one.
	profile func(ctx context.Context, g *grant) (authcore.Profile, error)
	// recognizes tells the issuers that profile sets, where it does.
	recognizes func(p *provider, issuer string) bool
}

// endpoints are the addresses of a provider.
type endpoints struct {
	authorize, token, userInfo, jwks string
}

// or returns the endpoints with those of other in place of missing ones.
func (e endpoints) or(other endpoints) endpoints {
	first := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	return endpoints{
		authorize: first(e.authorize, other.authorize),
		token:     first(e.token, other.token),
		userInfo:  first(e.userInfo, other.userInfo),
		jwks:      first(e.jwks, other.jwks),
	}
}

// below returns the endpoints, which are paths, as URLs below a base.
func (e endpoints) below(base string) endpoints {
	join := func(path string) string {
		if path == "" {
			return ""
		}
		return base + path
	}
	return endpoints{
		authorize: join(e.authorize),
		token:     join(e.token),
		userInfo:  join(e.userInfo),
		jwks:      join(e.jwks),
	}
}

// replaced returns the endpoints with one text in place of another.
func (e endpoints) replaced(from, to string) endpoints {
	return endpoints{
		authorize: strings.ReplaceAll(e.authorize, from, to),
		token:     strings.ReplaceAll(e.token, from, to),
		userInfo:  strings.ReplaceAll(e.userInfo, from, to),
		jwks:      strings.ReplaceAll(e.jwks, from, to),
	}
}

// openID reports whether the provider issues ID tokens.
func (s *spec) openID() bool { return s.discovery || s.issuer != "" }

// asking returns the spec for logins with these scopes.
func (s *spec) asking(scopes []string) spec {
	if s.openIDMode != nil && slices.Contains(scopes, openIDScope) {
		return s.openIDMode(*s)
	}
	return *s
}

// takes reports whether the kind has an option that only some have, and whether
// it needs it.
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

// Kinds lists the kinds that Config.Kind can name.
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
