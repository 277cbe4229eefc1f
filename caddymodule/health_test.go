package caddymodule

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Operators see the state and the settings of a realm, and no secret (CWE-200).
func TestHardeningSettingsWithoutSecrets(t *testing.T) {
	_, address := importing(t, "limit link_per_ip 7 10m\nsignup domains example.com")
	for path, wants := range map[string][]string{
		"/health": {`"ready":true`, `"name":"store","ok":true`, `"name":"github","ok":true,"detail":"No user has logged in`, `"name":"mail"`},
		"/settings": {
			`"signup":"domains"`, `"signup_domains":["example.com"]`, `"link_per_ip":"7 in 10m0s"`, `"storage":"memory"`, `"mailer":"log"`,
			`"insecure_debug_links":true`, `"invitation_lifetime":"168h0m0s"`, `"web":{`, `"github":{`,
		},
	} {
		response, body := call(t, http.MethodGet, "http://"+address+adminPath+path, nil)
		for _, want := range wants {
			if response.StatusCode != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("GET %s = %d %s, want it to contain %s", path, response.StatusCode, body, want)
			}
		}
		for _, secret := range []string{testKey, "secret"} {
			if strings.Contains(body, secret) {
				t.Errorf("GET %s = %s, want no %q", path, body, secret)
			}
		}
	}
}

func TestProviderHealth(t *testing.T) {
	var health providerHealth
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	providers := []authcore.Provider{namedProvider{name: "github"}}
	for _, c := range []struct {
		event authcore.Event
		ok    bool
		want  string
	}{
		{authcore.Event{Name: authcore.EventLogin, Method: "link"}, true, "No user"},
		{authcore.Event{Name: authcore.EventLoginFailed, Method: "github", Code: authcore.CodeProviderDenied}, true, "No user"},
		{authcore.Event{Name: authcore.EventLoginFailed, Method: "github", Code: authcore.CodeProviderTimeout}, false, "failed with provider_timeout at 2026-03-01T12:00:00Z"},
		{authcore.Event{Name: authcore.EventLinked, Method: "github"}, false, "failed"},
		{authcore.Event{Name: authcore.EventLogin, Method: "github"}, true, "A user logged in at 2026-03-01T12:00:00Z"},
	} {
		health.observe(c.event, at)
		checks := health.checks(providers)
		if len(checks) != 1 || checks[0].Name != "github" || checks[0].OK != c.ok || !strings.Contains(checks[0].Detail, c.want) {
			t.Errorf("checks() after %+v = %+v, want ok %t with %q", c.event, checks, c.ok, c.want)
		}
	}
}

// namedProvider is a provider of which only the name is used.
type namedProvider struct {
	authcore.Provider
	name string
}

func (p namedProvider) Name() string { return p.name }
