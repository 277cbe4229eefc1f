package caddymodule

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// Realm is one user base with its rules, clients, providers, mailer and store. Strings
// can contain placeholders such as {env.NAME} and {file./path}; they are resolved when
// the configuration is loaded, and a variable that is not set is an error.
type Realm struct {
	// The frontends that may log users in, by name. At least one is required.
	Clients map[string]*Client `json:"clients,omitempty"`
	// The template of mailed links: an absolute URL with `{token}` once, for
	// example `https://frontend.app/auth/link/{token}`. Required.
	EmailLink string `json:"email_link,omitempty" option:"-"`
	// The name of the site in mails and pages, for example `Example`. Default: the name
	// in the mailer's `from`, then the host of the link.
	Title string `json:"title,omitempty"`
	// Whether owners of accounts are told by mail about logins through another method,
	// added and removed logins, a changed address and the deletion of the account: `on`
	// or `off`. Default: `on`.
	Notices string `json:"notices,omitempty" oneof:"on off"`
	// Second factors: `off`, `optional` (users who added one are asked for it) or
	// `required` (all users must have one). Default: `off`.
	SecondFactor string `json:"second_factor,omitempty" option:"-"`
	// The roles whose users must have a second factor under `required`. Default: all users.
	SecondFactorRoles []string `json:"second_factor_roles,omitempty" option:"-"`
	// The time for which a device that proved a second factor is not asked again.
	// Default: devices are not remembered.
	RememberDevice caddy.Duration `json:"remember_device,omitempty"`
	// Whether users can add passkeys and log in with them: `off`, `optional` or
	// `required`, with which all sites of the realm require one. Default: `off`.
	Passkeys string `json:"passkeys,omitempty" oneof:"off optional required"`
	// The domain to which passkeys belong, for example `example.com`: that of the pages
	// that use them, or a parent of it. It cannot change while users have passkeys.
	// Default: the host of the mailed link.
	PasskeyRPID string `json:"passkey_rp_id,omitempty"`
	// The address of the login API as browsers reach it, with the prefix of
	// `login_api`: `https://api.example.com/v1/auth`. Needed by providers that
	// post their answers, such as `apple-id`, which then return to
	// `/social/callback/<name>/` below it. Default: none.
	APIURL string `json:"api_url,omitempty"`
	// The module that sends mail. Required, unless `insecure_debug_links` is set; then
	// the default is the `log` mailer.
	MailerRaw json.RawMessage `json:"mailer,omitempty" caddy:"namespace=edgeauth.mailers inline_key=module"`
	// The module that stores users, sessions and keys. Default: `bolt`.
	StorageRaw json.RawMessage `json:"storage,omitempty" caddy:"namespace=edgeauth.storage inline_key=module"`
	// The social providers by name. The name is part of URLs; `type` is the kind of
	// provider.
	ProvidersRaw map[string]json.RawMessage `json:"providers,omitempty" caddy:"namespace=edgeauth.providers inline_key=type"`

	// The "iss" of all tokens, a name. Default: `edgeauth`, in a named realm
	// `edgeauth:` and its name.
	Issuer string `json:"issuer,omitempty"`
	// The "aud" of all tokens. Default: the issuer.
	Audience string `json:"audience,omitempty"`
	// The algorithm of new signing keys: `EdDSA`, `ES256`, `RS256` or `HS256`.
	// Default: `EdDSA`.
	Algorithm string `json:"algorithm,omitempty" oneof:"EdDSA ES256 RS256 HS256"`
	// How long a token is valid. A refresh makes a new one. Default: 14 days.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`
	// How long a session lasts at most, however often it is refreshed. Default: 90
	// days.
	MaxLifetime caddy.Duration `json:"max_lifetime,omitempty"`
	// How long a token that was refreshed can be refreshed again with the same
	// result, for several tabs and lost answers. Default: 30 seconds.
	RefreshGrace caddy.Duration `json:"refresh_grace,omitempty"`
	// How many sessions a user can have; a login beyond that ends the oldest one.
	// Default: 100.
	MaxSessions int `json:"max_sessions,omitempty"`
	// How long mailed links and codes can be used. Default: 15 minutes.
	LinkLifetime caddy.Duration `json:"link_lifetime,omitempty"`
	// How long an invitation can be accepted, unless it names another time; up to 90 days.
	// Default: 7 days.
	InvitationLifetime caddy.Duration `json:"invitation_lifetime,omitempty"`
	// How long a signing key signs. Its successor is published all that time. Default:
	// 90 days.
	KeyRotation caddy.Duration `json:"key_rotation,omitempty"`
	// How many verified tokens are remembered. Default: 32768.
	CacheSize int `json:"cache_size,omitempty"`
	// How long the copy of the revocations may go without being refreshed from
	// the store, which is done twice a second, before `on_stale` applies. At
	// least 2 seconds. Default: 30 seconds.
	RevocationMaxStaleness caddy.Duration `json:"revocation_max_staleness,omitempty"`
	// The treatment of requests with a token after that: `serve` (they are forwarded,
	// and logouts at other nodes are not in force here) or `reject` (503). Default:
	// `serve`.
	OnStale string `json:"on_stale,omitempty" oneof:"serve reject"`

	// Who may create API keys, which `token_auth` accepts with `keys`: `off`, `operators`,
	// or `users` (users for themselves, and operators). Default: `off`.
	APIKeys string `json:"api_keys,omitempty" oneof:"off operators users"`

	// The captcha that requests for mailed links have to solve. Default: none.
	Challenge *Challenge `json:"challenge,omitempty" option:"-"`
	// The audit trail: who did what to whom, from where and when. Default: none.
	Audit *Audit `json:"audit,omitempty" option:"-"`

	AccountOptions
	// The treatment of a social login whose verified address belongs to another user:
	// `conflict` (409) or `new_account` (an account without the address). Default:
	// `conflict`.
	EmailTaken string `json:"email_taken,omitempty" oneof:"conflict new_account"`
	// The e-mail addresses and domains that may log in; the address has to be
	// verified. A domain does not include its sub-domains. Default: all.
	Allow []string `json:"allow,omitempty"`
	// The e-mail addresses and domains that may not log in, regardless of `allow`. A
	// domain includes its sub-domains, and an address includes other spellings of its
	// mailbox, such as `+tag` forms. Default: none.
	Deny []string `json:"deny,omitempty"`
	// The roles of users with these verified e-mail addresses, by name. An entry is an
	// address or a domain, the latter as `@example.com` without its sub-domains. Default:
	// none.
	Roles map[string][]string `json:"roles,omitempty" option:"-"`
	// Limits by name: `link_per_address` (default 5 in 15 minutes),
	// `link_per_ip` (60 in 15 minutes), `link_per_client` (600 a minute),
	// `link_overall` (1200 a minute), `login_per_ip` (120 a minute), `code_per_ip`
	// (20 wrong codes in 15 minutes), `code_per_address` (15 an hour),
	// `authorize_per_ip` (60 a minute), `authorize_overall` (6000 a minute),
	// `refresh_per_session` (30 in 15 minutes).
	Limits map[string]Limit `json:"limits,omitempty"`

	// Put the login link into the response, for development. Any client can then log in
	// as any user. Refused together with a public site. Default: false.
	InsecureDebugLinks bool `json:"insecure_debug_links,omitempty" option:"-"`
	// Allow `insecure_debug_links` on public sites too. Default: false.
	InsecureDebugLinksOnPublicSites bool `json:"insecure_debug_links_also_on_public_sites,omitempty" option:"-"`

	name string
	deps
	// The resolved options, including secrets.
	config    core.Config
	linkPages []linkPage
	// streams are the requests that are being served.
	streams streams
	// loginPages are the login pages of the realm, by address.
	loginPages []loginPage
	storage    Storage
	mailer     Mailer

	ctx       context.Context //nolint:containedctx // the life of the configuration, not of a call
	startWait time.Duration
	gate      decisionCounters
	// failed counts server errors of the login API.
	failed func(authcore.Code)

	// live is set by start; nil until then and after a failed start.
	live atomic.Pointer[liveRealm]
	// ended reports that cleanup has begun.
	ended atomic.Bool
	// previous is the realm that this one replaced, while it still exists.
	previous atomic.Pointer[Realm]
	// started is closed when start has ended, well or not.
	started chan struct{}
	// closeStarted closes started, once.
	closeStarted    func()
	handover        *handover
	releaseHandover func() error
	running         *running
	uses            useCount
	relay           *eventRelay
	providers       providerHealth
}

// liveRealm holds what a started realm serves with.
type liveRealm struct {
	*core.Realm
	mailer authcore.Mailer
	// clock is nil if the store has no clock of its own.
	clock    *clockWatch
	importer *socialauth.Importer
}

// deps holds what the realms of an app share.
type deps struct {
	logger  *slog.Logger
	metrics *metrics
	events  eventEmitter
}

// Name returns the name of the realm; "" is the default one.
func (r *Realm) Name() string { return r.name }
