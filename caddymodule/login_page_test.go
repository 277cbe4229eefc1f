package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The origin of a site follows from its address or is required.
func TestLoginPageFaults(t *testing.T) {
	const realm = "{\n admin off\n edgeauth {\n insecure_debug_links\n storage memory\n %s\n }\n}\n"
	for site, want := range map[string]string{
		":9 {\n login_page\n}":                                                      "the site has no name in its address; add for example: origin",
		"http://*.localhost:9 {\n login_page\n}":                                    "is a pattern; add for example: origin",
		"http://a.localhost:9, http://b.localhost:9 {\n login_page\n}":              "add the one that people see, for example: origin https://",
		"http://app.example.com:9 {\n login_page\n}":                                "must begin with https://",
		":9 {\n login_page {\n origin https://App.example.com/\n }\n}":              "must be written https://app.example.com",
		":9 {\n login_page {\n origin https://b\u00fccher.example\n }\n}":           "must be written https://xn--bcher-kva.example",
		":9 {\n login_page {\n origin https://app.example.com:443\n }\n}":           "without the port",
		"http://localhost:9 {\n login_page /\n}":                                    "must be a plain path",
		"http://localhost:9 {\n login_page {\n return_to //evil.example\n }\n}":     "return_to",
		"http://localhost:9 {\n login_page {\n theme /does/not/exist.css\n }\n}":    "theme: open",
		"http://localhost:9 {\n login_page {\n templates /does/not/exist\n }\n}":    "templates",
		"http://localhost:9 {\n login_page {\n logo ./login_page_test.go\n }\n}":    "the type of",
		"http://localhost:9 {\n login_page {\n providers github\n }\n}":             `there is no provider "github"`,
		"http://localhost:9 {\n login_page {\n sign_in_at https://a.example\n }\n}": "is not the address of a login page",
	} {
		err := validate(fmt.Sprintf(realm, "") + site + "\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate(%s) = %v, want %q", site, err, want)
		}
	}
	taken := fmt.Sprintf(realm, "client localhost:9 key") + "http://localhost:9 {\n login_page\n}\n"
	if err := validate(taken); err == nil || !strings.Contains(err.Error(), "rename the client") {
		t.Errorf("validate() = %v, want the name of the client to be refused", err)
	}
	alone := fmt.Sprintf(realm, "") + "http://localhost:" + freePort(t) + " {\n respond ok\n}\n"
	if err := tryLoad(t, alone); err == nil || !strings.Contains(err.Error(), "add login_page to a site") {
		t.Errorf("load() = %v, want that a client is missing", err)
	}
}

// A site without a client and a link template serves pages, the API below the prefix
// unless it has a login API, and nothing of the application without a session.
func TestLoginPageServes(t *testing.T) {
	port := freePort(t)
	site := "http://127.0.0.1:" + port
	config := "{\n admin off\n edgeauth {\n insecure_debug_links\n storage memory\n }\n}\n" + site + " {\n %s\n login_page\n token_auth\n respond application\n}\n"
	for _, test := range []struct {
		name, api string
		status    int
	}{{"without login_api", "", http.StatusOK}, {"with login_api", "login_api", http.StatusNotFound}} {
		t.Run(test.name, func(t *testing.T) {
			load(t, fmt.Sprintf(config, test.api))
			for path, want := range map[string]int{
				"/auth/": 200, "/auth": 200, "/auth/unknown": 404, "/auth/link/x": 400, "/auth/../auth/": 200,
				"/": 401, "/auth/../x": 401, "/authority": 401,
			} {
				if answer, body := call(t, http.MethodGet, site+path, nil); answer.StatusCode != want || strings.HasPrefix(body, "application") {
					t.Errorf("GET %s = %d %s, want %d", path, answer.StatusCode, body, want)
				}
			}
			if answer, body := call(t, http.MethodGet, site+"/auth/social/providers/?client_key=x", nil); (answer.StatusCode == http.StatusNotFound) != (test.status == http.StatusNotFound) {
				t.Errorf("GET of the API = %d %s, want it to be served: %t", answer.StatusCode, body, test.status == http.StatusOK)
			}
			unknown, page := call(t, http.MethodGet, site+"/auth/unknown", nil, "Accept", "text/html,*/*;q=0.8")
			if unknown.StatusCode != http.StatusNotFound || !strings.Contains(page, "<h1") {
				t.Errorf("GET of an unknown path in a browser = %d %s, want a page with 404", unknown.StatusCode, page)
			}
			answer, body := call(t, http.MethodPost, site+"/auth/logout/", map[string]any{})
			if want := map[int]int{200: 401, 404: 415}[test.status]; answer.StatusCode != want {
				t.Errorf("POST of JSON to the logout = %d %s, want %d", answer.StatusCode, body, want)
			}
			answer, _ = call(t, http.MethodGet, site+"/deep?x=1", nil, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
			if got, want := answer.Request.URL.RequestURI(), "/auth/?return_to=%2Fdeep%3Fx%3D1"; got != want && answer.Header.Get("Location") != want {
				t.Errorf("a navigation leads to %q, want %q", got, want)
			}
		})
	}
}
