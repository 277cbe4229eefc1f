package login

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// invitationKind is the kind of the records of invitations. The key is a digest of the
// address, so that an address has one invitation, which a login through a provider
// finds as well.
const invitationKind = "invitation"

// Limits of the lifetime of an invitation.
const (
	minInvitationLifetime = time.Minute
	MaxInvitationLifetime = 90 * 24 * time.Hour
)

// invitationMailLifetime is the time for which the delivery of an invitation is retried.
const invitationMailLifetime = 24 * time.Hour

// invitationPrefix marks the token of an invitation. It makes the token longer than that
// of a login link.
const invitationPrefix = "i-"

// InvitationRequest invites the owner of an address to sign up.
type InvitationRequest struct {
	account.NewUser
	// Lifetime of the invitation. Default: Config.InvitationLifetime.
	Lifetime time.Duration
	// Locale is the preferred language of the mail; optional.
	Locale string
}

// Invitation is an invitation that was not accepted yet.
type Invitation struct {
	// ID names it to operators.
	ID string `json:"id"`
	account.NewUser
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// By is the operator; see authcore.WithOperator.
	By string `json:"by,omitempty"`
	// DebugLink is the link, if Config.DebugLinks is set.
	DebugLink string `json:"_debug_auth_link,omitempty"`
}

// invitationData is the content of an "invitation" record.
type invitationData struct {
	account.NewUser
	By string `json:"by,omitempty"`
	// Secret is a digest in the form of authcore.Digest.String.
	Secret string `json:"secret"`
}

func decodeInvitation(record authcore.Record) (invitation invitationData, address authcore.Address, err error) {
	address, err = decode(record, &invitation, &invitation.Email)
	return invitation, address, err
}

func (i invitationData) matchesSecret(secret []byte) bool {
	return sameText(i.Secret, invitationDigest(secret))
}

func invitationDigest(secret []byte) string {
	return authcore.DigestOf("invitation secret", string(secret)).String()
}

// invitationID returns the first part of the tokens for an address. It is not secret.
func invitationID(address authcore.Address) []byte {
	digest := authcore.DigestOf("invitation", address.Key())
	return digest[:requestIDLength]
}

func invitationKey(id []byte) authcore.RecordKey {
	return authcore.RecordKey{Kind: invitationKind, Key: requestText(id)}
}

// parseInvitation returns the parts of the token of an invitation, or nil.
func parseInvitation(text string) (id, secret []byte) {
	token, found := strings.CutPrefix(text, invitationPrefix)
	if !found {
		return nil, nil
	}
	return parseToken(token)
}

// Invite mails a link with which the owner of an address signs up, whatever the rule for
// signing up is. A login through a provider that verifies the address accepts the
// invitation, too. A further invitation of the address replaces it and its link. The
// error is a 409 if the address has an account.
func (s *Service) Invite(ctx context.Context, r InvitationRequest) (Invitation, error) {
	user, address, err := r.Check(s.cfg.Rules)
	if err != nil {
		return Invitation{}, err
	}
	if _, err := s.parseEmail(r.Email); err != nil {
		return Invitation{}, err
	}
	r.Lifetime = cmp.Or(r.Lifetime, s.cfg.InvitationLifetime)
	if r.Lifetime < minInvitationLifetime || r.Lifetime > MaxInvitationLifetime {
		return Invitation{}, authcore.FieldError(authcore.CodeInvalidRequest, "expires_in",
			fmt.Sprintf("Must be between %d and %d seconds.", int(minInvitationLifetime.Seconds()), int(MaxInvitationLifetime.Seconds())))
	}
	switch _, err := s.store.User(ctx, authcore.UserRef{EmailKey: address.Key()}); {
	case err == nil:
		return Invitation{}, account.HasAccount()
	case !errors.Is(err, authcore.ErrNotFound):
		return Invitation{}, authcore.Unavailable(err)
	}
	r.NewUser = user
	invitation, err := s.invite(ctx, r, address)
	if err != nil {
		return Invitation{}, authcore.Unavailable(err)
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventInvited, Detail: invitation.ID, Email: authcore.PrivateText(invitation.Email)})
	return invitation, nil
}

// invite stores and mails an invitation. The mail takes its place in the queue first.
func (s *Service) invite(ctx context.Context, r InvitationRequest, address authcore.Address) (Invitation, error) {
	secret := authcore.RandomBytes(secretLength)
	operator := authcore.Operator(ctx)
	data, err := json.Marshal(invitationData{NewUser: r.NewUser, By: operator, Secret: invitationDigest(secret)})
	if err != nil {
		return Invitation{}, err
	}
	now, id := s.cfg.Now(), invitationID(address)
	record := authcore.Record{RecordKey: invitationKey(id), Owner: addressOwner(address), Created: now, Expires: now.Add(r.Lifetime), Data: data}
	link := strings.Replace(s.cfg.EmailLink, authcore.LinkPlaceholder, invitationPrefix+tokenText(id, secret), 1)
	life := &linkLife{Service: s, key: record.RecordKey}
	if s.cfg.Mailer != nil {
		err := s.cfg.Mailer.Enqueue(ctx, authcore.Mail{
			Kind: authcore.MailInvitation, To: address.String(), Link: link, Lifetime: r.Lifetime,
			Expires: now.Add(min(r.Lifetime, invitationMailLifetime)), Title: s.cfg.Title, Locale: r.Locale, Live: life.isLive,
		})
		if err != nil {
			return Invitation{}, err
		}
	}
	err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now})
	life.stored(err)
	if err != nil {
		return Invitation{}, err
	}
	invitation := Invitation{ID: record.Key, NewUser: r.NewUser, Created: now, Expires: record.Expires, By: operator}
	if s.cfg.DebugLinks {
		invitation.DebugLink = link
	}
	return invitation, nil
}

