package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// Overview lists the second factors of a user, without secrets.
type Overview struct {
	// TOTP is nil if the user has no authenticator application.
	TOTP *Info
	// Recovery is nil if the user has no recovery codes.
	Recovery *Info
	// RecoveryLeft is the number of recovery codes that were not used.
	RecoveryLeft int
	// Devices are remembered, newest first.
	Devices []Device
	// Required reports that the user must have a second factor.
	Required bool
}

// Info describes a factor.
type Info struct {
	ID                string
	Created, LastUsed time.Time
}

// List returns the second factors of the token's user.
func (s *Service) List(ctx context.Context, claims *gate.Claims) (Overview, error) {
	user, err := s.user(ctx, claims)
	if err != nil {
		return Overview{}, err
	}
	overview, err := s.Overview(ctx, user)
	if err != nil {
		return Overview{}, authcore.StoreError(err, authcore.Inactive())
	}
	return overview, nil
}

// Overview returns the second factors of a user.
func (s *Service) Overview(ctx context.Context, user authcore.User) (Overview, error) {
	overview := Overview{Required: s.cfg.Rules.RequiresFactor(user)}
	var err error
	if enrolled, has := user.Factor(authcore.FactorTOTP); has {
		var data totpData
		if err := s.read(ctx, enrolled, &data); err != nil {
			return Overview{}, err
		}
		overview.TOTP = &Info{ID: enrolled.ID, Created: enrolled.Created, LastUsed: data.LastUsed}
	}
	if enrolled, has := user.Factor(authcore.FactorRecovery); has {
		var data recoveryData
		if err := s.read(ctx, enrolled, &data); err != nil {
			return Overview{}, err
		}
		overview.RecoveryLeft = len(data.Codes)
		overview.Recovery = &Info{ID: enrolled.ID, Created: enrolled.Created, LastUsed: data.LastUsed}
	}
	overview.Devices, err = s.devices(ctx, user)
	return overview, err
}

// read reads the record of a factor. It leaves data as it is if the record is gone or
// damaged, so that an operator sees the factor and can remove it.
func (s *Service) read(ctx context.Context, f authcore.Factor, data any) error {
	record, err := s.store.Record(ctx, recordOf(f), s.cfg.Now())
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read a %s record: %w", f.Kind, err)
	}
	_ = json.Unmarshal(record.Data, data)
	return nil
}

// devices returns the remembered devices of a user, newest first.
func (s *Service) devices(ctx context.Context, user authcore.User) ([]Device, error) {
	records, _, err := s.store.ListRecords(ctx, authcore.RecordFilter{Kind: deviceKind, Owner: user.ID}, s.cfg.Now(), "")
	if err != nil {
		return nil, err
	}
	var devices []Device
	for _, record := range records {
		if device := readDevice(record); device.Replaces(user) {
			devices = append(devices, device)
		}
	}
	return devices, nil
}

// ForgetDevice forgets one device of the token's user, or all if id is "".
func (s *Service) ForgetDevice(ctx context.Context, claims *gate.Claims, id string) error {
	user, err := s.user(ctx, claims)
	if err != nil {
		return err
	}
	devices, err := s.devices(ctx, user)
	if err != nil {
		return authcore.StoreError(err, authcore.Inactive())
	}
	found := false
	for _, device := range devices {
		if id != "" && device.ID != id {
			continue
		}
		found = true
		if err := s.store.DeleteRecord(ctx, authcore.RecordKey{Kind: deviceKind, Key: device.ID}); err != nil {
			return authcore.StoreError(err, authcore.Inactive())
		}
	}
	if !found && id != "" {
		return authcore.NotFound()
	}
	return nil
}

// NewRecoveryCodes replaces the recovery codes of the token's user. They exist only
// next to another second factor.
func (s *Service) NewRecoveryCodes(ctx context.Context, claims *gate.Claims, caller authcore.Caller) ([]string, error) {
	user, err := s.user(ctx, claims)
	if err != nil {
		return nil, err
	}
	if err := s.checkSensitive(claims, user); err != nil {
		return nil, err
	}
	codes, record, err := s.makeRecovery(user.ID)
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	p := &Prepared{RecoveryCodes: codes}
	p.add(record)
	if err := s.put(ctx, p); err != nil {
		return nil, err
	}
	_, err = s.cfg.Sessions.Change(ctx, claims, func(a *authcore.Account, _ *authcore.Session) error {
		if _, has := a.User.Factor(authcore.FactorTOTP); !has {
			return authcore.NotFound()
		}
		if err := s.cfg.Rules.CheckFactor(claims, a.User); err != nil {
			return err
		}
		p.replace(a)
		return nil
	})
	s.Finish(ctx, p, user, err)
	if err != nil {
		return nil, err
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorAdded, Method: authcore.FactorRecovery, Client: claims.Client, UserID: user.ID})
	s.cfg.Notices.Send(ctx, user, account.Notice{Kind: authcore.MailFactorAdded, Client: claims.Client, Caller: caller})
	return codes, nil
}

