package gate

import (
	"strings"
	"unicode/utf8"
)

// Limits on what is looked at, in bytes.
const (
	// MaxAuthorization is the longest value of Authorization that is parsed.
	MaxAuthorization = 8 << 10
	// MaxToken is the longest token that is verified.
	MaxToken = 4 << 10
)

// blanks are the bytes that separate the parts of Authorization.
const blanks = " \t\n\v\f\r"

// ParseAuthorization takes the token out of the values of a request's
// Authorization header. The scheme is "Token", in any case, and parts are
// separated by any run of ASCII blanks. Its error is one of ErrNoCredentials
// (also for another scheme), ErrEmptyCredentials, ErrSpaces (also for several
// headers, of which a proxy and an upstream might take different ones),
// ErrInvalidCharacters and, for more than MaxAuthorization bytes of any scheme,
// ErrMalformed: nobody need read those.
// The token is a part of the value; nothing is allocated.
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
	if !equalFold(scheme, "token") {
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

// word cuts the first run of non-blank bytes off text.
func word(text string) (first, rest string) {
	text = strings.TrimLeft(text, blanks)
	end := 0
	for end < len(text) && !isBlank(text[end]) { // strings.IndexAny takes four times as long
		end++
	}
	return text[:end], text[end:]
}

func isBlank(c byte) bool { return c <= ' ' && (c == ' ' || '\t' <= c && c <= '\r') }

// equalFold compares without regard to ASCII case. strings.EqualFold also folds
// the Kelvin sign to "k" and the long s to "s", which no peer of ours does.
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
