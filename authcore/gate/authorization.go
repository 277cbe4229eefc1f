package gate

import (
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

// tokenScheme is the authentication scheme (RFC 9110, section 11.1), in lower
// case.
const tokenScheme = "token"

// blanks are the bytes that separate the parts of Authorization.
const blanks = " \t\n\v\f\r"

// ParseAuthorization returns the token in the values of a request's Authorization
// header. The scheme is "Token", in any case, and parts are separated by any run
// of ASCII blanks. The error is one of ErrNoCredentials (also for another scheme),
// ErrEmptyCredentials, ErrSpaces (also for several headers, of which a proxy and
// an upstream might use different ones), ErrInvalidCharacters and, for more than
// MaxAuthorization bytes of any scheme, ErrMalformed. The token is a part of the
// value; nothing is allocated.
func ParseAuthorization(values []string) (token string, err error) {
	if len(values) == 0 {
		return "", ErrNoCredentials
	}
	if len(values) > 1 {
		return "", ErrSpaces
	}
	if len(values[0]) > MaxAuthorization {
		return "", ErrMalformed
	}
	scheme, rest := word(values[0])
	if !equalFold(scheme, tokenScheme) {
		return "", ErrNoCredentials
	}
	token, rest = word(rest)
	if token == "" {
		return "", ErrEmptyCredentials
	}
	if surplus, _ := word(rest); surplus != "" {
		return "", ErrSpaces
	}
	if !utf8.ValidString(token) {
		return "", ErrInvalidCharacters
	}
	return token, nil
}

// hasToken reports whether one of the values of Authorization is of the scheme
// "Token".
func hasToken(values []string) bool {
	for _, value := range values {
		scheme, _ := word(value[:min(len(value), MaxAuthorization)])
		if equalFold(scheme, tokenScheme) {
			return true
		}
	}
	return false
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
