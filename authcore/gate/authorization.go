package gate

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Limits on lengths, in bytes.
const (
	// MaxAuthorization is the length of the longest Authorization value.
	MaxAuthorization = 8 << 10
	// MaxToken is the length of the longest token.
	MaxToken = 4 << 10
)

// blanks are the bytes that separate the parts of Authorization.
const blanks = " \t\n\v\f\r"

// credential holds the credential of a request.
type credential struct {
	// token is without the KeyPrefix. It is a part of the value, except with HTTP
	// Basic.
	token string
	// isKey reports that it is an API key, and isBasic that it was the password of
	// HTTP Basic.
	isKey, isBasic bool
}

// parse reads the values of a request's Authorization header. Schemes are compared in
// any case, and parts are separated by any run of ASCII blanks. The error is one of
// ErrNoCredentials (also for a scheme that the site does not accept),
// ErrEmptyCredentials, ErrSpaces (also for several headers, of which a proxy and an
// upstream might use different ones), ErrInvalidCharacters, ErrKeyNotAccepted,
// ErrKeyRequired and, for more than MaxAuthorization bytes of any scheme,
// ErrMalformed. Nothing is allocated, except for HTTP Basic.
func (c Credentials) parse(values []string) (credential, error) {
	if len(values) == 0 {
		return credential{}, ErrNoCredentials
	}
	if len(values) > 1 {
		return credential{}, ErrSpaces
	}
	if len(values[0]) > MaxAuthorization {
		return credential{}, ErrMalformed
	}
	scheme, rest := word(values[0])
	if c.Basic && equalFold(scheme, basicScheme) {
		return parseBasic(rest)
	}
	if !c.takes(scheme, rest) {
		return credential{}, ErrNoCredentials
	}
	token, rest := word(rest)
	if token == "" {
		return credential{}, ErrEmptyCredentials
	}
	if surplus, _ := word(rest); surplus != "" {
		return credential{}, ErrSpaces
	}
	if !utf8.ValidString(token) {
		return credential{}, ErrInvalidCharacters
	}
	token, isKey := strings.CutPrefix(token, KeyPrefix)
	switch {
	case isKey && c.Keys == KeysOff:
		return credential{}, ErrKeyNotAccepted
	case !isKey && c.Keys == KeysOnly:
		return credential{}, ErrKeyRequired
	}
	return credential{token: token, isKey: isKey}, nil
}

// takes reports whether credentials of a scheme are for the gate. Where keys are
// accepted, a key is, with each scheme.
func (c Credentials) takes(scheme, rest string) bool {
	listed := c.Schemes.have(scheme)
	if listed || c.Keys == KeysOff || schemeNamed(scheme) == 0 {
		return listed
	}
	token, _ := word(rest)
	return strings.HasPrefix(token, KeyPrefix)
}

// has reports whether one of the values of Authorization is for the gate.
func (c Credentials) has(values []string) bool {
	for _, value := range values {
		scheme, rest := word(value[:min(len(value), MaxAuthorization)])
		if c.takes(scheme, rest) {
			return true
		}
		if c.Basic && equalFold(scheme, basicScheme) {
			if _, err := parseBasic(rest); err == nil {
				return true
			}
		}
	}
	return false
}

// basicEncoding is that of HTTP Basic (RFC 7617, section 2).
var basicEncoding = base64.StdEncoding.Strict()

// parseBasic returns the key that is the password of HTTP Basic. The user name ends at
// the first colon (RFC 7617, section 2) and is ignored: the key identifies the user.
// Another password is not for the gate, so that it is ErrNoCredentials.
func parseBasic(rest string) (credential, error) {
	encoded, rest := word(rest)
	if surplus, _ := word(rest); surplus != "" {
		return credential{}, ErrNoCredentials
	}
	decoded, err := basicEncoding.DecodeString(encoded)
	if err != nil {
		return credential{}, ErrNoCredentials
	}
	_, password, _ := bytes.Cut(decoded, []byte(":"))
	token, isKey := bytes.CutPrefix(password, []byte(KeyPrefix))
	if !isKey {
		return credential{}, ErrNoCredentials
	}
	return credential{token: string(token), isKey: true, isBasic: true}, nil
}

// word cuts the first run of non-blank bytes off text. IndexByte compares many
// bytes at a time: this takes half of the time of a loop over a token's bytes and a
// seventh of that of strings.IndexAny.
func word(text string) (first, rest string) {
	for text != "" && isBlank(text[0]) {
		text = text[1:]
	}
	end := len(text)
	for i := range len(blanks) {
		if at := strings.IndexByte(text[:end], blanks[i]); at >= 0 {
			end = at
		}
	}
	return text[:end], text[end:]
}

func isBlank(c byte) bool { return c <= ' ' && (c == ' ' || '\t' <= c && c <= '\r') }

// equalFold compares without regard to ASCII case. strings.EqualFold also folds
// the Kelvin sign to "k" and the long s to "s", which upstreams do not.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
