package authcore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// statePrefix marks states that were made here. Frontends that make their own
// may send it along: without the mark it is theirs to check.
const statePrefix = "ea."

// AuthorizeStart begins a social login.
type AuthorizeStart struct {
	Provider    string
	ClientKey   string
	RedirectURI string
	Caller      Caller
}

// Authorization is where to send the browser.
type Authorization struct {
	URL   string
	State string
}

// Authorize begins a social login for which state, nonce and the PKCE verifier
// are kept here, bound to the client, the provider and the redirect URI.
func (s *Service) Authorize(ctx context.Context, r AuthorizeStart) (Authorization, error) {
	client, provider, err := s.socialParties(r.ClientKey, r.Provider)
	if err != nil {
		return Authorization{}, err
	}
	redirectURI, err := client.redirectURI(r.RedirectURI)
	if err != nil {
		return Authorization{}, err
	}
	if err := s.throttle(ctx, limit{"authorize-ip", party(r.Caller.IP), s.cfg.Limits.AuthorizePerIP}); err != nil {
		return Authorization{}, err
	}
	flow := Flow{Client: client.Name, Provider: provider.Name(), RedirectURI: redirectURI, Expires: s.now().Add(flowLifetime)}
	if flow.CallbackURI, err = s.bridge(ctx, provider); err != nil {
		return Authorization{}, err
	}
	var secrets [3]string
	for i := range secrets {
		if secrets[i], err = s.secret(); err != nil {
			return Authorization{}, unavailable(err)
		}
	}
	state := statePrefix + secrets[0]
	flow.State, flow.Nonce, flow.Verifier = DigestOf(statePurpose, state), secrets[1], secrets[2]
	challenge := sha256.Sum256([]byte(flow.Verifier))
	url, err := provider.AuthorizeURL(ctx, AuthorizeRequest{
		RedirectURI: flow.returnTo(), State: state, Nonce: flow.Nonce,
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
	})
	if err != nil {
		return Authorization{}, s.providerError(provider.Name(), err)
	}
	if err := s.store.PutFlow(ctx, flow); err != nil {
		return Authorization{}, unavailable(err)
	}
	return Authorization{URL: url, State: state}, nil
}

// SocialLogin redeems what a provider gave: a code, or an ID token that an
// application got from the provider by itself.
type SocialLogin struct {
	Provider string
	// Code, or IDToken where that is not "".
	Code        string
	IDToken     string
	ClientKey   string
	RedirectURI string
	// State from Authorize. One that a frontend made itself is ignored, and so
	// is one that comes with an ID token.
	State string
	// Verifier and Nonce of a frontend that began the login by itself.
	Verifier string
	Nonce    string
	// Issuer and Device are what the provider sent the browser back with; see
	// ExchangeRequest.
	Issuer string
	Device string
	// User is IDTokenRequest.User.
	User string
	// LinkTo is the signed-in user who wants to add this identity, or nil.
	LinkTo *gate.Claims
	Caller Caller
}

// LoginSocial signs in or signs up whoever the provider says it is.
func (s *Service) LoginSocial(ctx context.Context, r SocialLogin) (Login, error) {
	client, provider, err := s.socialParties(r.ClientKey, r.Provider)
	if err != nil {
		return s.failed("", client, err)
	}
	method := provider.Name()
	redeem := s.redeemCode
	if r.IDToken != "" {
		redeem = s.redeemIDToken
	}
	profile, err := redeem(ctx, client, provider, r)
	if err != nil {
		return s.failed(method, client, err)
	}
	if err := profile.checkIdentity(); err != nil {
		return s.failed(method, client, s.providerError(method, err))
	}
	user, isNew, err := s.userByProfile(ctx, method, profile, r.LinkTo)
	if err != nil {
		return s.failed(method, client, err)
	}
	login, err := s.startSession(ctx, user, isNew, method, client, r.Caller)
	if err != nil {
		return Login{}, err
	}
	identity := Identity{Provider: method, Issuer: profile.Issuer, Subject: profile.Subject}
	if err := s.stillLinked(ctx, login, identity); err != nil {
		return s.failed(method, client, err)
	}
	return login, nil
}

// stillLinked looks, now that the session is on record, whether the identity
// still leads to its user. Unlink ends the sessions on record once more after it
// took the identity away: one that is recorded later would go on, as that of whom
// the user wants out (CWE-367).
func (s *Service) stillLinked(ctx context.Context, login Login, identity Identity) error {
	user, err := s.store.UserByIdentity(ctx, identity)
	switch {
	case err == nil && user.ID == login.User.ID:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return unavailable(err)
	}
	mine := func(session Session) bool { return session.ID == login.Session.ID }
	if _, err := s.endSessions(ctx, &gate.Claims{Subject: login.User.ID}, mine); err != nil {
		return err
	}
	return &Error{
		Status: http.StatusBadRequest, Code: CodeInvalidState,
		Detail: "This login was taken away from the account meanwhile. Begin it again.",
	}
}

