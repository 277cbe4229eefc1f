package passkey

import (
	"encoding/base64"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// Kind is the kind of the records of passkeys.
const Kind = "passkey"

// Passkey is a passkey of a user.
type Passkey struct {
	// ID names the passkey here.
	ID string
	// CredentialID names it in the browser, in base64url.
	CredentialID string
	Name         string
	Created      time.Time
	// LastUsed is the time of the last login; zero if there was none.
	LastUsed time.Time
	// BackedUp reports that a password manager keeps copies of it.
	BackedUp bool
}

// stored is the content of a record. The attestation is not kept: it would identify the
// model of the authenticator, which nothing here needs.
type stored struct {
	Name         string `json:"name"`
	RPID         string `json:"rp_id"`
	CredentialID []byte `json:"credential_id"`
	PublicKey    []byte `json:"public_key"`
	// Handle is the random user handle under which the authenticator keeps it.
	Handle     []byte   `json:"handle"`
	Transports []string `json:"transports,omitempty"`
	SignCount  uint32   `json:"sign_count,omitempty"`
	// BackupEligible and BackedUp are the flags of the last response.
	BackupEligible bool      `json:"backup_eligible,omitempty"`
	BackedUp       bool      `json:"backed_up,omitempty"`
	LastUsed       time.Time `json:"last_used,omitzero"`
}

// keyOf returns the key of the record of a credential. The digest is short enough for a
// key, which a credential ID of up to 1023 bytes is not.
func keyOf(credentialID []byte) authcore.RecordKey {
	return authcore.RecordKey{Kind: Kind, Key: authcore.DigestOf("passkey", string(credentialID)).String()}
}

// decode reads the content of a record.
func decode(record authcore.Record) (stored, error) {
	var content stored
	if err := record.Decode(&content); err != nil {
		return stored{}, err
	}
	return content, nil
}

// passkeyOf returns what users see of a record.
func passkeyOf(record authcore.Record, content stored) Passkey {
	return Passkey{
		ID: record.Key, CredentialID: base64.RawURLEncoding.EncodeToString(content.CredentialID), Name: content.Name,
		Created: record.Created, LastUsed: content.LastUsed, BackedUp: content.BackedUp,
	}
}

// newStored returns the content for a credential that was just created.
func newStored(credential *webauthn.Credential, rpID, name string, handle []byte) stored {
	content := stored{
		Name: name, RPID: rpID, CredentialID: credential.ID, PublicKey: credential.PublicKey, Handle: handle,
		SignCount: credential.Authenticator.SignCount, BackupEligible: credential.Flags.BackupEligible, BackedUp: credential.Flags.BackupState,
	}
	for _, transport := range credential.Transport[:min(len(credential.Transport), maxTransports)] {
		if len(transport) <= maxTransport {
			content.Transports = append(content.Transports, string(transport))
		}
	}
	return content
}

// Bounds of the transports, which the browser reports.
const maxTransports, maxTransport = 8, 32

// credential returns the form in which the library reads it. The flag for a passkey that
// can be backed up is that of the response, because authenticators change
// it; see Verify.
func (c stored) credential(backupEligible bool) webauthn.Credential {
	credential := webauthn.Credential{
		ID: c.CredentialID, PublicKey: c.PublicKey,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: backupEligible, BackupState: c.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: c.SignCount},
	}
	for _, transport := range c.Transports {
		credential.Transport = append(credential.Transport, protocol.AuthenticatorTransport(transport))
	}
	return credential
}

// owner is a user in the form that the library reads.
type owner struct {
	handle      []byte
	name, label string
	credentials []webauthn.Credential
}

// WebAuthnID returns the user handle.
func (o *owner) WebAuthnID() []byte { return o.handle }

// WebAuthnName returns the name of the account.
func (o *owner) WebAuthnName() string { return o.name }

// WebAuthnDisplayName returns the name of the person.
func (o *owner) WebAuthnDisplayName() string { return o.label }

// WebAuthnCredentials returns the passkeys.
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

// RecordKind describes the records of passkeys, which belong to users.
func RecordKind() account.RecordKind {
	return account.RecordKind{Kind: Kind, Fields: []string{
		"name", "rp_id", "credential_id", "public_key", "handle", "transports", "sign_count", "backup_eligible", "backed_up", "last_used",
	}}
}
