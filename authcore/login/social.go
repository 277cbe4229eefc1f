package login

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// social is a login through a provider, or the linking of an identity.
type social struct {
	*Service
	SocialLogin
	client      *authcore.Client
	provider    authcore.Provider
	redirectURI string
	// identity is the account at the provider, once it is known.
	identity authcore.IdentityKey
	// state is nil unless the login was begun with Authorize.
	state *state
	// proven is the proof of a login that accepts an invitation, otherwise nil.
	proven *proof
}

// Social logs in or signs up the user of an account at a provider. With LinkTo it
// adds the account at the provider to that user.
func (s *Service) Social(ctx context.Context, r SocialLogin) (session.Grant, error) {
	grant, err := s.login(ctx, &attempt{clientKey: r.ClientKey, caller: r.Caller}, &social{Service: s, SocialLogin: r})
	if err == nil && r.LinkTo != nil {
		s.cfg.Observe(ctx, authcore.Event{
			Name: authcore.EventLinked, Method: r.Provider, UserID: grant.User.ID, SessionID: r.LinkTo.Session,
		})
	}
	return grant, err
}

func (m *social) admit(a *attempt) (err error) {
	m.client = a.client
	if m.provider, err = m.Service.provider(a.client, m.Provider); err != nil {
		return err
	}
	a.method = m.provider.Name()
	if m.IDToken == "" {
		if m.redirectURI, err = a.client.RedirectURI(m.RedirectURI); err != nil {
			return err
		}
	}
	return m.checkRecent(m.LinkTo)
}

// guesses returns nothing: a code of a provider cannot be guessed.
func (m *social) guesses(context.Context, *attempt) ([]ratelimit.Check, error) { return nil, nil }

func (m *social) prove(ctx context.Context, _ *attempt) (proof, error) {
	if err := m.openState(ctx); err != nil {
		return proof{}, err
	}
	redeem := m.redeemCode
	if m.IDToken != "" {
		redeem = m.redeemIDToken
	}
	profile, err := redeem(ctx)
	if err != nil {
		return proof{}, err
	}
	if err := profile.Validate(); err != nil {
		return proof{}, m.providerError(m.provider.Name(), err)
	}
	found := m.candidate(profile)
	m.identity = found.identity.Key()
	p := proof{claims: m.claims, refs: found.refs(), decide: found.decide, by: m.LinkTo}
	if p.record, err = m.invited(ctx, found); err != nil {
		return proof{}, err
	}
	if p.record.Key != "" {
		m.proven = &p
	}
	return p, nil
}

// openState checks the state that came with the login. A state is valid for the
// client, the provider and the redirect URI for which it was made (RFC 9700,
// section 4.7). Linking needs a state that was made for the same user: otherwise an
// attacker could log a victim's browser in to the provider as the attacker, and
// add that login to the victim's account.
func (m *social) openState(ctx context.Context) error {
	linking := m.LinkTo != nil
	if !linking && (m.IDToken != "" || !strings.HasPrefix(m.State, statePrefix)) {
		return nil
	}
	opened, err := m.unseal(m.State)
	switch {
	case err != nil:
		return err
	case opened.client != clientDigest(m.client.Name), opened.provider != providerDigest(m.provider.Name()),
		m.IDToken == "" && opened.redirectURI != redirectDigest(m.redirectURI),
		opened.link != linking, linking && opened.user != userDigest(m.LinkTo.Subject):
		return invalidState()
	}
	m.state = &opened
	return m.checkUnused(ctx, m.state)
}

// redeemCode exchanges the code at the provider.
func (m *social) redeemCode(ctx context.Context) (authcore.Profile, error) {
	exchange := authcore.ExchangeRequest{
		Code: m.Code, RedirectURI: m.redirectURI, Verifier: m.Verifier, Nonce: m.Nonce,
		Issuer: m.Issuer, Device: m.Device,
	}
	if m.state != nil {
		exchange.Verifier, exchange.Nonce = m.state.verifier(), m.state.nonce()
		if m.state.formPost {
			var err error
			exchange.RedirectURI = m.callbackURI(m.provider.Name())
			if exchange.User, err = m.postedUser(ctx, m.state); err != nil {
				return authcore.Profile{}, err
			}
		}
	}
	profile, err := m.provider.Exchange(ctx, exchange)
	if err != nil {
		return authcore.Profile{}, m.providerError(m.provider.Name(), err)
	}
	return profile, nil
}

// claims are the values that this login uses up.
func (m *social) claims(begun authcore.Session) []authcore.Record {
	var claims []authcore.Record
	if m.state != nil {
		claims = append(claims, m.state.used(begun.Created))
	}
	if m.IDToken != "" {
		claims = append(claims, usedIDToken(m.IDToken, m.Nonce, m.identity, begun.Created))
	}
	return claims
}

// candidate returns the account that the profile describes.
func (m *social) candidate(profile authcore.Profile) *candidate {
	now := m.cfg.Now()
	c := &candidate{
		rules: m.cfg.Rules.Through(m.cfg.ProviderRules[m.provider.Name()]),
		identity: authcore.Identity{
			Provider: m.provider.Name(), Issuer: profile.Issuer, Subject: profile.Subject, PublicID: authcore.RandomID(),
			Email: profile.Email, EmailVerified: profile.EmailVerified, Created: now,
		},
		former: profile.FormerSubject, unprovenFormer: profile.UnprovenFormer,
		email: account.Email{Address: profile.Email, Verified: profile.EmailVerified},
		user: authcore.User{
			ID: authcore.RandomID(), FirstName: account.ProviderName(profile.FirstName), LastName: account.ProviderName(profile.LastName),
			Nickname: account.ProviderName(profile.Nickname), AvatarURL: profile.AvatarURL,
		},
		linkTo: m.LinkTo,
	}
	if address, err := authcore.ParseAddress(profile.Email); err == nil {
		c.address = address
		c.user.Email, c.user.EmailVerified = address.String(), profile.EmailVerified
	}
	if len(profile.Roles) > 0 {
		c.identity.Roles, c.identity.RolesAt = profile.Roles, now
	}
	return c
}

// conflict answers a state or ID token that another login used meanwhile, and what
// belongs to another account.
func (m *social) conflict(ctx context.Context, a *attempt, err error) (session.Grant, error) {
	switch {
	case errors.Is(err, authcore.ErrNotFound) && m.proven != nil:
		return m.retryUninvited(ctx, a)
	case errors.Is(err, authcore.ErrExists) && m.IDToken != "":
		return session.Grant{}, idTokenUsed()
	case errors.Is(err, authcore.ErrExists):
		return session.Grant{}, invalidState()
	case errors.Is(err, authcore.ErrTaken) && m.LinkTo != nil:
		return session.Grant{}, identityTaken()
	case errors.Is(err, authcore.ErrTaken):
		return session.Grant{}, emailTaken()
	default:
		return session.Grant{}, err
	}
}

func emailTaken() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodeEmailTaken,
		"An account with this e-mail address exists already. Log in by link, then add this login to it.")
}

func identityTaken() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodeIdentityTaken, "This login already belongs to another account.")
}

func identityUnlinked() *authcore.Error {
	return authcore.NewError(http.StatusForbidden, authcore.CodeIdentityUnlinked,
		"This login was removed from its account. Log in another way, then add it again.")
}
