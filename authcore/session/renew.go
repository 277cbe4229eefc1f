package session

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Renew returns the newest token of a session, or a successor of it if it is older
// than half its lifetime. It is for sessions in cookies, which no script reads:
// several tabs renew at once and answers get lost, so that a superseded token is
// not a sign of theft.
func (s *Service) Renew(ctx context.Context, ref authcore.SessionRef) (Grant, error) {
	var renewed authcore.Session
	now := s.cfg.Now()
	stored, err := s.update(ctx, ref.UserID, now, func(a *authcore.Account) error {
		session, err := s.refreshable(a, ref.ID)
		if err != nil {
			return err
		}
		if isHalfOver(session.Token, now) {
			if err := s.succeed(session, s.inGrace(session.Superseded, now), now); err != nil {
				return err
			}
		}
		renewed = *session
		return nil
	})
	if err != nil {
		return Grant{}, authcore.StoreError(err, authcore.Inactive())
	}
	return s.Grant(stored.User, renewed, false)
}

// isHalfOver reports whether a token is older than half its lifetime.
func isHalfOver(token authcore.SessionToken, now time.Time) bool {
	return now.Sub(token.Issued) > token.Expires.Sub(token.Issued)/2
}
