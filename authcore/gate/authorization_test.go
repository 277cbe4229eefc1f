package gate

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseCredentials(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		token  string
		err    error
	}{
		{"absent", nil, "", ErrNoCredentials},
		{"empty", []string{""}, "", ErrNoCredentials},
		{"blanks", []string{" \t "}, "", ErrNoCredentials},
		{"other scheme", []string{"Bearer x"}, "", ErrNoCredentials},
		{"other scheme, not UTF-8", []string{"Bearer \xff"}, "", ErrNoCredentials},
		{"equals sign", []string{"Token=x"}, "", ErrNoCredentials},
		{"longer scheme", []string{"Tokens x"}, "", ErrNoCredentials},
		{"Kelvin sign in the scheme", []string{"To\u212aen x"}, "", ErrNoCredentials},
		{"no-break space", []string{"Token\u00a0x"}, "", ErrNoCredentials},
		{"scheme alone", []string{"Token"}, "", ErrEmptyCredentials},
		{"scheme and blank", []string{"Token "}, "", ErrEmptyCredentials},
		{"scheme and blanks", []string{" token \t "}, "", ErrEmptyCredentials},
		{"two words", []string{"Token a b"}, "", ErrSpaces},
		{"two words, not UTF-8", []string{"Token \xff b"}, "", ErrSpaces},
		{"joined by a proxy", []string{"Token a, Token b"}, "", ErrSpaces},
		{"two headers", []string{"Token a", "Token b"}, "", ErrSpaces},
		{"two equal headers", []string{"Token a", "Token a"}, "", ErrSpaces},
		{"a good and an empty header", []string{"Token a", ""}, "", ErrSpaces},
		{"not UTF-8", []string{"Token \xff"}, "", ErrInvalidCharacters},
		{"cut-off UTF-8", []string{"Token \xe2\x82"}, "", ErrInvalidCharacters},
		{"too long", []string{"Token " + strings.Repeat("x", MaxAuthorization)}, "", ErrMalformed},
		{"too long, other scheme", []string{"Basic " + strings.Repeat("x", MaxAuthorization)}, "", ErrMalformed},
		{"as long as may be", []string{"Token " + strings.Repeat("x", MaxAuthorization-6)}, strings.Repeat("x", MaxAuthorization-6), nil},
		{"good", []string{"Token a.b.c"}, "a.b.c", nil},
		{"any case, any blanks", []string{"\ttOKEN \t\v\f\r\n a.b.c \t"}, "a.b.c", nil},
		{"comma without blank", []string{"Token a,b"}, "a,b", nil},
		{"other script", []string{"Token é"}, "é", nil},
		{"NUL", []string{"Token a\x00b"}, "a\x00b", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, err := Credentials{}.parse(test.values)
			if found != (credential{token: test.token}) || !errors.Is(err, test.err) {
				t.Errorf("Credentials.parse(%q) = %+v, %v, want %q, %v", test.values, found, err, test.token, test.err)
			}
		})
	}
}

// Clients depend on the exact bodies.
func TestRefusals(t *testing.T) {
	invalidToken := `{"detail":"Invalid token."}`
	tests := []struct {
		err    error
		status int
		reason string
		body   string
	}{
		{ErrNoCredentials, 401, "no_credentials", `{"detail":"Authentication credentials were not provided."}`},
		{ErrEmptyCredentials, 401, "empty_credentials", `{"detail":"Invalid token header. No credentials provided."}`},
		{ErrSpaces, 401, "spaces", `{"detail":"Invalid token header. Token string should not contain spaces."}`},
		{ErrInvalidCharacters, 401, "invalid_characters", `{"detail":"Invalid token header. Token string should not contain invalid characters."}`},
		{ErrInvalidToken, 401, "invalid_token", invalidToken},
		{ErrMalformed, 401, "malformed", invalidToken},
		{ErrUnknownKey, 401, "unknown_key", invalidToken},
		{ErrSignature, 401, "signature", invalidToken},
		{ErrExpired, 401, "expired", invalidToken},
		{ErrRevoked, 401, "revoked", invalidToken},
		{ErrClaims, 401, "claims", invalidToken},
		{ErrTooOld, 401, "too_old", BodyStepUp},
		{ErrFactorMissing, 401, "factor_missing", BodyStepUp},
		{ErrUserInactive, 401, "user_inactive", `{"detail":"User inactive or deleted."}`},
		{ErrForbidden, 403, "forbidden", `{"detail":"You do not have permission to perform this action."}`},
	}
	for _, test := range tests {
		d := refuse(test.err)
		if d.Status != test.status || d.Reason != test.reason || d.Body != test.body || d.Err != test.err || d.Claims != nil {
			t.Errorf("refuse(%v) = %+v, want %d %s", test.err, d, test.status, test.reason)
		}
		if got := errors.Is(test.err, ErrInvalidToken); got != (test.body == invalidToken) {
			t.Errorf("errors.Is(%v, ErrInvalidToken) = %t, want %t", test.err, got, !got)
		}
	}
	if d := refuse(errors.New("anything")); d.Status != 401 || d.Body != invalidToken {
		t.Errorf("refuse(unexpected error) = %+v, want 401", d)
	}
}

// FuzzParseCredentials compares the parser with a split on ASCII blanks.
func FuzzParseCredentials(f *testing.F) {
	for _, seed := range []string{"", "Token", "Token a", "token  a b", "Token \xff", "Bearer x", "\vToken\fa\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		found, err := Credentials{}.parse([]string{value})
		words := strings.FieldsFunc(value, func(r rune) bool { return r < 128 && strings.ContainsRune(blanks, r) })
		var want error
		switch {
		case len(value) > MaxAuthorization:
			want = ErrMalformed
		case len(words) == 0 || len(words[0]) != 5 || !strings.EqualFold(words[0], "token"):
			want = ErrNoCredentials
		case len(words) == 1:
			want = ErrEmptyCredentials
		case len(words) > 2:
			want = ErrSpaces
		case !utf8.ValidString(words[1]):
			want = ErrInvalidCharacters
		case strings.HasPrefix(words[1], KeyPrefix):
			want = ErrKeyNotAccepted
		}
		if !errors.Is(err, want) || want == nil && (err != nil || found.token != words[1]) {
			t.Errorf("Credentials.parse(%q) = %+v, %v, want %v", value, found, err, want)
		}
	})
}

// Words end at every blank, wherever it is in the text.
func TestWord(t *testing.T) {
	for c := range 256 {
		for length := range 40 {
			for at := range length {
				text := strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("y", length-at-1)
				first, rest := word(text)
				want := strings.TrimLeft(text, blanks)
				if end := strings.IndexAny(want, blanks); end >= 0 {
					want = want[:end]
				}
				if first != want || !strings.HasSuffix(text, first+rest) {
					t.Fatalf("word(%q) = %q, %q, want %q first", text, first, rest, want)
				}
			}
		}
	}
}
