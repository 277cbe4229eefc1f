package gate

import (
	"fmt"
	"slices"
	"strings"
)

// The identity headers, which identify the user to the upstream.
const (
	HeaderUserID        = "X-Auth-User-Id"
	HeaderEmail         = "X-Auth-Email" // set only if it is verified
	HeaderEmailVerified = "X-Auth-Email-Verified"
	HeaderName          = "X-Auth-Name"
	HeaderMethod        = "X-Auth-Method"
	HeaderClient        = "X-Auth-Client"
	HeaderRoles         = "X-Auth-Roles" // separated by commas
	HeaderSessionID     = "X-Auth-Session-Id"
	// HeaderAssertion is a signed token of PurposeAssertion.
	HeaderAssertion = "X-Auth-Assertion"
)

// Headers lists all identity headers in the order in which they are set. It must not
// be changed.
var Headers = []string{
	HeaderUserID, HeaderEmail, HeaderEmailVerified, HeaderName,
	HeaderMethod, HeaderClient, HeaderRoles, HeaderSessionID, HeaderAssertion,
}

// Words that replace a list of headers.
const (
	headersOff = "off"
	headersAll = "all"
)

// defaultHeaders returns the headers that most applications need. Each further header
// costs the proxied request about a microsecond, most of it in the proxy, and discloses
// more than the application needs.
func defaultHeaders() []string {
	return []string{HeaderUserID, HeaderEmail}
}

// ChosenHeaders returns the identity headers that a configuration names: a list in
// any case, or one word, "all" or "off". The default is HeaderUserID and HeaderEmail.
// HeaderAssertion has an option of its own and is not accepted. Elements of the form
// NAME=field are ManagedHeaders.
func ChosenHeaders(configured []string) (headers []string, managed []ManagedHeader, err error) {
	available := Headers[:len(Headers)-1]
	switch {
	case len(configured) == 0:
		return defaultHeaders(), nil, nil
	case slices.Equal(configured, []string{headersAll}):
		return slices.Clone(available), nil, nil
	case slices.Equal(configured, []string{headersOff}):
		return nil, nil, nil
	}
	for _, name := range configured { // each once
		if strings.Contains(name, "=") {
			added, err := newManagedHeader(name, managed)
			if err != nil {
				return nil, nil, fmt.Errorf("headers: %w", err)
			}
			managed = append(managed, added)
			continue
		}
		i := slices.IndexFunc(available, func(header string) bool { return equalFold(header, name) })
		if i < 0 {
			return nil, nil, fmt.Errorf("headers: %q is not one of %s; use these, NAME=field, or only all or off", name, strings.Join(available, ", "))
		}
		if !slices.Contains(headers, available[i]) {
			headers = append(headers, available[i])
		}
	}
	return headers, managed, nil
}

// shortest and longest limit the lengths of the names in Headers.
const (
	shortest = len(HeaderName)
	longest  = len(HeaderEmailVerified)
)

// IsIdentityHeader reports whether an upstream may read a header of this name as an
// identity header. Servers that convert headers to variables (RFC 3875, section
// 4.1.18) map "-" to "_", some of them also "." and every other byte that is not a
// letter or digit, and change the case (CWE-290). Names that differ only in that, or in
// blanks around them, are the same. It allocates nothing.
func IsIdentityHeader(name string) bool {
	if len(name) < shortest || lower(name[0]) != 'x' && !isBlank(name[0]) {
		return false // almost all names
	}
	name = strings.Trim(name, blanks)
	if len(name) < shortest || len(name) > longest {
		return false
	}
	for _, header := range Headers {
		if len(name) == len(header) && isAlias(name, header) {
			return true
		}
	}
	return false
}

func isAlias(name, header string) bool {
	for i := range len(name) {
		if foldHeader(name[i]) != foldHeader(header[i]) {
			return false
		}
	}
	return true
}

func foldHeader(c byte) byte {
	c = lower(c)
	if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
		return c
	}
	return '-'
}

// HeaderValue returns the value of an identity header, or "" if it has to be absent.
// HeaderAssertion has no value here, because its token is signed elsewhere.
//
// Values are percent-encoded (RFC 3986, section 2.1): visible ASCII other than "%",
// and blanks inside the text, are unchanged; every other byte of the UTF-8 is %XX. So
// no value can end a header, names in all scripts are possible, and most values are
// plain text. Decode them with decodeURIComponent, url.PathUnescape or
// urllib.parse.unquote.
func HeaderValue(c *Claims, header string) string {
	var field string
	switch header {
	case HeaderUserID:
		field = "id"
	case HeaderEmail:
		field = "email"
	case HeaderEmailVerified:
		field = "email_verified"
	case HeaderName:
		field = "name"
	case HeaderMethod:
		field = "method"
	case HeaderClient:
		field = "client"
	case HeaderRoles:
		field = "roles"
	case HeaderSessionID:
		field = "session"
	}
	value, _ := Field(c, field)
	return percentEncode(value)
}

func percentEncode(text string) string {
	unsafe := 0
	for i := range len(text) {
		if !isPlain(text, i) {
			unsafe++
		}
	}
	if unsafe == 0 {
		return text
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(text) + 2*unsafe)
	for i := range len(text) {
		if c := text[i]; isPlain(text, i) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// isPlain reports whether the byte at i is unchanged in a header. Blanks at the ends
// are not: they would be removed as padding (RFC 9110, section 5.5).
func isPlain(text string, i int) bool {
	c := text[i]
	if c == ' ' {
		return i > 0 && i < len(text)-1
	}
	return c > ' ' && c <= '~' && c != '%'
}