// redeemCode asks the provider who a code is about.
func (s *Service) redeemCode(ctx context.Context, client *Client, provider Provider, r SocialLogin) (Profile, error) {
	redirectURI, err := client.redirectURI(r.RedirectURI)
	if err != nil {
		return Profile{}, err
	}
	if err := s.throttle(ctx, limit{"login-ip", party(r.Caller.IP), s.cfg.Limits.LoginPerIP}); err != nil {
		return Profile{}, err
	}
	exchange := ExchangeRequest{
		Code: r.Code, RedirectURI: redirectURI, Verifier: r.Verifier, Nonce: r.Nonce,
		Issuer: r.Issuer, Device: r.Device,
	}
	if strings.HasPrefix(r.State, statePrefix) {
		flow, err := s.takeFlow(ctx, r.State, client.Name, provider.Name(), redirectURI)
		if err != nil {
			return Profile{}, err
		}
		exchange.RedirectURI, exchange.User = flow.returnTo(), flow.User
		exchange.Verifier, exchange.Nonce = flow.Verifier, flow.Nonce
	}
	profile, err := provider.Exchange(ctx, exchange)
	if err != nil {
		return Profile{}, s.providerError(provider.Name(), err)
	}
	return profile, nil
}

// socialParties resolves who takes part. An unknown provider and one that this
// client may not use answer alike.
func (s *Service) socialParties(clientKey, providerName string) (*Client, Provider, error) {
	client, err := s.clients.find(clientKey)
	if err != nil {
		return nil, nil, err
	}
	provider := s.providers[providerName]
	if provider == nil || !client.allowsProvider(providerName) {
		return client, nil, notFound()
	}
	return client, provider, nil
}

// takeFlow ends the flow, also when it was begun for somebody else.
func (s *Service) takeFlow(ctx context.Context, state, client, provider, redirectURI string) (Flow, error) {
	flow, err := s.store.TakeFlow(ctx, DigestOf(statePurpose, state), s.now())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Flow{}, unavailable(err)
	}
	if err != nil || flow.Client != client || flow.Provider != provider || flow.RedirectURI != redirectURI {
		return Flow{}, invalidState()
	}
	return flow, nil
}

func invalidState() *Error {
	return &Error{
		Status: http.StatusBadRequest, Code: CodeInvalidState,
		Detail: "The login was not begun here or took too long. Begin it again.",
	}
}

// ProviderInfo is what a frontend must know about a provider.
type ProviderInfo struct {
	Name string
	Endpoint
}

// listPatience is how long the list of providers waits for those that have to be
// asked first. A frontend shows nothing before it has the list.
const listPatience = 3 * time.Second

// ProvidersFor lists the providers of a client, by name. One that cannot be
// reached for discovery is left out and logged. All are asked at once, so that
// one that hangs holds up nobody for long.
func (s *Service) ProvidersFor(ctx context.Context, clientKey string) ([]ProviderInfo, error) {
	client, err := s.clients.find(clientKey)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
	)
	infos := []ProviderInfo{}
	for name, provider := range s.providers {
		if !client.allowsProvider(name) {
			continue
		}
		asking.Go(func() {
			endpoint, err := provider.Endpoint(ctx)
			if err != nil {
				s.log.Warn("provider left out of the list", "provider", name, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			infos = append(infos, ProviderInfo{Name: name, Endpoint: endpoint})
		})
	}
	asking.Wait()
	slices.SortFunc(infos, func(a, b ProviderInfo) int { return strings.Compare(a.Name, b.Name) })
	return infos, nil
}

// providerError maps a provider's failure to an answer that repeats nothing of
// what the provider said.
func (s *Service) providerError(name string, err error) error {
	answer := func(status int, code Code, detail string) error {
		s.log.Warn("social login failed", "provider", name, "code", string(code), "error", err)
		return &Error{Status: status, Code: code, Detail: detail, Err: err}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return unavailable(err) // the caller is gone; nothing is to be said of the provider
	case errors.Is(err, ErrProviderDenied):
		return answer(http.StatusBadRequest, CodeProviderDenied, "The provider did not accept this login. Begin it again.")
	case errors.Is(err, ErrProviderMismatch):
		return answer(http.StatusBadRequest, CodeProviderMismatch, "The provider's answer does not belong to this login. Begin it again.")
	case errors.Is(err, ErrProviderTimeout) || errors.Is(err, context.DeadlineExceeded):
		return answer(http.StatusGatewayTimeout, CodeProviderTimeout, "The provider did not answer in time.")
	default:
		return answer(http.StatusBadGateway, CodeProviderUnavailable, "The provider could not be reached or gave no usable answer.")
	}
}
