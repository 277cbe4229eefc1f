package login

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Authorize begins a social login: it returns the provider's address with a state,
// a nonce and a PKCE challenge that are bound to the client, the provider and the
// redirect URI (RFC 6749, section 10.12; RFC 7636; OpenID Connect Core 1.0, section
// 3.1.2.1). Nothing is stored.
func (s *Service) Authorize(ctx context.Context, r AuthorizeStart) (Authorization, error) {
	client, err := s.clients.Find(r.ClientKey)
	if err != nil {
		return Authorization{}, err
	}
	provider, err := s.provider(client, r.Provider)
	if err != nil {
		return Authorization{}, err
	}
	redirectURI, err := client.RedirectURI(r.RedirectURI)
	if err != nil && (r.LinkTo == nil || r.RedirectURI != "" || len(client.RedirectURIs) > 0) {
		return Authorization{}, err
	}
	if err := s.checkRecent(r.LinkTo); err != nil {
		return Authorization{}, err
	}
	var begun Authorization
	checks := append(ratelimit.Parties("authorize-ip", r.Caller.IP, s.cfg.Limits.AuthorizePerIP),
		ratelimit.Shared("authorize", "all", r.Caller.IP, s.cfg.Limits.AuthorizeOverall)...)
	err = s.cfg.Limiter.Do(ctx, checks, func() (err error) {
		if begun, err = s.authorize(ctx, client, provider, redirectURI, r.LinkTo); err != nil {
			return err
		}
		return s.keepStart(ctx, begun.State, r.Page)
	})
	if err != nil {
		return Authorization{}, authcore.Unavailable(err)
	}
	return begun, nil
}

func (s *Service) authorize(ctx context.Context, client *authcore.Client, provider authcore.Provider, redirectURI string, linkTo *gate.Claims) (Authorization, error) {
	formPostURI, err := s.formPostURI(ctx, provider)
	if err != nil {
		return Authorization{}, err
	}
	t := state{
		expires: s.cfg.Now().Add(stateLifetime),
		client:  clientDigest(client.Name), provider: providerDigest(provider.Name()), redirectURI: redirectDigest(redirectURI),
		port: authcore.LoopbackPort(redirectURI), formPost: formPostURI != "", seed: [seedLength]byte(authcore.RandomBytes(seedLength)),
	}
	if linkTo != nil {
		t.link, t.user = true, userDigest(linkTo.Subject)
	}
	text, err := s.seal(t)
	if err != nil {
		return Authorization{}, err
	}
	challenge := sha256.Sum256([]byte(t.verifier()))
	url, err := provider.AuthorizeURL(ctx, authcore.AuthorizeRequest{
		RedirectURI: cmp.Or(formPostURI, redirectURI), State: text, Nonce: t.nonce(),
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
	})
	if err != nil {
		return Authorization{}, s.providerError(provider.Name(), err)
	}
	return Authorization{URL: url, State: text}, nil
}

// checkRecent requires a recent login of the user who adds an identity, which is a
// permanent way into the account.
func (s *Service) checkRecent(linkTo *gate.Claims) error {
	if linkTo == nil {
		return nil
	}
	return account.CheckRecentLogin(linkTo, s.cfg.Now(), "Log in again to add a login to your account.")
}
