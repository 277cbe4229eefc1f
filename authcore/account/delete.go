package account

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// RecordKind describes records that belong to users.
type RecordKind struct {
	Kind string
	// Owner returns the owner of a user's records, or "" if the user has none. Nil
	// means the ID of the user.
	Owner func(authcore.User) string
	// Fields are the members of the data, a JSON object, that Export contains. The
	// others are secrets, or digests and counters that contain nothing about the user.
	Fields []string
	// Outlives reports that the records are kept when the user is deleted.
	Outlives bool
}

// ownerOf returns the owner of a user's records, or "".
func (k RecordKind) ownerOf(user authcore.User) string {
	if k.Owner == nil {
		return user.ID
	}
	return k.Owner(user)
}

// DeleteCurrentUser deletes the token's user with everything that belongs to it, as the user
// asked for. All of the user's tokens end. The login must be recent.
func (s *Service) DeleteCurrentUser(ctx context.Context, claims *gate.Claims, caller authcore.Caller) error {
	if err := CheckRecentLogin(claims, s.cfg.Now(), "Log in again to delete your account."); err != nil {
		return err
	}
	user, err := s.CurrentUser(ctx, claims)
	if err != nil {
		return err
	}
	if err := s.cfg.Rules.CheckFactor(claims, user); err != nil {
		return err
	}
	if err := s.delete(ctx, user.ID); err != nil {
		return authcore.StoreError(err, authcore.Inactive())
	}
	s.cfg.Notices.Send(ctx, user, Notice{Kind: authcore.MailAccountDeleted, Client: claims.Client, Caller: caller})
	return nil
}

// deleteRecords deletes the records that the store does not know as the user's: their
// owner is the address. The store deletes the others with the user.
func (s *Service) deleteRecords(ctx context.Context, user authcore.User) error {
	for _, kind := range s.cfg.Records {
		owner := kind.ownerOf(user)
		if owner == "" || owner == user.ID || kind.Outlives {
			continue
		}
		records, err := authcore.AllRecords(ctx, s.cfg.Store, authcore.RecordFilter{Kind: kind.Kind, Owner: owner}, s.cfg.Now())
		if err != nil {
			return err
		}
		for _, record := range records {
			if err := s.cfg.Store.DeleteRecord(ctx, record.RecordKey); err != nil {
				return err
			}
		}
	}
	return nil
}
