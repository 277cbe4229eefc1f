package realm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/revocation"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// Defaults of Config.
const (
	DefaultTokenLifetime      = 14 * 24 * time.Hour
	DefaultLinkLifetime       = 15 * time.Minute
	DefaultInvitationLifetime = 7 * 24 * time.Hour
	DefaultKeyRotation        = 90 * 24 * time.Hour
	DefaultAssertionLifetime  = time.Minute
	// DefaultRevocationMaxStaleness covers a failover of the store.
	DefaultRevocationMaxStaleness = 30 * time.Second
)

// Upper and lower limits that catch typing errors.
const (
	maxLifetime     = 10 * 365 * 24 * time.Hour
	maxLinkLifetime = 24 * time.Hour
	maxRefreshGrace = 10 * time.Minute
	maxMaxSessions  = 10_000
	minRotation     = time.Hour
	maxCacheSize    = 10_000_000
	minStaleness    = 4 * revocation.PollInterval
)

// MaxNameBytes limits issuers and audiences, so that every token fits into
// gate.MaxToken. It counts the bytes in JSON, in which some characters take six.
const MaxNameBytes = 256

// CheckName returns a fault of an issuer or audience.
func CheckName(text string) error {
	encoded, err := json.Marshal(text)
	if n := len(encoded) - len(`""`); err != nil || n > MaxNameBytes {
		return fmt.Errorf("%d bytes in JSON are too many; use %d at most", n, MaxNameBytes)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("it contains control characters or is not valid UTF-8")
	}
	return nil
}

// Values of Config.OnStale: the reaction to requests with a token while the copy of
// the revocations is older than Config.RevocationMaxStaleness.
const (
	// OnStaleServe forwards them: logouts at other nodes are not in force.
	OnStaleServe = "serve"
	// OnStaleReject answers 503.
	OnStaleReject = "reject"
)

// Values of Config.Passkeys.
const (
	PasskeysOff      = "off"
	PasskeysOptional = "optional"
	// PasskeysRequired makes every site of the realm require a login with a passkey; see
	// Config.Require.
	PasskeysRequired = "required"
)

