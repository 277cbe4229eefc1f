package account

import (
	"context"
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Identities returns the identities of the token's user, oldest first. Pending
// ones are included, unlinked and retired ones are not.
func (s *Service) Identities(ctx context.Context, claims *gate.Claims) ([]authcore.Identity, error) {
	account, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: claims.Subject}, s.now())
	switch {
	case err != nil:
		return nil, authcore.StoreError(err, authcore.Inactive())
	case account.User.Disabled:
		return nil, authcore.Inactive()
	}
	return slices.DeleteFunc(account.Identities, func(identity authcore.Identity) bool { return !shown(identity) }), nil
}

// shown reports whether a user sees an identity.
func shown(identity authcore.Identity) bool {
	return identity.State == authcore.IdentityActive || identity.State == authcore.IdentityPending
}

// Unlink removes an identity from the account of the token's user. Sessions that
// began through its provider end in the same step, except for the session of the
// token: users unlink a login that another party got hold of. The error is 409
// last_identity if the user could not log in any more.
func (s *Service) Unlink(ctx context.Context, claims *gate.Claims, caller authcore.Caller, publicID string) error {
	var unlinked authcore.Identity
	hasPasskey, err := s.hasPasskey(ctx, claims.Subject)
	if err != nil {
		return authcore.Unavailable(err)
	}
	account, err := s.update(ctx, claims.Subject, func(account *authcore.Account) error {
		if account.User.Disabled {
			return authcore.Inactive()
		}
		i := slices.IndexFunc(account.Identities, func(identity authcore.Identity) bool {
			return publicID != "" && identity.PublicID == publicID && shown(identity)
		})
		if i < 0 {
			return authcore.NotFound()
		}
		unlinked = account.Identities[i]
		if !account.Retire(unlinked.Key()) {
			account.Identities[i].State = authcore.IdentityUnlinked
		}
		if !s.mayLose(unlinked, *account, hasPasskey) {
			return lastIdentity()
		}
		s.endSessionsThrough(account, unlinked, claims.Session)
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.Inactive())
	}
	if hasPasskey && !s.loginUsable(account) {
		if err := s.relinkLast(ctx, claims.Subject, unlinked); err != nil {
			return err
		}
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventUnlinked, Method: unlinked.Provider, UserID: claims.Subject, SessionID: claims.Session})
	s.cfg.Notices.Send(ctx, account.User, Notice{
		Kind: authcore.MailUnlinked, Method: unlinked.Provider, Client: claims.Client, Caller: caller,
	})
	return nil
}

// relinkLast gives an identity back, and returns the 409 error last_identity, if a
// simultaneous request removed the passkey that was left: passkeys are records, which are
// not part of the step.
func (s *Service) relinkLast(ctx context.Context, userID string, unlinked authcore.Identity) error {
	if left, err := s.hasPasskey(ctx, userID); err != nil || left {
		return nil //nolint:nilerr // the identity was removed after a check
	}
	restored := false
	_, err := s.update(ctx, userID, func(account *authcore.Account) error {
		identity := account.Identity(unlinked.Key())
		if restored = identity != nil && !s.loginUsable(*account); restored {
			*identity = unlinked
		}
		return nil
	})
	switch {
	case err != nil:
		return authcore.StoreError(err, authcore.Inactive())
	case restored:
		return lastIdentity()
	}
	return nil
}

// endSessionsThrough ends the sessions that began through the provider of an
// identity, except for one. If that one began with the identity, refreshes judge
// it by another login method from now on.
func (s *Service) endSessionsThrough(account *authcore.Account, unlinked authcore.Identity, except string) {
	account.EndSessions(func(session authcore.Session) bool {
		return session.Method == unlinked.Provider && session.ID != except
	})
	for i := range account.Sessions {
		if account.Sessions[i].Identity == unlinked.PublicID {
			account.Sessions[i].Identity = s.otherIdentity(*account)
		}
	}
}

func lastIdentity() *authcore.Error {
	return &authcore.Error{
		Status: http.StatusConflict, Code: authcore.CodeLastIdentity,
		Detail: "This is the only usable login method of the account. Add another one first.",
	}
}
