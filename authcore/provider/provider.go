package provider

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// provider is a configured provider of any kind.
type provider struct {
	spec  spec
	cfg   Config
	deps  Deps
	scope string
	// audiences accepted in ID tokens from applications, including the client id.
	audiences []string
	// trusted lists the domains for which the provider verifies addresses.
	trusted []string
	// rolePath has the names of the claims that lead to the roles, or nil.
	rolePath []string
	key      *signingKey
	// issuer of ID tokens, or "".
	issuer string
	// accounts is the issuer of identities: that of ID tokens, unless a scope is
	// required to get them.
	accounts string
	// fixed endpoints; with discovery, those that override it.
	fixed endpoints

	http      caller
	discovery *cached[metadata]
	keys      *cached[keySet]
}

var (
	_ authcore.Provider = (*provider)(nil)
	_ authcore.Poster   = (*provider)(nil)
	_ authcore.Importer = (*provider)(nil)

	_ authcore.Recognizer   = (*provider)(nil)
	_ authcore.RoleReporter = (*provider)(nil)
)

// Name implements [authcore.Provider].
func (p *provider) Name() string { return p.cfg.Name }

// Endpoint implements [authcore.Provider].
func (p *provider) Endpoint(ctx context.Context) (authcore.Endpoint, error) {
	return within(ctx, p, func(ctx context.Context) (authcore.Endpoint, error) {
		md, err := p.metadata(ctx)
		if err != nil {
			return authcore.Endpoint{}, err
		}
		return authcore.Endpoint{
			ClientID:     p.cfg.ClientID,
			AuthorizeURL: md.authorize,
			Scope:        p.scope,
			ResponseType: "code",
			ResponseMode: p.spec.responseMode,
		}, nil
	})
}

// PostsAnswers implements [authcore.Poster].
func (p *provider) PostsAnswers() bool { return p.spec.responseMode == "form_post" }

// Recognizes implements [authcore.Recognizer]. It applies the same rules as a
// login.
func (p *provider) Recognizes(issuer string) bool {
	if p.spec.recognizes != nil {
		return p.spec.recognizes(p, issuer)
	}
	return issuer == p.accounts
}

// AuthorizeURL implements [authcore.Provider]. Challenge and nonce are omitted if
// the provider does not support them; Exchange omits the same.
func (p *provider) AuthorizeURL(ctx context.Context, request authcore.AuthorizeRequest) (string, error) {
	return within(ctx, p, func(ctx context.Context) (string, error) {
		md, err := p.metadata(ctx)
		if err != nil {
			return "", err
		}
		var options []oauth2.AuthCodeOption
		add := func(name, value string) {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
		if p.spec.authorizeParams != nil {
			for name, value := range p.spec.authorizeParams(p) {
				add(name, value)
			}
		}
		if p.spec.responseMode != "" {
			add("response_mode", p.spec.responseMode)
		}
		if p.spec.nonce && request.Nonce != "" {
			add("nonce", request.Nonce)
		}
		if md.pkce && request.Challenge != "" {
			add("code_challenge", request.Challenge)
			add("code_challenge_method", "S256")
		}
		return p.oauth2(md, request.RedirectURI).AuthCodeURL(request.State, options...), nil
	})
}

// Exchange implements [authcore.Provider].
func (p *provider) Exchange(ctx context.Context, request authcore.ExchangeRequest) (authcore.Profile, error) {
	return within(ctx, p, func(ctx context.Context) (authcore.Profile, error) {
		return p.exchange(ctx, request)
	})
}

func (p *provider) exchange(ctx context.Context, request authcore.ExchangeRequest) (authcore.Profile, error) {
	md, err := p.metadata(ctx)
	if err != nil {
		return authcore.Profile{}, err
	}
	if request.Issuer != "" && !p.mayAnswer(md, request.Issuer) {
		return authcore.Profile{}, mismatch("iss does not match the provider of this login")
	}
	token, err := p.redeem(ctx, md, request)
	if err != nil {
		return authcore.Profile{}, err
	}
	g := &grant{provider: p, metadata: md, token: token, user: request.User}
	if p.spec.openID() && !p.spec.appTokensOnly {
		g.claims, err = p.verifyIDToken(ctx, md, token, request.Nonce)
		if err != nil {
			return authcore.Profile{}, err
		}
	}
	return g.profile(ctx)
}

// mayAnswer reports whether an authorization response with this "iss" belongs to
// this provider (RFC 9207, section 2.4). A provider without an issuer is identified
// by the origin of its authorization endpoint.
func (p *provider) mayAnswer(md metadata, issuer string) bool {
	if p.spec.openID() {
		return p.isIssuer(issuer, "")
	}
	return origin(issuer) == origin(md.authorize)
}

// oauth2 returns the configuration of the OAuth 2.0 client. The scopes are already
// joined with the provider's separator.
func (p *provider) oauth2(md metadata, redirectURI string) *oauth2.Config {
	config := &oauth2.Config{
		ClientID:     p.cfg.ClientID,
		ClientSecret: p.cfg.ClientSecret,
		Endpoint: oauth2.Endpoint{
			AuthURL:   md.authorize,
			TokenURL:  md.token,
			AuthStyle: md.authStyle,
		},
		RedirectURL: redirectURI,
	}
	if p.scope != "" {
		config.Scopes = []string{p.scope}
	}
	return config
}

// within runs one method call with the provider's timeout and adds the provider's
// name to its error.
func within[T any](ctx context.Context, p *provider, call func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, p.deps.Timeout)
	defer cancel()
	result, err := call(bounded)
	if err != nil {
		var none T
		return none, fmt.Errorf("provider %s: %w", p.cfg.Name, blame(ctx, bounded, err))
	}
	return result, nil
}
