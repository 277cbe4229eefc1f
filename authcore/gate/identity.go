package gate

import (
	"fmt"
	"slices"
	"strings"
)

// The identity headers, by which an upstream learns who sends a request.
const (
	HeaderUserID        = "X-Auth-User-Id"
	HeaderEmail         = "X-Auth-Email" // only when it is verified
	HeaderEmailVerified = "X-Auth-Email-Verified"
	HeaderName          = "X-Auth-Name"
	HeaderMethod        = "X-Auth-Method"
	HeaderClient        = "X-Auth-Client"
	HeaderSessionID     = "X-Auth-Session-Id"
	// HeaderAssertion is a signed token of PurposeAssertion.
	HeaderAssertion = "X-Auth-Assertion"
)

// Headers are all identity headers in the order in which they are set. The list
// must not be changed.
var Headers = []string{
	HeaderUserID, HeaderEmail, HeaderEmailVerified, HeaderName,
	HeaderMethod, HeaderClient, HeaderSessionID, HeaderAssertion,
}

// Words in the place of a list of headers.
const (
	headersOff = "off"
	headersAll = "all"
)

// defaultHeaders is what most applications need. Each header more costs the
// proxied request about a microsecond, most of it in the proxy, and tells the
// application more than it needs.
func defaultHeaders() []string {
	return []string{HeaderUserID, HeaderEmail}
}

// ChosenHeaders returns the identity headers that a configuration names: some in
// any case, or one word, "all" or "off". Nothing configured means
// HeaderUserID and HeaderEmail. HeaderAssertion is not among them, it has an
// option of its own.
func ChosenHeaders(configured []string) ([]string, error) {
	available := Headers[:len(Headers)-1]
	switch {
	case len(configured) == 0:
		return defaultHeaders(), nil
	case slices.Equal(configured, []string{headersAll}):
		return slices.Clone(available), nil
	case slices.Equal(configured, []string{headersOff}):
		return nil, nil
	}
	chosen := make([]string, 0, len(configured)) // each once
	for _, name := range configured {
		i := slices.IndexFunc(available, func(header string) bool { return equalFold(header, name) })
		if i < 0 {
			return nil, fmt.Errorf("headers: %q is not one of %s; or all or off, alone", name, strings.Join(available, ", "))
		}
		if !slices.Contains(chosen, available[i]) {
			chosen = append(chosen, available[i])
		}
	}
	return chosen, nil
}

// shortest and longest are the lengths of the names in Headers.
const (
	shortest = len(HeaderName)
	longest  = len(HeaderEmailVerified)
)

// IsIdentityHeader reports whether an upstream may take a header of this name
// for an identity header. Servers that turn headers into variables (RFC 3875,
// section 4.1.18) map "-" to "_", some of them "." and every other byte that is
// no letter or digit as well, and upper to lower case or the other way round
// (CWE-290): names that differ only in that are the same, with blanks around
// them or without. It allocates nothing.
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

// HeaderValue returns the value of an identity header, "" when it is to be
// absent. HeaderAssertion has no value here, its token is signed elsewhere.
//
// Values are percent-encoded (RFC 3986, section 2.1): visible ASCII other than
// "%", and blanks inside of the text, stand for themselves; everything else is
// %XX for each byte of its UTF-8. So no value can end a header, names of all
// scripts get through, and what most upstreams meet is the plain text. Decode
// with decodeURIComponent, url.PathUnescape, urllib.parse.unquote.
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

// isPlain reports whether the byte at i stands for itself in a header. Blanks at
// the ends do not: they would be taken for padding (RFC 9110, section 5.5).
func isPlain(text string, i int) bool {
	c := text[i]
	if c == ' ' {
		return i > 0 && i < len(text)-1
	}
	return c > ' ' && c <= '~' && c != '%'
}
