package passkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/edgeauth/edgeauth/authcore"
)

// vector is a credential of Web Authentication Level 3, section 16 (test vectors), in the
// JSON form of a browser. The specification gives no user handles.
type vector struct {
	Name                         string
	Registration, Authentication json.RawMessage
}

// readVectors returns the vectors by name.
func readVectors(t *testing.T) map[string]vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "webauthn-3.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	named := make(map[string]vector, len(list))
	for _, v := range list {
		named[v.Name] = v
	}
	return named
}

// vectorService returns a service for the site of the vectors.
func vectorService(t *testing.T) *Service {
	t.Helper()
	s, err := New(Config{RPID: "example.org", Clients: []authcore.Client{{Origins: []string{"https://example.org"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reasonOf returns the library's reason for an error, or "".
func reasonOf(err error) string {
	var reason string
	for ; err != nil; err = errors.Unwrap(err) {
		reason = err.Error()
		if refused, ok := err.(*protocol.Error); ok { //nolint:errorlint // the loop unwraps
			return refused.Details + ": " + refused.DevInfo
		}
	}
	return reason
}

// The outcome of each vector follows from the settings: user verification is required,
// frames of other sites are refused, and ES384 and ES512 are not offered.
func TestVectors(t *testing.T) {
	const (
		unverified = "User verification required"
		framed     = "cross origin"
	)
	s, found := vectorService(t), readVectors(t)
	cases := []struct{ name, registration, authentication string }{
		{"none ES256", unverified, unverified},
		{"none ES256 cross origin", framed, framed},
		{"none ES256 top origin", framed, framed},
		{"none ES256 long credential ID", unverified, ""},
		{"packed self ES256", "", unverified},
		{"packed ES256", "", ""},
		{"packed ES384", unverified, ""},
		{"packed ES512", "algorithm not supported", unverified},
		{"packed RS256", "", unverified},
		{"packed EdDSA", unverified, unverified},
		{"tpm ES256", "TPM manufacturer", ""}, // a fictitious manufacturer
		{"android-key ES256", "cert chain", unverified},
		{"apple ES256", unverified, unverified},
		{"fido-u2f ES256", unverified, unverified},
	}
	if len(cases) != len(found) {
		t.Errorf("testdata contains %d vectors, want %d", len(found), len(cases))
	}
	for _, c := range cases {
		created := parsedVector(t, found[c.name])
		credential, err := s.attested(make([]byte, handleLength), created)
		mustBeFor(t, "attested("+c.name+")", err, c.registration)
		if err == nil {
			notKept(t, c.name, created, newStored(credential, "example.org", "Key", make([]byte, handleLength)))
		}
		got := parsedAssertion(t, found[c.name])
		_, err = s.check(got, contentOf(created))
		mustBeFor(t, "check("+c.name+")", err, c.authentication)
	}
}

// The signature of none and its flag cover nothing, so that the flag can be set here.
func TestVectorsWithVerification(t *testing.T) {
	s, found := vectorService(t), readVectors(t)
	for _, name := range []string{"none ES256", "none ES256 long credential ID"} {
		created := parsedVector(t, found[name])
		created.Response.AttestationObject.AuthData.Flags |= protocol.FlagUserVerified
		credential, err := s.attested(make([]byte, handleLength), created)
		if err != nil {
			t.Errorf("attested(%s with user verification) = %v, want nil", name, reasonOf(err))
			continue
		}
		content := newStored(credential, "example.org", "Key", make([]byte, handleLength))
		data, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		record := authcore.Record{RecordKey: keyOf(credential.ID), Owner: "user", Created: time.Unix(1, 0), Data: data}
		if err := record.Validate(); err != nil {
			t.Errorf("Validate() of the record of %s = %v, want nil", name, err)
		}
	}
}

func parsedVector(t *testing.T, v vector) *protocol.ParsedCredentialCreationData {
	t.Helper()
	parsed, err := protocol.ParseCredentialCreationResponseBytes(v.Registration)
	if err != nil {
		t.Fatalf("parse the registration of %s: %v", v.Name, reasonOf(err))
	}
	return parsed
}

func parsedAssertion(t *testing.T, v vector) *protocol.ParsedCredentialAssertionData {
	t.Helper()
	parsed, err := protocol.ParseCredentialRequestResponseBytes(v.Authentication)
	if err != nil {
		t.Fatalf("parse the authentication of %s: %v", v.Name, reasonOf(err))
	}
	parsed.Response.UserHandle = make([]byte, handleLength)
	return parsed
}

// contentOf returns the record of a passkey, whether or not it would be registered.
func contentOf(created *protocol.ParsedCredentialCreationData) stored {
	data := created.Response.AttestationObject.AuthData.AttData
	return stored{CredentialID: data.CredentialID, PublicKey: data.CredentialPublicKey, Handle: make([]byte, handleLength)}
}

// notKept checks that a record contains the key, and nothing of the attestation.
func notKept(t *testing.T, name string, created *protocol.ParsedCredentialCreationData, content stored) {
	t.Helper()
	if !bytes.Equal(content.PublicKey, created.Response.AttestationObject.AuthData.AttData.CredentialPublicKey) {
		t.Errorf("the record of %s has another public key than the response", name)
	}
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	object := created.Response.AttestationObject
	secret := [][]byte{object.AuthData.AttData.AAGUID, object.RawAuthData}
	if signature, ok := object.AttStatement["sig"].([]byte); ok {
		secret = append(secret, signature)
	}
	for _, part := range secret {
		if strings.Contains(string(text), base64.StdEncoding.EncodeToString(part)) {
			t.Errorf("the record of %s contains a part of the attestation: %s", name, text)
		}
	}
}

// mustBeFor checks that an error has a reason, or is nil for "".
func mustBeFor(t *testing.T, call string, err error, reason string) {
	t.Helper()
	got := reasonOf(err)
	if (err == nil) != (reason == "") || !strings.Contains(got, reason) {
		t.Errorf("%s = %q, want %q", call, got, reason)
	}
}
