package passkey

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/keys"
)

const (
	// Method is the login method of sessions that began with a passkey.
	Method = "passkey"
	// maxPasskeys limits the passkeys of a user.
	maxPasskeys = 20
)

// Store contains the roles of authcore.Store that a Service uses.
type Store interface {
	authcore.Accounts
	authcore.Records
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store    Store
	Accounts *account.Service
	Keys     *keys.Ring
	// RPID is the domain to which passkeys belong, the relying party ID.
	RPID string
	// Clients are those of the realm. Passkeys are accepted from their origins, as far
	// as these belong to the RPID.
	Clients []authcore.Client
	// Title is the name of the site that authenticators show. Default: the RPID.
	Title string
	// Notices reports changes to the owners of accounts; nil sends none.
	Notices *account.Notices
	// Observe receives events. It must not block. Default: events are dropped.
	Observe func(context.Context, authcore.Event)
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Service registers, checks and manages passkeys. Its methods are safe for concurrent
// use.
type Service struct {
	cfg      Config
	webauthn *webauthn.WebAuthn
	origins  []string
}

// New returns a Service, or the fault of RPID or of the origins.
func New(cfg Config) (*Service, error) {
	cfg.Observe = authcore.Observer(cfg.Observe)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	cfg.Now = authcore.Clock(cfg.Now)
	cfg.Title = cmp.Or(cfg.Title, cfg.RPID)
	if err := CheckRPID(cfg.RPID); err != nil {
		return nil, fmt.Errorf("passkey_rp_id: %w", err)
	}
	s := &Service{cfg: cfg}
	for i := range cfg.Clients {
		for _, origin := range cfg.Clients[i].Origins {
			if belongs(origin, cfg.RPID) && !slices.Contains(s.origins, origin) {
				s.origins = append(s.origins, origin)
			}
		}
	}
	if len(s.origins) == 0 {
		return nil, fmt.Errorf("passkeys: no client has an origin at %s, so that no page can use a passkey; "+
			"add an origin to a client, for example: origin https://%s, or set passkey_rp_id to the domain of an origin", cfg.RPID, cfg.RPID)
	}
	var err error
	s.webauthn, err = webauthn.New(&webauthn.Config{
		RPID: cfg.RPID, RPDisplayName: cfg.Title, RPOrigins: s.origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login: webauthn.TimeoutConfig{Timeout: ceremonyTimeout}, Registration: webauthn.TimeoutConfig{Timeout: ceremonyTimeout},
		},
		// Password managers return outputs of extensions that were not requested. None
		// is used here.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return s, nil
}

// RPID returns the domain to which passkeys belong.
func (s *Service) RPID() string { return s.cfg.RPID }

// Serves reports whether pages of an origin can use passkeys.
func (s *Service) Serves(origin string) bool { return slices.Contains(s.origins, origin) }

// belongs reports whether pages of an origin may use passkeys of a domain: the host is
// the domain or below it, and the page is protected against eavesdroppers.
func belongs(origin, rpID string) bool {
	parsed, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host := parsed.Hostname()
	secure := parsed.Scheme == "https" || parsed.Scheme == "http" && authcore.IsLoopback(host)
	return secure && (host == rpID || strings.HasSuffix(host, "."+rpID))
}

// Invalid returns the 400 error for a response that is not accepted. The cause is for
// the log only.
func Invalid(cause error) *authcore.Error {
	return &authcore.Error{
		Status: http.StatusBadRequest, Code: authcore.CodeInvalidPasskey,
		Detail: "The passkey was not accepted. Please try again.", Err: cause,
	}
}

// Unknown returns the 400 error for a credential that is not registered.
func Unknown() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeUnknownPasskey,
		"This passkey is not registered here. Log in another way.")
}
