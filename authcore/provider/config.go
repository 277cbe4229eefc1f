package provider

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// DefaultTimeout bounds everything that one call of a provider's method does.
const DefaultTimeout = 10 * time.Second

// Config describes one provider. Each field is the option of the same name in
// lower case with underscores. Name and ClientID are always needed, and with
// almost every kind ClientSecret.
type Config struct {
	// Name is the slug in URLs; case-sensitive.
	Name string
	// Kind is one of Kinds. Default: Name.
	Kind string
	// ClientID and ClientSecret are what the provider gave to the operator.
	ClientID     string
	ClientSecret string
	// Scopes replace the default scopes of the kind.
	Scopes []string
	// Issuer is the OpenID Connect issuer, exactly as the provider writes it.
	// Kind oidc needs it.
	Issuer string
	// BaseURL is the address of a self-hosted service, such as GitHub
	// Enterprise Server, without its API's path.
	BaseURL string
	// AuthorizeURL, TokenURL, UserInfoURL and JWKSURL replace single endpoints.
	AuthorizeURL string
	TokenURL     string
	UserInfoURL  string
	JWKSURL      string
	// Audiences are accepted beside ClientID in ID tokens that applications got
	// by themselves, such as the client ids of native apps.
	Audiences []string
	// Tenants (tenant) that may log in, for kinds that have some.
	Tenants []string
	// HostedDomains (hosted_domain) are the organizations of Google Workspace
	// whose people may log in.
	HostedDomains []string
	// TeamID, KeyID and PrivateKey (PEM) are what Apple gives instead of a
	// client secret.
	TeamID     string
	KeyID      string
	PrivateKey string
	// ClientAuth (client_auth) is how the client of kind oauth2 authenticates:
	// "basic", the default, or "post".
	ClientAuth string
	// Fields (field) maps the names in FieldNames to the paths of members of the
	// user info, for kind oauth2.
	Fields map[string]string
	// AllowPrivate (insecure_allow_private_addresses) lets endpoints be plain
	// http and live on private, loopback and link-local addresses.
	AllowPrivate bool
}

// Deps is what a provider needs from its surroundings. The zero value will do
// on a native build.
type Deps struct {
	// Transport does the HTTP requests. Default: SafeTransport. One that is
	// given decides itself which addresses it connects to; URLs that name a
	// private address are refused before it is asked.
	Transport http.RoundTripper
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Timeout bounds one call of a method, all of its requests together.
	// Default: DefaultTimeout.
	Timeout time.Duration
}

// New returns a provider, or all faults of its configuration, joined. It sends
// nothing: a provider that is down does not keep the server from starting.
func New(cfg Config, deps Deps) (authcore.Provider, error) {
	kind := cfg.Kind
	if kind == "" {
		kind = cfg.Name
	}
	s, found := findSpec(kind)
	if !found {
		return nil, fmt.Errorf("provider %s: type: %q is not known; set it to one of %s",
			cfg.Name, kind, strings.Join(Kinds(), ", "))
	}
	p, err := newProvider(s, cfg, deps)
	if err != nil {
		return nil, err
	}
	if s.appTokens {
		return openIDProvider{p}, nil
	}
	return p, nil
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
	if cfg.ClientAuth == clientAuthPost {
		s.authStyle = oauth2.AuthStyleInParams
	}
	key, err := parseSigningKey(cfg.TeamID, cfg.KeyID, cfg.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("provider %s: private_key: %w", cfg.Name, err)
	}
	p := &provider{
		spec:          s,
		name:          cfg.Name,
		clientID:      cfg.ClientID,
		clientSecret:  cfg.ClientSecret,
		scope:         strings.Join(cfg.Scopes, s.scopeSeparator),
		audiences:     append([]string{cfg.ClientID}, cfg.Audiences...),
		tenants:       cfg.Tenants,
		hostedDomains: cfg.HostedDomains,
		fields:        cfg.Fields,
		key:           key,
		issuer:        cfg.issuer(&s),
		accounts:      cfg.issuer(&kind),
		fixed:         cfg.endpoints(&s),
		allowPrivate:  cfg.AllowPrivate,
		transport:     deps.Transport,
		http:          newCaller(deps.Transport, cfg.AllowPrivate),
		now:           deps.Now,
		timeout:       deps.Timeout,
	}
	p.discovery = newCached(p.discover, discoveryLifetime, deps.Now, deps.Timeout)
	p.keys = newCached(p.loadKeys, keysLifetime, deps.Now, deps.Timeout)
	return p, nil
}

// endpoints returns what is known without discovery.
func (c *Config) endpoints(s *spec) endpoints {
	own := endpoints{authorize: c.AuthorizeURL, token: c.TokenURL, userInfo: c.UserInfoURL, jwks: c.JWKSURL}
	known := s.public
	if base := c.base(s); base != "" {
		known = s.selfHosted.below(base)
	}
	return own.or(known.replaced("{tenant}", c.tenantPath()))
}

// base returns the base URL of a self-hosted service; "" for the public one,
// also where somebody wrote that down as base URL.
func (c *Config) base(s *spec) string {
	if c.BaseURL == "" || origin(c.BaseURL) == origin(s.public.authorize) {
		return ""
	}
	return strings.TrimSuffix(c.BaseURL, "/")
}

// issuer returns the issuer of identities, and with OpenID Connect of ID tokens.
// Otherwise it tells a self-hosted service, whose ids have nothing to do with
// those of the public one, from the latter.
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
