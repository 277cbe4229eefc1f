package caddymodule

import (
	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/provider"
)

func init() {
	for _, kind := range provider.Kinds() {
		caddy.RegisterModule(&SocialProvider{kind: kind})
	}
}

// Provider is what modules of the namespace edgeauth.providers implement. A
// kind of provider is a module; in a Caddyfile its UnmarshalCaddyfile is given
// the whole option, from the provider's name on, and skips `type`.
type Provider interface {
	// NewProvider returns the provider under its configured name. It checks
	// the configuration and sends nothing. A module that embeds AccountOptions
	// has account rules of its own.
	NewProvider(name string) (authcore.Provider, error)
}

// SocialProvider is a social provider of one of the built-in kinds, each of
// which is a module. Strings may hold placeholders.
type SocialProvider struct {
	// What the provider gave to you when you registered the application.
	// Required.
	ClientID string `json:"client_id,omitempty"`
	// The secret that belongs to it. Required, but by `apple-id` and `vk-id`,
	// which have none.
	ClientSecret string `json:"client_secret,omitempty"`
	// The scopes to ask for. Default: what the kind needs for a login.
	Scopes []string `json:"scope,omitempty"`
	// The OpenID Connect issuer, exactly as the provider writes it. Required by
	// `oidc`, `keycloak`, `auth0` and `okta-openidconnect`.
	Issuer string `json:"issuer,omitempty"`
	// The address of a self-hosted service, such as GitHub Enterprise Server.
	// Default: the public service.
	BaseURL string `json:"base_url,omitempty"`
	// Single endpoints. Default: those of the kind, or from discovery.
	AuthorizeURL string `json:"authorize_url,omitempty"`
	TokenURL     string `json:"token_url,omitempty"`
	UserInfoURL  string `json:"user_info_url,omitempty"`
	JWKSURL      string `json:"jwks_url,omitempty"`
	// What ID tokens of native apps may be made out to beside the client id.
	Audiences []string `json:"audience,omitempty"`
	// Which tenants of Microsoft may log in: their ids, or one of `common`,
	// `organizations` and `consumers`. Default: `common`, which is all.
	Tenants []string `json:"tenant,omitempty"`
	// Which organizations of Google Workspace may log in. Default: everybody.
	HostedDomains []string `json:"hosted_domain,omitempty"`
	// What Apple gives instead of a client secret; the key is PEM text, and best
	// comes from a file: {file./etc/caddy/AuthKey.p8}. Required by `apple-id`.
	TeamID     string `json:"team_id,omitempty"`
	KeyID      string `json:"key_id,omitempty"`
	PrivateKey string `json:"private_key,omitempty"`
	// How the client of an `oauth2` provider authenticates: `basic` or `post`.
	// Default: `basic`.
	ClientAuth string `json:"client_auth,omitempty"`
	// Where the user info of an `oauth2` provider has the fields: `subject`,
	// `email`, `email_verified`, `first_name`, `last_name`, `name`, `nickname`
	// and `avatar`, each with a path such as `data.user.id`. `subject` is required.
	Fields map[string]string `json:"field,omitempty"`
	// Let endpoints be plain http and live on private, loopback and link-local
	// addresses. Default: false.
	InsecureAllowPrivateAddresses bool `json:"insecure_allow_private_addresses,omitempty"`
	AccountOptions

	kind string
}

// CaddyModule returns the Caddy module information.
func (p *SocialProvider) CaddyModule() caddy.ModuleInfo {
	kind := p.kind
	return caddy.ModuleInfo{
		ID:  caddy.ModuleID("edgeauth.providers." + kind),
		New: func() caddy.Module { return &SocialProvider{kind: kind} },
	}
}

// NewProvider returns the provider.
func (p *SocialProvider) NewProvider(name string) (authcore.Provider, error) {
	config := provider.Config{Name: name, Kind: p.kind, ClientAuth: p.ClientAuth, Fields: p.Fields, AllowPrivate: p.InsecureAllowPrivateAddresses}
	resolve := newResolver("provider " + name)
	err := resolve.bind(
		binding{"client_id", p.ClientID, &config.ClientID},
		binding{"client_secret", p.ClientSecret, &config.ClientSecret},
		binding{"issuer", p.Issuer, &config.Issuer},
		binding{"base_url", p.BaseURL, &config.BaseURL},
		binding{"authorize_url", p.AuthorizeURL, &config.AuthorizeURL},
		binding{"token_url", p.TokenURL, &config.TokenURL},
		binding{"user_info_url", p.UserInfoURL, &config.UserInfoURL},
		binding{"jwks_url", p.JWKSURL, &config.JWKSURL},
		binding{"team_id", p.TeamID, &config.TeamID},
		binding{"key_id", p.KeyID, &config.KeyID},
		binding{"private_key", p.PrivateKey, &config.PrivateKey},
	)
	if err != nil {
		return nil, err
	}
	for _, list := range []struct {
		option string
		values []string
		to     *[]string
	}{
		{"scope", p.Scopes, &config.Scopes},
		{"audience", p.Audiences, &config.Audiences},
		{"tenant", p.Tenants, &config.Tenants},
		{"hosted_domain", p.HostedDomains, &config.HostedDomains},
	} {
		if *list.to, err = resolve.list(list.option, list.values); err != nil {
			return nil, err
		}
	}
	return provider.New(config, provider.Deps{})
}

// Interface guard.
var _ Provider = (*SocialProvider)(nil)
