package realm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/revocation"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// Realm is a user base with everything that logs its users in and checks their
// requests. All methods are safe for concurrent use.
type Realm struct {
	// The parts of the realm. They must not be replaced.
	Keys        *keys.Ring
	Revocations *revocation.Follower
	Feed        *revocation.Feed
	Accounts    *account.Service
	Sessions    *session.Service
	Logins      *login.Service
	APIKeys     *apikey.Service
	// Passkeys is nil if users cannot have passkeys.
	Passkeys *passkey.Service
	Factors  *factor.Service
	// Captcha is nil if mailed links require none.
	Captcha *captcha.Verifier
	// Audit is nil if the realm has no audit trail.
	Audit *audit.Trail
	// Webhooks is nil if the realm has no audit trail.
	Webhooks *webhook.Sender

	cfg      Config
	horizon  *revocation.Horizon
	verifier *gate.Verifier
	origins  map[string]bool
	// allow is AllowsOrigin, or nil without origins.
	allow func(origin string) bool
}

// New validates the configuration, makes the first keys if the store has none, and
// loads keys and revocations.
func New(ctx context.Context, cfg Config) (*Realm, error) {
	providers, err := check(&cfg)
	if err != nil {
		return nil, err
	}
	r := &Realm{cfg: cfg, origins: map[string]bool{}}
	r.addTrail()
	r.horizon = revocation.NewHorizon(r.Now, cfg.Elapsed)
	for i := range cfg.Clients {
		for _, text := range cfg.Clients[i].Origins {
			origin, err := authcore.ParseOrigin(text)
			if err != nil { // check validated it
				return nil, err
			}
			r.origins[origin], r.allow = true, r.AllowsOrigin
		}
	}
	r.Revocations = revocation.New(revocation.Config{
		Store: cfg.Store, Logger: cfg.Logger, Now: r.Now, Horizon: r.horizon,
		MaxStaleness: cfg.RevocationMaxStaleness, OnStale: cfg.OnStale, Lag: cfg.ObserveLag,
	})
	r.Keys = keys.New(keys.Config{
		Store: cfg.Store, Algorithm: cfg.Algorithm, Rotation: cfg.KeyRotation, Lifetime: cfg.longestLifetime(),
		Now: r.Now, Changed: func(set *gate.KeySet) { r.verifier.SetKeys(set) },
		Observe: r.Observe,
	})
	r.Feed = revocation.NewFeed(r.Revocations, r.Keys, cfg.Issuer, r.Now)
	if err := r.addServices(providers); err != nil {
		return nil, err
	}
	r.addVerifier()
	if err := r.Keys.Maintain(ctx, r.horizon.Now()); err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	if err := r.Revocations.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	if r.Passkeys != nil {
		if err := r.Passkeys.CheckDomain(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// check validates a configuration and returns the providers by name.
func check(cfg *Config) (map[string]authcore.Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Store == nil {
		return nil, errors.New("store: none is configured")
	}
	if cfg.Mailer == nil && !cfg.DebugLinks {
		return nil, errors.New("mailer: none is configured; without one no user can receive a link")
	}
	providers := map[string]authcore.Provider{}
	cfg.Rules.RoleProviders, cfg.Rules.ProviderRolesAge = map[string]bool{}, cfg.MaxLifetime
	for _, p := range cfg.Providers {
		if providers[p.Name()] != nil {
			return nil, fmt.Errorf("provider %s: configured twice; rename or remove one", p.Name())
		}
		if p.Name() == gate.MethodKey {
			return nil, fmt.Errorf("provider %s: this is the method of API keys; use another name", p.Name())
		}
		providers[p.Name()] = p
		if reporter, ok := p.(authcore.RoleReporter); ok && reporter.ReportsRoles() {
			cfg.Rules.RoleProviders[p.Name()] = true
		}
	}
	for name := range cfg.ProviderRules {
		if providers[name] == nil {
			return nil, fmt.Errorf("provider %s: has account rules but is not configured", name)
		}
	}
	return providers, nil
}

func (r *Realm) addServices(providers map[string]authcore.Provider) error {
	cfg := &r.cfg
	limiter := ratelimit.New(ratelimit.Config{Store: cfg.Store, Local: cfg.LocalCounters, Now: r.Now, Logger: cfg.Logger})
	var notices *account.Notices
	if cfg.Mailer != nil && !cfg.NoNotices {
		notices = account.NewNotices(account.NoticesConfig{
			Mailer: cfg.Mailer, Limiter: limiter, Clients: cfg.Clients, Title: cfg.Title, EmailLink: cfg.EmailLink,
			Logger: cfg.Logger, Now: r.Now,
		})
	}
	r.Accounts = account.New(account.Config{
		Notices: notices, Records: recordKinds(), Passkeys: cfg.Passkeys != PasskeysOff,
		Store: cfg.Store, Rules: &cfg.Rules, ProviderRules: cfg.ProviderRules, Clients: cfg.Clients, Providers: providers,
		Revoked: r.Revocations, TokenLifetime: cfg.longestToken(), Observe: cfg.Observe, Now: r.Now,
	})
	r.Sessions = session.New(session.Config{
		Store: cfg.Store, Keys: r.Keys, Revoked: r.Revocations, Limiter: limiter, Limits: cfg.Limits,
		Rules: &cfg.Rules, Clients: cfg.Clients, Issuer: cfg.Issuer, Audience: cfg.Audience,
		Lifetime: cfg.TokenLifetime, MaxLifetime: cfg.MaxLifetime, RefreshGrace: cfg.RefreshGrace,
		MaxSessions: cfg.MaxSessions, Observe: cfg.Observe, Now: r.Now,
	})
	r.APIKeys = apikey.New(apikey.Config{
		Store: cfg.Store, Keys: r.Keys, Revoked: r.Revocations, Limiter: limiter, Notices: notices, Rules: &cfg.Rules,
		Issuer: cfg.Issuer, Audience: cfg.Audience, Use: cfg.APIKeys, Observe: cfg.Observe, Now: r.Now,
	})
	if err := r.addPasskeys(notices); err != nil {
		return err
	}
	r.Factors = factor.New(factor.Config{
		Store: cfg.Store, Sessions: r.Sessions, Keys: r.Keys, Limiter: limiter, Limits: cfg.Limits, Rules: &cfg.Rules,
		Revoked: r.Revocations, Notices: notices, Title: cmp.Or(cfg.Title, hostOf(cfg.EmailLink), cfg.Issuer), Remember: cfg.RememberDevice,
		Observe: cfg.Observe, Now: r.Now,
	})
	r.addCaptcha()
	r.Logins = login.New(login.Config{
		Passkeys: r.Passkeys, Captcha: r.Captcha,
		Store: cfg.Store, Sessions: r.Sessions, Keys: r.Keys, Factors: r.Factors, Limiter: limiter, Limits: cfg.Limits,
		Rules: &cfg.Rules, ProviderRules: cfg.ProviderRules, Clients: cfg.Clients, Providers: providers, APIURL: cfg.APIURL,
		Mailer: cfg.Mailer, Notices: notices, Title: cfg.Title, EmailLink: cfg.EmailLink, LinkLifetime: cfg.LinkLifetime, DebugLinks: cfg.DebugLinks,
		InvitationLifetime: cfg.InvitationLifetime,
		Observe:            cfg.Observe, Trace: cfg.Trace, Logger: cfg.Logger, Now: r.Now,
	})
	return nil
}

// addTrail adds the audit trail with its webhooks, if it is on. It receives events after the configured
// observer.
func (r *Realm) addTrail() {
	cfg := &r.cfg
	if cfg.Audit == nil {
		return
	}
	r.Webhooks = webhook.New(webhook.Config{
		Store: cfg.Store, Endpoints: cfg.Webhooks, Logger: cfg.Logger, Attempted: cfg.WebhookAttempted, Now: r.Now,
	})
	r.Audit = audit.New(audit.Config{
		Options: *cfg.Audit, Store: cfg.Store, Realm: cfg.Realm, Logger: cfg.Logger, Dropped: cfg.AuditDropped,
		Outbox: r.Webhooks.Items, Now: r.Now,
	})
	report := cfg.Observe
	cfg.Observe = func(ctx context.Context, event authcore.Event) {
		report(ctx, event)
		r.Audit.Observe(ctx, event)
	}
}

// Observe reports an event of a part that does not belong to the realm.
func (r *Realm) Observe(ctx context.Context, event authcore.Event) { r.cfg.Observe(ctx, event) }

// addPasskeys adds the passkeys, unless they are switched off.
func (r *Realm) addPasskeys(notices *account.Notices) (err error) {
	cfg := &r.cfg
	if cfg.Passkeys == PasskeysOff {
		return nil
	}
	r.Passkeys, err = passkey.New(passkey.Config{
		Store: cfg.Store, Accounts: r.Accounts, Keys: r.Keys, RPID: cmp.Or(cfg.PasskeyRPID, passkey.HostOf(cfg.EmailLink)),
		Clients: cfg.Clients, Title: cfg.Title, Notices: notices, Observe: cfg.Observe, Logger: cfg.Logger, Now: r.Now,
	})
	return err
}

// addCaptcha adds the verifier of captchas, if they are required. It accepts those that
// were solved at the origins of clients and at the page of mailed links.
func (r *Realm) addCaptcha() {
	if r.cfg.Captcha == nil {
		return
	}
	own := *r.cfg.Captcha
	if len(own.Hostnames) == 0 {
		own.Hostnames = []string{passkey.HostOf(r.cfg.EmailLink)}
		for origin := range r.origins {
			own.Hostnames = append(own.Hostnames, passkey.HostOf(origin))
		}
	}
	r.Captcha = captcha.New(own)
}

// recordKinds lists the kinds of records that belong to users.
func recordKinds() []account.RecordKind {
	return slices.Concat(login.RecordKinds(), factor.RecordKinds(), []account.RecordKind{passkey.RecordKind(), audit.RecordKind()})
}

// hostOf returns the host of a link template, or "".
func hostOf(template string) string {
	parsed, err := url.Parse(template)
	if err != nil {
		return ""
	}
	return parsed.Host
}

func (r *Realm) addVerifier() {
	staleness := r.cfg.RevocationMaxStaleness
	if r.cfg.OnStale == OnStaleServe {
		staleness = 0
	}
	r.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer: r.cfg.Issuer, Audience: r.cfg.Audience, Purpose: gate.PurposeLogin, CacheSize: r.cfg.CacheSize,
		Revocations: r.Revocations.Copy(), MaxStaleness: staleness, Seen: r.Sessions.Seen(),
	})
}

// Require returns Config.Require.
func (r *Realm) Require() []gate.Requirement { return r.cfg.Require() }

// Decide decides a request as the site does, without I/O.
func (r *Realm) Decide(site *gate.Site, request gate.Request) gate.Decision {
	return site.Decide(r.verifier, request, r.allow)
}

// Authenticate checks the values of the Authorization header. Its error is an
// *Unauthenticated, which carries the status and the exact text of the answer, or
// an *authcore.Error with 503 if the token could not be checked.
func (r *Realm) Authenticate(authorization []string) (*gate.Claims, error) {
	var site gate.Site
	decision := r.Decide(&site, gate.Request{Header: gate.Header{"Authorization": authorization}, Now: r.Now()})
	switch {
	case decision.Claims != nil:
		return decision.Claims, nil
	case decision.Status == http.StatusServiceUnavailable:
		return nil, authcore.Unavailable(decision.Err)
	default:
		return nil, &Unauthenticated{Decision: decision}
	}
}

// AuthenticateAny checks tokens, for example those of several cookies with one name, and
// returns the claims of the first that verifies. Its errors are those of Authenticate.
func (r *Realm) AuthenticateAny(tokens []string) (*gate.Claims, error) {
	var first error
	for _, token := range tokens {
		claims, err := r.Authenticate([]string{"Token " + token})
		if err == nil {
			return claims, nil
		}
		if _, denied := errors.AsType[*Unauthenticated](err); !denied {
			return nil, err
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		return r.Authenticate(nil)
	}
	return nil, first
}

// Unauthenticated is the failure of Authenticate.
type Unauthenticated struct {
	Decision gate.Decision
}

// Error returns the reason, without any part of the token.
func (u *Unauthenticated) Error() string {
	return http.StatusText(http.StatusUnauthorized) + ": " + u.Decision.Reason
}

// AllowsOrigin reports whether pages of this origin belong to a client.
func (r *Realm) AllowsOrigin(origin string) bool { return r.origins[origin] }

// Verifier returns the verifier of login tokens.
func (r *Realm) Verifier() *gate.Verifier { return r.verifier }

// RevocationAge returns the age of the copy of the revocations. It stays below a
// second while the store answers.
func (r *Realm) RevocationAge() time.Duration { return r.Revocations.Age() }

// Now returns the realm's time. It has no monotonic part, so that times compare
// alike before and after they were stored.
func (r *Realm) Now() time.Time { return r.cfg.Now() }
