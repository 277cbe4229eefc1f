package account

import (
	"context"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// ProfileChange contains the fields that users may change; nil keeps a field.
type ProfileChange struct {
	FirstName *string
	LastName  *string
}

// UpdateProfile changes the user of a token. Tokens contain the old name until
// they are refreshed.
func (s *Service) UpdateProfile(ctx context.Context, claims *gate.Claims, change ProfileChange) (authcore.User, error) {
	faults := map[string][]string{}
	first := nameField(faults, "first_name", change.FirstName)
	last := nameField(faults, "last_name", change.LastName)
	if err := authcore.FieldErrors(faults); err != nil {
		return authcore.User{}, err
	}
	account, err := s.update(ctx, claims.Subject, func(account *authcore.Account) error {
		if account.User.Disabled {
			return authcore.Inactive()
		}
		if change.FirstName != nil {
			account.User.FirstName = first
		}
		if change.LastName != nil {
			account.User.LastName = last
		}
		return nil
	})
	if err != nil {
		return authcore.User{}, authcore.StoreError(err, authcore.Inactive())
	}
	return account.User, nil
}

// nameField returns the name to store, or adds a fault.
func nameField(faults map[string][]string, field string, value *string) string {
	if value == nil {
		return ""
	}
	name := CleanName(*value)
	if utf8.RuneCountInString(name) > maxName {
		faults[field] = []string{"Ensure this field has no more than 150 characters."}
	}
	return name
}
