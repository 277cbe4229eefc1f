package authcore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of Config.
const (
	DefaultTokenLifetime     = 14 * 24 * time.Hour
	DefaultLinkLifetime      = 15 * time.Minute
	DefaultKeyRotation       = 90 * 24 * time.Hour
	DefaultAssertionLifetime = time.Minute
	// DefaultRevocationMaxStaleness is long enough for a failover of the store.
	DefaultRevocationMaxStaleness = 30 * time.Second

	flowLifetime = 10 * time.Minute
)

// Bounds of Config, against slips of the pen.
const (
	maxLifetime     = 10 * 365 * 24 * time.Hour
	maxLinkLifetime = 24 * time.Hour
	minRotation     = time.Hour
	maxCacheSize    = 10_000_000
	minStaleness    = 2 * time.Second // several times pollInterval
)

// What becomes of requests with a token while the copy of the revocations is
// older than Config.RevocationMaxStaleness.
const (
	// OnStaleServe lets them go on: logouts at other nodes are not in force.
	OnStaleServe = "serve"
	// OnStaleReject answers them with 503.
	OnStaleReject = "reject"
)

// Config is what a Service is made of. The zero value of an optional field
// means its default.
type Config struct {
	// Realm keeps user bases apart; "" is the default realm.
	Realm string
	// Issuer is the "iss" of all tokens. It is a name, not an address that is
	// fetched. Default: "edgeauth", with ":" and the realm where there is one.
	Issuer string
	// Audience is the "aud" of all tokens. Default: the issuer.
	Audience string
	// Algorithm of new signing keys: EdDSA (default), ES256, RS256 or HS256.
	Algorithm string
	// TokenLifetime of tokens and sessions. Default: 14 days.
	TokenLifetime time.Duration
	// LinkLifetime of mailed links and codes. Default: 15 minutes.
	LinkLifetime time.Duration
	// KeyRotation is the age at which a signing key gets a successor. Default:
	// 90 days.
	KeyRotation time.Duration
	// CacheSize is how many verified tokens are remembered; see
	// gate.VerifierConfig.
	CacheSize int

	// RevocationMaxStaleness is how long the copy of the revocations may go
	// without being refreshed from the store before OnStale applies. Default: 30
	// seconds.
	RevocationMaxStaleness time.Duration
	// OnStale is OnStaleServe (default) or OnStaleReject.
	OnStale string

	// APIURL is the address of the login API as browsers reach it, for example
	// "https://api.example.com/v1/auth", without a slash at the end. Providers
	// that post their answers need it.
	APIURL string
	// EmailLink is the template of mailed links, with LinkPlaceholder.
	EmailLink string
	// DebugLinks puts the link into the answer, for development. It gives
	// everybody every account.
	DebugLinks bool
	// Accounts says who may log in, who may sign up and what is joined.
	Accounts AccountRules
	// ProviderRules replaces some of Accounts, by the name of the provider.
	ProviderRules map[string]ProviderRules
	// Limits on requests; the zero value means DefaultLimits.
	Limits Limits

	Clients   []Client
	Providers []Provider
	Store     Store
	// LocalCounters count for this process alone while the store cannot count;
	// without them such requests are answered with 503.
	LocalCounters Counters
	// Mailer may be nil only with DebugLinks.
	Mailer Mailer
	// Observe is told what happened, for metrics and events; nil for nothing.
	// It must not block.
	Observe func(Event)
	// ObserveLag is told how long a revocation made at another node took until
	// it was in force here, where the store tells; nil for nothing.
	ObserveLag func(time.Duration)
	Logger     *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Random is the source of secrets; nil means crypto/rand.
	Random io.Reader
}

// Algorithms lists the signature algorithms that a realm can use.
func Algorithms() []string { return []string{"EdDSA", "ES256", "RS256", "HS256"} }

// Validate sets defaults and returns every fault of the configuration, joined.
// It needs no Store, Mailer, Provider or network.
func (c *Config) Validate() error {
	c.setDefaults()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if !slices.Contains(Algorithms(), c.Algorithm) {
		fault("algorithm: %q is not one of %s", c.Algorithm, strings.Join(Algorithms(), ", "))
	}
	for name, lifetime := range map[string]time.Duration{
		"token_lifetime": c.TokenLifetime, "link_lifetime": c.LinkLifetime, "key_rotation": c.KeyRotation,
	} {
		if lifetime < time.Second {
			fault("%s: %s is less than a second", name, lifetime)
		}
	}
	if c.TokenLifetime > maxLifetime || c.LinkLifetime > maxLinkLifetime {
		fault("token_lifetime, link_lifetime: %s and %s; at most %s and %s", c.TokenLifetime, c.LinkLifetime, maxLifetime, maxLinkLifetime)
	}
	if c.KeyRotation < minRotation {
		fault("key_rotation: %s is less than %s", c.KeyRotation, minRotation)
	}
	if c.CacheSize > maxCacheSize {
		fault("cache_size: %d is more than %d; a token takes about 400 bytes", c.CacheSize, maxCacheSize)
	}
	if c.RevocationMaxStaleness < minStaleness || c.RevocationMaxStaleness > maxLifetime {
		fault("revocation_max_staleness: %s; at least %s, because the revocations are refreshed every %s, and at most %s",
			c.RevocationMaxStaleness, minStaleness, pollInterval, maxLifetime)
	}
	if c.OnStale != OnStaleServe && c.OnStale != OnStaleReject {
		fault("on_stale: %q is not one of %s, %s", c.OnStale, OnStaleServe, OnStaleReject)
	}
	if err := authcore.ValidateEmailLink(c.EmailLink); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, c.validateAPIURL()...)
	faults = append(faults, c.Accounts.validate()...)
	for name, own := range c.ProviderRules {
		if err := errors.Join(c.Accounts.through(own).validateSignup()...); err != nil {
			fault("provider %s: %w", name, err)
		}
	}
	faults = append(faults, validateClients(c.Clients)...)
	return errors.Join(faults...)
}

func (c *Config) setDefaults() {
	if c.Issuer == "" {
		c.Issuer = "edgeauth"
		if c.Realm != "" {
			c.Issuer += ":" + c.Realm
		}
	}
	c.APIURL = strings.TrimSuffix(c.APIURL, "/")
	setDefault(&c.Audience, c.Issuer)
	setDefault(&c.Algorithm, "EdDSA")
	setDefault(&c.TokenLifetime, DefaultTokenLifetime)
	setDefault(&c.LinkLifetime, DefaultLinkLifetime)
	setDefault(&c.KeyRotation, DefaultKeyRotation)
	setDefault(&c.RevocationMaxStaleness, DefaultRevocationMaxStaleness)
	setDefault(&c.OnStale, OnStaleServe)
	setDefault(&c.Limits, DefaultLimits())
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.ObserveLag == nil {
		c.ObserveLag = func(time.Duration) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	c.Accounts.setDefaults()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
