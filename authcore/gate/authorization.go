package gate

import "unicode/utf8"

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

// word cuts the first run of non-blank bytes off text. A token is a long one, so
// eight bytes are looked at together: one by one, and with strings.IndexAny,
// this took as long as the search for the token in the cache.
func word(text string) (first, rest string) {
	for text != "" && isBlank(text[0]) {
		text = text[1:]
	}
	end := 0
	for len(text)-end >= 8 && !hasLow(text[end:end+8]) {
		end += 8
	}
	for end < len(text) && !isBlank(text[end]) {
		end++
	}
	return text[:end], text[end:]
}

// hasLow reports whether one of the first eight bytes is a blank or another
// byte up to it: where a byte is too small, subtracting from it borrows.
func hasLow(text string) bool {
	const each = 0x0101010101010101
	_ = text[7]
	x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
	return (x-each*(' '+1))&^x&(each*0x80) != 0
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
