package authenticator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// Flags of the authenticator data (section 6.1).
const (
	UserPresent    = 0x01
	UserVerified   = 0x04
	BackupEligible = 0x08
	BackedUp       = 0x10
	attested       = 0x40
)

// Authenticator holds the passkeys of one person.
type Authenticator struct {
	// Origin is the origin of the page.
	Origin string
	// Top is the origin of the page around a frame with the page of Origin; "" for no frame.
	Top string
	// Flags are those of responses.
	Flags byte
	// Count is the sign count of responses.
	Count uint32
	// Format is the attestation statement format: none, packed (self attestation) or any
	// other, for which the statement is empty.
	Format string

	credentials []*Credential
}

// Credential is one passkey.
type Credential struct {
	ID, Handle []byte
	RPID       string
	key        *ecdsa.PrivateKey
}

// New returns an authenticator that verifies its user, on a page of this origin.
func New(origin string) *Authenticator {
	return &Authenticator{Origin: origin, Flags: UserPresent | UserVerified, Format: "none"}
}

// Last returns the newest passkey.
func (a *Authenticator) Last() *Credential { return a.credentials[len(a.credentials)-1] }

// Forget removes all passkeys.
func (a *Authenticator) Forget() { a.credentials = nil }

// errExcluded is returned for options that exclude a passkey of the authenticator.
var errExcluded = errors.New("authenticator: a passkey is registered already")

type creationOptions struct {
	Challenge string
	RP        struct{ ID string }
	User      struct{ ID string }
	Exclude   []struct{ ID string } `json:"excludeCredentials"`
}

// Create returns the JSON form of a new passkey, for creation options in JSON.
func (a *Authenticator) Create(options []byte) ([]byte, error) {
	var o creationOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	for _, excluded := range o.Exclude {
		for _, known := range a.credentials {
			if encode(known.ID) == excluded.ID {
				return nil, errExcluded
			}
		}
	}
	handle, err := base64.RawURLEncoding.DecodeString(o.User.ID)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	credential := &Credential{ID: make([]byte, 32), Handle: handle, RPID: o.RP.ID, key: key}
	_, _ = rand.Read(credential.ID)
	a.credentials = append(a.credentials, credential)
	return a.Attest(credential, o.Challenge)
}

// Attest returns the JSON form of a new passkey for a challenge.
func (a *Authenticator) Attest(credential *Credential, challenge string) ([]byte, error) {
	client := a.clientData("webauthn.create", challenge)
	data := a.data(credential.RPID, attested)
	data = append(data, make([]byte, 16)...)                               // the AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(credential.ID))) //nolint:gosec // 32
	data = append(append(data, credential.ID...), credential.cose()...)
	statement := []byte{0xa0}
	if a.Format == "packed" {
		signature, err := credential.sign(data, client)
		if err != nil {
			return nil, err
		}
		statement = append([]byte{0xa2}, text("alg")...)
		statement = append(statement, 0x26)
		statement = append(append(statement, text("sig")...), blob(signature)...)
	}
	object := append([]byte{0xa3}, text("fmt")...)
	object = append(object, text(a.Format)...)
	object = append(append(object, text("attStmt")...), statement...)
	object = append(append(object, text("authData")...), blob(data)...)
	return credential.json(map[string]any{
		"clientDataJSON": encode(client), "attestationObject": encode(object), "transports": []string{"internal", "hybrid"},
	})
}

// Get returns the JSON form of an assertion with the newest passkey, for request options
// in JSON.
func (a *Authenticator) Get(options []byte) ([]byte, error) {
	var o struct{ Challenge string }
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	return a.Assert(a.Last(), o.Challenge)
}

// Assert returns the JSON form of an assertion for a challenge.
func (a *Authenticator) Assert(credential *Credential, challenge string) ([]byte, error) {
	client := a.clientData("webauthn.get", challenge)
	data := a.data(credential.RPID, 0)
	signature, err := credential.sign(data, client)
	if err != nil {
		return nil, err
	}
	return credential.json(map[string]any{
		"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(signature),
		"userHandle": encode(credential.Handle),
	})
}

func (a *Authenticator) clientData(kind, challenge string) []byte {
	client := map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": a.Top != ""}
	if a.Top != "" {
		client["topOrigin"] = a.Top
	}
	data, _ := json.Marshal(client)
	return data
}

func (a *Authenticator) data(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], a.Flags|flags), a.Count)
}

// sign signs authenticator data and client data (section 6.3.3, step 11).
func (c *Credential) sign(data, client []byte) ([]byte, error) {
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	return ecdsa.SignASN1(rand.Reader, c.key, digest[:])
}

// cose returns the public key as a COSE_Key for ES256 (RFC 9053, section 7.1.1).
func (c *Credential) cose() []byte {
	point, _ := c.key.PublicKey.Bytes() // 0x04, x, y
	key := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, blob(point[1:33])...)
	return append(append(key, 0x22), blob(point[33:])...)
}

// json returns the form of PublicKeyCredential.toJSON (section 5.1).
func (c *Credential) json(response map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{
		"id": encode(c.ID), "rawId": encode(c.ID), "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}}, "response": response,
	})
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// text and blob encode in CBOR (RFC 8949, section 3.1).
func text(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) } //nolint:gosec // below 24 bytes

func blob(data []byte) []byte {
	head := []byte{0x58, byte(len(data))} //nolint:gosec // below 256 bytes
	if len(data) > 255 {
		head = []byte{0x59, byte(len(data) >> 8), byte(len(data))} //nolint:gosec // below 64 KiB
	}
	return append(head, data...)
}
