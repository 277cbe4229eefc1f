package session

import (
	"context"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Replace changes the account of a token's user and the session of the token in one
// step, and returns a new token of the session. Earlier tokens stay valid.
func (s *Service) Replace(ctx context.Context, claims *gate.Claims, change func(*authcore.Account, *authcore.Session) error) (Grant, error) {
	var replaced authcore.Session
	now := s.cfg.Now()
	stored, err := s.change(ctx, claims, func(a *authcore.Account, session *authcore.Session) error {
		if err := change(a, session); err != nil {
			return err
		}
		if err := s.succeed(session, s.inGrace(session.Superseded, now), now); err != nil {
			return err
		}
		replaced = *session
		return nil
	})
	if err != nil {
		return Grant{}, err
	}
	return s.Grant(stored.User, replaced, false)
}

// Change is Replace without a new token: the next refresh states the changes.
func (s *Service) Change(ctx context.Context, claims *gate.Claims, change func(*authcore.Account, *authcore.Session) error) (authcore.User, error) {
	stored, err := s.change(ctx, claims, change)
	return stored.User, err
}

// change runs a change of Replace.
func (s *Service) change(ctx context.Context, claims *gate.Claims, change func(*authcore.Account, *authcore.Session) error) (authcore.Account, error) {
	stored, err := s.update(ctx, claims.Subject, s.cfg.Now(), func(a *authcore.Account) error {
		current, err := s.admitted(a, claims.Session)
		if err != nil {
			return err
		}
		session := *current
		if err := change(a, &session); err != nil {
			return err
		}
		a.Sessions[slices.IndexFunc(a.Sessions, func(s authcore.Session) bool { return s.ID == session.ID })] = session
		return nil
	})
	if err != nil {
		return authcore.Account{}, authcore.StoreError(err, authcore.Inactive())
	}
	return stored, nil
}

// Prove adds a proven second factor to a session: a value of the claim amr.
func Prove(session *authcore.Session, method string) {
	if !slices.Contains(session.AMR, method) {
		session.AMR = append(session.AMR, method)
	}
	session.ACR, session.Device = TwoFactors, false
}

// Forget removes what a session proved with factors that the user has no more.
func Forget(session *authcore.Session) {
	if slices.Contains(session.AMR, "passkey") {
		return // which proved two factors itself
	}
	session.AMR = slices.DeleteFunc(session.AMR, func(method string) bool {
		return method == authcore.FactorTOTP || method == authcore.FactorRecovery
	})
	session.ACR = OneFactor
}

// lacksFactor reports whether the rules require a second factor that the session has not
// proven. Its user logs in again: the rules may be stricter than at the login.
func (s *Service) lacksFactor(user authcore.User, session *authcore.Session) bool {
	return s.cfg.Rules.FactorNeed(user) != account.FactorNotNeeded && session.ACR != TwoFactors && !session.Device
}
