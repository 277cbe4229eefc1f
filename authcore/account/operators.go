package account

import (
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// clockMargin extends the revocation of a user, because the clocks of nodes differ.
const clockMargin = time.Hour

// MaxKeyLifetime limits the time from the creation of an API key to its expiry.
const MaxKeyLifetime = 366 * 24 * time.Hour

// Find returns a user by ID or by verified e-mail address, or a 404 error.
func (s *Service) Find(ctx context.Context, idOrEmail string) (authcore.User, error) {
	ref := authcore.UserRef{ID: idOrEmail}
	if address, err := authcore.ParseAddress(idOrEmail); err == nil {
		ref = authcore.UserRef{EmailKey: address.Key()}
	} else if idOrEmail == "" {
		return authcore.User{}, authcore.NotFound()
	}
	user, err := s.cfg.Store.User(ctx, ref)
	if err != nil {
		return authcore.User{}, authcore.StoreError(err, authcore.NotFound())
	}
	return user, nil
}

// Account returns a user with its identities and live sessions, or a 404 error.
func (s *Service) Account(ctx context.Context, id string) (authcore.Account, error) {
	account, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: id}, s.cfg.Now())
	if err != nil {
		return authcore.Account{}, authcore.StoreError(err, authcore.NotFound())
	}
	return account, nil
}

// EndSessions ends one session of a user, or all if sessionID is "". API keys are among
// them. All sessions end together with the remembered devices. The error is a 404 if the
// user has no such session.
func (s *Service) EndSessions(ctx context.Context, id, sessionID string) error {
	var ended []authcore.Session
	_, err := s.update(ctx, id, func(account *authcore.Account) error {
		ended = account.EndSessions(func(session authcore.Session) bool { return sessionID == "" || session.ID == sessionID })
		if len(ended) == 0 && sessionID != "" {
			return authcore.NotFound()
		}
		if sessionID == "" {
			account.User.DeviceEpoch++
		}
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	if len(ended) == 0 { // the devices were forgotten
		s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventLogout, UserID: id})
	}
	for _, session := range ended {
		event := authcore.Event{
			Name: authcore.EventLogout, Method: session.Method, Client: session.Client, UserID: id, SessionID: session.ID,
		}
		if session.IsKey() {
			event.Name = authcore.EventKeyRevoked
		}
		s.cfg.Observe(ctx, event)
	}
	return nil
}

// List returns a page of the users that match the filter, and the cursor of the
// next page; see [authcore.Accounts].
func (s *Service) List(ctx context.Context, filter authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	users, next, err := s.cfg.Store.Users(ctx, filter, cursor)
	if err != nil {
		return nil, "", authcore.StoreError(err, authcore.NotFound())
	}
	return users, next, nil
}

// Disable ends all sessions of a user and refuses new ones.
func (s *Service) Disable(ctx context.Context, id string) (authcore.User, error) {
	return s.operate(ctx, authcore.Event{Name: authcore.EventUserDisabled, UserID: id}, func(account *authcore.Account) {
		account.Disable(s.revocationEnd(*account))
	})
}

// Enable lets a disabled user log in again. Ended sessions stay ended.
func (s *Service) Enable(ctx context.Context, id string) (authcore.User, error) {
	return s.operate(ctx, authcore.Event{Name: authcore.EventUserEnabled, UserID: id}, (*authcore.Account).Enable)
}

// operate changes the user of an event for an operator, and reports the event.
func (s *Service) operate(ctx context.Context, event authcore.Event, change func(*authcore.Account)) (authcore.User, error) {
	account, err := s.update(ctx, event.UserID, func(account *authcore.Account) error {
		change(account)
		return nil
	})
	if err != nil {
		return authcore.User{}, authcore.StoreError(err, authcore.NotFound())
	}
	s.cfg.Observe(ctx, event)
	return account.User, nil
}

// Delete deletes a user with everything that belongs to it. Its tokens end.
func (s *Service) Delete(ctx context.Context, id string) error {
	if err := s.delete(ctx, id); err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	return nil
}

// delete returns the errors of the store. A damaged user is deleted, too.
func (s *Service) delete(ctx context.Context, id string) error {
	account, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: id}, s.cfg.Now())
	end := s.revocationEnd(account)
	switch {
	case errors.Is(err, authcore.ErrDamaged):
		end = s.cfg.Now().Add(max(s.cfg.TokenLifetime, MaxKeyLifetime) + clockMargin) // its keys are not known
	case err != nil:
		return err
	default:
		if err := s.deleteRecords(ctx, account.User); err != nil {
			return err
		}
	}
	revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: end}
	if err := s.cfg.Store.DeleteUser(ctx, id, revocation); err != nil {
		return err
	}
	s.cfg.Revoked.Apply(revocation)
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventUserDeleted, UserID: id, Email: authcore.PrivateText(account.User.Email)})
	return nil
}

// revocationEnd returns a time after the end of every token of the account. A
// session may outlast the configured lifetime if that was shortened meanwhile.
func (s *Service) revocationEnd(account authcore.Account) time.Time {
	end := s.cfg.Now().Add(s.cfg.TokenLifetime)
	for _, session := range account.Sessions {
		if session.Expires.After(end) {
			end = session.Expires
		}
	}
	return end.Add(clockMargin)
}
