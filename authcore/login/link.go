package login

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// Lengths of the parts of a link token, in bytes.
const (
	requestIDLength = 16
	secretLength    = 32
)

// linkKind is the kind of the record that a mailed link and its code share.
const linkKind = "link"

// linksOfAddress limits the live links of an address.
const linksOfAddress = 3

// linkData is the content of a "link" record. Secrets are digests: a reader of the
// store learns no link, and no code either, because the digest of the code includes
// the request ID, of which the record has a digest only.
type linkData struct {
	// Email is the address in the form of authcore.Address.String.
	Email string `json:"email"`
	// Secret and Code are digests in the form of authcore.Digest.String.
	Secret string `json:"secret"`
	Code   string `json:"code"`
	// Tries counts wrong codes.
	Tries int `json:"tries,omitempty"`
	// Page is set if the link was requested at a login page.
	Page *linkPage `json:"page,omitempty"`
}

// decodeLink reads the content of a record, and the address in it.
func decodeLink(record authcore.Record) (link linkData, address authcore.Address, err error) {
	address, err = decode(record, &link, &link.Email)
	return link, address, err
}

// decode reads the content of a record, and parses the address that is a part of it.
func decode(record authcore.Record, content any, email *string) (authcore.Address, error) {
	if err := record.Decode(content); err != nil {
		return authcore.Address{}, err
	}
	address, err := authcore.ParseAddress(*email)
	if err != nil {
		return authcore.Address{}, fmt.Errorf("read a %s record: %w", record.Kind, err)
	}
	return address, nil
}

func (l linkData) matchesSecret(secret []byte) bool { return sameText(l.Secret, secretDigest(secret)) }

func (l linkData) matchesCode(requestID []byte, code string) bool {
	return sameText(l.Code, codeDigest(requestID, code))
}

func secretDigest(secret []byte) string { return authcore.DigestOf("link", string(secret)).String() }

func codeDigest(requestID []byte, code string) string {
	return authcore.DigestOf("code", string(requestID), code).String()
}

func linkKey(requestID []byte) authcore.RecordKey {
	return authcore.RecordKey{Kind: linkKind, Key: authcore.DigestOf("request", string(requestID)).String()}
}

// addressOwner is the owner of the records about an address: links and an invitation.
func addressOwner(address authcore.Address) string {
	return authcore.DigestOf("address", address.Key()).String()
}

// tokenText and requestText are the forms in which a link token and a request ID
// are sent: base64url without padding.
func tokenText(requestID, secret []byte) string {
	return base64.RawURLEncoding.EncodeToString(slices.Concat(requestID, secret))
}

func requestText(requestID []byte) string { return base64.RawURLEncoding.EncodeToString(requestID) }

// parseToken returns the parts of a link token, or nil.
func parseToken(text string) (requestID, secret []byte) {
	token := decodeExact(text, requestIDLength+secretLength)
	if token == nil {
		return nil, nil
	}
	return token[:requestIDLength], token[requestIDLength:]
}

// parseRequestID returns the bytes of a request ID, or nil.
func parseRequestID(text string) []byte { return decodeExact(text, requestIDLength) }

// decodeExact decodes base64url of this many bytes, in its only valid form.
func decodeExact(text string, length int) []byte {
	if len(text) != base64.RawURLEncoding.EncodedLen(length) {
		return nil
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(decoded) != length {
		return nil
	}
	return decoded
}
