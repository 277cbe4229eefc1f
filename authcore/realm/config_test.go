package realm

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

func TestConfigFaults(t *testing.T) {
	client := func(change func(*authcore.Client)) func(*Config) {
		return func(c *Config) { change(&c.Clients[0]) }
	}
	redirect := func(uri string) func(*Config) {
		return client(func(c *authcore.Client) { c.RedirectURIs = []string{uri} })
	}
	origin := func(text string) func(*Config) {
		return client(func(c *authcore.Client) { c.Origins = []string{text} })
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"algorithm":             {func(c *Config) { c.Algorithm = "none" }, `algorithm: "none" is not valid`},
		"negative lifetime":     {func(c *Config) { c.TokenLifetime = -1 }, "token_lifetime: -1ns is out of range"},
		"eternal tokens":        {func(c *Config) { c.TokenLifetime = 99_999 * day }, "token_lifetime"},
		"short max_lifetime":    {func(c *Config) { c.MaxLifetime = time.Hour }, "max_lifetime: 1h0m0s is out of range; use 336h0m0s to"},
		"shorter than a client": {func(c *Config) { c.Clients[0].Lifetime, c.MaxLifetime = 30*day, 15*day }, "max_lifetime"},
		"refresh grace":         {func(c *Config) { c.RefreshGrace = time.Hour }, "refresh_grace"},
		"negative grace":        {func(c *Config) { c.RefreshGrace = -1 }, "refresh_grace"},
		"sessions":              {func(c *Config) { c.MaxSessions = -1 }, "max_sessions: -1 is out of range"},
		"many sessions":         {func(c *Config) { c.MaxSessions = 1 << 20 }, "max_sessions"},
		"link lifetime":         {func(c *Config) { c.LinkLifetime = time.Millisecond }, "link_lifetime"},
		"cache size":            {func(c *Config) { c.CacheSize = 999_999_999_999 }, "cache_size"},
		"hasty rotation":        {func(c *Config) { c.KeyRotation = time.Second }, "key_rotation: 1s is out of range; use 1h0m0s to"},
		"staleness":             {func(c *Config) { c.RevocationMaxStaleness = time.Second }, "revocation_max_staleness"},
		"on_stale":              {func(c *Config) { c.OnStale = "ignore" }, `on_stale: "ignore" is not valid; use serve or reject`},
		"long issuer":           {func(c *Config) { c.Issuer = strings.Repeat("x", 257) }, "issuer: 257 bytes"},
		"escaped audience":      {func(c *Config) { c.Audience = strings.Repeat("<", 43) }, "audience: 258 bytes"},
		"control character":     {func(c *Config) { c.Issuer = "a\x00b" }, "issuer: it contains control characters"},
		"long client name":      {client(func(c *authcore.Client) { c.Name = strings.Repeat("x", 65) }), "client \"xxx"},
		"no link":               {func(c *Config) { c.EmailLink = "" }, "email_link"},
		"unknown placeholder":   {func(c *Config) { c.EmailLink = "https://a.example/{tokn}/{token}" }, "email_link"},
		"no placeholder":        {func(c *Config) { c.EmailLink = "https://a.example/" }, "email_link"},
		"two placeholders":      {func(c *Config) { c.EmailLink = "https://a.example/{token}/{token}" }, "email_link"},
		"relative link":         {func(c *Config) { c.EmailLink = "/auth/{token}" }, "email_link"},
		"secret in the host":    {func(c *Config) { c.EmailLink = "https://{token}.example/" }, "email_link"},
		"no client":             {func(c *Config) { c.Clients = nil }, "client: none"},
		"same name":             {func(c *Config) { c.Clients = append(c.Clients, authcore.Client{Name: "web", Key: "other"}) }, `client "web"`},
		"same key":              {func(c *Config) { c.Clients = append(c.Clients, authcore.Client{Name: "b", Key: "key"}) }, "same key"},
		"empty key":             {client(func(c *authcore.Client) { c.Key = "" }), "the key is empty"},
		"client lifetime":       {client(func(c *authcore.Client) { c.Lifetime = -1 }), "lifetime"},
		"client link":           {client(func(c *authcore.Client) { c.EmailLink = "x" }), "client web: email_link"},
		"wildcard":              {redirect("https://*.a.example/"), "redirect_uri"},
		"backslash":             {redirect(`https://a.example\@b.example/`), "redirect_uri"},
		"user information":      {redirect("https://user@a.example/"), "redirect_uri"},
		"fragment":              {redirect("https://a.example/#x"), "redirect_uri"},
		"relative URI":          {redirect("/callback"), "redirect_uri"},
		"script":                {redirect("javascript:alert(1)"), "redirect_uri"},
		"no host":               {redirect("https:///x"), "redirect_uri"},
		"origin with port":      {origin("https://a.example:443"), "origin"},
		"origin with path":      {origin("https://a.example/"), "origin"},
		"origin upper case":     {origin("https://A.example"), "origin"},
		"origin star":           {origin("*"), "origin"},
		"signup":                {func(c *Config) { c.Rules.Signup = "maybe" }, "signup"},
		"link_by_email":         {func(c *Config) { c.Rules.LinkByEmail = "always" }, "link_by_email"},
		"allow":                 {func(c *Config) { c.Rules.Allow = []string{"*.example.com"} }, "allow"},
		"api_url, scheme":       {func(c *Config) { c.APIURL = "http://api.example.com/v1/auth" }, "api_url"},
		"api_url, relative":     {func(c *Config) { c.APIURL = "/v1/auth" }, "api_url"},
		"api_url, query":        {func(c *Config) { c.APIURL = "https://api.example.com/v1/auth?x=1" }, "api_url"},
		"api_url, missing": {func(c *Config) {
			c.Providers = []authcore.Provider{provider{name: "apple-id", posts: true}}
		}, "provider apple-id: "},
		"rules of a provider": {func(c *Config) {
			c.ProviderRules = map[string]account.ProviderRules{"github": {Signup: "maybe"}}
		}, `provider github: signup: "maybe"`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{EmailLink: "https://a.example/{token}", Clients: []authcore.Client{{Name: "web", Key: "key"}}}
			c.change(&cfg)
			if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Validate: error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	cfg := Config{Realm: "staff", EmailLink: "https://a.example/{token}", Clients: []authcore.Client{{Name: "web", Key: "key"}}}
	if err := cfg.Validate(); err != nil {
		t.Fatalf("Validate: %v", err)
	}
	if cfg.Issuer != "edgeauth:staff" || cfg.Audience != "edgeauth:staff" || cfg.Algorithm != "EdDSA" || cfg.TokenLifetime != 14*day ||
		cfg.MaxLifetime != 90*day || cfg.RefreshGrace != 30*time.Second || cfg.MaxSessions != 100 || cfg.Limits.LinkOverall.N != 1200 {
		t.Errorf("the defaults are %+v", cfg)
	}
	long := Config{EmailLink: "https://a.example/{token}", Clients: []authcore.Client{{Name: "tv", Key: "key", Lifetime: 365 * day}}}
	if err := long.Validate(); err != nil || long.MaxLifetime != 365*day {
		t.Errorf("Validate with a long lifetime: %v, max_lifetime %s, want %s", err, long.MaxLifetime, 365*day)
	}
}

func TestNewFaults(t *testing.T) {
	complete := func() Config {
		return Config{
			EmailLink: "myapp://login/{token}", Clients: []authcore.Client{{Name: "web", Key: "key"}},
			Store: newStore(), Mailer: &outbox{},
		}
	}
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no store":      {func(c *Config) { c.Store = nil }, "store: "},
		"no mailer":     {func(c *Config) { c.Mailer = nil }, "mailer: "},
		"faulty":        {func(c *Config) { c.Algorithm = "none" }, "algorithm: "},
		"same provider": {func(c *Config) { c.Providers = []authcore.Provider{provider{name: "a"}, provider{name: "a"}} }, "provider a: configured twice"},
		"provider key":  {func(c *Config) { c.Providers = []authcore.Provider{provider{name: "key"}} }, "provider key: "},
		"unknown provider": {func(c *Config) {
			c.ProviderRules = map[string]account.ProviderRules{"b": {Signup: account.SignupClosed}}
		}, "provider b: "},
		"keys":        {func(c *Config) { c.Store = failing(c.Store, "UpdateKeys") }, "signing keys: "},
		"revocations": {func(c *Config) { c.Store = failing(c.Store, "RevocationsSince") }, "revocations: "},
		"nothing":     {func(*Config) {}, ""},
		"debug links": {func(c *Config) { c.Mailer, c.DebugLinks = nil, true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := complete()
			test.change(&cfg)
			_, err := New(t.Context(), cfg)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("New: error is %v, want %q", err, test.want)
			}
		})
	}
}

// failing returns a store whose call of this name fails.
func failing(store authcore.Store, step string) authcore.Store {
	s := &scripted{Store: store}
	s.do(down, step)
	return s
}

// Errors about a configuration reach logs and the admin API (CWE-532).
func TestErrorsDoNotContainClientKeys(t *testing.T) {
	cfg := Config{Clients: []authcore.Client{{Name: "a", Key: "the-key"}, {Name: "b", Key: "the-key"}}}
	if err := cfg.Validate(); err == nil || strings.Contains(err.Error(), "the-key") {
		t.Errorf("Validate: error is %v, want one without the key", err)
	}
}
