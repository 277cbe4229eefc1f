package gate

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHeaderNames(t *testing.T) {
	for _, header := range Headers {
		if textproto.CanonicalMIMEHeaderKey(header) != header {
			t.Errorf("%s is not in canonical form", header)
		}
		if len(header) < shortest || len(header) > longest {
			t.Errorf("%s is not between shortest and longest", header)
		}
		for _, alias := range []string{
			header, strings.ToLower(header), strings.ToUpper(header), " \t" + header + " ",
			strings.ReplaceAll(header, "-", "_"), strings.ReplaceAll(header, "-", "."),
			strings.Replace(header, "-", "_", 1), strings.Replace(strings.ToLower(header), "-", ".", 1),
			strings.ReplaceAll(header, "-", " "), strings.ReplaceAll(header, "-", "~"),
		} {
			if !IsIdentityHeader(alias) {
				t.Errorf("IsIdentityHeader(%q) = false, want true", alias)
			}
		}
		for _, other := range []string{header + "s", "A" + header, header[1:], header + "-", "-" + header, strings.ReplaceAll(header, "-", "")} {
			if IsIdentityHeader(other) {
				t.Errorf("IsIdentityHeader(%q) = true, want false", other)
			}
		}
	}
	for _, other := range []string{"", " ", "X", "Authorization", "X-Forwarded-For", "X-Auth-Token", "X-Auth", "X-Authenticated", "x-auth-\u212aame"} {
		if IsIdentityHeader(other) {
			t.Errorf("IsIdentityHeader(%q) = true, want false", other)
		}
	}
}

func FuzzIsIdentityHeader(f *testing.F) {
	for _, header := range Headers {
		f.Add(header)
	}
	f.Add("x_auth.USER-id ")
	f.Add("X-Forwarded-For")
	f.Fuzz(func(t *testing.T, name string) {
		fold := func(name string) string {
			folded := []byte(strings.Trim(name, " \t\n\v\f\r"))
			for i, c := range folded {
				switch {
				case c >= 'A' && c <= 'Z':
					folded[i] = c - 'A' + 'a'
				case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
				default:
					folded[i] = '-'
				}
			}
			return string(folded)
		}
		want := slices.ContainsFunc(Headers, func(header string) bool { return fold(header) == fold(name) })
		if got := IsIdentityHeader(name); got != want {
			t.Errorf("IsIdentityHeader(%q) = %t, want %t", name, got, want)
		}
	})
}

func TestHeaderValue(t *testing.T) {
	claims := testClaims()
	want := map[string]string{
		HeaderUserID: testUser, HeaderEmail: "ada@example.com", HeaderEmailVerified: "true", HeaderName: "Ada Lovelace",
		HeaderMethod: "link", HeaderClient: "web", HeaderSessionID: testSession, HeaderAssertion: "", "X-Other": "",
	}
	for header, value := range want {
		if got := HeaderValue(&claims, header); got != value {
			t.Errorf("HeaderValue(%s) = %q, want %q", header, got, value)
		}
		if got := HeaderValue(nil, header); got != "" {
			t.Errorf("HeaderValue(nil, %s) = %q, want none", header, got)
		}
	}
	claims.EmailVerified = false
	if got := HeaderValue(&claims, HeaderEmail) + HeaderValue(&claims, HeaderEmailVerified); got != "false" {
		t.Errorf("HeaderValue without verification = %q, want only false", got)
	}
}

// A name that a user chose must neither end the header nor begin another one
// (CWE-113), and must arrive unchanged.
func TestHeaderValuesAreSafe(t *testing.T) {
	tests := map[string]string{
		"":                         "",
		"Ada":                      "Ada",
		"Ada King, Lovelace":       "Ada King, Lovelace",
		" Ada ":                    "%20Ada%20",
		" ":                        "%20",
		"100 %":                    "100 %25",
		"%41":                      "%2541",
		"a+b":                      "a+b",
		"Zoë":                      "Zo%C3%AB",
		"Ada\r\nX-Auth-User-Id: 1": "Ada%0D%0AX-Auth-User-Id: 1",
		"\x00\t\x7f\u0085":         "%00%09%7F%C2%85",
	}
	for name, want := range tests {
		got := HeaderValue(&Claims{Name: name}, HeaderName)
		if got != want {
			t.Errorf("HeaderValue(%q) = %q, want %q", name, got, want)
		}
		if back, err := url.PathUnescape(got); err != nil || back != name {
			t.Errorf("HeaderValue(%q) is decoded as %q, %v", name, back, err)
		}
	}
}

func FuzzHeaderValue(f *testing.F) {
	f.Add("Zoë \r\n%")
	f.Fuzz(func(t *testing.T, name string) {
		value := HeaderValue(&Claims{Name: name}, HeaderName)
		for i := range len(value) {
			if value[i] < ' ' || value[i] > '~' {
				t.Errorf("HeaderValue(%q) = %q, want a valid field value", name, value)
			}
		}
		if back, err := url.PathUnescape(value); err != nil || back != name || strings.Trim(value, " ") != value {
			t.Errorf("HeaderValue(%q) = %q, decoded as %q, %v", name, value, back, err)
		}
		if utf8.ValidString(name) {
			header := http.Header{}
			header.Set(HeaderName, value)
			if header.Get(HeaderName) != value {
				t.Errorf("HeaderValue(%q) = %q, want a valid field value", name, value)
			}
		}
	})
}

func TestField(t *testing.T) {
	verified := testClaims()
	unverified := testClaims()
	unverified.EmailVerified, unverified.AuthTime = false, 0
	tests := []struct{ field, verified, unverified, anonymous string }{
		{"id", testUser, testUser, ""},
		{"email", "ada@example.com", "", ""},
		{"email_domain", "example.com", "", ""},
		{"email_verified", "true", "false", ""},
		{"name", "Ada Lovelace", "Ada Lovelace", ""},
		{"method", "link", "link", ""},
		{"client", "web", "web", ""},
		{"session", testSession, testSession, ""},
		{"issued_at", "2027-01-15T07:59:00Z", "2027-01-15T07:59:00Z", ""},
		{"expires_at", "2027-01-15T09:00:00Z", "2027-01-15T09:00:00Z", ""},
		{"auth_time", "2027-01-15T07:58:00Z", "", ""},
	}
	for _, test := range tests {
		for claims, want := range map[*Claims]string{&verified: test.verified, &unverified: test.unverified, nil: test.anonymous} {
			if got, known := Field(claims, test.field); got != want || !known {
				t.Errorf("Field(%s) = %q, %t, want %q", test.field, got, known, want)
			}
		}
	}
	for _, unknown := range []string{"", "ID", "iss", "jti", "token"} {
		if got, known := Field(&verified, unknown); got != "" || known {
			t.Errorf("Field(%q) = %q, %t, want an unknown field", unknown, got, known)
		}
	}
}
