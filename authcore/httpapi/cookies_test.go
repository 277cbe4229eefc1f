package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

const (
	siteOrigin = "https://app.example.com"
	sessionKey = "__Host-edgeauth"
	loginKey   = "__Host-edgeauth-login"
)

// page is a page of a site with a login page; it keeps cookies, as a browser does.
type page struct {
	*world
	cookies map[string]*http.Cookie
	// headers are sent with each request, as pairs of name and value.
	headers []string
}

// newPage serves the API on a site with a login page.
func newPage(t *testing.T, options ...func(*realm.Config)) *page {
	t.Helper()
	const key = "key-of-the-page"
	redirect := func(provider string) string { return siteOrigin + "/auth/callback/" + provider }
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.Clients = append(cfg.Clients, authcore.Client{
			Name: "page", Key: key, Origins: []string{siteOrigin}, EmailLink: siteOrigin + "/auth/link/" + authcore.LinkPlaceholder,
			RedirectURIs: []string{redirect("google-oauth2"), redirect("github")},
		})
		for _, option := range options {
			option(cfg)
		}
	})
	w.server.Close()
	w.server = httptest.NewServer(httpapi.New(httpapi.Options{
		Realm: w.realm, Site: &httpapi.Site{Origin: siteOrigin, ClientKey: key, RedirectURI: redirect},
	}))
	t.Cleanup(w.server.Close)
	w.client = w.server.Client()
	return &page{w, map[string]*http.Cookie{}, []string{"Origin", siteOrigin, "Sec-Fetch-Site", "same-origin"}}
}

// fetch sends a request of a script. The body is JSON.
func (p *page) fetch(method, path, body string, headers ...string) response {
	p.t.Helper()
	headers = slices.Concat(p.headers, headers)
	for _, cookie := range p.cookies {
		headers = append(headers, "Cookie", cookie.Name+"="+cookie.Value)
	}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	r := p.call(method, path, body, headers...)
	for _, cookie := range r.Cookies() {
		if cookie.MaxAge < 0 {
			delete(p.cookies, cookie.Name)
			continue
		}
		p.cookies[cookie.Name] = cookie
	}
	return r
}

// must fails the test unless the answer has this status.
func (r response) must(t *testing.T, status int) response {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s = %d %s, want %d", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status)
	}
	return r
}

// signIn signs in with a code.
func (p *page) signIn(email string) loggedIn {
	p.t.Helper()
	var receipt struct {
		RequestID string `json:"request_id"`
	}
	p.fetch(http.MethodPost, "/by-link/link/", `{"email":"`+email+`","return_to":"/orders"}`).must(p.t, http.StatusOK).decode(p.t, &receipt)
	body := `{"request_id":"` + receipt.RequestID + `","code":"` + p.mails.last().Code + `"}`
	var login loggedIn
	p.fetch(http.MethodPost, "/by-link/login/", body).must(p.t, http.StatusOK).decode(p.t, &login)
	return login
}

// A login without a client key sets the cookie, and no script sees the token.
func TestCookieLogin(t *testing.T) {
	p := newPage(t)
	p.fetch(http.MethodGet, "/session/", "").expect(t, http.StatusNoContent, "")
	login := p.signIn("ada@example.com")
	if login.Token != "" || login.Email != "ada@example.com" || login.ExpiresAt == "" {
		t.Errorf("login = %+v, want the user without a token", login)
	}
	cookie := p.cookies[sessionKey]
	if cookie == nil || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Fatalf("cookies = %v, want %s with HttpOnly, Secure, SameSite=Lax, and the path /", p.cookies, sessionKey)
	}
	if !strings.HasPrefix(p.mails.last().Link, siteOrigin+"/auth/link/") {
		t.Errorf("link = %s, want one to the login page", p.mails.last().Link)
	}
	for _, path := range []string{"/session/", "/user/", "/sessions/", "/identities/", "/user/export/"} {
		p.fetch(http.MethodGet, path, "").must(t, http.StatusOK)
	}
	var session loggedIn
	p.fetch(http.MethodGet, "/session/", "").decode(t, &session)
	if session.ID != login.ID || session.ExpiresAt != login.ExpiresAt || session.Token != "" {
		t.Errorf("session = %+v, want %+v", session, login)
	}
	ended := p.fetch(http.MethodPost, "/logout/", "").must(t, http.StatusNoContent)
	if p.cookies[sessionKey] != nil || ended.Header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("logout = %v, want headers that expire the cookie and clear the cache", ended.Header)
	}
	p.fetch(http.MethodGet, "/session/", "").expect(t, http.StatusNoContent, "")
	p.fetch(http.MethodGet, "/user/", "").must(t, http.StatusUnauthorized)
}

