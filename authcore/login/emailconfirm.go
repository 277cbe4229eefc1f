package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// emailConfirmation is a call of ConfirmEmailChange.
type emailConfirmation struct {
	*Service
	EmailChangeProof
	client        *authcore.Client
	requestID     []byte
	code, current string
	// former is the user before the change.
	former authcore.User
}

// checks limit guesses by network, and by user across requests.
func (c *emailConfirmation) checks() []ratelimit.Check {
	return append(ratelimit.Parties("code-ip", c.Caller.IP, c.cfg.Limits.CodePerIP),
		ratelimit.Check{Name: "email-code-user", Party: c.Claims.Subject, Rate: c.cfg.Limits.CodePerAddress})
}

// run changes the address and begins the new session as one step of the store.
func (c *emailConfirmation) run(ctx context.Context) (session.Grant, error) {
	if c.requestID == nil {
		return session.Grant{}, invalidCode()
	}
	begun := c.cfg.Sessions.Begin(c.client, MethodCode, c.Caller)
	(&proof{by: c.Claims}).count(&begun)
	var revocations []authcore.Revocation
	stored, err := c.store.Login(ctx, authcore.LoginStep{
		Now: c.cfg.Now(), Proof: emailChangeKey(c.requestID), Refs: []authcore.UserRef{{ID: c.Claims.Subject}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			changed, err := c.decide(found)
			if err != nil {
				return authcore.Account{}, err
			}
			changed.User.DeviceEpoch++
			changed.EndSessions(func(authcore.Session) bool { return true })
			c.cfg.Rules.UpdateRoles(&changed, begun.Created)
			changed.Start(begun, c.cfg.Sessions.MaxSessions())
			revocations = changed.Revocations
			return changed, nil
		},
	})
	switch {
	case errors.Is(err, authcore.ErrNotFound) || errors.Is(err, authcore.ErrProofFailed):
		return session.Grant{}, invalidCode()
	case errors.Is(err, authcore.ErrTaken):
		return session.Grant{}, authcore.NewError(http.StatusConflict, authcore.CodeEmailTaken,
			"Another account has this e-mail address.")
	case err != nil:
		return session.Grant{}, err
	}
	c.cfg.Sessions.Applied(revocations)
	begun.UserID = stored.User.ID
	return c.cfg.Sessions.Grant(stored.User, begun, false)
}

// decide checks the codes and returns the account with the new address. A request
// of another user or session, or one that was made for another current address, does
// not exist.
func (c *emailConfirmation) decide(found authcore.LoginFound) (authcore.Account, error) {
	change, address, err := decodeEmailChange(*found.Proof)
	if err != nil {
		return authcore.Account{}, err
	}
	known := found.Accounts[0]
	switch {
	case known.User.ID == "" || known.User.Disabled:
		return authcore.Account{}, authcore.Inactive()
	case found.Proof.Owner != known.User.ID, change.Session != c.Claims.Session,
		change.CurrentKey != known.User.EmailKey(), change.Tries >= maxTries:
		return authcore.Account{}, authcore.ErrNotFound
	case !c.matches(change):
		change.Tries++
		if found.Proof.Data, err = json.Marshal(change); err != nil {
			return authcore.Account{}, err
		}
		return authcore.Account{}, authcore.ErrProofFailed
	case c.cfg.Rules.CheckFactor(c.Claims, known.User) != nil:
		return authcore.Account{}, c.cfg.Rules.CheckFactor(c.Claims, known.User)
	case !c.mayBeAddress(address):
		return authcore.Account{}, account.NotAdmitted()
	}
	c.former = known.User
	known.User.Email, known.User.EmailVerified = address.String(), true
	return known, nil
}

// matches compares both codes, whatever the result of the first comparison.
func (c *emailConfirmation) matches(change emailChange) bool {
	isNew := sameText(change.Code, codeDigest(c.requestID, c.code))
	isCurrent := change.CurrentCode == "" || sameText(change.CurrentCode, currentDigest(c.requestID, c.current))
	return isNew && isCurrent
}

// clientNamed returns the client with this name, or an empty one.
func (s *Service) clientNamed(name string) *authcore.Client {
	for i := range s.cfg.Clients {
		if s.cfg.Clients[i].Name == name {
			return &s.cfg.Clients[i]
		}
	}
	return &authcore.Client{}
}
