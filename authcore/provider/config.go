package provider

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// DefaultTimeout limits one call of a provider's method.
const DefaultTimeout = 10 * time.Second

// Config configures one provider. The json tag is the name of the option in JSON,
// the option tag its name in a Caddyfile if that differs. Name and ClientID are
// always required, ClientSecret with almost every kind.
type Config struct {
	// Name is the slug in URLs; case-sensitive.
	Name string `json:"-"`
	// Kind is one of Kinds. Default: Name.
	Kind string `json:"-"`

	// The client id that the provider shows for your application. Required.
	ClientID string `json:"client_id,omitempty"`
	// The client secret that belongs to it. Required, except by `apple-id` and
	// `vk-id`, which have none.
	ClientSecret string `json:"client_secret,omitempty"`
	// The scopes to request. Default: those that the kind needs for a login.
	Scopes []string `json:"scopes,omitempty" option:"scope"`
	// The OpenID Connect issuer, exactly as the provider writes it. Required by
	// `oidc`, `keycloak`, `auth0` and `okta-openidconnect`.
	Issuer string `json:"issuer,omitempty"`
	// The address of a self-hosted service, such as GitHub Enterprise Server,
	// without the path of its API. Default: the public service.
	BaseURL string `json:"base_url,omitempty"`
	// Single endpoints. Default: those of the kind, or from discovery.
	AuthorizeURL string `json:"authorize_url,omitempty"`
	TokenURL     string `json:"token_url,omitempty"`
	UserInfoURL  string `json:"user_info_url,omitempty"`
	JWKSURL      string `json:"jwks_url,omitempty"`
	// Audiences that are accepted in ID tokens of native apps, in addition to the
	// client id.
	Audiences []string `json:"audiences,omitempty" option:"audience"`
	// Accept ID tokens that an application received from the provider's SDK: `on` or
	// `off`. Supported by the kinds that issue such tokens. Default: `on` with
	// audience, otherwise `off`.
	IDTokenLogin string `json:"id_token_login,omitempty" oneof:"on off"`
	// The domains for which the provider may verify addresses, without their
	// sub-domains, or `*` for all. An address of another domain counts as
	// unverified: it joins no account. Default: none by `oidc`, `keycloak`, `auth0`,
	// `okta-openidconnect`, `slack` and `oauth2`, whose accounts are administered by
	// others, and all by the other kinds.
	TrustAddresses []string `json:"trust_addresses,omitempty"`
	// The tenants of Microsoft that may log in: their ids, or one of `common`,
	// `organizations` and `consumers`. Default: `common`, which means all.
	Tenants []string `json:"tenants,omitempty" option:"tenant"`
	// The organizations of Google Workspace that may log in. Default: all accounts.
	HostedDomains []string `json:"hosted_domains,omitempty" option:"hosted_domain"`
	// Apple's replacement for a client secret; the key is PEM text and best comes
	// from a file: {file./etc/caddy/AuthKey.p8}. Required by `apple-id`.
	TeamID     string `json:"team_id,omitempty"`
	KeyID      string `json:"key_id,omitempty"`
	PrivateKey string `json:"private_key,omitempty"`
	// The client authentication method at the token endpoint: `basic` or `post`.
	// Supported by `oauth2` and all OpenID Connect kinds with a client secret.
	// Default: the method of the kind or from discovery, otherwise `basic`.
	ClientAuth string `json:"client_auth,omitempty" oneof:"basic post"`
	// The paths of fields in the user info of an `oauth2` provider: `subject`,
	// `email`, `email_verified`, `first_name`, `last_name`, `name`, `nickname` and
	// `avatar`, each with a path such as `data.user.id`. A URL is one name,
	// and a JSON Pointer such as `/data/user.id` permits names with dots. `subject`
	// is required.
	Fields map[string]string `json:"fields,omitempty" option:"-"`
	// The claim of ID tokens that has the names of the user's roles, a text or a list:
	// a path such as `realm_access.roles`, in which `\.` is a dot in a name. Supported by
	// the OpenID Connect kinds; `azuread-oauth2` requires the ids of tenants with it.
	// Default: none, the provider gives no roles.
	Roles string `json:"roles,omitempty" option:"-"`
	// A prefix that is added to these names, so that they differ from other roles.
	// Default: none.
	RolePrefix string `json:"role_prefix,omitempty" option:"-"`
	// Allow endpoints with plain http and on private, loopback and link-local
	// addresses. Default: false.
	AllowPrivate bool `json:"insecure_allow_private_addresses,omitempty"`
}

