package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	core "github.com/edgeauth/edgeauth/authcore/realm"
)

// startWait bounds the wait of a request for a realm that is starting.
const startWait = 10 * time.Second

// provision turns the options into a configuration of the core and checks it.
func (r *Realm) provision(ctx caddy.Context, name string, shared deps) (err error) {
	r.name, r.deps, r.ctx = name, shared, ctx
	r.started, r.startWait = make(chan struct{}), startWait
	r.closeStarted = sync.OnceFunc(func() { close(r.started) })
	r.gate, r.failed = shared.metrics.decisions(name), shared.metrics.apiFailures(name)
	r.relay = newEventRelay(shared.events, name, shared.metrics)
	if r.handover, r.releaseHandover, err = share("realm:"+name, func() *handover { return new(handover) }); err != nil {
		return err
	}
	if err := r.provisionConfig(); err != nil {
		return err
	}
	for _, load := range []func(caddy.Context) error{r.loadProviders, r.loadStorage, r.loadMailer} {
		if err := load(ctx); err != nil {
			return err
		}
	}
	return r.validate()
}

// noticesOff is the value of Realm.Notices that switches notices off.
const noticesOff = "off"

func (r *Realm) provisionConfig() error {
	r.config = core.Config{
		Realm:              r.name,
		TokenLifetime:      time.Duration(r.TokenLifetime),
		MaxLifetime:        time.Duration(r.MaxLifetime),
		RefreshGrace:       time.Duration(r.RefreshGrace),
		MaxSessions:        r.MaxSessions,
		LinkLifetime:       time.Duration(r.LinkLifetime),
		InvitationLifetime: time.Duration(r.InvitationLifetime),
		KeyRotation:        time.Duration(r.KeyRotation),
		CacheSize:          r.CacheSize,
		DebugLinks:         r.InsecureDebugLinks,
		OnStale:            r.OnStale,
		NoNotices:          r.Notices == noticesOff,
		Passkeys:           r.Passkeys,
		APIKeys:            apikey.Use(r.APIKeys),
		RememberDevice:     time.Duration(r.RememberDevice),
		Rules: account.Rules{
			Signup:      r.Signup,
			LinkByEmail: r.LinkByEmail,
			EmailTaken:  r.EmailTaken,

			SecondFactor: r.SecondFactor,
		},
		ProviderRules: map[string]account.ProviderRules{},
		Logger:        r.logger,
		Audit:         r.Audit.options(),
		AuditDropped:  r.metrics.auditDrops(r.name),
		Observe:       r.observe,
		Trace:         r.traceLogin,
		ObserveLag:    r.metrics.revocationLag(r.name),

		RevocationMaxStaleness: time.Duration(r.RevocationMaxStaleness),
	}
	resolve := newResolver("")
	err := resolve.bind(
		binding{"issuer", r.Issuer, &r.config.Issuer},
		binding{"audience", r.Audience, &r.config.Audience},
		binding{"algorithm", r.Algorithm, &r.config.Algorithm},
		binding{"title", r.Title, &r.config.Title},
		binding{"email_link", r.EmailLink, &r.config.EmailLink},
		binding{"api_url", r.APIURL, &r.config.APIURL},
		binding{"passkey_rp_id", r.PasskeyRPID, &r.config.PasskeyRPID},
	)
	if err != nil {
		return err
	}
	if r.config.Rules.Domains, err = resolve.list("signup", r.SignupDomains); err != nil {
		return err
	}
	if r.config.Rules.SecondFactorRoles, err = resolve.list("second_factor", r.SecondFactorRoles); err != nil {
		return err
	}
	if r.config.Rules.Allow, err = resolve.list("allow", r.Allow); err != nil {
		return err
	}
	if r.config.Rules.Deny, err = resolve.list("deny", r.Deny); err != nil {
		return err
	}
	if r.config.Rules.Roles, err = resolveRoles(resolve, r.Roles); err != nil {
		return err
	}
	if r.config.Webhooks, err = r.Audit.endpoints(resolve); err != nil {
		return err
	}
	r.config.WebhookAttempted = r.metrics.webhookAttempts(r.name, r.config.Webhooks)
	if r.config.Limits, err = applyLimits(r.Limits); err != nil {
		return err
	}
	if r.config.Captcha, err = r.Challenge.resolve(); err != nil {
		return err
	}
	if r.config.Clients, err = resolveClients(r.Clients); err != nil {
		return err
	}
	if r.Notices != "" && r.Notices != "on" && r.Notices != noticesOff {
		return fmt.Errorf("notices: %q is not valid; use on or off", r.Notices)
	}
	r.linkPages = linkPages(r.config)
	return nil
}

