package authcore

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxName bounds a first or last name, in characters.
const maxName = 150

// CurrentUser returns the user of a token.
func (s *Service) CurrentUser(ctx context.Context, claims *gate.Claims) (User, error) {
	user, err := s.store.User(ctx, claims.Subject)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && user.Disabled:
		return User{}, inactive()
	case err != nil:
		return User{}, unavailable(err)
	}
	return user, nil
}

// ProfileChange is what people may change about themselves; nil leaves a field
// as it is.
type ProfileChange struct {
	FirstName *string
	LastName  *string
}

// UpdateProfile changes the user of a token. Tokens keep the old name until
// they are refreshed.
func (s *Service) UpdateProfile(ctx context.Context, claims *gate.Claims, change ProfileChange) (User, error) {
	fields := map[string][]string{}
	for field, value := range map[string]*string{"first_name": change.FirstName, "last_name": change.LastName} {
		if value == nil {
			continue
		}
		*value = strings.TrimSpace(*value)
		if utf8.RuneCountInString(*value) > maxName {
			fields[field] = []string{"Ensure this field has no more than 150 characters."}
		}
	}
	if len(fields) > 0 {
		return User{}, &Error{Status: 400, Code: CodeInvalidRequest, Detail: "Invalid input.", Fields: fields}
	}
	user, err := s.store.UpdateUser(ctx, claims.Subject, func(user *User) error {
		if user.Disabled {
			return ErrUserInactive
		}
		if change.FirstName != nil {
			user.FirstName = *change.FirstName
		}
		if change.LastName != nil {
			user.LastName = *change.LastName
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrNotFound) || errors.Is(err, ErrUserInactive):
		return User{}, inactive()
	case err != nil:
		return User{}, unavailable(err)
	}
	return user, nil
}

// FindUser returns a user by id or by verified e-mail address, for operators.
func (s *Service) FindUser(ctx context.Context, idOrEmail string) (User, error) {
	var user User
	var err error
	if address, invalid := ParseAddress(idOrEmail); invalid == nil {
		user, err = s.store.UserByEmail(ctx, address.Key())
	} else {
		user, err = s.store.User(ctx, idOrEmail)
	}
	return user, operatorError(err)
}

// DisableUser ends all sessions of a user and refuses new ones, or lets the
// user in again.
func (s *Service) DisableUser(ctx context.Context, id string, disabled bool) (User, error) {
	until := s.revocationEnd()
	user, err := s.store.SetDisabled(ctx, id, disabled, until, s.now())
	if err != nil {
		return User{}, operatorError(err)
	}
	event := EventUserDisabled
	if !disabled {
		event = EventUserEnabled
	}
	// What was revoked is taken from the store's feed, in its order: somebody
	// else may have changed the same user since.
	if err := s.revoked.refresh(ctx); err != nil {
		return User{}, unavailable(err)
	}
	s.cfg.Observe(Event{Name: event, UserID: id})
	return user, nil
}

// DeleteUser removes a user with everything that belongs to it. Its tokens end.
func (s *Service) DeleteUser(ctx context.Context, id string) error {
	until := s.revocationEnd()
	if err := s.store.DeleteUser(ctx, id, until, s.now()); err != nil {
		return operatorError(err)
	}
	if err := s.revoked.refresh(ctx); err != nil {
		return unavailable(err)
	}
	s.cfg.Observe(Event{Name: EventUserDeleted, UserID: id})
	return nil
}

// revocationEnd is after the end of every token that exists now, with room for
// clocks that differ.
func (s *Service) revocationEnd() time.Time { return s.now().Add(s.longestLifetime() + time.Hour) }

func operatorError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return notFound()
	default:
		return unavailable(err)
	}
}
