package login

import (
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// secondFactor is the part of a login after its first factor, which the challenge states.
type secondFactor struct {
	*Service
	FactorLogin
	challenge challenge
	// user is the user before the login, prepared the factor to add; nil for none.
	user     authcore.User
	prepared *factor.Prepared
}

func (m *secondFactor) admit(*attempt) error { return nil }

// guesses returns nothing: factor.Service.Use counts wrong codes.
func (m *secondFactor) guesses(context.Context, *attempt) ([]ratelimit.Check, error) { return nil, nil }

func (m *secondFactor) prove(ctx context.Context, _ *attempt) (proof, error) {
	// Noticed before a code is used up; the login step checks it again.
	_, err := m.store.Record(ctx, m.usedKey(), m.now())
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
	method, err := m.proveFactor(ctx)
	if err != nil {
		return proof{}, err
	}
	return proof{
		claims: func(authcore.Session) []authcore.Record {
			return []authcore.Record{{RecordKey: m.usedKey(), Created: m.now(), Expires: time.Unix(m.challenge.Expires, 0).UTC()}}
		},
		refs:   []authcore.UserRef{{ID: m.challenge.User}},
		factor: method, decide: m.decide,
	}, nil
}

// proveFactor uses up the code, or prepares the factor that the user adds.
func (m *secondFactor) proveFactor(ctx context.Context) (method string, err error) {
	if m.Enrolment == "" {
		return m.cfg.Factors.Use(ctx, m.user, factor.Proof{Code: m.Code, RecoveryCode: m.RecoveryCode, Caller: m.Caller})
	}
	if !m.mayEnrol(m.user) {
		return "", authcore.ErrNotFound
	}
	m.prepared, err = m.cfg.Factors.Prepare(ctx, m.user, m.Enrolment, m.Code)
	return authcore.FactorTOTP, err
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
	if m.prepared != nil {
		if !m.mayEnrol(known.User) {
			return decision{}, authcore.ErrNotFound
		}
		m.prepared.Apply(&known, "")
	} else if m.cfg.Rules.FactorNeed(known.User) != account.FactorProof {
		return decision{}, authcore.ErrNotFound // the factor was removed meanwhile
	}
	account.NewUser{Roles: m.challenge.Invited}.Grant(&known.User)
	d, err := m.enterAs(known)
	d.isNew = m.challenge.IsNew
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
