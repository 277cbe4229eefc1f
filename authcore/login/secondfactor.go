package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

var errOtherUser = errors.New("login: the passkey belongs to another user")

// secondFactor is the part of a login after its first factor, which the challenge states.
type secondFactor struct {
	*Service
	FactorLogin
	challenge challenge
	// user is the user before the login, prepared the factor to add; nil for none.
	user     authcore.User
	prepared *factor.Prepared
	// assertion is that of the passkey; nil for the other factors.
	assertion *passkey.Assertion
}

func (m *secondFactor) admit(*attempt) error { return nil }

// guesses returns nothing: factor.Service.Use counts wrong codes.
func (m *secondFactor) guesses(context.Context, *attempt) ([]ratelimit.Check, error) { return nil, nil }

func (m *secondFactor) prove(ctx context.Context, a *attempt) (proof, error) {
	// Noticed before a code is used up; the login step checks it again.
	_, err := m.store.Record(ctx, m.usedKey(), m.cfg.Now())
	switch {
	case err == nil:
		return proof{}, authcore.ErrExists
	case !errors.Is(err, authcore.ErrNotFound):
		return proof{}, err
	}
	if m.user, err = m.store.User(ctx, authcore.UserRef{ID: m.challenge.User}); err != nil {
		return proof{}, err
	}
	if m.user.Disabled {
		return proof{}, authcore.Inactive()
	}
	method, err := m.proveFactor(ctx, a)
	if err != nil {
		return proof{}, err
	}
	claims := []authcore.Record{{RecordKey: m.usedKey(), Created: m.cfg.Now(), Expires: time.Unix(m.challenge.Expires, 0).UTC()}}
	if m.assertion != nil {
		claims = append(claims, m.assertion.Claim)
	}
	return proof{
		claims: func(authcore.Session) []authcore.Record { return claims },
		refs:   []authcore.UserRef{{ID: m.challenge.User}},
		factor: method, decide: m.decide,
	}, nil
}

// proveFactor verifies the passkey, uses up the code, or prepares the factor that the user
// adds.
func (m *secondFactor) proveFactor(ctx context.Context, a *attempt) (method string, err error) {
	switch {
	case len(m.Credential) > 0:
		return MethodPasskey, m.provePasskey(ctx, a)
	case m.Enrolment == "":
		return m.cfg.Factors.Use(ctx, m.user, factor.Proof{Code: m.Code, RecoveryCode: m.RecoveryCode, Caller: m.Caller})
	}
	if !m.mayEnrol(m.user) {
		return "", authcore.ErrNotFound
	}
	m.prepared, err = m.cfg.Factors.Prepare(ctx, m.user, m.Enrolment, m.Code)
	return authcore.FactorTOTP, err
}

// provePasskey verifies the passkey. It must be one of the user of the challenge: that of
// another user must not receive what the first factor proved.
func (m *secondFactor) provePasskey(ctx context.Context, a *attempt) error {
	if m.cfg.Passkeys == nil {
		return passkey.Unknown()
	}
	assertion, err := m.cfg.Passkeys.Verify(ctx, a.client, m.Credential)
	switch {
	case err != nil:
		return err
	case assertion.UserID != m.challenge.User:
		return passkey.Invalid(errOtherUser)
	}
	m.assertion = &assertion
	return nil
}

// mayEnrol reports whether the first factor suffices to add a factor.
func (m *secondFactor) mayEnrol(user authcore.User) bool {
	return m.challenge.Enrol && m.cfg.Rules.FactorNeed(user) != account.FactorProof && !m.hasPasskey(user)
}

func (m *secondFactor) usedKey() authcore.RecordKey {
	return authcore.RecordKey{Kind: challengeKind, Key: authcore.DigestOf("used challenge", m.challenge.Nonce).String()}
}

// decide checks what may have changed since the first factor.
func (m *secondFactor) decide(found authcore.LoginFound) (decision, error) {
	known := found.Accounts[0]
	if known.User.ID == "" {
		return decision{}, authcore.ErrNotFound
	}
	switch {
	case m.assertion != nil:
		if !slices.Contains(known.User.Passkeys, m.assertion.ID) {
			return decision{}, passkey.Unknown()
		}
	case m.prepared != nil:
		if !m.mayEnrol(known.User) {
			return decision{}, authcore.ErrNotFound
		}
		m.prepared.Apply(&known, "")
	case m.cfg.Rules.FactorNeed(known.User) != account.FactorProof:
		return decision{}, authcore.ErrNotFound // the factor was removed meanwhile
	}
	account.NewUser{Roles: m.challenge.Invited}.Grant(&known.User)
	d, err := m.enterAs(known)
	d.isNew = m.challenge.IsNew
	if m.assertion != nil && d.identity == "" {
		d.identity = m.assertion.ID // whose removal ends the session
	}
	return d, err
}

// enterAs applies the first factor to the account.
func (m *secondFactor) enterAs(known authcore.Account) (decision, error) {
	social := m.challenge.Social
	if social == nil {
		if !m.cfg.Rules.AdmitsUser(known.User, nil) {
			return decision{}, account.NotAdmitted()
		}
		return decision{account: known}, nil
	}
	c := &candidate{
		rules:    m.cfg.Rules.Through(m.cfg.ProviderRules[social.Identity.Provider]),
		identity: social.Identity, former: social.Former, unprovenFormer: social.UnprovenFormer,
	}
	exists := known.Identity(social.Identity.Key()) != nil
	if exists != c.isActive(known) || !exists && !m.challenge.Added {
		return decision{}, authcore.ErrNotFound // unlinked meanwhile
	}
	return c.enter(known)
}

// conflict answers a challenge that was used, or whose user has changed since.
func (m *secondFactor) conflict(context.Context, *attempt, error) (session.Grant, error) {
	return session.Grant{}, invalidChallenge()
}
