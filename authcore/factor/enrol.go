package factor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const (
	// enrolmentPurpose separates enrolments from other sealed texts.
	enrolmentPurpose = "totp enrolment"
	// enrolmentLifetime is the time that a user has to set the application up.
	enrolmentLifetime = 15 * time.Minute
)

// Enrolment is the secret for an authenticator application before its first code proved
// that the application has it. Nothing is stored until then.
type Enrolment struct {
	// Sealed contains the secret for Confirm and EnrolAtLogin.
	Sealed string
	// Secret is the secret as people type it, URI as applications read it, and QR shows
	// the URI as an SVG image. All are secrets.
	Secret, URI string
	QR          []byte
	ExpiresIn   time.Duration
}

// enrolment is the content of Enrolment.Sealed.
type enrolment struct {
	User    string `json:"user"`
	Secret  []byte `json:"secret"`
	Expires int64  `json:"expires"`
}

// Begin returns a new secret for the user of a token. The login must be recent and must
// have proven the second factor that the user has.
func (s *Service) Begin(ctx context.Context, claims *gate.Claims) (Enrolment, error) {
	user, err := s.user(ctx, claims)
	if err != nil {
		return Enrolment{}, err
	}
	if err := s.checkSensitive(claims, user); err != nil {
		return Enrolment{}, err
	}
	return s.Propose(user)
}

// checkSensitive requires a recent login with the second factor that the user has.
func (s *Service) checkSensitive(claims *gate.Claims, user authcore.User) error {
	if err := account.CheckRecentLogin(claims, s.cfg.Now(), "Log in again to change your second factor."); err != nil {
		return err
	}
	return s.cfg.Rules.CheckFactor(claims, user)
}

// Propose returns a new secret for a user.
func (s *Service) Propose(user authcore.User) (Enrolment, error) {
	secret := authcore.RandomBytes(secretBytes)
	data, err := json.Marshal(enrolment{User: user.ID, Secret: secret, Expires: s.cfg.Now().Add(enrolmentLifetime).Unix()}) //nolint:gosec // G117: sealed below
	if err != nil {
		return Enrolment{}, authcore.Unavailable(err)
	}
	sealed, err := s.cfg.Keys.Seal(enrolmentPurpose, data)
	if err != nil {
		return Enrolment{}, authcore.Unavailable(err)
	}
	return s.describe(user, secret, sealed, enrolmentLifetime)
}

func (s *Service) describe(user authcore.User, secret []byte, sealed string, left time.Duration) (Enrolment, error) {
	uri, typed, err := s.keyURI(user, secret)
	if err != nil {
		return Enrolment{}, authcore.Unavailable(err)
	}
	image, err := drawQR(uri)
	if err != nil {
		return Enrolment{}, authcore.Unavailable(err)
	}
	return Enrolment{Sealed: sealed, Secret: typed, URI: uri, QR: image, ExpiresIn: left}, nil
}

// Show describes an enrolment of a user again, for a page that is shown after a wrong
// code.
func (s *Service) Show(user authcore.User, sealed string) (Enrolment, error) {
	opened, err := s.open(user.ID, sealed)
	if err != nil {
		return Enrolment{}, err
	}
	return s.describe(user, opened.Secret, sealed, time.Unix(opened.Expires, 0).Sub(s.cfg.Now()))
}

func (s *Service) open(userID, sealed string) (enrolment, error) {
	data, err := s.cfg.Keys.Open(enrolmentPurpose, sealed)
	if err != nil {
		return enrolment{}, expired()
	}
	var opened enrolment
	if err := json.Unmarshal(data, &opened); err != nil || opened.User != userID || s.cfg.Now().Unix() >= opened.Expires {
		return enrolment{}, expired()
	}
	return opened, nil
}

// expired is the error for a sealed enrolment that is not one of this user, or is too
// old.
func expired() *authcore.Error {
	return authcore.FieldError(authcore.CodeInvalidRequest, "enrolment", "This has expired. Begin again.")
}

// Prepared is a second factor whose records are stored and which the account of the user
// does not name yet.
type Prepared struct {
	// RecoveryCodes are new codes to show to the user once; nil if the user keeps those
	// of before.
	RecoveryCodes []string

	records []authcore.Record
	added   []authcore.Factor
}