// Config configures a Realm. The zero value of an optional field means its
// default.
type Config struct {
	// Realm separates user bases; "" is the default realm.
	Realm string
	// Issuer is the "iss" of all tokens: a name, not an address that is fetched.
	// Default: "edgeauth", followed by ":" and the realm if it has a name.
	Issuer string
	// Audience is the "aud" of all tokens. Default: the issuer.
	Audience string
	// Algorithm of new signing keys: EdDSA (default), ES256, RS256 or HS256.
	Algorithm string
	// TokenLifetime is the lifetime of a token, unless its client has one of its
	// own. Default: 14 days.
	TokenLifetime time.Duration
	// MaxLifetime is the lifetime of a session, however often it is refreshed.
	// Default: 90 days, or the longest token lifetime if that is longer.
	MaxLifetime time.Duration
	// RefreshGrace is the time for which a superseded token can be refreshed.
	// Default: 30 seconds.
	RefreshGrace time.Duration
	// MaxSessions limits the sessions of a user; the oldest end. Default: 100.
	MaxSessions int
	// LinkLifetime is the lifetime of mailed links and codes. Default: 15
	// minutes.
	LinkLifetime time.Duration
	// InvitationLifetime is the lifetime of invitations that name no other. Default:
	// 7 days.
	InvitationLifetime time.Duration
	// KeyRotation is the time for which a key signs. Default: 90 days.
	KeyRotation time.Duration
	// CacheSize is the number of verified tokens in memory; see
	// gate.VerifierConfig.
	CacheSize int

	// RevocationMaxStaleness is the age of the copy of the revocations at which
	// OnStale applies. Default: 30 seconds.
	RevocationMaxStaleness time.Duration
	// OnStale is OnStaleServe (default) or OnStaleReject.
	OnStale string

	// APIURL is the address of the login API as browsers reach it, for example
	// "https://api.example.com/v1/auth". Providers that post their responses
	// need it.
	APIURL string
	// Title is the name of the site in mails and pages. Default: the name of the
	// sender, then the host of the link.
	Title string
	// NoNotices switches the mails off that report new logins and changes of an account
	// to its owner.
	NoNotices bool
	// EmailLink is the template of mailed links, with authcore.LinkPlaceholder.
	EmailLink string
	// DebugLinks adds the link to the answer, for development. Any caller can
	// then log in to any account.
	DebugLinks bool
	// Passkeys is PasskeysOff (default), PasskeysOptional or PasskeysRequired.
	Passkeys string
	// PasskeyRPID is the domain to which passkeys belong. It must not change while users
	// have passkeys. Default: the host of EmailLink.
	PasskeyRPID string
	// Rules decide who may log in and sign up, and which logins are joined.
	Rules account.Rules
	// ProviderRules replaces some of Rules, by the name of a provider.
	ProviderRules map[string]account.ProviderRules
	// RememberDevice is the time for which a device that proved a second factor is not
	// asked for it again. Zero remembers none.
	RememberDevice time.Duration
	// Limits are the request limits; the zero value means the defaults.
	Limits ratelimit.Limits

	// Captcha requires a captcha for mailed links; nil requires none.
	Captcha *captcha.Config

	// APIKeys selects who may create API keys. Default: apikey.Off.
	APIKeys apikey.Use

	Clients   []authcore.Client
	Providers []authcore.Provider
	Store     authcore.Store
	// LocalCounters count for this process while the store cannot count; without
	// them such requests fail with 503.
	LocalCounters authcore.Counters
	// Mailer is optional if DebugLinks is set.
	Mailer authcore.Mailer
	// Audit switches the audit trail on; nil means that the realm has none.
	Audit *audit.Options
	// Webhooks receive the entries of the audit trail, which has to be on.
	Webhooks []webhook.Endpoint
	// WebhookAttempted receives the result of each attempt to deliver a message, with the ID
	// of the endpoint; optional.
	WebhookAttempted func(endpoint string, result webhook.Result)
	// AuditDropped receives the number of entries of the audit trail that were not
	// stored. Default: they are only logged.
	AuditDropped func(int)
	// Observe receives events, for metrics and hooks. It must not block. Default:
	// events are dropped.
	Observe func(context.Context, authcore.Event)
	// Trace follows logins; see login.Config. Default: nothing is traced.
	Trace login.Trace
	// ObserveLag receives the time until a revocation of another node was in force
	// here, if the store measures it.
	ObserveLag func(time.Duration)
	Logger     *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Elapsed measures the time since some moment, whatever happens to the clock.
	// Default: the monotonic clock.
	Elapsed func() time.Duration
}

// Validate sets defaults and returns all faults of the configuration, joined. It
// needs no Store, Mailer or network.
func (c *Config) Validate() error {
	c.setDefaults()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if !slices.Contains(keys.Algorithms(), c.Algorithm) {
		fault("algorithm: %q is not valid; use one of %s", c.Algorithm, strings.Join(keys.Algorithms(), ", "))
	}
	longest := c.longestLifetime()
	for _, limit := range []struct {
		option           string
		value, low, high time.Duration
	}{
		{"token_lifetime", c.TokenLifetime, time.Second, maxLifetime},
		{"max_lifetime", c.MaxLifetime, longest, maxLifetime},
		{"refresh_grace", c.RefreshGrace, time.Second, maxRefreshGrace},
		{"link_lifetime", c.LinkLifetime, time.Second, maxLinkLifetime},
		{"invitation_lifetime", c.InvitationLifetime, time.Minute, login.MaxInvitationLifetime},
		{"key_rotation", c.KeyRotation, minRotation, maxLifetime},
		{"revocation_max_staleness", c.RevocationMaxStaleness, minStaleness, maxLifetime},
	} {
		if limit.value < limit.low || limit.value > limit.high {
			fault("%s: %s is out of range; use %s to %s", limit.option, limit.value, limit.low, limit.high)
		}
	}
	for _, name := range []struct{ option, value string }{{"issuer", c.Issuer}, {"audience", c.Audience}} {
		if err := CheckName(name.value); err != nil {
			fault("%s: %w", name.option, err)
		}
	}
	if c.MaxSessions < 1 || c.MaxSessions > maxMaxSessions {
		fault("max_sessions: %d is out of range; use 1 to %d", c.MaxSessions, maxMaxSessions)
	}
	if c.CacheSize > maxCacheSize {
		fault("cache_size: %d is out of range; use %d at most, a token takes about 500 bytes", c.CacheSize, maxCacheSize)
	}
	if c.RememberDevice < 0 || c.RememberDevice > maxLifetime {
		fault("remember_device: %s is out of range; use 0 to %s", c.RememberDevice, maxLifetime)
	}
	if c.OnStale != OnStaleServe && c.OnStale != OnStaleReject {
		fault("on_stale: %q is not valid; use %s or %s", c.OnStale, OnStaleServe, OnStaleReject)
	}
	if !slices.Contains(apikey.Uses(), string(c.APIKeys)) {
		fault("api_keys: %q is not valid; use one of %s", c.APIKeys, strings.Join(apikey.Uses(), ", "))
	}
	if c.Passkeys != PasskeysOff && c.Passkeys != PasskeysOptional && c.Passkeys != PasskeysRequired {
		fault("passkeys: %q is not valid; use %s, %s or %s", c.Passkeys, PasskeysOff, PasskeysOptional, PasskeysRequired)
	}
	if c.PasskeyRPID != "" {
		if err := passkey.CheckRPID(c.PasskeyRPID); err != nil {
			fault("passkey_rp_id: %w", err)
		}
	}
	faults = append(faults, authcore.ValidateEmailLink(c.EmailLink), login.ValidateAPIURL(c.APIURL, c.Providers), c.Rules.Validate())
	for name, own := range c.ProviderRules {
		if err := c.Rules.ValidateProvider(own); err != nil {
			fault("provider %s: %w", name, err)
		}
	}
	if c.Audit != nil {
		faults = append(faults, c.Audit.Validate())
	}
	faults = append(faults, webhook.ValidateAll(c.Webhooks))
	faults = append(faults, authcore.ValidateClients(c.Clients)...)
	if c.Captcha != nil {
		faults = append(faults, c.Captcha.Validate())
	}
	return errors.Join(faults...)
}

