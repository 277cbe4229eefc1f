package passkey

import (
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

const (
	// maxName limits the length of a name, in characters.
	maxName = 64
	// defaultName is the name of a passkey to which the user gave none.
	defaultName = "Passkey"
)

// found is a stored passkey.
type found struct {
	record authcore.Record
	stored
}

// of returns the passkeys of a user for this domain, newest first. Records that cannot
// be decoded are left out.
func (s *Service) of(ctx context.Context, user authcore.User) ([]found, error) {
	if len(user.Passkeys) == 0 {
		return nil, nil
	}
	records, err := authcore.AllRecords(ctx, s.cfg.Store, authcore.RecordFilter{Kind: Kind, Owner: user.ID}, s.cfg.Now())
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	var list []found
	for _, record := range records {
		if content, err := decode(record); err == nil && content.RPID == s.cfg.RPID && slices.Contains(user.Passkeys, record.Key) {
			list = append(list, found{record, content})
		}
	}
	return list, nil
}

// List returns the passkeys of the token's user, newest first.
func (s *Service) List(ctx context.Context, claims *gate.Claims) ([]Passkey, error) {
	user, err := s.cfg.Accounts.CurrentUser(ctx, claims)
	if err != nil {
		return nil, err
	}
	registered, err := s.of(ctx, user)
	if err != nil {
		return nil, err
	}
	list := make([]Passkey, len(registered))
	for i, one := range registered {
		list[i] = passkeyOf(one.record, one.stored)
	}
	return list, nil
}

// damagedName is the name of a passkey whose record cannot be read, for operators.
const damagedName = "(damaged)"

// ListFor returns the passkeys of a user for an operator, newest first. Those of another
// domain, and those whose record is damaged or gone, are among them: no login accepts them,
// but they count as a second factor of the user until they are removed.
func (s *Service) ListFor(ctx context.Context, user authcore.User) ([]Passkey, error) {
	records, err := authcore.AllRecords(ctx, s.cfg.Store, authcore.RecordFilter{Kind: Kind, Owner: user.ID}, s.cfg.Now())
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	list := []Passkey{}
	left := slices.Clone(user.Passkeys)
	for _, record := range records {
		i := slices.Index(left, record.Key)
		if i < 0 {
			continue
		}
		left = slices.Delete(left, i, i+1)
		content, err := decode(record)
		switch {
		case err != nil:
			content.Name = damagedName
		case content.RPID != s.cfg.RPID:
			content.Name += " (" + content.RPID + ")"
		}
		list = append(list, passkeyOf(record, content))
	}
	for _, id := range left {
		list = append(list, Passkey{ID: id, Name: damagedName})
	}
	return list, nil
}

// Rename changes the name of a passkey of the token's user. The error is 404 if the user
// has no passkey with this ID.
func (s *Service) Rename(ctx context.Context, claims *gate.Claims, id, name string) (Passkey, error) {
	name, err := cleanName(name)
	if err != nil {
		return Passkey{}, err
	}
	if _, err := s.cfg.Accounts.CurrentUser(ctx, claims); err != nil {
		return Passkey{}, err
	}
	var renamed stored
	record, err := s.cfg.Store.UpdateRecord(ctx, authcore.RecordKey{Kind: Kind, Key: id}, s.cfg.Now(), func(record *authcore.Record) error {
		if record.Owner != claims.Subject {
			return authcore.ErrNotFound
		}
		var err error
		if renamed, err = decode(*record); err != nil {
			return err
		}
		renamed.Name = name
		record.Data, err = json.Marshal(renamed)
		return err
	})
	if err != nil {
		return Passkey{}, authcore.StoreError(err, authcore.NotFound())
	}
	return passkeyOf(record, renamed), nil
}

// Delete removes a passkey of the token's user. Sessions that began with it end, except
// for that of the token. The login must be recent. The error is 404 if the user has no
// passkey with this ID, and 409 last_identity if the user could not log in any more.
func (s *Service) Delete(ctx context.Context, claims *gate.Claims, caller authcore.Caller, id string) error {
	if err := account.CheckRecentLogin(claims, s.cfg.Now(), "Log in again to remove a passkey."); err != nil {
		return err
	}
	user, err := s.cfg.Accounts.CurrentUser(ctx, claims)
	if err != nil {
		return err
	}
	if err := s.cfg.Accounts.CheckFactor(claims, user); err != nil {
		return err
	}
	record, err := s.owned(ctx, user.ID, id)
	if err != nil {
		return err
	}
	event := authcore.Event{Name: authcore.EventPasskeyRemoved, Method: Method, Client: claims.Client, UserID: user.ID, SessionID: claims.Session}
	if err := s.remove(ctx, user.ID, record.Key, claims.Session, false); err != nil {
		return err
	}
	s.removed(ctx, user, event, caller)
	return nil
}

// DeleteFor removes a passkey of a user for an operator: a lost one, also the last login
// method. Sessions that began with it end. The error is 404 if the user has no passkey
// with this ID.
func (s *Service) DeleteFor(ctx context.Context, userID, id string) error {
	user, err := s.cfg.Accounts.Find(ctx, userID)
	if err != nil {
		return err
	}
	if !slices.Contains(user.Passkeys, id) {
		return authcore.NotFound()
	}
	event := authcore.Event{Name: authcore.EventPasskeyRemoved, Method: Method, UserID: user.ID}
	if err := s.remove(ctx, user.ID, id, "", true); err != nil {
		return err
	}
	s.removed(ctx, user, event, authcore.Caller{})
	return nil
}

// owned returns the record of a user's passkey. The error is 404 if the user has no passkey
// with this ID.
func (s *Service) owned(ctx context.Context, userID, id string) (authcore.Record, error) {
	record, err := s.cfg.Store.Record(ctx, authcore.RecordKey{Kind: Kind, Key: id}, s.cfg.Now())
	switch {
	case err != nil:
		return authcore.Record{}, authcore.StoreError(err, authcore.NotFound())
	case record.Owner != userID:
		return authcore.Record{}, authcore.NotFound()
	}
	return record, nil
}

// remove removes a passkey and ends the sessions that began with it, except for one. After
// the first step the record is not a passkey any more.
func (s *Service) remove(ctx context.Context, userID, id, except string, evenLast bool) error {
	if err := s.cfg.Accounts.RemovePasskey(ctx, userID, id, except, evenLast); err != nil {
		return err
	}
	if err := s.cfg.Store.DeleteRecord(ctx, authcore.RecordKey{Kind: Kind, Key: id}); err != nil {
		return authcore.Unavailable(err)
	}
	return nil
}

// removed reports the removal of a passkey.
func (s *Service) removed(ctx context.Context, user authcore.User, event authcore.Event, caller authcore.Caller) {
	s.cfg.Observe(ctx, event)
	s.cfg.Notices.Send(ctx, user, account.Notice{Kind: authcore.MailUnlinked, Method: Method, Client: event.Client, Caller: caller})
}

// cleanName returns a name in the form in which it is stored.
func cleanName(name string) (string, error) {
	name = account.CleanName(name)
	switch {
	case name == "":
		return defaultName, nil
	case utf8.RuneCountInString(name) > maxName:
		return "", authcore.FieldError(authcore.CodeInvalidRequest, "name", "Ensure this field has no more than 64 characters.")
	}
	return name, nil
}
