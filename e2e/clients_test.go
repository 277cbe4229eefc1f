package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/clients"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// TestClientLibraries logs in and refreshes with libraries of other projects, as
// frontends use them.
func TestClientLibraries(t *testing.T) {
	folder, err := clients.Install(t.Context())
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, idp := socialSite(t, openid.Options{})
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true, GivenName: "Ann"})
	browser := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := idp.Browse(t, r.URL.Query().Get("url"), redirectURI)
		_, _ = w.Write([]byte(query.Encode())) // a lost connection shows in the script
	}))
	t.Cleanup(browser.Close)
	for _, name := range clients.Names() {
		t.Run(name, func(t *testing.T) {
			ended := s.logIn(t, "ben@example.com")
			s.logOut(t, ended.token)
			user := s.logIn(t, "ben@example.com")
			err := clients.Run(t.Context(), folder, name,
				"API="+s.URL+"/v1/auth", "SITE="+s.URL, "CLIENT_KEY="+clientKey, "BROWSE="+browser.URL, "ISSUER="+strings.TrimSuffix(idp.Issuer, "/"),
				"CLIENT_ID="+oidcClientID, "REDIRECT_URI="+redirectURI, "EXPIRED="+ended.token, "TOKEN="+user.token, "ORIGIN="+origin)
			if err != nil {
				t.Error(err)
			}
		})
	}
}
