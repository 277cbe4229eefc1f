package gate

import (
	"strconv"
	"strings"
	"time"
)

// Field returns a property of the user by name: id, email, email_domain,
// email_verified, name, method, amr, acr, client, roles,
// session, issued_at, expires_at or auth_time.
// Requirements, identity headers and placeholders use these values. An absent value,
// and every value of nil claims, is "". The e-mail address and its domain are absent
// unless the address is verified, because otherwise they do not identify the user.
// email_verified is "true" or "false"; roles are separated by commas; times are in RFC 3339, in UTC. known reports
// whether the field exists.
func Field(c *Claims, field string) (value string, known bool) {
	if c == nil {
		c = &Claims{}
		if field == "email_verified" {
			return "", true
		}
	}
	switch field {
	case "id":
		return c.Subject, true
	case "email":
		return c.verifiedEmail(), true
	case "email_domain":
		email := c.verifiedEmail()
		return email[strings.LastIndexByte(email, '@')+1:], true
	case "email_verified":
		return strconv.FormatBool(c.EmailVerified), true
	case "name":
		return c.Name, true
	case "method":
		return c.Method, true
	case "amr":
		return strings.Join(c.AMR, ","), true
	case "acr":
		return c.ACR, true
	case "client":
		return c.Client, true
	case "roles":
		return c.rolesText(), true
	case "session":
		return c.Session, true
	case "issued_at":
		return formatTime(c.IssuedAt), true
	case "expires_at":
		return formatTime(c.ExpiresAt), true
	case "auth_time":
		return formatTime(c.AuthTime), true
	}
	return "", false
}

// listField returns the values of a field that has several. ok reports whether the field
// is a list; [Field] joins its values with commas.
func listField(c *Claims, field string) (values []string, ok bool) {
	switch field {
	case "amr":
		return c.AMR, true
	case fieldRole:
		return c.Roles, true
	}
	return nil, false
}

func (c *Claims) verifiedEmail() string {
	if !c.EmailVerified {
		return ""
	}
	return c.Email
}

func formatTime(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}
