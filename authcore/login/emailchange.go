package login

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// emailChangeKind is the kind of the record of a requested change of address.
const emailChangeKind = "email-change"

// changesOfUser limits the pending changes of a user.
const changesOfUser = 3

// EmailChangeRequest requests the change of the address of the token's user.
type EmailChangeRequest struct {
	Claims *gate.Claims
	Email  string
	// Locale is the preferred language of the mails as a BCP 47 tag; optional.
	Locale string
	Caller authcore.Caller
}

// EmailChangeReceipt is the result of an EmailChangeRequest. It is the same whether
// or not the new address belongs to another user.
type EmailChangeReceipt struct {
	// RequestID names the request in an EmailChangeProof.
	RequestID string
	ExpiresIn time.Duration
	// NeedsCurrentCode reports that a code was mailed to the current address, too.
	NeedsCurrentCode bool
}

// EmailChangeProof contains the codes that were mailed for an EmailChangeRequest.
type EmailChangeProof struct {
	Claims    *gate.Claims
	RequestID string
	// Code was mailed to the new address, CurrentCode to the current one, if the
	// receipt requires it. Both as the user typed them.
	Code, CurrentCode string
	Caller            authcore.Caller
}

// emailChange is the content of an "email-change" record. Secrets are digests, as in
// linkData.
type emailChange struct {
	// Email is the new address in the form of authcore.Address.String.
	Email string `json:"email"`
	// CurrentKey is the authcore.Address.Key of the verified address that the user had.
	CurrentKey string `json:"current_key,omitempty"`
	// Session is the ID of the session that requested the change.
	Session string `json:"session"`
	// Code and CurrentCode are digests; CurrentCode is "" if none was mailed.
	Code        string `json:"code"`
	CurrentCode string `json:"current_code,omitempty"`
	// Tries counts wrong codes.
	Tries int `json:"tries,omitempty"`
}

func emailChangeKey(requestID []byte) authcore.RecordKey {
	return authcore.RecordKey{Kind: emailChangeKind, Key: authcore.DigestOf("email change", string(requestID)).String()}
}

// currentDigest differs from codeDigest, so that neither code replaces the other.
func currentDigest(requestID []byte, code string) string {
	return authcore.DigestOf("current code", string(requestID), code).String()
}

// RequestEmailChange begins a change of address: it mails a code to the new address.
// The login must be recent. If the account has a verified address, it has to be
// proven, too: by the login, if that was by mail, otherwise by a second code that is
// mailed to it. The new address is not looked up, so that neither the answer nor its
// time depends on other accounts.
func (s *Service) RequestEmailChange(ctx context.Context, r EmailChangeRequest) (EmailChangeReceipt, error) {
	address, err := s.parseEmail(r.Email)
	if err != nil {
		return EmailChangeReceipt{}, err
	}
	if err := account.CheckRecentLogin(r.Claims, s.cfg.Now(), "Log in again to change your address."); err != nil {
		return EmailChangeReceipt{}, err
	}
	if s.cfg.Mailer == nil {
		return EmailChangeReceipt{}, authcore.Unavailable(errors.New("no mailer is configured"))
	}
	if !s.mayBeAddress(address) {
		return EmailChangeReceipt{}, account.NotAdmitted()
	}
	var receipt EmailChangeReceipt
	err = s.cfg.Limiter.Do(ctx, s.emailChangeChecks(r, address), func() error {
		user, err := account.CurrentUser(ctx, s.store, r.Claims)
		if err != nil {
			return err
		}
		if err := s.cfg.Rules.CheckFactor(r.Claims, user); err != nil {
			return err
		}
		if user.EmailVerified && user.Email == address.String() {
			return authcore.FieldError(authcore.CodeInvalidRequest, "email", "This is your address already.")
		}
		receipt, err = s.mailCodes(ctx, r, user, address)
		return err
	})
	if err != nil {
		return EmailChangeReceipt{}, authcore.Unavailable(err)
	}
	return receipt, nil
}

// mayBeAddress reports whether the rules of the realm accept the new address: the
// lists have to admit it, and sign-up that is limited to domains limits changes, too.
func (s *Service) mayBeAddress(address authcore.Address) bool {
	rules := s.cfg.Rules
	return rules.Admits(account.Email{Address: address.String(), Verified: true}) &&
		(rules.Signup != account.SignupDomains || rules.MaySignUp(address, true))
}

// emailChangeChecks do not share counters with requests for links: a signed-in user
// must not be able to keep the owner of an address from logging in.
func (s *Service) emailChangeChecks(r EmailChangeRequest, address authcore.Address) []ratelimit.Check {
	limits := &s.cfg.Limits
	return slices.Concat(
		ratelimit.Parties("email-change-ip", r.Caller.IP, limits.LinkPerIP),
		[]ratelimit.Check{
			{Name: "email-change-user", Party: r.Claims.Subject, Rate: limits.LinkPerAddress},
			{Name: "email-change-address", Party: address.MailboxKey(), Rate: limits.LinkPerAddress},
		},
		ratelimit.Shared("link", "all", r.Caller.IP, limits.LinkOverall),
	)
}

