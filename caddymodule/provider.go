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
	// The secret that belongs to it. Required.
	ClientSecret string `json:"client_secret,omitempty"`
	// The scopes to ask for. Default: what the kind needs for a login.
	Scopes []string `json:"scope,omitempty"`
	// The OpenID Connect issuer, exactly as the provider writes it. Required by
	// `oidc`.
	Issuer string `json:"issuer,omitempty"`
	// The address of a self-hosted service, such as GitHub Enterprise Server.
	// Default: the public service.
	BaseURL string `json:"base_url,omitempty"`
	// Single endpoints. Default: those of the kind, or from discovery.
	AuthorizeURL string `json:"authorize_url,omitempty"`
	TokenURL     string `json:"token_url,omitempty"`
	UserInfoURL  string `json:"user_info_url,omitempty"`
	JWKSURL      string `json:"jwks_url,omitempty"`
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
	config := provider.Config{Name: name, Kind: p.kind, AllowPrivate: p.InsecureAllowPrivateAddresses}
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
	)
	if err != nil {
		return nil, err
	}
	if config.Scopes, err = resolve.list("scope", p.Scopes); err != nil {
		return nil, err
	}
	return provider.New(config, provider.Deps{})
}

// Interface guard.
var _ Provider = (*SocialProvider)(nil)