func (c *Config) setDefaults() {
	if c.Issuer == "" {
		c.Issuer = "edgeauth"
		if c.Realm != "" {
			c.Issuer += ":" + c.Realm
		}
	}
	c.Audience = cmp.Or(c.Audience, c.Issuer)
	c.Algorithm = cmp.Or(c.Algorithm, gate.EdDSA)
	c.TokenLifetime = cmp.Or(c.TokenLifetime, DefaultTokenLifetime)
	c.MaxLifetime = cmp.Or(c.MaxLifetime, max(session.DefaultMaxLifetime, c.longestLifetime()))
	c.RefreshGrace = cmp.Or(c.RefreshGrace, session.DefaultRefreshGrace)
	c.MaxSessions = cmp.Or(c.MaxSessions, session.DefaultMaxSessions)
	c.LinkLifetime = cmp.Or(c.LinkLifetime, DefaultLinkLifetime)
	c.InvitationLifetime = cmp.Or(c.InvitationLifetime, DefaultInvitationLifetime)
	c.KeyRotation = cmp.Or(c.KeyRotation, DefaultKeyRotation)
	c.RevocationMaxStaleness = cmp.Or(c.RevocationMaxStaleness, DefaultRevocationMaxStaleness)
	c.OnStale = cmp.Or(c.OnStale, OnStaleServe)
	c.APIKeys = cmp.Or(c.APIKeys, apikey.Off)
	c.Passkeys = cmp.Or(c.Passkeys, PasskeysOff)
	c.Limits = cmp.Or(c.Limits, ratelimit.DefaultLimits())
	c.Rules.SetDefaults()
	if c.Captcha != nil {
		c.Captcha.SetDefaults()
	}
	c.Observe = authcore.Observer(c.Observe)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Now = authcore.Clock(c.Now)
}

// longestLifetime returns the longest lifetime of a token.
func (c *Config) longestLifetime() time.Duration {
	longest := c.TokenLifetime
	for i := range c.Clients {
		longest = max(longest, c.Clients[i].Lifetime)
	}
	return longest
}

// longestToken returns the longest lifetime of what identifies a user.
func (c *Config) longestToken() time.Duration {
	if c.APIKeys == apikey.Off {
		return c.longestLifetime()
	}
	return max(c.longestLifetime(), apikey.MaxLifetime)
}

// Require returns what every site of the realm requires of a login besides its own
// requirements. The pages and the login API of the realm do not require it, so that a
// user without a passkey can sign in by mail and add one.
func (c *Config) Require() []gate.Requirement {
	if c.Passkeys != PasskeysRequired {
		return nil
	}
	return []gate.Requirement{{Field: "amr", Values: []string{"passkey", "key"}}}
}