// mailCodes stores the change and mails its codes. The mails take their places in the
// queue first; if the change cannot be stored, they are not sent.
func (s *Service) mailCodes(ctx context.Context, r EmailChangeRequest, user authcore.User, address authcore.Address) (EmailChangeReceipt, error) {
	requestID := authcore.RandomBytes(requestIDLength)
	codes := [2]string{authcore.RandomCode(), authcore.RandomCode()}
	change := emailChange{
		Email: address.String(), CurrentKey: user.EmailKey(), Session: r.Claims.Session, Code: codeDigest(requestID, codes[0]),
	}
	needsCurrent := change.CurrentKey != "" && r.Claims.Method != MethodLink && r.Claims.Method != MethodCode
	if needsCurrent {
		change.CurrentCode = currentDigest(requestID, codes[1])
	}
	data, err := json.Marshal(change)
	if err != nil {
		return EmailChangeReceipt{}, err
	}
	now := s.cfg.Now()
	record := authcore.Record{
		RecordKey: emailChangeKey(requestID), Owner: user.ID, Created: now, Expires: now.Add(s.cfg.LinkLifetime), Data: data,
	}
	life := &linkLife{Service: s, key: record.RecordKey}
	mail := s.codeMail(r, authcore.MailConfirmAddress, address.String(), codes[0], life)
	if err := s.cfg.Mailer.Enqueue(ctx, mail); err != nil {
		return EmailChangeReceipt{}, err
	}
	if needsCurrent {
		mail := s.codeMail(r, authcore.MailConfirmChange, user.Email, codes[1], life)
		if err := s.cfg.Mailer.Enqueue(ctx, mail); err != nil {
			life.stored(err)
			return EmailChangeReceipt{}, err
		}
	}
	err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, Keep: changesOfUser, OwnedByUser: true})
	life.stored(err)
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return EmailChangeReceipt{}, authcore.Inactive()
	case err != nil:
		return EmailChangeReceipt{}, err
	}
	return EmailChangeReceipt{
		RequestID: requestText(requestID), ExpiresIn: s.cfg.LinkLifetime, NeedsCurrentCode: needsCurrent,
	}, nil
}

func (s *Service) codeMail(r EmailChangeRequest, kind authcore.MailKind, to, code string, life *linkLife) authcore.Mail {
	now := s.cfg.Now()
	client := s.clientNamed(r.Claims.Client)
	return authcore.Mail{
		Kind: kind, To: to, Code: code, Lifetime: s.cfg.LinkLifetime, Expires: now.Add(s.cfg.LinkLifetime),
		Title: cmp.Or(client.Title, s.cfg.Title), Site: account.SiteOf(cmp.Or(client.EmailLink, s.cfg.EmailLink)),
		Requested: now, IP: r.Caller.IP, UserAgent: r.Caller.UserAgent, Client: client.Name,
		Locale: cmp.Or(client.Locale, r.Locale, r.Caller.Languages), Live: life.isLive,
	}
}

// ConfirmEmailChange changes the address. All sessions of the user end, because their
// tokens state the former address; the result is a new login. The owner is told at the
// former address. Five wrong codes end the request.
func (s *Service) ConfirmEmailChange(ctx context.Context, r EmailChangeProof) (session.Grant, error) {
	code, current, err := parseCodes(r)
	if err != nil {
		return session.Grant{}, err
	}
	requestID := parseRequestID(authcore.Trim(r.RequestID))
	client := s.clientNamed(r.Claims.Client)
	if client.Key == "" {
		return session.Grant{}, session.UnknownClient()
	}
	c := &emailConfirmation{Service: s, EmailChangeProof: r, client: client, requestID: requestID, code: code, current: current}
	var grant session.Grant
	err = s.cfg.Limiter.Do(ctx, c.checks(), func() (err error) {
		grant, err = c.run(ctx)
		return err
	})
	if err != nil {
		return session.Grant{}, authcore.Unavailable(err)
	}
	s.cfg.Observe(ctx, authcore.Event{
		Name: authcore.EventEmailChanged, Method: MethodCode, Client: client.Name, UserID: grant.User.ID, SessionID: grant.Session.ID,
		Email: authcore.PrivateText(grant.User.Email),
	})
	s.cfg.Notices.Send(ctx, c.former, account.Notice{Kind: authcore.MailAddressChanged, Client: client.Name, Caller: r.Caller})
	return grant, nil
}

// parseCodes normalizes the codes. Text that cannot be a code costs no try.
func parseCodes(r EmailChangeProof) (code, current string, err error) {
	faults := map[string][]string{}
	parse := func(field, text string) string {
		parsed, ok := authcore.ParseCode(text)
		if !ok {
			faults[field] = []string{"Enter the six digits of the code."}
		}
		return parsed
	}
	code = parse("code", r.Code)
	if r.CurrentCode != "" {
		current = parse("current_code", r.CurrentCode)
	}
	return code, current, authcore.FieldErrors(faults)
}

// RecordKinds describes the records of this package that belong to users.
func RecordKinds() []account.RecordKind {
	ofAddress := func(user authcore.User) string {
		address, err := authcore.ParseAddress(user.Email)
		if err != nil || !user.EmailVerified {
			return ""
		}
		return addressOwner(address)
	}
	return []account.RecordKind{
		{Kind: emailChangeKind, Fields: []string{"email"}},
		{Kind: linkKind, Fields: []string{"email"}, Owner: ofAddress},
		{Kind: invitationKind, Fields: []string{"email", "first_name", "last_name", "roles"}, Owner: ofAddress},
	}
}

// decodeEmailChange reads the content of a record, and the address in it.
func decodeEmailChange(record authcore.Record) (change emailChange, address authcore.Address, err error) {
	address, err = decode(record, &change, &change.Email)
	return change, address, err
}
