package passkey

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Registration is the response of a browser to RegistrationOptions.
type Registration struct {
	// Credential is the JSON form of the created credential.
	Credential []byte
	// Name is chosen by the user. Default: "Passkey".
	Name   string
	Caller authcore.Caller
}

// RegistrationOptions returns the options with which a browser creates a passkey for the
// user of the token, in the form of PublicKeyCredentialCreationOptionsJSON. The login
// must be recent.
func (s *Service) RegistrationOptions(ctx context.Context, claims *gate.Claims) (json.RawMessage, error) {
	if err := account.CheckRecentLogin(claims, s.cfg.Now(), "Log in again to add a passkey."); err != nil {
		return nil, err
	}
	user, err := s.cfg.Accounts.CurrentUser(ctx, claims)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Accounts.CheckFactor(claims, user); err != nil {
		return nil, err
	}
	registered, err := s.of(ctx, user)
	if err != nil {
		return nil, err
	}
	if len(user.Passkeys) >= maxPasskeys {
		return nil, tooMany()
	}
	c := challenge{party: partyOf(claims), handle: chooseHandle(registered)}
	sealed, err := s.seal(purposeRegister, c)
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	options, _, err := s.begin(ownerOf(user, c, registered), sealed)
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	return json.Marshal(options)
}

// chooseHandle returns the user handle: that of the user's passkeys, or a random one. It
// never contains an address, because authenticators reveal it before they verify the
// user (Web Authentication Level 3, section 14.6.1).
func chooseHandle(registered []found) [handleLength]byte {
	if len(registered) > 0 && len(registered[0].Handle) == handleLength {
		return [handleLength]byte(registered[0].Handle)
	}
	return [handleLength]byte(authcore.RandomBytes(handleLength))
}

func ownerOf(user authcore.User, c challenge, registered []found) *owner {
	name := cmp.Or(user.Email, user.Username(), "Account")
	o := &owner{handle: c.handle[:], name: name, label: cmp.Or(user.Name(), name)}
	for _, one := range registered {
		o.credentials = append(o.credentials, one.credential(one.BackupEligible))
	}
	return o
}

// begin returns the options of a registration and what the library keeps of them. Both
// follow from the challenge and the configuration, so that Register makes them again.
func (s *Service) begin(o *owner, sealed []byte) (protocol.PublicKeyCredentialCreationOptions, *webauthn.SessionData, error) {
	options, session, err := s.webauthn.BeginRegistration(o,
		webauthn.WithExclusions(webauthn.Credentials(o.credentials).CredentialDescriptors()),
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		func(options *protocol.PublicKeyCredentialCreationOptions) error {
			options.Challenge = sealed
			return nil
		})
	if err != nil {
		return protocol.PublicKeyCredentialCreationOptions{}, nil, err
	}
	return options.Response, session, nil
}

// Register stores the passkey that a browser created. The options must have been made
// for the session of the token, and work once.
func (s *Service) Register(ctx context.Context, claims *gate.Claims, r Registration) (Passkey, error) {
	name, err := cleanName(r.Name)
	if err != nil {
		return Passkey{}, err
	}
	c, credential, err := s.create(claims, r.Credential)
	if err != nil {
		return Passkey{}, err
	}
	content := newStored(credential, s.cfg.RPID, name, c.handle[:])
	data, err := json.Marshal(content)
	if err != nil {
		return Passkey{}, authcore.Unavailable(err)
	}
	now := s.cfg.Now()
	record := authcore.Record{RecordKey: keyOf(credential.ID), Owner: claims.Subject, Created: now, Data: data}
	if err := record.Validate(); err != nil {
		return Passkey{}, Invalid(err)
	}
	user, err := s.put(ctx, claims, c, record)
	if err != nil {
		return Passkey{}, err
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventPasskeyAdded, Method: Method, Client: claims.Client, UserID: user.ID, SessionID: claims.Session})
	s.cfg.Notices.Send(ctx, user, account.Notice{Kind: authcore.MailLinked, Method: Method, Client: claims.Client, Caller: r.Caller})
	return passkeyOf(record, content), nil
}

// create checks the response of a browser.
func (s *Service) create(claims *gate.Claims, response []byte) (challenge, *webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return challenge{}, nil, Invalid(err)
	}
	text := parsed.Response.CollectedClientData.Challenge
	c, ok := s.open(purposeRegister, text)
	if !ok || c.party != partyOf(claims) {
		return challenge{}, nil, Invalid(errChallenge)
	}
	credential, err := s.attested(c.handle[:], parsed)
	return c, credential, err
}

// attested checks everything in a response but the origin of its challenge. Without
// attestation any authenticator is accepted. A statement is checked nevertheless if the
// response contains one, and refused if its format is unknown, because browsers send none
// when none is requested.
func (s *Service) attested(handle []byte, parsed *protocol.ParsedCredentialCreationData) (*webauthn.Credential, error) {
	sealed, err := decodeChallenge(parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, Invalid(err)
	}
	o := &owner{handle: handle, name: "-", label: "-"}
	_, session, err := s.begin(o, sealed)
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	credential, err := s.webauthn.CreateCredential(o, *session, parsed)
	if err != nil {
		return nil, Invalid(err)
	}
	return credential, nil
}

// put stores the record, adds it to the list of the user and uses up the challenge, as one
// step, if the session of the token is live and has the second factor that its user has:
// both may have changed since the options, perhaps a moment ago on another node. A
// credential that is registered already, perhaps by another user, is refused (Web
// Authentication Level 3, section 7.1, step 26).
func (s *Service) put(ctx context.Context, claims *gate.Claims, c challenge, record authcore.Record) (authcore.User, error) {
	if err := s.keepDomain(ctx); err != nil {
		return authcore.User{}, authcore.Unavailable(err)
	}
	account, err := s.cfg.Store.Login(ctx, authcore.LoginStep{
		Now: record.Created, Claims: []authcore.Record{c.used(record.Created), record}, Refs: []authcore.UserRef{{ID: record.Owner}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			owner := found.Accounts[0]
			switch {
			case owner.User.ID == "" || owner.User.Disabled:
				return authcore.Account{}, authcore.Inactive()
			case !slices.ContainsFunc(owner.Sessions, func(session authcore.Session) bool { return session.ID == claims.Session }):
				return authcore.Account{}, authcore.InvalidToken()
			case len(owner.User.Passkeys) >= maxPasskeys:
				return authcore.Account{}, tooMany()
			}
			owner.User.Passkeys = append(owner.User.Passkeys, record.Key)
			return owner, s.cfg.Accounts.CheckFactor(claims, owner.User)
		},
	})
	if errors.Is(err, authcore.ErrExists) {
		if _, err := s.cfg.Store.Record(ctx, record.RecordKey, record.Created); err == nil {
			return authcore.User{}, taken()
		}
		return authcore.User{}, Invalid(errChallenge)
	}
	if err != nil {
		return authcore.User{}, authcore.Unavailable(err)
	}
	return account.User, nil
}

func taken() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodePasskeyExists, "This passkey is registered already.")
}

func tooMany() *authcore.Error {
	return authcore.NewError(http.StatusConflict, authcore.CodeTooManyPasskeys,
		"The account has as many passkeys as it can have. Remove one first.")
}