// Prepare stores the secret of an enrolment, if the code shows that the application has
// it, and recovery codes if the user has none. The caller continues with Apply in a step
// of the store, and with Finish.
func (s *Service) Prepare(ctx context.Context, user authcore.User, sealed, code string) (*Prepared, error) {
	opened, err := s.open(user.ID, sealed)
	if err != nil {
		return nil, err
	}
	typed, ok := authcore.ParseCode(code)
	if !ok {
		return nil, authcore.FieldError(authcore.CodeInvalidRequest, "code", "Enter the six digits of the code.")
	}
	at, ok, err := matchStep(opened.Secret, typed, s.cfg.Now())
	switch {
	case err != nil:
		return nil, authcore.Unavailable(err)
	case !ok:
		return nil, invalidCode()
	}
	p := &Prepared{}
	record, err := s.totpRecord(ctx, user.ID, opened.Secret, at)
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	p.add(record)
	if _, has := user.Factor(authcore.FactorRecovery); !has {
		if p.RecoveryCodes, record, err = s.makeRecovery(user.ID); err != nil {
			return nil, authcore.Unavailable(err)
		}
		p.add(record)
	}
	return p, s.put(ctx, p)
}

func (p *Prepared) add(record authcore.Record) {
	p.records = append(p.records, record)
	p.added = append(p.added, authcore.Factor{Kind: record.Kind, ID: record.Key, Created: record.Created})
}

// put stores the records.
func (s *Service) put(ctx context.Context, p *Prepared) error {
	for _, record := range p.records {
		if err := s.store.PutRecord(ctx, record, authcore.PutOptions{Now: s.cfg.Now(), OwnedByUser: true}); err != nil {
			return authcore.StoreError(err, authcore.Inactive())
		}
	}
	return nil
}

func (s *Service) totpRecord(ctx context.Context, userID string, secret []byte, at int64) (authcore.Record, error) {
	key, err := s.realmKey(ctx)
	if err != nil {
		return authcore.Record{}, err
	}
	encrypted, err := encrypt(key, userID, secret)
	if err != nil {
		return authcore.Record{}, err
	}
	now := s.cfg.Now()
	data, err := json.Marshal(totpData{Secret: encrypted, LastStep: at, LastUsed: now}) //nolint:gosec // G117: encrypted
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: authcore.FactorTOTP, Key: authcore.RandomID()}, Owner: userID, Created: now, Data: data,
	}, err
}

// Apply makes the account name the prepared factors, in place of those of the same kind.
// All remembered devices are forgotten, and all sessions but one end: they began without
// this factor, perhaps in the browser of an attacker.
func (p *Prepared) Apply(a *authcore.Account, except string) {
	p.replace(a)
	a.User.DeviceEpoch++
	a.EndSessions(func(session authcore.Session) bool { return session.ID != except && !session.IsKey() })
}

// Finish deletes the records that the account does not name any more: those of replaced
// factors, or, if the step failed, the prepared ones. A record that stays because of a
// failure has no effect.
func (s *Service) Finish(ctx context.Context, p *Prepared, before authcore.User, stepErr error) {
	if stepErr != nil {
		if errors.Is(stepErr, authcore.ErrUnavailable) {
			return // the step may have happened
		}
		s.discard(ctx, p.added)
		return
	}
	var replaced []authcore.Factor
	for _, added := range p.added {
		if old, had := before.Factor(added.Kind); had {
			replaced = append(replaced, old)
		}
	}
	s.discard(ctx, replaced)
}

// discard deletes records of factors.
func (s *Service) discard(ctx context.Context, factors []authcore.Factor) {
	for _, f := range factors {
		_ = s.store.DeleteRecord(ctx, recordOf(f)) // without effect if it stays
	}
}

// Confirm adds the application of an enrolment to the user of a token. The session of the
// token proved the factor; the result is a new token of it.
func (s *Service) Confirm(ctx context.Context, claims *gate.Claims, sealed, code string, caller authcore.Caller) (session.Grant, []string, error) {
	user, err := s.user(ctx, claims)
	if err != nil {
		return session.Grant{}, nil, err
	}
	if err := s.checkSensitive(claims, user); err != nil {
		return session.Grant{}, nil, err
	}
	prepared, err := s.Prepare(ctx, user, sealed, code)
	if err != nil {
		return session.Grant{}, nil, err
	}
	grant, err := s.cfg.Sessions.Replace(ctx, claims, func(a *authcore.Account, current *authcore.Session) error {
		// The user may have added a factor since it was read.
		if err := s.cfg.Rules.CheckFactor(claims, a.User); err != nil {
			return err
		}
		prepared.Apply(a, claims.Session)
		session.Prove(current, authcore.FactorTOTP)
		return nil
	})
	s.Finish(ctx, prepared, user, err)
	if err != nil {
		return session.Grant{}, nil, err
	}
	s.Added(ctx, grant.User, claims.Client, caller)
	return grant, prepared.RecoveryCodes, nil
}

// Added reports a new application.
func (s *Service) Added(ctx context.Context, user authcore.User, client string, caller authcore.Caller) {
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorAdded, Method: authcore.FactorTOTP, Client: client, UserID: user.ID})
	s.cfg.Notices.Send(ctx, user, account.Notice{Kind: authcore.MailFactorAdded, Client: client, Caller: caller})
}
