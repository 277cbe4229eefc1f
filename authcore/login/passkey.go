package login

import (
	"context"
	"errors"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// PasskeyLogin is a login with a passkey.
type PasskeyLogin struct {
	// Credential is the JSON form of the credential with the response of the
	// authenticator.
	Credential []byte
	ClientKey  string
	Caller     authcore.Caller
}

// byPasskey is a login with a passkey.
type byPasskey struct {
	*Service
	credential []byte
	assertion  passkey.Assertion
}

// ByPasskey logs in with a passkey. The response names the passkey, and the passkey the
// user.
func (s *Service) ByPasskey(ctx context.Context, r PasskeyLogin) (session.Grant, error) {
	if s.cfg.Passkeys == nil {
		return session.Grant{}, authcore.NotFound()
	}
	m := &byPasskey{Service: s, credential: r.Credential}
	grant, err := s.login(ctx, &attempt{method: MethodPasskey, clientKey: r.ClientKey, caller: r.Caller}, m)
	if err != nil {
		return session.Grant{}, err
	}
	return s.recordUse(ctx, grant, m.assertion)
}

// recordUse records the login in the passkey. If the passkey was removed after the login
// step, its session has ended.
func (s *Service) recordUse(ctx context.Context, grant session.Grant, assertion passkey.Assertion) (session.Grant, error) {
	err := s.cfg.Passkeys.Used(ctx, assertion)
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return session.Grant{}, passkey.Unknown()
	case err != nil:
		s.log.WarnContext(ctx, "recording use of passkey failed", "user", grant.User.ID, "passkey", assertion.ID, "error", err)
	}
	return grant, nil
}

func (m *byPasskey) admit(*attempt) error { return nil }

// guesses returns nothing: a signature cannot be guessed.
func (m *byPasskey) guesses(context.Context, *attempt) ([]ratelimit.Check, error) { return nil, nil }

func (m *byPasskey) prove(ctx context.Context, a *attempt) (proof, error) {
	var err error
	if m.assertion, err = m.cfg.Passkeys.Verify(ctx, a.client, m.credential); err != nil {
		return proof{}, err
	}
	return proof{
		claims: func(authcore.Session) []authcore.Record { return []authcore.Record{m.assertion.Claim} },
		refs:   []authcore.UserRef{{ID: m.assertion.UserID}},
		decide: m.decide,
	}, nil
}

// decide applies the rules for accounts to the owner of the passkey. The passkey may have
// been removed after it was verified.
func (m *byPasskey) decide(found authcore.LoginFound) (decision, error) {
	owner := found.Accounts[0]
	switch {
	case !slices.Contains(owner.User.Passkeys, m.assertion.ID):
		return decision{}, passkey.Unknown()
	case !m.cfg.Rules.AdmitsUser(owner.User, nil):
		return decision{}, account.NotAdmitted()
	}
	return decision{account: owner, identity: m.assertion.ID}, nil
}

// conflict answers a challenge that was used already.
func (m *byPasskey) conflict(_ context.Context, _ *attempt, err error) (session.Grant, error) {
	return session.Grant{}, passkey.Invalid(err)
}
