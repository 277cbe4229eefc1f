package provider

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// validName matches a path segment that needs no escaping.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// faults collects the faults in the configuration of one provider.
type faults struct {
	provider string
	list     []error
}

func (f *faults) add(option, format string, args ...any) {
	f.list = append(f.list, fmt.Errorf("provider %s: %s: %s", f.provider, option, fmt.Sprintf(format, args...)))
}

// validate returns all faults, joined. Each contains the option and the remedy.
func (c *Config) validate(s *spec) error {
	found := &faults{provider: c.Name}
	c.validateClient(s, found)
	c.validateUse(s, found)
	c.validateURLs(found)
	c.validateRoles(s, found)
	return errors.Join(found.list...)
}

func (c *Config) validateClient(s *spec, found *faults) {
	if !validName.MatchString(c.Name) {
		found.add("name", "%q is not a valid name; use up to 64 letters, digits, dots, dashes and underscores", c.Name)
	}
	if strings.TrimSpace(c.ClientID) == "" {
		found.add("client_id", "the value is empty; use the client id that the provider shows for your application, and check that its environment variable is set")
	}
	switch hasSecret := strings.TrimSpace(c.ClientSecret) != ""; {
	case s.noSecret && c.ClientSecret != "":
		found.add("client_secret", "kind %s does not use it; remove it", s.kind)
	case !s.noSecret && !hasSecret:
		found.add("client_secret", "the value is empty; use the client secret that the provider shows for your application, and check that its environment variable is set")
	}
	for _, scope := range c.Scopes {
		if !validScope(scope) {
			found.add("scope", "%q is not a valid scope; write each scope as a separate argument", scope)
		}
	}
	if slices.Contains(s.scopes, openIDScope) && len(c.Scopes) > 0 && !slices.Contains(c.Scopes, openIDScope) {
		found.add("scope", "openid is missing; add it, %s returns no ID token without it", s.kind)
	}
}

// validateUse refuses missing required options, and options that the kind would
// ignore.
func (c *Config) validateUse(s *spec, found *faults) {
	for _, option := range []struct {
		name  string
		isSet bool
		use   string // the suggested value
	}{
		{"issuer", c.Issuer != "", "the provider's issuer, for example https://login.example.com/realms/main"},
		{"jwks_url", c.JWKSURL != "", ""},
		{"audience", len(c.Audiences) > 0, ""},
		{"id_token_login", c.IDTokenLogin != "", ""},
		{"tenant", len(c.Tenants) > 0, ""},
		{"hosted_domain", len(c.HostedDomains) > 0, ""},
		{"team_id", c.TeamID != "", "the ten characters that Apple shows as Team ID"},
		{"key_id", c.KeyID != "", "the ten characters that Apple shows as Key ID"},
		{"private_key", c.PrivateKey != "", "the contents of the .p8 file, for example {file./etc/caddy/AuthKey.p8}"},
		{"client_auth", c.ClientAuth != "", ""},
		{"field", len(c.Fields) > 0, "the path of the id in the user info, for example: field subject id"},
		{"authorize_url", c.AuthorizeURL != "", "the authorization endpoint"},
		{"token_url", c.TokenURL != "", "the token endpoint"},
		{"user_info_url", c.UserInfoURL != "", "the user info endpoint"},
	} {
		taken, needed := s.takes(option.name)
		taken = taken || option.name == "client_auth" && s.choosesClientAuth() ||
			option.name == "id_token_login" && s.appTokens
		switch {
		case needed && !option.isSet:
			found.add(option.name, "the option is missing; use %s", option.use)
		case option.isSet && !taken && !strings.HasSuffix(option.name, "_url"), option.isSet && option.name == "jwks_url" && !s.openID():
			found.add(option.name, "kind %s does not use it; remove it", s.kind)
		}
	}
	if s.selfHosted == (endpoints{}) && c.BaseURL != "" {
		found.add("base_url", "kind %s does not use it; remove it, or set issuer or single endpoints", s.kind)
	}
	c.validateValues(s, found)
}

// validateValues checks the format of option values.
func (c *Config) validateValues(s *spec, found *faults) {
	if c.ClientAuth != "" && c.ClientAuth != clientAuthBasic && c.ClientAuth != clientAuthPost {
		found.add("client_auth", "%q is not valid; use basic or post", c.ClientAuth)
	}
	if c.IDTokenLogin != "" && c.IDTokenLogin != idTokenLoginOn && c.IDTokenLogin != idTokenLoginOff {
		found.add("id_token_login", "%q is not valid; use on or off", c.IDTokenLogin)
	}
	for _, domain := range c.TrustAddresses {
		if _, err := authcore.ParseDomain(domain); err != nil && domain != anyDomain {
			found.add("trust_addresses", "%q is not a valid domain; use a domain such as example.com, or * for all, and check that its environment variable is set", domain)
		}
	}
	if slices.Contains(c.TrustAddresses, anyDomain) && len(c.TrustAddresses) > 1 {
		found.add("trust_addresses", "* includes the other domains; use * alone, or remove it")
	}
	for _, tenant := range c.Tenants {
		if !validTenant.MatchString(tenant) && (len(c.Tenants) > 1 || !isTenantGroup(tenant)) {
			found.add("tenant", "%q is not a valid tenant id; use ids such as 72f988bf-86f1-41af-91ab-2d7cd011db47, or only one of common, organizations and consumers", tenant)
		}
	}
	for _, domain := range c.HostedDomains {
		if !isHostedDomain(domain) {
			found.add("hosted_domain", "%q is not a valid domain; use a lower-case domain such as example.com, and check that its environment variable is set", domain)
		}
	}
	for _, audience := range c.Audiences {
		if strings.TrimSpace(audience) == "" {
			found.add("audience", "the value is empty; use a client id of yours, and check that its environment variable is set")
		}
	}
	if s.oneTenant && len(c.Tenants) > 1 {
		found.add("tenant", "kind %s accepts only one, because its responses do not contain the tenant; use azuread-oauth2", s.kind)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		path := c.Fields[name]
		if !slices.Contains(FieldNames(), name) {
			found.add("field", "%q is not valid; use one of %s", name, strings.Join(FieldNames(), ", "))
		}
		if !validPath(path) {
			found.add("field", "%q is not a valid path; use member names separated by dots, for example data.user.id, or a JSON Pointer such as /data/user.id", path)
		}
	}
	if _, needed := s.takes("field"); needed && len(c.Fields) > 0 && c.Fields["subject"] == "" {
		found.add("field", "subject is missing; use the path of the id in the user info, for example: field subject id")
	}
}

// isHostedDomain reports whether a text is a valid value of the claim "hd". An
// empty value is not: accounts without an organization have no such claim and would
// all be admitted (CWE-1188).
func isHostedDomain(domain string) bool {
	return strings.Contains(domain, ".") && domain == strings.ToLower(domain) && !strings.ContainsAny(domain, "@*/ ")
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