// The cookie is renewed after half of its life. Renewals at once and with the former
// cookie do not end the session.
func TestCookieRenewal(t *testing.T) {
	p := newPage(t)
	login := p.signIn("ada@example.com")
	var renewed loggedIn
	p.fetch(http.MethodPost, "/token/refresh/", "").must(t, http.StatusOK).decode(t, &renewed)
	if renewed.ExpiresAt != login.ExpiresAt {
		t.Errorf("refresh() of a new cookie expires %s, want %s", renewed.ExpiresAt, login.ExpiresAt)
	}
	former := maps.Clone(p.cookies)
	p.advance(8 * 24 * time.Hour)
	p.fetch(http.MethodPost, "/token/refresh/", "").must(t, http.StatusOK).decode(t, &renewed)
	if renewed.ExpiresAt <= login.ExpiresAt || renewed.Token != "" {
		t.Errorf("refresh() = %+v, want a later end than %s and no token", renewed, login.ExpiresAt)
	}
	p.cookies = former
	p.advance(time.Hour)
	p.fetch(http.MethodPost, "/token/refresh/", "").must(t, http.StatusOK)
	p.fetch(http.MethodGet, "/user/", "").must(t, http.StatusOK)
}

// A second login in the same browser ends the former session.
func TestCookieLoginReplaces(t *testing.T) {
	p := newPage(t)
	p.signIn("ada@example.com")
	former := p.cookies[sessionKey].Value
	p.signIn("bob@example.com")
	p.call(http.MethodGet, "/user/", "", "Authorization", "Token "+former).must(t, http.StatusUnauthorized)
}

// The header prevails over the cookie, and a login with a client key gets a token.
func TestCookieOrToken(t *testing.T) {
	p := newPage(t)
	p.signIn("ada@example.com")
	p.fetch(http.MethodGet, "/user/", "", "Authorization", "Token noise").must(t, http.StatusUnauthorized)
	p.fetch(http.MethodGet, "/session/", "", "Authorization", "Token noise").must(t, http.StatusUnauthorized)
	before := p.cookies[sessionKey].Value
	token, _ := p.mail("bob@example.com")
	token = strings.TrimPrefix(token, siteOrigin+"/auth/link/")
	var login loggedIn
	p.fetch(http.MethodPost, "/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`).must(t, http.StatusOK).decode(t, &login)
	if login.Token == "" || p.cookies[sessionKey].Value != before {
		t.Errorf("login with a client key = %+v, want a token and the former cookie", login)
	}
	p.fetch(http.MethodGet, "/user/", "", login.authorization()...).must(t, http.StatusOK)
}

// A social login begins with a redirect to the provider, which returns to the login page.
func TestCookieSocial(t *testing.T) {
	p := newPage(t)
	p.fetch(http.MethodGet, "/social/providers/", "").must(t, http.StatusOK)
	var begun struct{ URL, State string }
	p.fetch(http.MethodPost, "/social/authorize/", `{"provider":"github","return_to":"/orders?page=2"}`).must(t, http.StatusOK).decode(t, &begun)
	if !strings.Contains(begun.URL, "redirect_uri="+siteOrigin+"/auth/callback/github") {
		t.Errorf("authorize() = %s, want the callback of the login page", begun.URL)
	}
	start, err := p.realm.Logins.ShowStart(t.Context(), begun.State)
	if err != nil || start.ReturnTo != "/orders?page=2" || start.Browser == "" || p.cookies[loginKey] == nil {
		t.Errorf("ShowStart() = %+v, %v, want the return address and the browser", start, err)
	}
	p.fetch(http.MethodPost, "/social/authorize/", `{"provider":"github","link":true}`).must(t, http.StatusUnauthorized)
	p.signIn("ada@example.com")
	p.fetch(http.MethodPost, "/social/authorize/", `{"provider":"github","link":true}`).must(t, http.StatusOK).decode(t, &begun)
	if start, err = p.realm.Logins.ShowStart(t.Context(), begun.State); err != nil || !start.Link {
		t.Errorf("ShowStart() = %+v, %v, want one that links", start, err)
	}
	for _, address := range []string{"https://evil.example/", "//evil.example", "/a/../b", `/\evil.example`} {
		body := `{"provider":"github","return_to":` + strconv.Quote(address) + `}`
		if r := p.fetch(http.MethodPost, "/social/authorize/", body); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `"return_to"`) {
			t.Errorf("authorize(%s) = %d %s, want a field error", address, r.StatusCode, r.body)
		}
	}
}