func resolveClients(configured map[string]*Client) ([]authcore.Client, error) {
	var clients []authcore.Client
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		if configured[name] == nil {
			return nil, fmt.Errorf("client %s: has no configuration", name)
		}
		if strings.ContainsAny(name, "{}") {
			return nil, fmt.Errorf("client %s: the name cannot contain placeholders; only its key and options can", name)
		}
		client, err := configured[name].resolve(name)
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}

func (r *Realm) loadProviders(ctx caddy.Context) error {
	if len(r.ProvidersRaw) == 0 {
		return r.checkClientProviders(nil)
	}
	loaded, err := ctx.LoadModule(r, "ProvidersRaw")
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	modules, ok := loaded.(map[string]any)
	if !ok {
		return fmt.Errorf("provider: unexpected type %T", loaded)
	}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		module, ok := modules[name].(Provider)
		if !ok {
			return fmt.Errorf("provider %s: %T is not an edgeauth provider", name, modules[name])
		}
		provider, err := module.NewProvider(name)
		if err != nil {
			return err
		}
		r.config.Providers = append(r.config.Providers, provider)
		if own, ok := module.(accountRuler); ok {
			rules := own.AccountRules()
			if rules.Domains, err = newResolver("provider "+name).list("signup", rules.Domains); err != nil {
				return err
			}
			r.config.ProviderRules[name] = rules
		}
	}
	return r.checkClientProviders(modules)
}

// checkClientProviders finds a misspelt name in the list of a client.
func (r *Realm) checkClientProviders(configured map[string]any) error {
	for _, client := range r.config.Clients {
		for _, name := range client.Providers {
			if _, found := configured[name]; !found {
				return fmt.Errorf("client %s: providers: there is no provider %q", client.Name, name)
			}
		}
	}
	return nil
}

func (r *Realm) loadStorage(ctx caddy.Context) (err error) {
	r.storage, err = loadOr[Storage](ctx, r, "storage", "StorageRaw", r.StorageRaw != nil, "edgeauth.storage.bolt")
	return err
}

func (r *Realm) loadMailer(ctx caddy.Context) (err error) {
	if r.MailerRaw == nil && !r.InsecureDebugLinks {
		return errors.New("mailer: none is configured, so that links cannot be delivered; " +
			"add for example: mailer smtp {env.SMTP_URL}, or for development: insecure_debug_links")
	}
	r.mailer, err = loadOr[Mailer](ctx, r, "mailer", "MailerRaw", r.MailerRaw != nil, "edgeauth.mailers.log")
	return err
}

// loadOr loads the module of a field, or a module with its defaults if the field is
// not set.
func loadOr[T any](ctx caddy.Context, r *Realm, option, field string, isSet bool, otherwise string) (module T, err error) {
	var loaded any
	if isSet {
		loaded, err = ctx.LoadModule(r, field)
	} else {
		loaded, err = ctx.LoadModuleByID(otherwise, nil)
	}
	if err != nil {
		return module, fmt.Errorf("%s: %w", option, err)
	}
	module, ok := loaded.(T)
	if !ok {
		return module, fmt.Errorf("%s: %T is not an edgeauth %s", option, loaded, option)
	}
	return module, nil
}
