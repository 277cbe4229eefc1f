package login

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/keys"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// The methods of a login that are not the name of a provider.
const (
	MethodLink    = "link"
	MethodCode    = "code"
	MethodPasskey = passkey.Method
)

// Store contains the roles of authcore.Store that a login uses.
type Store interface {
	authcore.Accounts
	authcore.Records
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store    Store
	Sessions *session.Service
	Keys     *keys.Ring
	Factors  *factor.Service
	Limiter  *ratelimit.Limiter
	Limits   ratelimit.Limits
	// Rules are the rules of the realm. ProviderRules replaces some of them, by
	// the name of the provider; optional.
	Rules         *account.Rules
	ProviderRules map[string]account.ProviderRules

	Clients []authcore.Client
	// Providers by name; optional.
	Providers map[string]authcore.Provider
	// APIURL is the address of the login API as browsers reach it, without a
	// slash at the end. Providers that post their answers need it; optional.
	APIURL string

	// Captcha verifies the captcha of requests for links; nil if none is required.
	Captcha *captcha.Verifier

	// Passkeys checks passkeys; nil if users cannot log in with them.
	Passkeys *passkey.Service

	// Mailer is optional if DebugLinks is set.
	Mailer authcore.Mailer
	// Notices reports changes to the owners of accounts; nil sends none.
	Notices *account.Notices
	// Title is the name of the site in mails, unless the client has one; optional.
	Title string
	// EmailLink is the template of mailed links, with authcore.LinkPlaceholder.
	EmailLink string
	// LinkLifetime is the lifetime of mailed links and codes.
	LinkLifetime time.Duration
	// InvitationLifetime is the lifetime of invitations that name no other.
	InvitationLifetime time.Duration
	// DebugLinks adds the link to the answer, for development. Any caller can then
	// log in to any account.
	DebugLinks bool

	// Observe receives events, for metrics and audit. It must not block. Default:
	// events are dropped.
	Observe func(context.Context, authcore.Event)
	// Trace is called when a login (EventLogin) or the request of a link
	// (EventLinkRequested) begins. It returns the context of the work, and a function
	// that receives the event at the end; Name is EventLoginFailed after any failure.
	// Default: nothing is traced.
	Trace Trace
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Trace follows one operation; see Config.Trace.
type Trace func(ctx context.Context, name authcore.EventName) (traced context.Context, end func(authcore.Event))

// untraced is a Trace that does nothing.
func untraced(ctx context.Context, _ authcore.EventName) (context.Context, func(authcore.Event)) {
	return ctx, func(authcore.Event) {}
}

// Service logs users in. Its methods are safe for concurrent use.
type Service struct {
	cfg     Config
	store   Store
	log     *slog.Logger
	clients authcore.Clients
}

// New returns a Service. The configuration is not validated.
func New(cfg Config) *Service {
	cfg.Observe = authcore.Observer(cfg.Observe)
	if cfg.Trace == nil {
		cfg.Trace = untraced
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	cfg.Now = authcore.Clock(cfg.Now)
	cfg.APIURL = strings.TrimSuffix(cfg.APIURL, "/")
	return &Service{cfg: cfg, store: cfg.Store, log: cfg.Logger, clients: authcore.NewClients(cfg.Clients)}
}
