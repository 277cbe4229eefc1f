package e2e

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/apple"
	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
)

// appleSite starts a site with Sign in with Apple. The registered return URL is
// derived from the option api_url.
func appleSite(t *testing.T, config caddyfile) (*site, *apple.Provider) {
	t.Helper()
	idp := apple.Start(t)
	s := prepareSite(t, config)
	key := idp.PrivateKey(t)
	if err := os.WriteFile(filepath.Join(s.Dir, "AuthKey.p8"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	s.secrets.Add("private key", strings.Split(key, "\n")[1])
	s.secrets.Add("e-mail address", "tim@example.com")
	s.config.Realm = slices.Concat(debugLinks, noLimits, []string{
		"api_url " + s.URL + "/v1/auth",
		"provider apple-id {",
		"\tclient_id " + apple.ClientID,
		"\tteam_id " + apple.TeamID,
		"\tkey_id " + apple.KeyID,
		"\tprivate_key {file." + filepath.Join(s.Dir, "AuthKey.p8") + "}",
		"\taudience com.example.ios",
		"\tauthorize_url " + idp.URL + "/auth/authorize",
		"\ttoken_url " + idp.URL + "/auth/token",
		"\tjwks_url " + idp.URL + "/auth/keys",
		"\tinsecure_allow_private_addresses",
		"}",
	})
	s.Configure(t, s.config.render(s.Edge))
	s.Start(t)
	idp.ReturnURL = s.URL + "/v1/auth/social/callback/apple-id/"
	t.Cleanup(func() {
		if faults := idp.Faults(); t.Failed() && len(faults) > 0 {
			t.Logf("Apple refused: %v", faults)
		}
	})
	return s, idp
}

// begunAtApple begins a login and returns the fields that the browser posts for
// Apple.
func (s *site) begunAtApple(t *testing.T) (state string, fields url.Values) {
	t.Helper()
	begun := s.post(t, "/social/authorize/apple-id/", map[string]any{"client_key": clientKey, "redirect_uri": redirectURI}).
		must(t, http.StatusOK)
	response, err := s.client.Get(begun.text(t, "url"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("Apple answers %s, %v", response.Status, err)
	}
	state, fields = begun.text(t, "state"), url.Values{}
	s.secrets.Add("state", state)
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(string(page), -1) {
		fields.Set(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	return state, fields
}

// TestBridge returns from a provider that posts its answer.
func TestBridge(t *testing.T) {
	t.Parallel()
	s, _ := appleSite(t, caddyfile{})
	const path, form = "/v1/auth/social/callback/apple-id/", "application/x-www-form-urlencoded"
	browser := []string{"Accept", "text/html,*/*;q=0.8", "Origin", "https://appleid.apple.com", "X-Forwarded-Host", "evil.test"}
	redeem := func(state, code string) answer {
		return s.post(t, "/social/login/apple-id/", map[string]any{
			"code": code, "state": state, "client_key": clientKey, "redirect_uri": redirectURI,
		})
	}

	state, fields := s.begunAtApple(t)
	s.secrets.Add("authorization code", fields.Get("code"))
	if fields.Get("user") == "" || fields.Get("state") != state {
		t.Fatalf("Apple posts %v", fields)
	}
	back := s.do(t, http.MethodPost, path, form, fields.Encode(), browser...).must(t, http.StatusSeeOther)
	target, err := url.Parse(back.header.Get("Location"))
	if err != nil || !strings.HasPrefix(target.String(), redirectURI+"?") {
		t.Fatalf("sent on to %q", back.header.Get("Location"))
	}
	if query := target.Query(); query.Get("code") != fields.Get("code") || query.Get("state") != state || len(query) != 2 {
		t.Errorf("sent on with %v", query)
	}
	first := s.loggedIn(t, redeem(state, fields.Get("code")))
	if first.user["first_name"] != "Tim" || first.user["last_name"] != "Appleby" || first.user["email_verified"] != true {
		t.Errorf("logged in as %v", first.user)
	}

	t.Run("the name comes once", func(t *testing.T) {
		state, fields := s.begunAtApple(t)
		if fields.Has("user") {
			t.Fatalf("Apple posts %v", fields)
		}
		s.do(t, http.MethodPost, path, form, fields.Encode(), browser...).must(t, http.StatusSeeOther)
		again := s.loggedIn(t, redeem(state, fields.Get("code")))
		if again.id != first.id || again.user["first_name"] != "Tim" {
			t.Errorf("logged in as %v", again.user)
		}
	})
	t.Run("an error is forwarded", func(t *testing.T) {
		state, _ := s.begunAtApple(t)
		back := s.do(t, http.MethodPost, path, form, url.Values{"state": {state}, "error": {"user_cancelled_authorize"}}.Encode(), browser...)
		if want := redirectURI + "?error=user_cancelled_authorize&state=" + state; back.status != http.StatusSeeOther || back.header.Get("Location") != want {
			t.Errorf("got %d to %q", back.status, back.header.Get("Location"))
		}
	})
	t.Run("the callback uses up nothing", func(t *testing.T) {
		state, fields := s.begunAtApple(t)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodGet} {
			s.do(t, method, path+"?"+fields.Encode(), "", "")
		}
		s.do(t, http.MethodPost, path, form, fields.Encode(), browser...).must(t, http.StatusSeeOther)
		s.loggedIn(t, redeem(state, fields.Get("code")))
	})
	t.Run("a pending login survives kill -9", func(t *testing.T) {
		state, fields := s.begunAtApple(t)
		s.do(t, http.MethodPost, path, form, fields.Encode(), browser...).must(t, http.StatusSeeOther)
		s.Kill(t)
		s.Start(t)
		s.client.CloseIdleConnections()
		s.loggedIn(t, redeem(state, fields.Get("code")))
	})
	t.Run("a pending login ends with a change of the address", func(t *testing.T) {
		state, fields := s.begunAtApple(t)
		s.do(t, http.MethodPost, path, form, fields.Encode(), browser...).must(t, http.StatusSeeOther)
		s.reconfigure(t, func(c *caddyfile) {
			c.Realm = slices.Clone(c.Realm)
			for i, line := range c.Realm {
				if strings.HasPrefix(line, "api_url ") {
					c.Realm[i] = "api_url https://new.example/v1/auth"
				}
			}
		})
		redeem(state, fields.Get("code")).refused(t, http.StatusBadRequest, "provider_denied")
	})
	t.Run("without a login of ours there is a page", func(t *testing.T) {
		for _, query := range []string{"", "?code=c", "?state=ea.x&code=c&redirect_uri=https://evil.test", "?state=https://evil.test/&code=c"} {
			got := s.do(t, http.MethodGet, path+query, "", "", browser...)
			if got.status != http.StatusBadRequest || got.header.Get("Location") != "" || !strings.HasPrefix(got.body, "<!doctype html>") || strings.Contains(got.body, "evil") {
				t.Errorf("the callback with %q = %d %q %s, want a page with 400", query, got.status, got.header.Get("Location"), got.body)
			}
		}
		s.do(t, http.MethodGet, path+"?state=ea.x&code=c", "", "").refused(t, http.StatusBadRequest, "invalid_state")
	})
}

// TestBrowserBridge does the same in a browser, which chooses the headers of a post
// from another site.
func TestBrowserBridge(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pages := frontend.Start(t, clientSources)
	s, idp := appleSite(t, caddyfile{
		Gate:   []string{"headers X-Auth-User-Id X-Auth-Method"},
		Client: []string{"origin " + pages.Origin, "redirect_uri " + pages.RedirectURI()},
	})
	pages.Configure(frontend.Config{API: s.URL + "/v1/auth", Key: clientKey})
	page := openTab(t, browser, pages.Origin+"/")
	page.click("#apple-id")
	if got := page.signedIn(); got.User.FirstName != "Tim" {
		t.Errorf("logged in as %+v; Apple refused %v", got.User, idp.Faults())
	}
	s.useApplication(t, page, "tim@example.com", "apple-id")
	page.photograph("by-post")

	page.visit(s.URL + "/v1/auth/social/callback/apple-id/?state=ea.x&code=c")
	element, err := page.Timeout(pageLimit).Element("p")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := element.Text(); err != nil || !strings.Contains(text, "Please try again") {
		t.Errorf("the page shows %q, %v", text, err)
	}
	page.photograph("no-login")
}
