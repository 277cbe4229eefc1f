package gate

import (
	"fmt"
	"strings"
)

// ManagedHeader is an identity header under a name that existing software reads. Like all
// identity headers it is deleted from the client's request first.
type ManagedHeader struct {
	// Name is in the canonical form of net/http.
	Name string
	// Field is the name of a Field.
	Field string
}

// maxHeaderName limits the name of a managed header, in bytes.
const maxHeaderName = 64

// fieldNames lists the fields of Field.
const fieldNames = "id, email, email_domain, email_verified, name, method, client, roles, session, issued_at, expires_at, auth_time"

// newManagedHeader reads NAME=field.
func newManagedHeader(text string, others []ManagedHeader) (ManagedHeader, error) {
	name, field, _ := strings.Cut(text, "=")
	if name == "" || len(name) > maxHeaderName || strings.TrimFunc(name, isTokenRune) != "" {
		return ManagedHeader{}, fmt.Errorf("%q does not begin with the name of a header; use for example Remote-User=email", text)
	}
	if _, known := Field(nil, field); !known {
		return ManagedHeader{}, fmt.Errorf("%s: unknown field %q; use one of %s", name, field, fieldNames)
	}
	if IsIdentityHeader(name) {
		return ManagedHeader{}, fmt.Errorf("%s: the value of this header is fixed; list it without %q", name, "="+field)
	}
	if isManaged(name, others) {
		return ManagedHeader{}, fmt.Errorf("%s: is in the list twice, or differs only in punctuation; remove one", name)
	}
	if isReserved(name) {
		return ManagedHeader{}, fmt.Errorf("%s: this header has another meaning for servers and proxies; use another name, for example Remote-User", name)
	}
	return ManagedHeader{canonical(name), field}, nil
}

// reserved lists names that requests need for something else, as a prefix if they end in
// a dash.
var reserved = [...]string{
	"accept", "accept-", "access-control-", "authorization", "cache-control", "connection", "content-", "cookie", "date", "expect",
	"forwarded", "host", "if-", "keep-alive", "max-forwards", "origin", "pragma", "proxy", "proxy-", "purpose", "range", "referer", "sec-",
	"te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-method",
	"x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-server", "x-forwarded-uri", "x-http-method",
	"x-http-method-override", "x-method-override", "x-original-", "x-real-ip", "x-requested-with", "x-auth-login",
}

func isReserved(name string) bool {
	for _, prefix := range &reserved {
		n := min(len(name), len(prefix))
		whole := len(name) == len(prefix) || strings.HasSuffix(prefix, "-") && len(name) > len(prefix)
		if whole && isAlias(name[:n], prefix[:n]) {
			return true
		}
	}
	return false
}

// canonical returns the canonical form of the name of a header.
func canonical(name string) string {
	b := []byte(name)
	start := true
	for i, c := range b {
		b[i] = lower(c)
		if start && 'a' <= b[i] && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
		start = c == '-'
	}
	return string(b)
}

// isManaged reports whether an upstream may read a header of this name as one of the
// managed headers; see IsIdentityHeader.
func isManaged(name string, managed []ManagedHeader) bool {
	for i := range managed {
		known := managed[i].Name
		if len(name) >= len(known) {
			if name := strings.Trim(name, blanks); len(name) == len(known) && isAlias(name, known) {
				return true
			}
		}
	}
	return false
}

// IsManaged reports whether a header of this name is deleted from requests to the site:
// an identity header or a managed header.
func (s *Site) IsManaged(name string) bool {
	return IsIdentityHeader(name) || isManaged(name, s.Managed)
}
