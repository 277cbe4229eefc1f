package provider

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestNewNamesTheOption(t *testing.T) {
	good := Config{Name: "google-oauth2", ClientID: "id", ClientSecret: "secret"}
	oidc := Config{Name: "work", Kind: "oidc", ClientID: "id", ClientSecret: "secret", Issuer: testIssuer}
	github := Config{Name: "github", ClientID: "id", ClientSecret: "secret"}
	apple := Config{Name: "apple-id", ClientID: "id", TeamID: "T", KeyID: "K", PrivateKey: pemOf(appleKey())}
	entra := Config{Name: "entra", Kind: "azuread-oauth2", ClientID: "id", ClientSecret: "secret"}
	general := Config{
		Name: "oauth2", ClientID: "id", ClientSecret: "secret", AuthorizeURL: testIssuer, TokenURL: testIssuer, UserInfoURL: testIssuer,
		Fields: map[string]string{"subject": "id"},
	}
	for _, test := range []struct {
		cfg    Config
		change func(*Config)
		option string // "" for a valid configuration
	}{
		{good, func(*Config) {}, ""},
		{good, func(c *Config) { c.Name, c.Kind = "sign-in.2", "google-oauth2" }, ""},
		{good, func(c *Config) { c.Name = "unknown" }, "type"},
		{good, func(c *Config) { c.Kind = "Google-OAuth2" }, "type"},
		{good, func(c *Config) { c.Name, c.Kind = "a/b", "google-oauth2" }, "name"},
		{good, func(c *Config) { c.ClientID = " " }, "client_id"},
		{good, func(c *Config) { c.ClientSecret = "" }, "client_secret"},
		{good, func(c *Config) { c.Scopes = []string{"openid", "a b"} }, "scope"},
		{good, func(c *Config) { c.Scopes = []string{"email"} }, "scope"},
		{good, func(c *Config) { c.BaseURL = "https://google.test" }, ""},
		{oidc, func(*Config) {}, ""},
		{oidc, func(c *Config) { c.Issuer = "" }, "issuer"},
		{oidc, func(c *Config) { c.BaseURL = "https://a.example" }, "base_url"},
		{oidc, func(c *Config) { c.Issuer = "http://idp.example" }, "issuer"},
		{oidc, func(c *Config) { c.Issuer, c.AllowPrivate = "http://idp.example", true }, ""},
		{oidc, func(c *Config) { c.Issuer = "https://127.0.0.1" }, "issuer"},
		{oidc, func(c *Config) { c.Issuer = "https://localhost:8443" }, "issuer"},
		{oidc, func(c *Config) { c.Issuer = "http://[::1]:8080" }, "issuer"},
		{oidc, func(c *Config) { c.Issuer, c.AllowPrivate = "http://[::1]:8080", true }, ""},
		{oidc, func(c *Config) { c.Issuer = "idp.example" }, "issuer"},
		{oidc, func(c *Config) { c.JWKSURL = "file:///etc/passwd" }, "jwks_url"},
		{oidc, func(c *Config) { c.TokenURL = "https://user:hidden@idp.example/token" }, "token_url"},
		{oidc, func(c *Config) { c.AuthorizeURL = "javascript://idp.example/%0Aalert(1)" }, "authorize_url"},
		{oidc, func(c *Config) { c.UserInfoURL = "https://169.254.169.254/latest" }, "user_info_url"},
		{github, func(*Config) {}, ""},
		{github, func(c *Config) { c.Issuer = "https://github.com" }, "issuer"},
		{github, func(c *Config) { c.JWKSURL = "https://github.com/keys" }, "jwks_url"},
		{github, func(c *Config) { c.Kind, c.JWKSURL = "gitlab", "https://gitlab.com/keys" }, "jwks_url"},
		{github, func(c *Config) {
			c.Kind, c.JWKSURL, c.Scopes = "gitlab", "https://gitlab.com/keys", []string{"email", "openid"}
		}, ""},
		{github, func(c *Config) { c.Kind, c.Scopes, c.Audiences = "twitch", []string{"openid"}, []string{"a"} }, "audience"},
		{github, func(c *Config) { c.BaseURL = "https://ghe.example#x" }, "base_url"},
		{github, func(c *Config) { c.Audiences = []string{"a"} }, "audience"},
		{github, func(c *Config) { c.Tenants = []string{"common"} }, "tenant"},
		{github, func(c *Config) { c.HostedDomains = []string{"example.com"} }, "hosted_domain"},
		{github, func(c *Config) { c.TeamID = "T" }, "team_id"},
		{github, func(c *Config) { c.KeyID = "K" }, "key_id"},
		{github, func(c *Config) { c.PrivateKey = pemOf(appleKey()) }, "private_key"},
		{github, func(c *Config) { c.ClientAuth = "post" }, "client_auth"},
		{github, func(c *Config) { c.Kind, c.ClientAuth = "facebook", "post" }, "client_auth"},
		{apple, func(c *Config) { c.ClientAuth = "post" }, "client_auth"},
		{oidc, func(c *Config) { c.ClientAuth = "basic" }, ""},
		{oidc, func(c *Config) { c.ClientAuth = "private_key_jwt" }, "client_auth"},
		{github, func(c *Config) { c.Fields = map[string]string{"subject": "id"} }, "field"},
		{good, func(c *Config) { c.Audiences = []string{"a"} }, ""},
		{good, func(c *Config) { c.Audiences = []string{"a", ""} }, "audience"},
		{good, func(c *Config) { c.HostedDomains = []string{"example.com"} }, ""},
		{good, func(c *Config) { c.HostedDomains = []string{"example.com", ""} }, "hosted_domain"},
		{good, func(c *Config) { c.HostedDomains = []string{"Example.com"} }, "hosted_domain"},
		{good, func(c *Config) { c.HostedDomains = []string{"*.example.com"} }, "hosted_domain"},
		{good, func(c *Config) { c.HostedDomains = []string{"ada@example.com"} }, "hosted_domain"},
		{apple, func(*Config) {}, ""},
		{apple, func(c *Config) { c.ClientSecret = "hidden" }, "client_secret"},
		{apple, func(c *Config) { c.TeamID = "" }, "team_id"},
		{apple, func(c *Config) { c.KeyID = "" }, "key_id"},
		{apple, func(c *Config) { c.PrivateKey = "" }, "private_key"},
		{entra, func(*Config) {}, ""},
		{entra, func(c *Config) { c.Tenants = []string{"consumers"} }, ""},
		{entra, func(c *Config) { c.Tenants = []string{tenantA, tenantB} }, ""},
		{entra, func(c *Config) { c.Tenants = []string{tenantA, "common"} }, "tenant"},
		{entra, func(c *Config) { c.Tenants = []string{"example.com"} }, "tenant"},
		{entra, func(c *Config) { c.Tenants = []string{"../x"} }, "tenant"},
		{entra, func(c *Config) { c.Kind, c.Tenants = "microsoft-graph", []string{tenantA} }, ""},
		{entra, func(c *Config) { c.Kind, c.Tenants = "microsoft-graph", []string{tenantA, tenantB} }, "tenant"},
		{general, func(*Config) {}, ""},
		{general, func(c *Config) { c.AuthorizeURL = "" }, "authorize_url"},
		{general, func(c *Config) { c.TokenURL = "" }, "token_url"},
		{general, func(c *Config) { c.UserInfoURL = "" }, "user_info_url"},
		{general, func(c *Config) { c.Fields = nil }, "field"},
		{general, func(c *Config) { c.Fields = map[string]string{"email": "mail"} }, "field"},
		{general, func(c *Config) { c.Fields = map[string]string{"subject": "a..b"} }, "field"},
		{general, func(c *Config) { c.Fields = map[string]string{"subject": "id", "phone": "x"} }, "field"},
		{general, func(c *Config) { c.ClientAuth = "none" }, "client_auth"},
		{general, func(c *Config) { c.Issuer = testIssuer }, "issuer"},
		{general, func(c *Config) { c.JWKSURL = testIssuer }, "jwks_url"},
	} {
		cfg := test.cfg
		test.change(&cfg)
		p, err := New(cfg, Deps{})
		switch {
		case test.option == "" && (err != nil || p.Name() != cfg.Name):
			t.Errorf("New(%+v) failed: %v", cfg, err)
		case test.option != "" && (p != nil || err == nil || !strings.Contains(err.Error(), " "+test.option+": ")):
			t.Errorf("New(%+v) = %v, %v, want a fault of %s", cfg, p, err, test.option)
		case err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "\n")):
			t.Errorf("New() failed with %q, which contains a secret or a line break", err)
		}
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	_, err := New(Config{Name: "oidc"}, Deps{})
	for _, option := range []string{"client_id", "client_secret", "issuer"} {
		if err == nil || !strings.Contains(err.Error(), option) {
			t.Errorf("New() failed with %v, want a fault of %s", err, option)
		}
	}
}

