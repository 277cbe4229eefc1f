package authcore

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// identityPurpose separates the ids of identities from other digests.
const identityPurpose = "identity"

// PublicID names an identity towards its user. It is the same at all times, and
// says nothing about the account at the provider.
func (i Identity) PublicID() string {
	digest := DigestOf(identityPurpose, i.Provider, i.Issuer, i.Subject)
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// Identities returns the identities of the token's user, oldest first.
func (s *Service) Identities(ctx context.Context, claims *gate.Claims) ([]Identity, error) {
	if _, err := s.CurrentUser(ctx, claims); err != nil {
		return nil, err
	}
	list, err := s.store.IdentitiesOf(ctx, claims.Subject)
	if err != nil {
		return nil, unavailable(err)
	}
	return withoutMoved(list), nil
}

// Unlink takes an identity from the token's user, and none from anybody else.
// The last way in stays, see letsInByMail and letsInBy. Sessions that were begun
// through the same provider end, but for the one that asks: whoever unlinks a
// login that somebody else got hold of wants them out.
func (s *Service) Unlink(ctx context.Context, claims *gate.Claims, publicID string) error {
	user, err := s.CurrentUser(ctx, claims)
	if err != nil {
		return err
	}
	identities, err := s.store.IdentitiesOf(ctx, user.ID)
	if err != nil {
		return unavailable(err)
	}
	// Whoever hangs up now must not be left with the sessions of somebody whose
	// login is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	identities = withoutMoved(identities)
	position := slices.IndexFunc(identities, func(i Identity) bool { return i.PublicID() == publicID })
	if position < 0 {
		if err := s.finishUnlink(ctx, claims, identities); err != nil {
			return err
		}
		return notFound()
	}
	unlinked := identities[position]
	if err := s.unlinkButTheLast(ctx, claims, user, unlinked, slices.Delete(identities, position, position+1)); err != nil {
		return err
	}
	s.cfg.Observe(Event{Name: EventUnlinked, Method: unlinked.Provider, UserID: user.ID, SessionID: claims.Session})
	// Those that were begun meanwhile.
	return s.endSessionsThrough(ctx, claims, func(provider string) bool { return provider == unlinked.Provider })
}

// finishUnlink ends what an earlier call did not come to, because the store failed
// after it had taken the identity away: sessions through a provider that the user
// has no identity of.
func (s *Service) finishUnlink(ctx context.Context, claims *gate.Claims, identities []Identity) error {
	return s.endSessionsThrough(ctx, claims, func(provider string) bool {
		return s.providers[provider] != nil &&
			!slices.ContainsFunc(identities, func(i Identity) bool { return i.Provider == provider })
	})
}

// endSessionsThrough ends the sessions of the token's user that were begun through
// some providers, but for the one of the token.
func (s *Service) endSessionsThrough(ctx context.Context, claims *gate.Claims, which func(provider string) bool) error {
	_, err := s.endSessions(ctx, claims, func(session Session) bool {
		return which(session.Method) && session.ID != claims.Session
	})
	return err
}

// unlinkButTheLast unlinks an identity of a user who has others, unless no way in
// would be left. An identity that is surely none goes freely. The store keeps the
// last identity of several calls at once, but does not know which of them lets
// anybody in: what is left is looked at again, and where another call took the
// other way in meanwhile this one gives its own back.
//
// The sessions through it end first: when the store fails after that, the login is
// still in the list of whoever asked, who will ask again.
func (s *Service) unlinkButTheLast(ctx context.Context, claims *gate.Claims, user User, identity Identity, others []Identity) error {
	guarded := s.offers(identity.Provider) && !s.letsInByMail(user)
	// The store's own rule, which it cannot apply where a moved identity is left.
	only := user.EmailKey() == ""
	suffices := func(left []Identity) bool {
		return (!only || len(left) > 0) && (!guarded || s.hasIdentityIn(user, left))
	}
	if !suffices(others) {
		return lastIdentity()
	}
	err := s.endSessionsThrough(ctx, claims, func(provider string) bool { return provider == identity.Provider })
	if err != nil {
		return err
	}
	err = s.store.UnlinkIdentity(ctx, identity)
	switch {
	case errors.Is(err, ErrLastIdentity):
		return lastIdentity()
	case errors.Is(err, ErrNotFound):
		return notFound()
	case err != nil:
		return unavailable(err)
	case !guarded && !only:
		return nil
	}
	left, err := s.store.IdentitiesOf(ctx, user.ID)
	if err != nil {
		return unavailable(err)
	}
	if suffices(withoutMoved(left)) {
		return nil
	}
	if err := s.store.LinkIdentity(ctx, identity); err != nil {
		return unavailable(err)
	}
	return lastIdentity()
}

func lastIdentity() *Error {
	return &Error{
		Status: http.StatusConflict, Code: CodeLastIdentity,
		Detail: "This is the only way into the account. Add another login first.",
	}
}
