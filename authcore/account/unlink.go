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
	account, err := s.current(ctx, claims, s.cfg.Now())
	if err != nil {
		return nil, err
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
		if !s.mayLose(unlinked, *account) {
			return lastIdentity()
		}
		s.endSessionsThrough(account, unlinked, claims.Session)
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.Inactive())
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventUnlinked, Method: unlinked.Provider, UserID: claims.Subject, SessionID: claims.Session})
	s.cfg.Notices.Send(ctx, account.User, Notice{
		Kind: authcore.MailUnlinked, Method: unlinked.Provider, Client: claims.Client, Caller: caller,
	})
	return nil
}

// RemovePasskey removes a passkey from the list of a user. Sessions that began with it end
// in the same step, except for one. The error is 409 last_identity if the user could not log
// in any more, unless evenLast is set.
func (s *Service) RemovePasskey(ctx context.Context, userID, id, except string, evenLast bool) error {
	_, err := s.update(ctx, userID, func(account *authcore.Account) error {
		account.User.Passkeys = slices.DeleteFunc(account.User.Passkeys, func(one string) bool { return one == id })
		if !evenLast && !s.loginUsable(*account) {
			return lastIdentity()
		}
		account.EndSessions(func(session authcore.Session) bool { return session.Identity == id && session.ID != except })
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.Inactive())
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
	return authcore.NewError(http.StatusConflict, authcore.CodeLastIdentity,
		"This is the only usable login method of the account. Add another one first.")
}