// Invitations returns a page of the invitations that were not accepted yet, the newest
// first, and the cursor of the next page, which is "" at the end. Damaged ones are left
// out.
func (s *Service) Invitations(ctx context.Context, limit int, cursor string) ([]Invitation, string, error) {
	records, next, err := s.store.ListRecords(ctx, authcore.RecordFilter{Kind: invitationKind, Limit: limit}, s.cfg.Now(), cursor)
	if err != nil {
		return nil, "", authcore.Unavailable(err)
	}
	invitations := make([]Invitation, 0, len(records))
	for _, record := range records {
		if data, _, err := decodeInvitation(record); err == nil {
			invitations = append(invitations, Invitation{
				ID: record.Key, NewUser: data.NewUser, Created: record.Created, Expires: record.Expires, By: data.By,
			})
		}
	}
	return invitations, next, nil
}

// RevokeInvitation deletes an invitation, whose link then ends. The error is a 404 if
// there is no such invitation, or if it was accepted.
func (s *Service) RevokeInvitation(ctx context.Context, id string) error {
	parsed := parseRequestID(id)
	if parsed == nil {
		return authcore.NotFound()
	}
	_, err := s.store.TakeRecord(ctx, invitationKey(parsed), s.cfg.Now())
	if err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventInvitationRevoked, Detail: id})
	return nil
}

// acceptance is a login with the link of an invitation. Its request ID is that of
// invitationID.
type acceptance struct{ *byMail }

func (m *acceptance) prove(ctx context.Context, a *attempt) (proof, error) {
	record, address, err := m.invitation(ctx, m.requestID, m.secret)
	if err != nil {
		return proof{}, err
	}
	p := m.proofOf(a, address)
	p.record, p.decide = record.RecordKey, m.decide
	return p, nil
}

// invitation returns the record of the invitation with a link, and its address.
func (s *Service) invitation(ctx context.Context, id, secret []byte) (authcore.Record, authcore.Address, error) {
	record, err := s.store.Record(ctx, invitationKey(id), s.cfg.Now())
	if err != nil {
		return authcore.Record{}, authcore.Address{}, err
	}
	invitation, address, err := decodeInvitation(record)
	if err == nil && !invitation.matchesSecret(secret) {
		err = authcore.ErrNotFound
	}
	return record, address, err
}

// decide checks the link again and creates the account. If the address got an account
// since the invitation, the link logs in to it.
func (m *acceptance) decide(found authcore.LoginFound) (decision, error) {
	invitation, address, err := decodeInvitation(*found.Proof)
	switch {
	case err != nil:
		return decision{}, err
	case !invitation.matchesSecret(m.secret):
		return decision{}, authcore.ErrNotFound
	case !m.cfg.Rules.Admits(account.Email{Address: address.String(), Verified: true}):
		return decision{}, account.NotAdmitted()
	}
	d := decision{account: found.Accounts[0]}
	if d.account.User.ID == "" {
		d.isNew = true
		d.account.User = authcore.User{
			ID: m.userID, Email: address.String(), EmailVerified: true, FirstName: invitation.FirstName, LastName: invitation.LastName,
		}
	}
	invitation.Grant(&d.account.User)
	d.invited = invitation.Roles
	return d, nil
}

// showInvitation returns what a login page shows about an invitation.
func (s *Service) showInvitation(ctx context.Context, id, secret []byte) (PageLink, error) {
	record, address, err := s.invitation(ctx, id, secret)
	if err != nil {
		return PageLink{}, err
	}
	return PageLink{Invitation: true, Email: address.String(), Requested: record.Created}, nil
}

// invited returns the key of the invitation of a verified address that a provider
// reported, or the zero key. An account that has the identity already does not use it.
func (m *social) invited(ctx context.Context, c *candidate) (authcore.RecordKey, error) {
	if m.LinkTo != nil || !c.user.EmailVerified {
		return authcore.RecordKey{}, nil
	}
	key := invitationKey(invitationID(c.address))
	if _, err := m.store.Record(ctx, key, m.cfg.Now()); err != nil {
		return authcore.RecordKey{}, unlessNotFound(err)
	}
	_, err := m.store.User(ctx, authcore.UserRef{Identity: c.identity.Key()})
	if errors.Is(err, authcore.ErrNotFound) {
		return key, nil
	}
	return authcore.RecordKey{}, err
}

func unlessNotFound(err error) error {
	if errors.Is(err, authcore.ErrNotFound) {
		return nil
	}
	return err
}

// retryUninvited repeats the step of a login whose invitation was revoked or used
// meanwhile.
func (m *social) retryUninvited(ctx context.Context, a *attempt) (session.Grant, error) {
	p := *m.proven
	m.proven, p.record = nil, authcore.RecordKey{}
	grant, err := m.enter(ctx, a, p)
	if errors.Is(err, authcore.ErrExists) || errors.Is(err, authcore.ErrTaken) {
		return m.conflict(ctx, a, err)
	}
	return grant, err
}
