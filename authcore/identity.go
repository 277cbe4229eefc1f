package authcore

import (
	"context"
	"errors"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// userByProfile finds or makes the user of a social login.
func (s *Service) userByProfile(ctx context.Context, provider string, profile Profile, linkTo *gate.Claims) (User, bool, error) {
	identity := Identity{
		Provider: provider, Issuer: profile.Issuer, Subject: profile.Subject,
		Email: profile.Email, Created: s.now(),
	}
	if linkTo != nil {
		user, err := s.linkIdentity(ctx, identity, profile, linkTo)
		return user, false, err
	}
	user, isNew, err := s.userByIdentity(ctx, identity, profile)
	if err != nil || isNew {
		return user, isNew, err
	}
	if err := s.spendFormer(ctx, identity, profile, user.ID); err != nil {
		return User{}, false, unavailable(err)
	}
	return user, false, nil
}

// userByIdentity finds or makes the user of an identity.
func (s *Service) userByIdentity(ctx context.Context, identity Identity, profile Profile) (User, bool, error) {
	rules := s.rulesOf(identity.Provider)
	proven := claim{profile.Email, profile.EmailVerified}
	known, err := s.store.UserByIdentity(ctx, identity)
	switch {
	case err == nil && !rules.admits(proven, claim{known.Email, known.EmailVerified}):
		return User{}, false, notAdmitted()
	case err == nil:
		return known, false, nil
	case !errors.Is(err, ErrNotFound):
		return User{}, false, unavailable(err)
	case profile.FormerSubject != "":
		user, err := s.userByFormer(ctx, rules, identity, profile.FormerSubject, proven)
		if errors.Is(err, ErrNotFound) { // perhaps because this very person was faster
			profile.FormerSubject = ""
			return s.userByIdentity(ctx, identity, profile)
		}
		return user, false, err
	case !rules.admits(proven):
		return User{}, false, notAdmitted()
	}
	return s.userOfNewIdentity(ctx, rules, identity, profile)
}

// userOfNewIdentity joins an identity that nobody has to the account of its
// address, or makes an account.
func (s *Service) userOfNewIdentity(ctx context.Context, rules *AccountRules, identity Identity, profile Profile) (User, bool, error) {
	candidate, address, err := s.candidate(profile)
	if err != nil {
		return User{}, false, err
	}
	if err := s.claimUnverified(ctx, &candidate, address); err != nil {
		return User{}, false, err
	}
	join := rules.LinkByEmail == LinkByEmailVerified
	if !rules.maySignUp(address, candidate.EmailVerified) {
		user, err := s.existingUser(ctx, identity, candidate, join)
		return user, false, err
	}
	user, isNew, err := s.store.EnsureIdentity(ctx, identity, candidate, join)
	if errors.Is(err, ErrTaken) && rules.EmailTaken == EmailTakenNewAccount {
		candidate.Email, candidate.EmailVerified = "", false
		user, isNew, err = s.store.EnsureIdentity(ctx, identity, candidate, false)
	}
	switch {
	case errors.Is(err, ErrTaken):
		return User{}, false, emailTaken()
	case err != nil:
		return User{}, false, unavailable(err)
	}
	return user, isNew, nil
}

// rulesOf returns the rules for logins through a provider.
func (s *Service) rulesOf(provider string) *AccountRules {
	return s.cfg.Accounts.through(s.cfg.ProviderRules[provider])
}

// candidate is the account that a profile would become.
func (s *Service) candidate(profile Profile) (User, Address, error) {
	id, err := s.newID()
	if err != nil {
		return User{}, Address{}, unavailable(err)
	}
	user := User{
		ID: id, FirstName: profile.FirstName, LastName: profile.LastName,
		Nickname: profile.Nickname, AvatarURL: profile.AvatarURL, Created: s.now(),
	}
	address, err := ParseAddress(profile.Email)
	if err == nil {
		user.Email, user.EmailVerified = address.String(), profile.EmailVerified
	}
	return user, address, nil
}

// claimUnverified applies the rule for an address that the provider did not
// verify: when it belongs to somebody, the new account does without it or is
// refused. Such an address joins nothing.
func (s *Service) claimUnverified(ctx context.Context, candidate *User, address Address) error {
	if candidate.Email == "" || candidate.EmailVerified {
		return nil
	}
	_, err := s.store.UserByEmail(ctx, address.Key())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return unavailable(err)
	case s.cfg.Accounts.EmailTaken == EmailTakenNewAccount:
		candidate.Email = ""
		return nil
	default:
		return emailTaken()
	}
}

// existingUser adds an unknown identity to the holder of its verified address,
// where no new account may be made.
func (s *Service) existingUser(ctx context.Context, identity Identity, candidate User, join bool) (User, error) {
	if candidate.EmailKey() == "" || !join {
		return User{}, signupClosed()
	}
	user, err := s.store.UserByEmail(ctx, candidate.EmailKey())
	if err == nil {
		identity.UserID = user.ID
		err = s.store.LinkIdentity(ctx, identity)
	}
	switch {
	case errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken):
		return User{}, signupClosed()
	case err != nil:
		return User{}, unavailable(err)
	}
	return user, nil
}

// linkIdentity adds an identity to the signed-in user who asked for it.
func (s *Service) linkIdentity(ctx context.Context, identity Identity, profile Profile, claims *gate.Claims) (User, error) {
	user, err := s.CurrentUser(ctx, claims)
	if err != nil {
		return User{}, err
	}
	if !s.cfg.Accounts.admits(claim{profile.Email, profile.EmailVerified}, claim{user.Email, user.EmailVerified}) {
		return User{}, notAdmitted()
	}
	identity.UserID = user.ID
	err = s.linkFormer(ctx, identity, profile)
	switch {
	case errors.Is(err, ErrTaken):
		return User{}, &Error{Status: http.StatusConflict, Code: CodeIdentityTaken, Detail: "This login already belongs to another account."}
	case errors.Is(err, ErrNotFound):
		return User{}, inactive()
	case err != nil:
		return User{}, unavailable(err)
	}
	s.cfg.Observe(Event{Name: EventLinked, Method: identity.Provider, UserID: user.ID, SessionID: claims.Session})
	return user, nil
}

func emailTaken() *Error {
	return &Error{
		Status: http.StatusConflict, Code: CodeEmailTaken,
		Detail: "An account with this e-mail address exists already. Log in by link, then add this login to it.",
	}
}
