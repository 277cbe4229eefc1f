package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

// A foreign page must not send mails through its visitors' browsers, use up their
// budgets, or log them in to an account of the attacker (CWE-352).
func TestHardeningCrossSitePost(t *testing.T) {
	const host = "api.example.com"
	for name, c := range map[string]struct {
		headers []string
		allowed bool
	}{
		"no browser":                         {nil, true},
		"listed origin":                      {[]string{"Origin", origin}, true},
		"listed origin, cross-site":          {[]string{"Origin", origin, "Sec-Fetch-Site", "cross-site"}, true},
		"own origin":                         {[]string{"Origin", "https://" + host}, true},
		"own origin by http":                 {[]string{"Origin", "http://" + host}, true},
		"own origin with port":               {[]string{"Origin", "https://" + host + ":443"}, true},
		"own origin in upper case":           {[]string{"Origin", "https://API.example.com"}, true},
		"same origin, null":                  {[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, true},
		"same origin behind a rewrite":       {[]string{"Origin", "https://public.example", "Sec-Fetch-Site", "same-origin"}, true},
		"typed by the user":                  {[]string{"Sec-Fetch-Site", "none"}, true},
		"foreign origin":                     {[]string{"Origin", "https://evil.test"}, false},
		"foreign origin, cross-site":         {[]string{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"}, false},
		"sub-domain of a listed origin":      {[]string{"Origin", "https://x.frontend.app", "Sec-Fetch-Site", "same-site"}, false},
		"listed origin as prefix":            {[]string{"Origin", origin + ".evil.test"}, false},
		"own host as prefix":                 {[]string{"Origin", "https://" + host + ".evil.test"}, false},
		"own host as user":                   {[]string{"Origin", "https://" + host + "@evil.test"}, false},
		"own host, other port":               {[]string{"Origin", "https://" + host + ":8443"}, false},
		"own host, cross-site":               {[]string{"Origin", "https://" + host, "Sec-Fetch-Site", "cross-site"}, false},
		"own host, other scheme":             {[]string{"Origin", "ftp://" + host}, false},
		"null":                               {[]string{"Origin", "null"}, false},
		"null, cross-site":                   {[]string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, false},
		"empty origin":                       {[]string{"Origin", ""}, false},
		"two origins":                        {[]string{"Origin", origin, "Origin", "https://evil.test"}, false},
		"cross-site without an origin":       {[]string{"Sec-Fetch-Site", "cross-site"}, false},
		"two values, same-origin first":      {[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, false},
		"same-origin in a list is not taken": {[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin, cross-site"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token, _ := w.mail("ada@example.com")
			handler := httpapi.New(httpapi.Options{Realm: w.realm})
			for _, call := range [][2]string{
				{"/by-link/link/", `{"email":"ada@example.com"}`},
				{"/by-link/login/", `{"token":"` + token + `","client_key":"` + webKey + `"}`},
				{"/social/authorize/google-oauth2/", `{"client_key":"` + webKey + `"}`},
				{"/social/login/google-oauth2/", `{"code":"good-code","client_key":"` + webKey + `"}`},
			} {
				mails := w.mails.count()
				r := httptest.NewRequest(http.MethodPost, "/v1/auth"+call[0], strings.NewReader(call[1]))
				r.Host = host
				r.Header.Set("Content-Type", jsonType)
				for i := 0; i < len(c.headers); i += 2 {
					r.Header.Add(c.headers[i], c.headers[i+1])
				}
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, r)
				if c.allowed {
					if recorder.Code != http.StatusOK {
						t.Errorf("POST %s = %d %s, want 200", call[0], recorder.Code, recorder.Body)
					}
					continue
				}
				const want = `{"detail":"Requests from this site are not allowed.","code":"cross_site"}`
				if recorder.Code != http.StatusForbidden || recorder.Body.String() != want || w.mails.count() != mails {
					t.Errorf("POST %s = %d %s, want 403 %s and no mail", call[0], recorder.Code, recorder.Body, want)
				}
			}
			if !c.allowed && len(w.provider.requests()) > 0 {
				t.Error("the provider received a code of a cross-site request")
			}
		})
	}
}

// The responses of form_post providers come from their sites, and proxies forward
// the headers of the requests that they ask about.
func TestCrossSiteExceptions(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	foreign := []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"}
	w.call("POST", "/social/callback/google-oauth2/", "", append(foreign, "Content-Type", formType)...).
		expect(t, 400, `{"detail":"The provider's response is not complete. Please try again.","code":"invalid_request"}`)
	w.call("POST", "/verify/", "", append(foreign, login.authorization()...)...).expect(t, 200, "")
	// Only POST is refused: other unsafe methods need a token in a header.
	w.call("GET", "/user/", "", append(foreign, login.authorization()...)...)
	w.call("POST", "/unknown/", "", foreign...).expect(t, 404, `{"detail":"Not found."}`)
}