// replace makes the account name the prepared factors, in place of those of the same
// kind.
func (p *Prepared) replace(a *authcore.Account) {
	a.User.Factors = slices.DeleteFunc(a.User.Factors, func(known authcore.Factor) bool {
		return slices.ContainsFunc(p.added, func(f authcore.Factor) bool { return f.Kind == known.Kind })
	})
	a.User.Factors = append(a.User.Factors, p.added...)
}

// Remove removes a factor of the token's user: the application together with the recovery
// codes, or the recovery codes. The error is 409 last_factor if the realm requires it.
// The other sessions end, and all devices are forgotten.
func (s *Service) Remove(ctx context.Context, claims *gate.Claims, kind string, caller authcore.Caller) error {
	user, err := s.user(ctx, claims)
	if err != nil {
		return err
	}
	if err := s.checkSensitive(claims, user); err != nil {
		return err
	}
	var removed []authcore.Factor
	changed, err := s.cfg.Sessions.Change(ctx, claims, func(a *authcore.Account, current *authcore.Session) error {
		if err := s.cfg.Rules.CheckFactor(claims, a.User); err != nil {
			return err
		}
		if kind == authcore.FactorTOTP && s.cfg.Rules.RequiresFactor(a.User) {
			return lastFactor()
		}
		if removed = remove(&a.User, kind); len(removed) == 0 {
			return authcore.NotFound()
		}
		if kind == authcore.FactorTOTP {
			a.User.DeviceEpoch++
			a.EndSessions(func(other authcore.Session) bool { return other.ID != current.ID && !other.IsKey() })
			session.Forget(current)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.removed(ctx, changed, kind, removed, account.Notice{Client: claims.Client, Caller: caller})
	return nil
}

// RemoveFor removes a factor of a user for an operator, also one that the realm requires:
// a lost one. All sessions of the user end, and all devices are forgotten. ID is that of
// Info, or "" for the only one of the kind.
func (s *Service) RemoveFor(ctx context.Context, userID, kind, id string) error {
	var removed []authcore.Factor
	var revocations []authcore.Revocation
	stored, err := s.store.UpdateAccount(ctx, userID, s.cfg.Now(), func(a *authcore.Account) error {
		if known, has := a.User.Factor(kind); !has || id != "" && id != known.ID {
			return authcore.NotFound()
		}
		removed = remove(&a.User, kind)
		a.User.DeviceEpoch++
		a.EndSessions(func(ended authcore.Session) bool { return !ended.IsKey() })
		revocations = a.Revocations
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	s.cfg.Revoked.Apply(revocations...)
	s.removed(ctx, stored.User, kind, removed, account.Notice{})
	return nil
}

// removed deletes the records of removed factors and reports them.
func (s *Service) removed(ctx context.Context, user authcore.User, kind string, factors []authcore.Factor, notice account.Notice) {
	s.discard(ctx, factors)
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorRemoved, Method: kind, Client: notice.Client, UserID: user.ID})
	notice.Kind = authcore.MailFactorRemoved
	s.cfg.Notices.Send(ctx, user, notice)
}

// remove removes the factors of a kind from a user and returns them. Recovery codes do
// not outlast the application.
func remove(user *authcore.User, kind string) []authcore.Factor {
	var removed []authcore.Factor
	if _, has := user.Factor(kind); !has {
		return nil
	}
	var left []authcore.Factor
	for _, f := range user.Factors {
		if f.Kind == kind || kind == authcore.FactorTOTP && f.Kind == authcore.FactorRecovery {
			removed = append(removed, f)
		} else {
			left = append(left, f)
		}
	}
	user.Factors = left
	return removed
}

func lastFactor() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodeLastFactor,
		"This site requires a second factor. Replace it instead of removing it.")
}
