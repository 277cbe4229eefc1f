package authcore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestConfigFaults(t *testing.T) {
	client := func(change func(*authcore.Client)) func(*authcore.Config) {
		return func(c *authcore.Config) { change(&c.Clients[0]) }
	}
	redirect := func(uri string) func(*authcore.Config) {
		return client(func(c *authcore.Client) { c.RedirectURIs = []string{uri} })
	}
	origin := func(text string) func(*authcore.Config) {
		return client(func(c *authcore.Client) { c.Origins = []string{text} })
	}
	for name, c := range map[string]struct {
		change func(*authcore.Config)
		want   string
	}{
		"algorithm":           {func(c *authcore.Config) { c.Algorithm = "none" }, `algorithm: "none"`},
		"negative lifetime":   {func(c *authcore.Config) { c.TokenLifetime = -1 }, "token_lifetime"},
		"link lifetime":       {func(c *authcore.Config) { c.LinkLifetime = time.Millisecond }, "link_lifetime"},
		"no link":             {func(c *authcore.Config) { c.EmailLink = "" }, "email_link"},
		"unknown placeholder": {func(c *authcore.Config) { c.EmailLink = "https://a.example/{tokn}/{token}" }, "placeholder other than"},
		"cache size":          {func(c *authcore.Config) { c.CacheSize = 999_999_999_999 }, "cache_size"},
		"eternal tokens":      {func(c *authcore.Config) { c.TokenLifetime = 99_999 * 24 * time.Hour }, "token_lifetime"},
		"hasty rotation":      {func(c *authcore.Config) { c.KeyRotation = time.Second }, "key_rotation"},
		"origin with port":    {origin("https://a.example:443"), "without the port"},
		"no placeholder":      {func(c *authcore.Config) { c.EmailLink = "https://a.example/" }, "must contain {token}"},
		"two placeholders":    {func(c *authcore.Config) { c.EmailLink = "https://a.example/{token}/{token}" }, "must contain {token} once"},
		"relative link":       {func(c *authcore.Config) { c.EmailLink = "/auth/{token}" }, "not an absolute URL"},
		"secret in the host":  {func(c *authcore.Config) { c.EmailLink = "https://{token}.example/" }, "email_link"},
		"no client":           {func(c *authcore.Config) { c.Clients = nil }, "client: none"},
		"same name":           {func(c *authcore.Config) { c.Clients = append(c.Clients, authcore.Client{Name: "web", Key: "other"}) }, "used twice"},
		"same key":            {func(c *authcore.Config) { c.Clients = append(c.Clients, authcore.Client{Name: "b", Key: "key"}) }, "same key"},
		"empty key":           {client(func(c *authcore.Client) { c.Key = "" }), "the key is empty"},
		"client lifetime":     {client(func(c *authcore.Client) { c.Lifetime = -1 }), "lifetime"},
		"client link":         {client(func(c *authcore.Client) { c.EmailLink = "x" }), "client web: email_link"},
		"glob":                {redirect("https://*.a.example/"), "wildcard"},
		"backslash":           {redirect(`https://a.example\@b.example/`), "not an absolute"},
		"user information":    {redirect("https://user@a.example/"), "user information"},
		"fragment":            {redirect("https://a.example/#x"), "fragment"},
		"relative URI":        {redirect("/callback"), "not an absolute URI"},
		"script":              {redirect("javascript:alert(1)"), "scheme"},
		"no host":             {redirect("https:///x"), "no host"},
		"origin with path":    {origin("https://a.example/"), "must be written https://a.example"},
		"origin upper case":   {origin("https://A.example"), "must be written https://a.example"},
		"origin star":         {origin("*"), "is not an origin"},
		"signup":              {func(c *authcore.Config) { c.Accounts.Signup = "maybe" }, "signup"},
		"signup domains":      {func(c *authcore.Config) { c.Accounts.Signup = "domains" }, "at least one"},
		"bad domain": {func(c *authcore.Config) {
			c.Accounts = authcore.AccountRules{Signup: "domains", Domains: []string{"a b"}}
		}, "not a domain"},
		"link_by_email":     {func(c *authcore.Config) { c.Accounts.LinkByEmail = "always" }, "link_by_email"},
		"email_taken":       {func(c *authcore.Config) { c.Accounts.EmailTaken = "join" }, "email_taken"},
		"api_url, scheme":   {func(c *authcore.Config) { c.APIURL = "http://api.example.com/v1/auth" }, "api_url: \"http://api.example.com/v1/auth\" must begin with https"},
		"api_url, relative": {func(c *authcore.Config) { c.APIURL = "/v1/auth" }, "api_url"},
		"api_url, query":    {func(c *authcore.Config) { c.APIURL = "https://api.example.com/v1/auth?x=1" }, "has a query"},
		"api_url, fragment": {func(c *authcore.Config) { c.APIURL = "https://api.example.com/v1/auth#x" }, "fragment"},
		"allow":             {func(c *authcore.Config) { c.Accounts.Allow = []string{"example.com", "*.example.com"} }, `allow: "*.example.com" has a wildcard`},
		"deny":              {func(c *authcore.Config) { c.Accounts.Deny = []string{"a@b@c.example"} }, `deny: "a@b@c.example" is neither`},
		"signup of a provider": {func(c *authcore.Config) {
			c.ProviderRules = map[string]authcore.ProviderRules{"github": {Signup: "maybe"}}
		}, `provider github: signup: "maybe"`},
		"domains of a provider": {func(c *authcore.Config) {
			c.ProviderRules = map[string]authcore.ProviderRules{"github": {Domains: []string{"example.com"}}}
		}, `provider github: signup: "" is not`},
		"link_by_email of a provider": {func(c *authcore.Config) {
			c.ProviderRules = map[string]authcore.ProviderRules{"github": {LinkByEmail: "always"}}
		}, "provider github: link_by_email"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := authcore.Config{
				EmailLink: "https://a.example/{token}",
				Clients:   []authcore.Client{{Name: "web", Key: "key"}},
			}
			c.change(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	cfg := authcore.Config{EmailLink: "myapp://login/{token}", Clients: []authcore.Client{{Name: "web", Key: "key"}}}
	if _, err := authcore.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no store") {
		t.Error(err)
	}
	cfg.Store = memory.New()
	if _, err := authcore.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "mailer") {
		t.Error(err)
	}
	cfg.Mailer = &outbox{}
	cfg.Providers = []authcore.Provider{&fakeProvider{name: "a"}, &fakeProvider{name: "a"}}
	if _, err := authcore.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "configured twice") {
		t.Error(err)
	}
	cfg.Providers = cfg.Providers[:1]
	cfg.ProviderRules = map[string]authcore.ProviderRules{"b": {Signup: authcore.SignupClosed}}
	if _, err := authcore.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "provider b: has account rules") {
		t.Error(err)
	}
	cfg.Providers, cfg.ProviderRules = []authcore.Provider{poster{&fakeProvider{name: "a", posts: true}}}, nil
	if _, err := authcore.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "provider a: posts its answers") {
		t.Error(err)
	}
	cfg.APIURL = apiURL
	if _, err := authcore.New(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	cfg.Providers, cfg.APIURL = nil, ""
	if _, err := authcore.New(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}

func TestRealmsHaveNamesOfTheirOwn(t *testing.T) {
	f := newFixture(t, func(c *authcore.Config) { c.Realm = "staff" })
	if claims := f.statement(f.loginAs("ann@example.com").Token); claims.Issuer != "edgeauth:staff" || claims.Audience != "edgeauth:staff" {
		t.Errorf("claims are %+v", claims)
	}
}
