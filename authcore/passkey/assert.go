package passkey

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/edgeauth/edgeauth/authcore"
)

var (
	errChallenge = errors.New("passkey: the challenge is not valid")
	errOrigin    = errors.New("passkey: the origin is not one of the client")
	errHandle    = errors.New("passkey: the user handle is not that of the passkey")
)

func decodeChallenge(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }

// LoginOptions returns the options with which a browser asks for a passkey, in the form
// of PublicKeyCredentialRequestOptionsJSON. They name no user and no credential, so that
// they reveal nothing about accounts, and nothing is stored.
func (s *Service) LoginOptions() (json.RawMessage, error) {
	sealed, err := s.seal(purposeLogin, challenge{})
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	options, _, err := s.webauthn.BeginDiscoverableLogin(webauthn.WithChallenge(sealed))
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	return json.Marshal(options.Response)
}

// Assertion is a response to LoginOptions whose signature is valid.
type Assertion struct {
	// UserID is the owner of the passkey, and ID its Passkey.ID.
	UserID, ID string
	// Claim is the record that uses up the challenge, for the login step.
	Claim authcore.Record
	// content is the record as the response leaves it.
	content stored
}

// Verify checks a response to LoginOptions, the JSON form of the credential, for a
// client. It stores nothing.
//
// The flag for backups never changes according to the specification (Web Authentication
// Level 3, section 6.1.3), but does with iCloud Keychain and KeePassXC, and the library
// would refuse such a passkey permanently. So the stored flag is set to that of the
// response before the check.
func (s *Service) Verify(ctx context.Context, client *authcore.Client, response []byte) (Assertion, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return Assertion{}, Invalid(err)
	}
	c, ok := s.open(purposeLogin, parsed.Response.CollectedClientData.Challenge)
	switch {
	case !ok:
		return Assertion{}, Invalid(errChallenge)
	case !slices.Contains(client.Origins, parsed.Response.CollectedClientData.Origin):
		return Assertion{}, Invalid(errOrigin)
	}
	record, err := s.cfg.Store.Record(ctx, keyOf(parsed.RawID), s.cfg.Now())
	if errors.Is(err, authcore.ErrNotFound) {
		return Assertion{}, Unknown()
	}
	if err != nil {
		return Assertion{}, authcore.Unavailable(err)
	}
	content, err := decode(record)
	if err != nil {
		return Assertion{}, authcore.Unavailable(err)
	}
	if content.RPID != s.cfg.RPID {
		return Assertion{}, Unknown()
	}
	credential, err := s.check(parsed, content)
	if err != nil {
		return Assertion{}, Invalid(err)
	}
	if credential.Authenticator.CloneWarning {
		s.cfg.Logger.Warn("sign count of passkey went back", "user", record.Owner, "passkey", record.Key,
			"stored", content.SignCount, "received", parsed.Response.AuthenticatorData.Counter)
	}
	content.SignCount = parsed.Response.AuthenticatorData.Counter
	content.BackupEligible, content.BackedUp = credential.Flags.BackupEligible, credential.Flags.BackupState
	content.LastUsed = s.cfg.Now()
	return Assertion{UserID: record.Owner, ID: record.Key, Claim: c.used(s.cfg.Now()), content: content}, nil
}

// check verifies the signature and everything that it covers.
func (s *Service) check(parsed *protocol.ParsedCredentialAssertionData, content stored) (*webauthn.Credential, error) {
	sealed, err := decodeChallenge(parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	_, session, err := s.webauthn.BeginDiscoverableLogin(webauthn.WithChallenge(sealed))
	if err != nil {
		return nil, err
	}
	o := &owner{
		handle:      content.Handle,
		credentials: []webauthn.Credential{content.credential(parsed.Response.AuthenticatorData.Flags.HasBackupEligible())},
	}
	return s.webauthn.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		if subtle.ConstantTimeCompare(handle, content.Handle) != 1 {
			return nil, errHandle
		}
		return o, nil
	}, *session, parsed)
}

// Used records a login with a passkey: its time, sign count and flags. The error is
// ErrNotFound if the passkey was removed meanwhile. Sign counts of synchronized passkeys
// are zero or go back, so that they refuse no login.
func (s *Service) Used(ctx context.Context, a Assertion) error {
	_, err := s.cfg.Store.UpdateRecord(ctx, authcore.RecordKey{Kind: Kind, Key: a.ID}, s.cfg.Now(), func(record *authcore.Record) error {
		current, err := decode(*record)
		if err != nil {
			return err
		}
		update := a.content
		update.Name = current.Name // it may have been renamed
		record.Data, err = json.Marshal(update)
		return err
	})
	return err
}
