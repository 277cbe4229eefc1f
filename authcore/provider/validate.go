package provider

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// validName is a path segment that needs no escaping anywhere.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// faults collects what is wrong with the configuration of one provider.
type faults struct {
	provider string
	list     []error
}

func (f *faults) add(option, format string, args ...any) {
	f.list = append(f.list, fmt.Errorf("provider %s: %s: %s", f.provider, option, fmt.Sprintf(format, args...)))
}

// validate returns all faults, joined. Each names its option and says what to
// do.
func (c *Config) validate(s *spec) error {
	found := &faults{provider: c.Name}
	c.validateClient(s, found)
	c.validateUse(s, found)
	c.validateURLs(found)
	return errors.Join(found.list...)
}

func (c *Config) validateClient(s *spec, found *faults) {
	if !validName.MatchString(c.Name) {
		found.add("name", "%q is no slug; use up to 64 letters, digits, dots, dashes and underscores", c.Name)
	}
	if strings.TrimSpace(c.ClientID) == "" {
		found.add("client_id", "is empty; set it to the client id that the provider shows for your application, and check that its environment variable is set")
	}
	if strings.TrimSpace(c.ClientSecret) == "" {
		found.add("client_secret", "is empty; set it to the client secret that the provider shows for your application, and check that its environment variable is set")
	}
	for _, scope := range c.Scopes {
		if !validScope(scope) {
			found.add("scope", "%q is no scope; write each one as an argument of its own", scope)
		}
	}
	if s.openID() && len(c.Scopes) > 0 && !slices.Contains(c.Scopes, "openid") {
		found.add("scope", "openid is missing; add it, %s gives no ID token without it", s.kind)
	}
}

// validateUse refuses options that the kind needs and lacks, or has no use for:
// one that is ignored would look as if it did something.
func (c *Config) validateUse(s *spec, found *faults) {
	switch {
	case s.discovery && c.Issuer == "":
		found.add("issuer", "is empty; set it to the provider's issuer, for example https://login.example.com/realms/main")
	case !s.openID() && c.Issuer != "":
		found.add("issuer", "is not used by kind %s; remove it", s.kind)
	}
	if s.selfHosted == (endpoints{}) && c.BaseURL != "" {
		found.add("base_url", "is not used by kind %s; remove it, or set issuer or the single endpoints", s.kind)
	}
	if !s.openID() && c.JWKSURL != "" {
		found.add("jwks_url", "is not used by kind %s; remove it", s.kind)
	}
}

func (c *Config) validateURLs(found *faults) {
	for _, option := range []struct{ name, value string }{
		{"issuer", c.Issuer},
		{"base_url", c.BaseURL},
		{"authorize_url", c.AuthorizeURL},
		{"token_url", c.TokenURL},
		{"user_info_url", c.UserInfoURL},
		{"jwks_url", c.JWKSURL},
	} {
		if option.value == "" {
			continue
		}
		if err := checkURL(option.value, c.AllowPrivate); err != nil {
			found.add(option.name, "%s", err)
		}
	}
}

// validScope follows RFC 6749, section 3.3.
func validScope(scope string) bool {
	return scope != "" && !strings.ContainsFunc(scope, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '"' || r == '\\'
	})
}
