package authcore

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

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
	return list, nil
}

// Unlink takes an identity from the token's user, and none from anybody else.
// The last way in stays: a verified address, or an identity of a provider that
// is configured. Sessions that were begun through the same provider end, but for
// the one that asks: whoever unlinks a login that somebody else got hold of
// wants them out.
func (s *Service) Unlink(ctx context.Context, claims *gate.Claims, publicID string) error {
	user, err := s.CurrentUser(ctx, claims)
	if err != nil {
		return err
	}
	identities, err := s.store.IdentitiesOf(ctx, user.ID)
	if err != nil {
		return unavailable(err)
	}
	var unlinked *Identity
	waysIn := 0
	for i, identity := range identities {
		if identity.PublicID() == publicID {
			unlinked = &identities[i]
		} else if s.providers[identity.Provider] != nil {
			waysIn++
		}
	}
	switch {
	case unlinked == nil:
		return notFound()
	case waysIn == 0 && user.EmailKey() == "" && s.providers[unlinked.Provider] != nil:
		return lastIdentity()
	}
	err = s.store.UnlinkIdentity(ctx, *unlinked)
	switch {
	case errors.Is(err, ErrLastIdentity):
		return lastIdentity()
	case errors.Is(err, ErrNotFound):
		return notFound()
	case err != nil:
		return unavailable(err)
	}
	s.cfg.Observe(Event{Name: EventUnlinked, Method: unlinked.Provider, UserID: user.ID, SessionID: claims.Session})
	_, err = s.endSessions(ctx, claims, func(session Session) bool {
		return session.Method == unlinked.Provider && session.ID != claims.Session
	})
	return err
}

func lastIdentity() *Error {
	return &Error{
		Status: http.StatusConflict, Code: CodeLastIdentity,
		Detail: "This is the only way into the account. Add another login first.",
	}
}