// The deletion of the account expires the cookie.
func TestCookieDeletion(t *testing.T) {
	p := newPage(t)
	p.signIn("ada@example.com")
	p.fetch(http.MethodDelete, "/user/", "").must(t, http.StatusNoContent)
	if p.cookies[sessionKey] != nil {
		t.Error("the deletion of the account keeps the cookie")
	}
}

// A login that began without a client key sets the cookie after the second factor, and
// remembers the browser by another cookie (CWE-922).
func TestCookieSecondFactor(t *testing.T) {
	const deviceKey = "__Host-edgeauth-device"
	p := newPage(t, func(c *realm.Config) {
		c.Rules.SecondFactor, c.RememberDevice = account.SecondFactorOptional, 24*time.Hour
	})
	ask := func(path, body string, status int, headers ...string) (a factorAnswer) {
		t.Helper()
		p.fetch(http.MethodPost, path, body, headers...).must(t, status).decode(t, &a)
		return a
	}
	byCode := func(status int) factorAnswer {
		t.Helper()
		var receipt struct {
			RequestID string `json:"request_id"`
		}
		p.fetch(http.MethodPost, "/by-link/link/", `{"email":"ada@example.com"}`).must(t, http.StatusOK).decode(t, &receipt)
		return ask("/by-link/login/", `{"request_id":"`+receipt.RequestID+`","code":"`+p.mails.last().Code+`"}`, status)
	}
	p.signIn("ada@example.com")
	begun := ask("/factors/totp/", "{}", http.StatusOK)
	ask("/factors/totp/confirm/", fmt.Sprintf(`{"enrolment":%q,"code":%q}`, begun.Enrolment, p.totp(begun.Secret)), http.StatusOK)
	p.fetch(http.MethodPost, "/logout/", "").must(t, http.StatusNoContent)
	p.advance(time.Minute)

	lacks := byCode(http.StatusForbidden)
	body := fmt.Sprintf(`{"challenge":%q,"code":%q,"remember_device":true}`, lacks.Challenge, p.totp(begun.Secret))
	page := p.headers
	p.headers = []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	ask("/factors/login/", body, http.StatusForbidden)
	p.headers = page
	done := ask("/factors/login/", body, http.StatusOK)
	if done.Token != "" || done.DeviceToken != "" {
		t.Errorf("login = %+v, want no token that scripts can read", done)
	}
	for _, name := range []string{sessionKey, deviceKey} {
		if cookie := p.cookies[name]; cookie == nil || !cookie.HttpOnly || !cookie.Secure {
			t.Errorf("cookie %s = %v, want it with HttpOnly and Secure", name, cookie)
		}
	}
	p.fetch(http.MethodGet, "/user/", "").must(t, http.StatusOK)
	p.fetch(http.MethodPost, "/logout/", "").must(t, http.StatusNoContent)
	if again := byCode(http.StatusOK); again.Token != "" || p.cookies[sessionKey] == nil {
		t.Errorf("login of the remembered browser = %+v, want one by cookie without a second factor", again)
	}
}