// TestTenants keeps identities of different services apart.
func TestTenants(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Name: "github"}, ""},
		{Config{Name: "github", BaseURL: "https://GitHub.com/"}, ""},
		{Config{Name: "github", UserInfoURL: "https://api.github.com/user"}, ""},
		{Config{Name: "github", BaseURL: "https://ghe.example/sub/"}, "https://ghe.example/sub"},
		{Config{Name: "github", UserInfoURL: "https://API.ghe.example/user"}, "https://api.ghe.example"},
		{Config{Name: "google-oauth2"}, "https://accounts.google.com"},
		{Config{Name: "google-oauth2", BaseURL: "https://google.test"}, "https://google.test"},
		{Config{Name: "google-oauth2", Issuer: "https://iss.test"}, "https://iss.test"},
		{Config{Name: "oidc", Issuer: "https://idp.example/"}, "https://idp.example/"},
		{Config{Name: "auth0", Issuer: "https://idp.example"}, "https://idp.example/"},
		{Config{Name: "auth0", Issuer: "https://idp.example/"}, "https://idp.example/"},
		{Config{Name: "oauth2", UserInfoURL: "https://intranet.example/api/me"}, "https://intranet.example"},
		{Config{Name: "azuread-oauth2", BaseURL: "https://login.microsoftonline.us"}, "https://login.microsoftonline.us/{tenantid}/v2.0"},
	} {
		s, _ := findSpec(test.cfg.Name)
		if got := test.cfg.issuer(&s); got != test.want {
			t.Errorf("%+v: issuer() = %q, want %q", test.cfg, got, test.want)
		}
	}
}

