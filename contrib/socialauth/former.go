package authcore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// What precedes the issuer of an identity that was imported under a former
// subject, and of one whose former subject has had its turn. No provider's issuer
// begins so: Profile.checkIdentity sees to that.
const (
	formerMark = "former "
	movedMark  = "moved "
)

// former is the identity of the same provider and issuer under a former subject.
func (i Identity) former(subject string) Identity {
	i.Issuer, i.Subject = formerMark+i.Issuer, subject
	return i
}

// moved is what is left of a former identity that has become a true one: it keeps
// the former subject from ever being good again, also when it is imported again.
// It belongs to the user, lets nobody in, and is shown to nobody.
func (i Identity) moved() Identity {
	i.Issuer = movedMark + strings.TrimPrefix(i.Issuer, formerMark)
	return i
}

func (i Identity) isMoved() bool { return strings.HasPrefix(i.Issuer, movedMark) }

// isReserved reports whether an issuer could be mistaken for one of those above.
func isReserved(issuer string) bool {
	return strings.HasPrefix(issuer, formerMark) || strings.HasPrefix(issuer, movedMark)
}

// withoutMoved drops the identities that let nobody in.
func withoutMoved(identities []Identity) []Identity {
	return slices.DeleteFunc(identities, Identity.isMoved)
}

// userByFormer finds the user of an identity that nobody has by the former
// subject that the provider vouches for, and gives the identity to that user for
// good, in one step. ErrNotFound when nobody was imported under that subject, or
// somebody has taken it already.
func (s *Service) userByFormer(ctx context.Context, rules *AccountRules, identity Identity, subject string, proven claim) (User, error) {
	former := identity.former(subject)
	known, err := s.store.UserByIdentity(ctx, former)
	switch {
	case errors.Is(err, ErrNotFound):
		return User{}, err
	case err != nil:
		return User{}, unavailable(err)
	case !rules.admits(proven, claim{known.Email, known.EmailVerified}):
		return User{}, notAdmitted()
	}
	user, err := s.spend(ctx, former, identity)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, unavailable(err)
	}
	return user, err
}

// spend ends the turn of a former identity for good, and attaches others to its
// user in the same step. ErrNotFound when it is nobody's, or has had its turn.
func (s *Service) spend(ctx context.Context, former Identity, others ...Identity) (User, error) {
	user, err := s.store.ReplaceIdentity(ctx, former, append(others, former.moved()))
	if errors.Is(err, ErrTaken) {
		return User{}, ErrNotFound
	}
	return user, err
}

// spendFormer ends the turn of a former subject whose user comes by the identity
// itself: imported beside the subject, or after the first login. Left as it is, it
// would wait for the next one whom the provider vouches for, which is why it needs
// no vouching here. One that another user has stays that one's.
func (s *Service) spendFormer(ctx context.Context, identity Identity, profile Profile, userID string) error {
	subject := cmp.Or(profile.FormerSubject, profile.UnprovenFormer)
	if subject == "" {
		return nil
	}
	former := identity.former(subject)
	holder, err := s.store.UserByIdentity(ctx, former)
	if err == nil && holder.ID == userID {
		_, err = s.spend(ctx, former)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// linkFormer is store.LinkIdentity for an identity that may have a former
// subject: the same account at the provider cannot belong to two users, whichever
// of its names they have it by.
func (s *Service) linkFormer(ctx context.Context, identity Identity, profile Profile) error {
	known, err := s.store.UserByIdentity(ctx, identity)
	switch {
	case err == nil && known.ID == identity.UserID:
		return s.spendFormer(ctx, identity, profile, known.ID)
	case err == nil:
		return ErrTaken
	case !errors.Is(err, ErrNotFound):
		return err
	case profile.FormerSubject == "":
		return s.store.LinkIdentity(ctx, identity)
	}
	former := identity.former(profile.FormerSubject)
	holder, err := s.store.UserByIdentity(ctx, former)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.store.LinkIdentity(ctx, identity)
	case err != nil:
		return err
	case holder.ID != identity.UserID:
		return ErrTaken
	}
	_, err = s.spend(ctx, former, identity)
	if errors.Is(err, ErrNotFound) { // another call came between
		return s.store.LinkIdentity(ctx, identity)
	}
	return err
}
