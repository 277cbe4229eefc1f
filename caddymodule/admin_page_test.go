package caddymodule

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
)

// The page and its API are for signed-in users with the role only, without any other
// directive in front of them. Other paths of the site are not affected.
func TestAdminPage(t *testing.T) {
	port := freePort(t)
	site := "http://127.0.0.1:" + port
	load(t, fmt.Sprintf("{\n admin 127.0.0.1:%s\n edgeauth {\n insecure_debug_links\n storage memory\n client web %s\n email_link %[3]s/auth/link/{token}\n role reader ann@example.com\n }\n}\n%[3]s {\n login_page\n admin_page {\n  role owner\n }\n respond application\n}\n", freePort(t), testKey, site))

	navigate := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"}
	if answer, _ := call(t, http.MethodGet, site+"/admin/", nil, navigate...); answer.Request.URL.RequestURI() != "/auth/?return_to=%2Fadmin%2F" {
		t.Errorf("GET /admin/ without a session leads to %s, want the login page", answer.Request.URL)
	}
	for _, path := range []string{"/admin", "/admin/app.js", "/admin/api/users/search", "/admin/api/signing-keys"} {
		if answer, body := call(t, http.MethodGet, site+path, nil); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("GET %s without a session = %d %s, want 401", path, answer.StatusCode, body)
		}
	}
	if _, body := call(t, http.MethodGet, site+"/administrator", nil); body != "application" {
		t.Errorf("GET /administrator = %q, want the application", body)
	}

	token, id := adminPageLogin(t, site, "ann@example.com")
	bearer := []string{"Authorization", "Token " + token}
	if answer, body := call(t, http.MethodGet, site+"/admin/", nil, bearer...); answer.StatusCode != http.StatusForbidden || strings.Contains(body, "<main id=") {
		t.Errorf("GET /admin/ without the role = %d %s, want 403", answer.StatusCode, body)
	}
	if answer, body := call(t, http.MethodPost, site+"/admin/api/users/search", map[string]any{}, append(bearer, "X-Auth-Roles", "owner")...); answer.StatusCode != http.StatusForbidden {
		t.Errorf("POST /admin/api/users/search with a forged role = %d %s, want 403", answer.StatusCode, body)
	}

	setRole(t, id, "owner")
	token, _ = adminPageLogin(t, site, "ann@example.com")
	bearer[1] = "Token " + token
	answer, body := call(t, http.MethodGet, site+"/admin/", nil, bearer...)
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, `<main id="main"`) {
		t.Errorf("GET /admin/ with the role = %d %s, want the page", answer.StatusCode, body)
	}
	answer, body = call(t, http.MethodPost, site+"/admin/api/users/search", map[string]any{"email_prefix": "ann@"}, bearer...)
	var found adminapi.Users
	if err := json.Unmarshal([]byte(body), &found); err != nil || answer.StatusCode != http.StatusOK || len(found.Users) != 1 || found.Users[0].ID != id {
		t.Fatalf("POST /admin/api/users/search = %d %s, want the user %s", answer.StatusCode, body, id)
	}
	if granted := found.Users[0].GrantedRoles; len(granted) != 1 || granted[0] != "owner" || len(found.Users[0].Roles) != 2 {
		t.Errorf("the user has the roles %v, of which %v are granted; want owner granted, and the one of the configuration", found.Users[0].Roles, granted)
	}
	if answer, body := call(t, http.MethodPost, site+"/admin/api/users/search", map[string]any{}, append(bearer, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")...); answer.StatusCode != http.StatusForbidden {
		t.Errorf("POST /admin/api/users/search of another site = %d %s, want 403", answer.StatusCode, body)
	}
}

// adminPageLogin logs in by mail and returns the token and the ID of the user.
func adminPageLogin(t *testing.T, site, email string) (token, id string) {
	t.Helper()
	_, body := call(t, http.MethodPost, site+"/auth/by-link/link/", map[string]any{"email": email})
	var link struct {
		Debug string `json:"_debug_auth_link"`
	}
	if err := json.Unmarshal([]byte(body), &link); err != nil || link.Debug == "" {
		t.Fatalf("POST /auth/by-link/link/ = %s, want a link", body)
	}
	_, body = call(t, http.MethodPost, site+"/auth/by-link/login/", map[string]any{"token": link.Debug[strings.LastIndexByte(link.Debug, '/')+1:], "client_key": testKey})
	var grant struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(body), &grant); err != nil || grant.Token == "" {
		t.Fatalf("POST /auth/by-link/login/ = %s, want a token", body)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(grant.Token, ".")[1])
	var claims struct {
		Subject string `json:"sub"`
	}
	if err := errors.Join(err, json.Unmarshal(payload, &claims)); err != nil || claims.Subject == "" {
		t.Fatalf("the token has the payload %s, %v, want a subject", payload, err)
	}
	return grant.Token, claims.Subject
}

// setRole grants a role through the running configuration.
func setRole(t *testing.T, id, role string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/edgeauth/", nil)
	if err != nil {
		t.Fatalf("NewRequest() = %v", err)
	}
	live, release, err := activeRealm(request)
	if err != nil {
		t.Fatalf("activeRealm() = %v, want the realm", err)
	}
	defer release()
	if _, err := live.Accounts.SetRoles(t.Context(), id, []string{role}); err != nil {
		t.Fatalf("SetRoles(%q) = %v, want no error", id, err)
	}
}

// Options of the directive are checked when the configuration is loaded.
func TestAdminPageFaults(t *testing.T) {
	for site, want := range map[string]string{
		"admin_page a b":                      "at most one argument",
		"admin_page admin":                    "does not begin with a slash",
		"admin_page {\n role Admin\n}":        "not the name of a role",
		"admin_page {\n realm other\n}":       "admin_page",
		"admin_page {\n color blue\n}":        "color",
		"admin_page {\n max_age -1m\n}":       "max_age",
		"admin_page /admin {\n realm a b\n }": "realm",
	} {
		text := "{\n admin off\n edgeauth {\n insecure_debug_links\n storage memory\n }\n}\nhttp://localhost:9 {\n login_page\n " + site + "\n}\n"
		if err := validate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate(%s) = %v, want %q", site, err, want)
		}
	}
}
