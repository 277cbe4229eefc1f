package account

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// NewUser describes a user that an operator creates or invites.
type NewUser struct {
	Email     string   `json:"email"`
	FirstName string   `json:"first_name,omitempty"`
	LastName  string   `json:"last_name,omitempty"`
	Roles     []string `json:"roles,omitempty"`
}

// Check returns the user in the form in which it is stored, and its address. The error is
// a 400 that names the fields, or the 403 of NotAdmitted.
func (n NewUser) Check(rules *Rules) (NewUser, authcore.Address, error) {
	faults := map[string][]string{}
	address, err := authcore.ParseAddress(n.Email)
	if err != nil {
		faults["email"] = []string{"Enter a valid email address."}
	}
	n.Email = address.String()
	n.FirstName = nameField(faults, "first_name", &n.FirstName)
	n.LastName = nameField(faults, "last_name", &n.LastName)
	n.Roles = checkRoles(faults, n.Roles)
	switch {
	case len(faults) > 0:
		return NewUser{}, authcore.Address{}, fieldFaults(faults)
	case !rules.Admits(Email{Address: n.Email, Verified: true}):
		return NewUser{}, authcore.Address{}, NotAdmitted()
	}
	return n, address, nil
}

// checkRoles returns the names of roles in order, each once, or adds a fault.
func checkRoles(faults map[string][]string, roles []string) []string {
	parsed, err := authcore.ParseRoles(roles)
	if err != nil {
		faults["roles"] = []string{sentence(err)}
	}
	return parsed
}

func fieldFaults(faults map[string][]string) *authcore.Error {
	return &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: firstFault(faults), Fields: faults}
}

func firstFault(faults map[string][]string) string {
	for _, field := range []string{"email", "roles", "first_name", "last_name"} {
		if texts := faults[field]; len(texts) > 0 {
			return field + ": " + texts[0]
		}
	}
	return "Invalid input."
}

// Grant adds the roles to those that operators granted to a user.
func (n NewUser) Grant(user *authcore.User) {
	user.Granted = slices.Compact(slices.Sorted(slices.Values(slices.Concat(user.Granted, n.Roles))))
	user.Granted = user.Granted[:min(len(user.Granted), authcore.MaxRoles)]
}

// Create creates a user whose address the operator vouches for. The user logs in by a
// link to the address, or through a provider that verifies it, whatever the rule for
// signing up is. The error is a 409 if the address has an account.
func (s *Service) Create(ctx context.Context, created NewUser) (authcore.User, error) {
	created, address, err := created.Check(s.cfg.Rules)
	if err != nil {
		return authcore.User{}, err
	}
	id := authcore.RandomID()
	user := authcore.User{
		ID: id, Email: address.String(), EmailVerified: true, FirstName: created.FirstName, LastName: created.LastName, Created: s.cfg.Now(),
	}
	created.Grant(&user)
	account := authcore.Account{User: user}
	s.cfg.Rules.UpdateRoles(&account, user.Created)
	stored, err := s.cfg.Store.Login(ctx, authcore.LoginStep{
		Now: s.cfg.Now(), Refs: []authcore.UserRef{{EmailKey: address.Key()}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if found.Accounts[0].User.ID != "" {
				return authcore.Account{}, authcore.ErrTaken
			}
			return account, nil
		},
	})
	switch {
	case errors.Is(err, authcore.ErrTaken):
		return authcore.User{}, HasAccount()
	case err != nil:
		return authcore.User{}, authcore.StoreError(err, authcore.NotFound())
	}
	s.cfg.Observe(ctx, authcore.Event{
		Name: authcore.EventUserCreated, UserID: id, Detail: strings.Join(created.Roles, " "), Email: authcore.PrivateText(user.Email),
	})
	return stored.User, nil
}

// HasAccount returns the 409 error for an address that has an account.
func HasAccount() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodeEmailTaken, "The address has an account already.")
}