// TestSpecs checks the invariants of every spec.
func TestSpecs(t *testing.T) {
	kinds := Kinds()
	if !slices.IsSorted(kinds) || len(slices.Compact(slices.Clone(kinds))) != len(kinds) {
		t.Errorf("kinds %v are not sorted and unique", kinds)
	}
	all := specs()
	for _, s := range specs() {
		if s.openIDMode != nil {
			all = append(all, s.asking([]string{openIDScope}))
		}
	}
	for _, s := range all {
		if s.profile == nil {
			t.Errorf("%s has no profile function", s.kind)
		}
		if s.discovery || s.kind == "oauth2" {
			continue // all endpoints are discovered or configured
		}
		if s.authStyle == oauth2.AuthStyleAutoDetect {
			t.Errorf("%s has no authStyle, so that it would be detected", s.kind)
		}
		for _, address := range []string{s.public.authorize, s.public.token} {
			if err := checkURL(address, false); err != nil {
				t.Errorf("checkURL(%q) of %s failed: %v", address, s.kind, err)
			}
		}
		if s.openID() != (s.public.jwks != "") {
			t.Errorf("%s has no issuer or keys for its ID tokens", s.kind)
		}
	}
}

// TestConfiguredScopes replaces the default scopes, in the configured order.
func TestConfiguredScopes(t *testing.T) {
	s := googleScript(t)
	s.cfg.Scopes = []string{"email", "openid"}
	endpoint, err := s.provider().Endpoint(t.Context())
	if err != nil || endpoint.Scope != "email openid" {
		t.Errorf("Endpoint() = %+v, %v", endpoint, err)
	}
}

// TestEndpointOverrides needs no discovery if all endpoints are configured.
func TestEndpointOverrides(t *testing.T) {
	s := oidcScript(t)
	s.cfg.AuthorizeURL, s.cfg.TokenURL, s.cfg.JWKSURL = s.at.authorize, s.at.token, s.at.jwks
	profile, err := s.exchange(s.provider())
	if err != nil || profile.Subject != "subject-1" || len(s.to(discoveryAddress)) > 0 {
		t.Errorf("exchange() = %+v, %v", profile, err)
	}

	s = oidcScript(t)
	s.cfg.TokenURL = "https://other.example/token"
	s.handle(s.cfg.TokenURL, s.serveToken)
	if _, err := s.exchange(s.provider()); err != nil || len(s.to(s.cfg.TokenURL)) != 1 || len(s.to(discoveryAddress)) != 1 {
		t.Errorf("the configured token endpoint was not used: %v", err)
	}
}

func TestErrorsNameTheProvider(t *testing.T) {
	s := oidcScript(t)
	s.answer(discoveryAddress, 500, `{}`)
	_, err := s.provider().Endpoint(t.Context())
	if !errors.Is(err, authcore.ErrProviderFailed) || !strings.HasPrefix(err.Error(), "provider corporate: ") {
		t.Errorf("Endpoint() = %v", err)
	}
}
