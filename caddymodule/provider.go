package caddymodule

import (
	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/provider"
)

func init() {
	for _, kind := range provider.Kinds() {
		caddy.RegisterModule(&SocialProvider{Config: provider.Config{Kind: kind}})
	}
}

// Provider is implemented by modules of the namespace edgeauth.providers. A kind of
// provider is a module; in a Caddyfile its UnmarshalCaddyfile receives the whole
// option, starting with the provider's name, and skips `type`.
type Provider interface {
	// NewProvider returns the provider under its configured name. It checks the
	// configuration and sends nothing. A module that embeds AccountOptions has
	// account rules of its own.
	NewProvider(name string) (authcore.Provider, error)
}

// SocialProvider is a social provider of one of the built-in kinds, each of which
// is a module. Strings can contain placeholders.
type SocialProvider struct {
	provider.Config
	AccountOptions
}

// CaddyModule returns the Caddy module information.
func (p *SocialProvider) CaddyModule() caddy.ModuleInfo {
	kind := p.Kind
	return caddy.ModuleInfo{
		ID:  caddy.ModuleID("edgeauth.providers." + kind),
		New: func() caddy.Module { return &SocialProvider{Config: provider.Config{Kind: kind}} },
	}
}

// NewProvider returns the provider.
func (p *SocialProvider) NewProvider(name string) (authcore.Provider, error) {
	config := p.Config
	config.Name = name
	if err := newResolver("provider " + name).fields(&config); err != nil {
		return nil, err
	}
	return provider.New(config, provider.Deps{
		Transport: tracedTransport{provider.SafeTransport(config.AllowPrivate), name},
	})
}

// Interface guard.
var _ Provider = (*SocialProvider)(nil)
