package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestTraces signs in by link and at a provider while Caddy traces every request and
// prints the spans. Like every log of this suite they are searched for secrets at the
// end: links and answers of providers are in the addresses of these requests.
func TestTraces(t *testing.T) {
	t.Parallel()
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI},
	})
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true})
	s := prepareSite(t, caddyfile{
		Realm: slices.Concat(debugLinks, noLimits, providerLines("idp", idp.Issuer)),
		Site:  []string{"tracing"},
	}, "IDP_SECRET="+oidcClientSecret, "OTEL_TRACES_EXPORTER=console", "OTEL_BSP_SCHEDULE_DELAY=100")
	s.config.EmailLink = s.URL + "/auth/link/{token}"
	s.Configure(t, s.config.render(s.Edge))
	s.Start(t)
	s.secrets.Add("client secret", oidcClientSecret)

	secret := s.requestLink(t, "ann@example.com")
	s.get(t, "/auth/link/"+secret, "").must(t, http.StatusUnauthorized)
	first := s.loggedIn(t, s.spendLink(t, secret))
	s.get(t, "/whoami", first.token).must(t, http.StatusOK)
	f := s.authorize(t, idp)
	s.get(t, "/auth/callback?state="+f.state+"&code="+f.code, "").must(t, http.StatusUnauthorized)
	s.loggedIn(t, s.redeem(t, f, nil))
	s.logOut(t, first.token)
	for _, span := range []string{
		"edgeauth.link_requested", "edgeauth.login", "edgeauth.store.login", "edgeauth.provider.request",
		"/v1/auth/logout", "/[hidden]",
	} {
		wait.Until(t, time.Minute, "the span "+span+" is printed", func() bool {
			return s.Log.Contains(`"Name":"` + span + `"`)
		})
	}
}