// Deps holds the dependencies of a provider. On native builds the zero value is
// usable.
type Deps struct {
	// Transport sends the HTTP requests. Default: SafeTransport. A custom transport
	// must check the addresses it dials; URLs with a literal private address are
	// refused before it is called.
	Transport http.RoundTripper
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Timeout limits one call of a method with all its requests. Default:
	// DefaultTimeout.
	Timeout time.Duration
}

// New returns a provider, or all faults of the configuration, joined. It sends no
// request, so that an unreachable provider does not prevent the server's start.
func New(cfg Config, deps Deps) (authcore.Provider, error) {
	kind := cfg.Kind
	if kind == "" {
		kind = cfg.Name
	}
	s, found := findSpec(kind)
	if !found {
		return nil, fmt.Errorf("provider %s: type: %q is not valid; use one of %s",
			cfg.Name, kind, strings.Join(Kinds(), ", "))
	}
	p, err := newProvider(s, cfg, deps)
	if err != nil {
		return nil, err
	}
	if s.appTokens && cfg.acceptsIDTokens() {
		return openIDProvider{p}, nil
	}
	return p, nil
}

// Values of Config.IDTokenLogin.
const (
	idTokenLoginOn  = "on"
	idTokenLoginOff = "off"
)

// acceptsIDTokens reports whether ID tokens of applications may log in. Without an
// application they are not needed, and every other service that receives ID tokens
// for the client id could log in as its users (CWE-346).
func (c *Config) acceptsIDTokens() bool {
	if c.IDTokenLogin != "" {
		return c.IDTokenLogin == idTokenLoginOn
	}
	return len(c.Audiences) > 0
}

func newProvider(kind spec, cfg Config, deps Deps) (*provider, error) {
	s := kind.asking(cfg.Scopes)
	if err := cfg.validate(&s); err != nil {
		return nil, err
	}
	if deps.Transport == nil {
		deps.Transport = SafeTransport(cfg.AllowPrivate)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Timeout <= 0 {
		deps.Timeout = DefaultTimeout
	}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = s.scopes
	}
	if s.scopeSeparator == "" {
		s.scopeSeparator = " "
	}
	switch cfg.ClientAuth {
	case clientAuthBasic:
		s.authStyle = oauth2.AuthStyleInHeader
	case clientAuthPost:
		s.authStyle = oauth2.AuthStyleInParams
	}
	key, err := parseSigningKey(cfg.TeamID, cfg.KeyID, cfg.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("provider %s: private_key: %w", cfg.Name, err)
	}
	roles, _ := rolePath(cfg.Roles) // valid, or none is configured
	p := &provider{
		spec:      s,
		cfg:       cfg,
		deps:      deps,
		scope:     strings.Join(cfg.Scopes, s.scopeSeparator),
		audiences: append([]string{cfg.ClientID}, cfg.Audiences...),
		trusted:   cfg.trusted(&s),
		rolePath:  roles,
		key:       key,
		issuer:    cfg.issuer(&s),
		accounts:  cfg.issuer(&kind),
		fixed:     cfg.endpoints(&s),
		http:      newCaller(deps.Transport, cfg.AllowPrivate),
	}
	p.discovery = newCached(p.discover, discoveryLifetime, deps.Now, deps.Timeout)
	p.keys = newCached(p.loadKeys, keysLifetime, deps.Now, deps.Timeout)
	return p, nil
}

// endpoints returns the endpoints that are known without discovery.
func (c *Config) endpoints(s *spec) endpoints {
	own := endpoints{authorize: c.AuthorizeURL, token: c.TokenURL, userInfo: c.UserInfoURL, jwks: c.JWKSURL}
	known := s.public
	if base := c.base(s); base != "" {
		known = s.selfHosted.below(base)
	}
	return own.or(known.replaced("{tenant}", c.tenantPath()))
}

// base returns the base URL of a self-hosted service. It is "" for the public
// service, also if base_url contains its address.
func (c *Config) base(s *spec) string {
	if c.BaseURL == "" || origin(c.BaseURL) == origin(s.public.authorize) {
		return ""
	}
	return strings.TrimSuffix(c.BaseURL, "/")
}

// issuer returns the issuer of identities, and with OpenID Connect of ID tokens.
// For other protocols it distinguishes self-hosted services, whose ids are
// independent, from the public service.
func (c *Config) issuer(s *spec) string {
	switch {
	case c.Issuer != "" && s.issuerEndsInSlash:
		return strings.TrimSuffix(c.Issuer, "/") + "/"
	case c.Issuer != "":
		return c.Issuer
	case c.base(s) != "":
		return c.base(s) + s.issuerPath
	case s.openID():
		return s.issuer
	case c.UserInfoURL != "" && origin(c.UserInfoURL) != origin(s.public.userInfo):
		return origin(c.UserInfoURL)
	default:
		return ""
	}
}
