package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// A token in the URL appears in logs and in the Referer (RFC 6750, section 5.3); one
// in a cookie is sent by pages of other sites as well (CWE-352).
func TestHardeningTokenOnlyFromHeader(t *testing.T) {
	w := newWorld(t)
	token := w.login("ada@example.com").Token
	const absent = `{"detail":"Authentication credentials were not provided."}`
	for _, name := range []string{"access_token", "token", "auth_token", "Authorization"} {
		w.call("GET", "/user/?"+name+"="+token, "").expect(t, 401, absent)
		w.call("GET", "/verify/", "", "Cookie", name+"="+token).expect(t, 401, absent)
		w.call("POST", "/logout/", name+"=Token+"+token, "Content-Type", formType).expect(t, 401, absent)
	}
	w.call("GET", "/verify/", "", "X-Authorization", "Token "+token, "Proxy-Authorization", "Token "+token).expect(t, 401, absent)
}

// Mail scanners and link previews fetch every link in a mail, with GET, HEAD and
// OPTIONS, and with the token in any place (RFC 9110, section 9.2.1).
func TestHardeningSafeMethodsConsumeNothing(t *testing.T) {
	w := newWorld(t)
	token, code, requestID := w.request("ada@example.com")
	query := "?token=" + token + "&request_id=" + requestID + "&code=" + code + "&client_key=" + webKey
	body := `{"token":"` + token + `","client_key":"` + webKey + `"}`
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		w.call(method, "/by-link/login/"+query, "")
		w.call(method, "/by-link/login/", body, "Content-Type", jsonType)
		w.call(method, "/by-link/login/", body, "Content-Type", jsonType, "X-HTTP-Method-Override", "POST")
		w.call(method, "/by-link/login/"+token+"/", "")
	}
	w.call("POST", "/by-link/login/"+query, "").
		expect(t, 400, `{"client_key":["This field is required."],"token":["This field is required."]}`)
	if r := w.post("/by-link/login/", body); r.StatusCode != http.StatusOK {
		t.Errorf("the link was spent: %d %s", r.StatusCode, r.body)
	}
}

// Of many simultaneous requests with one link, from different networks, one logs in
// (CWE-367).
func TestHardeningLinkWorksOnce(t *testing.T) {
	w := newWorld(t)
	token, _ := w.mail("ada@example.com")
	var networks atomic.Int64
	handler := httpapi.New(httpapi.Options{Realm: w.realm, ClientIP: func(*http.Request) netip.Addr {
		return netip.AddrFrom4([4]byte{198, 51, 100, byte(networks.Add(1))})
	}})
	var statuses [600]atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			r := httptest.NewRequest(http.MethodPost, "/v1/auth/by-link/login/",
				strings.NewReader(`{"token":"`+token+`","client_key":"`+webKey+`"}`))
			r.Header.Set("Content-Type", jsonType)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, r)
			statuses[recorder.Code].Add(1)
		})
	}
	all.Wait()
	if got, refused := statuses[200].Load(), statuses[400].Load(); got != 1 || refused != 49 {
		t.Errorf("%d got in, %d were refused", got, refused)
	}
}

// A caller must not learn which addresses have an account (CWE-204): status, body
// and headers are the same for known, unknown, denied and disabled users.
func TestHardeningLinkAnswersAlike(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.Rules = account.Rules{Signup: account.SignupDomains, Domains: []string{"example.com"}}
	})
	w.login("known@example.com")
	disabled := w.login("gone@example.com")
	if _, err := w.realm.Accounts.Disable(t.Context(), disabled.ID); err != nil {
		t.Fatal(err)
	}
	var reference http.Header
	for _, address := range []string{"known@example.com", "fresh@example.com", "denied@other.test", "gone@example.com"} {
		r := w.post("/by-link/link/", `{"email":"`+address+`"}`)
		r.masked().expect(t, 200, `{"email":"`+address+`","expires_in":900,"request_id":"R"}`)
		r.Header.Del("Date")
		r.Header.Del("Content-Length") // as long as the address, which is the caller's own
		if reference == nil {
			reference = r.Header
		}
		if got, want := fmt.Sprint(r.Header), fmt.Sprint(reference); got != want {
			t.Errorf("%s: headers %s, want %s", address, got, want)
		}
	}
}

// The client writes Host, Forwarded and the like. A link made from them would send
// its secret to the attacker's site (CWE-640).
func TestHardeningLinkAddressIsConfigured(t *testing.T) {
	w := newWorld(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/auth/by-link/link/",
		strings.NewReader(`{"email":"ada@example.com","email_link":"https://evil.test/{token}","redirect_uri":"https://evil.test/"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.test"
	for name, value := range map[string]string{
		"Content-Type": jsonType, "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.test",
		"X-Original-URL": "https://evil.test/", "X-Forwarded-Prefix": "/evil", "Origin": "https://evil.test", "Referer": "https://evil.test/", // the own origin, by Host
	} {
		request.Header.Set(name, value)
	}
	r, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if link := w.mails.last().Link; !strings.HasPrefix(link, linkBase) || strings.Contains(link, "evil") {
		t.Errorf("link is %s", link)
	}
}

// The link is never in the answer of a production server, whatever a request
// contains (CWE-489).
func TestHardeningDebugLinkIsTheOperatorsChoice(t *testing.T) {
	w := newWorld(t)
	w.call("POST", "/by-link/link/?_debug_auth_link=1&debug=1",
		`{"email":"ada@example.com","_debug_auth_link":true,"debug":true,"insecure_debug_links":true}`,
		"Content-Type", jsonType, "X-Debug", "1", "X-Forwarded-For", "127.0.0.1", "Cookie", "debug=1").
		masked().expect(t, 200, `{"email":"ada@example.com","expires_in":900,"request_id":"R"}`)
}

// X-Forwarded-For from an untrusted peer does not avoid a limit (CWE-348). The
// address behind the operator's trusted proxies counts.
func TestHardeningClientAddress(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.Limits = ratelimit.Limits{LinkPerIP: ratelimit.Rate{N: 2, Window: time.Minute}}
	})
	ask := func(i int) response {
		return w.post("/by-link/link/", fmt.Sprintf(`{"email":"a%d@example.com"}`, i), "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i),
			"X-Real-IP", fmt.Sprintf("203.0.113.%d", i), "Forwarded", fmt.Sprintf("for=203.0.113.%d", i))
	}
	for i := range 2 {
		if r := ask(i); r.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", r.StatusCode, r.body)
		}
	}
	ask(2).expect(t, 429, `{"detail":"Request was throttled. Expected available in 60 seconds."}`)

	handler := httpapi.New(httpapi.Options{Realm: w.realm, ClientIP: func(r *http.Request) netip.Addr {
		return netip.MustParseAddr(r.Header.Get("X-Test-Client"))
	}})
	// Three of one /64, then one of another.
	for i, want := range []int{200, 200, 429, 200} {
		r := httptest.NewRequest(http.MethodPost, "/v1/auth/by-link/link/", strings.NewReader(fmt.Sprintf(`{"email":"b%d@example.com"}`, i)))
		r.Header.Set("Content-Type", jsonType)
		r.Header.Set("X-Test-Client", fmt.Sprintf("2001:db8:1:%d::%d", i/3, i+1))
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if recorder.Code != want {
			t.Errorf("request %d: got %d, want %d", i, recorder.Code, want)
		}
	}
}

// While the store is down, a valid token or link is not refused as invalid: clients
// would discard it.
func TestHardeningStoreDown(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	token, _ := w.mail("ada@example.com")
	w.store.broken.Store(true)
	auth := append(login.authorization(), "Content-Type", jsonType)
	calls := []struct{ method, path, body string }{
		{"POST", "/by-link/link/", `{"email":"ada@example.com"}`},
		{"POST", "/by-link/login/", `{"token":"` + token + `","client_key":"` + webKey + `"}`},
		{"POST", "/social/login/google-oauth2/", `{"code":"good-code","client_key":"` + webKey + `"}`},
		{"POST", "/social/authorize/google-oauth2/", `{"client_key":"` + webKey + `"}`},
		{"GET", "/user/", ""},
		{"PATCH", "/user/", `{"first_name":"A"}`},
		{"POST", "/token/refresh/", ""},
		{"POST", "/logout/", ""},
		{"GET", "/sessions/", ""},
		{"DELETE", "/sessions/1/", ""},
	}
	for _, call := range calls {
		r := w.call(call.method, call.path, call.body, auth...)
		r.expect(t, 503, `{"detail":"The service is temporarily unavailable.","code":"unavailable"}`)
		r.expectHeader(t, "Retry-After", "5")
	}
	if n := strings.Count(w.logs.String(), `"msg":"request failed"`); n != len(calls) {
		t.Errorf("%d of %d failures are in the log", n, len(calls))
	}
	w.call("GET", "/verify/", "", auth...).expect(t, 200, "")
	w.call("GET", "/.well-known/jwks.json", "")
	w.store.broken.Store(false)
	if r := w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`); r.StatusCode != http.StatusOK {
		t.Errorf("the link was spent: %d %s", r.StatusCode, r.body)
	}
}

// Nothing secret that clients send and get is in a log, at any level (CWE-532).
func TestHardeningNoSecretsInLogs(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	token, code := w.mail("ada@example.com")
	secrets := []string{login.Token, token, code, webKey, "ada@example.com", "wrong-key-1", "secret-in-path", "social-code-9", "thrown-secret"}

	auth := append(login.authorization(), "Content-Type", jsonType)
	w.post("/by-link/login/", `{"token":"secret-in-path","client_key":"wrong-key-1"}`)
	w.post("/by-link/login/secret-in-path/", `{`)
	w.call("DELETE", "/sessions/secret-in-path/", "", auth...)
	w.post("/social/login/google-oauth2/", `{"code":"social-code-9","client_key":"`+webKey+`"}`)
	w.provider.set(func(p *fakeProvider) { p.panics = fmt.Sprintf("thrown-secret %s", token) })
	const internal = `{"detail":"Internal server error.","code":"internal"}`
	w.post("/social/login/google-oauth2/", `{"code":"social-code-9","client_key":"`+webKey+`"}`).expect(t, 500, internal)
	w.store.broken.Store(true)
	w.call("DELETE", "/sessions/secret-in-path/", "", auth...)
	w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`)
	w.post("/by-link/link/", `{"email":"ada@example.com"}`)

	logs := w.logs.String()
	for _, secret := range secrets {
		if strings.Contains(logs, secret) {
			t.Errorf("%q is in the log:\n%s", secret, logs)
		}
	}
	for _, expected := range []string{`"route":"/sessions/{id}"`, `"panic":"string"`, `"stack":"goroutine`} {
		if !strings.Contains(logs, expected) {
			t.Errorf("%s is not in the log:\n%s", expected, logs)
		}
	}
}

// An answer never quotes a faulty body, which may contain a part of a secret
// (CWE-209).
func TestHardeningFaultyBodiesAreNotEchoed(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		`{"token":"hunter2`, `{"token":hunter2}`, `hunter2`, `{"token":"hunter2"}}`, `{"hunter2"`, "{\"a\":\"hunter2\xff\"}", `["hunter2"]`,
	} {
		for _, contentType := range []string{jsonType, "multipart/form-data; boundary=x", "text/plain"} {
			r := w.call("POST", "/by-link/login/", body, "Content-Type", contentType)
			if r.StatusCode < 400 || r.StatusCode >= 500 || strings.Contains(r.body, "hunter2") {
				t.Errorf("%q as %s: got %d %s", body, contentType, r.StatusCode, r.body)
			}
		}
	}
}

// Bodies that are made to be expensive are answered quickly (CWE-400, CWE-407):
// nesting, many members, many parts, and domains whose conversion takes time that
// grows with the square of their length.
func TestHardeningExpensiveBodies(t *testing.T) {
	distinct := strings.Builder{}
	for i := range 20_000 {
		distinct.WriteRune(rune(0x4e00 + i))
	}
	part := "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
	bodies := []struct{ contentType, body string }{
		{jsonType, strings.Repeat("[", 60_000)},
		{jsonType, strings.Repeat(`{"a":`, 12_000)},
		{jsonType, `{"email":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`},
		{jsonType, `{"email":"` + strings.Repeat(`\u0041`, 10_000) + `"}`},
		{jsonType, `{` + strings.Repeat(`"a":1,`, 10_000) + `"a":1}`},
		{jsonType, `{"email":"a@` + distinct.String() + `.com"}`},
		{jsonType, `{"email":` + strings.Repeat("9", 60_000) + `}`},
		{formType, strings.Repeat("a&", 30_000)},
		{formType, "email=" + strings.Repeat("%2e", 20_000)},
		{"multipart/form-data; boundary=x", strings.Repeat(part, 1_200)},
		{"multipart/form-data; boundary=x", "--x\r\n" + strings.Repeat("A: b\r\n", 10_000)},
	}
	w := newWorld(t)
	for i, body := range bodies {
		start := time.Now()
		r := w.call("POST", "/by-link/link/", body.body, "Content-Type", body.contentType)
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("body %d: got %d %.200s", i, r.StatusCode, r.body)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("body %d took %s", i, took)
		}
	}
}

// A path is examined as the upstream resolves it (CWE-436): nothing outside the API
// can be reached below its prefix.
func TestHardeningPathsOutOfTheAPI(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/v1/auth/../admin", "/v1/auth/%2e%2e/admin", "/v1/auth/user/%2e%2e%2f%2e%2e/admin", "/v1/auth/..%2fadmin",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if httpapi.New(httpapi.Options{}).Owns(request.URL.Path) {
			t.Errorf("%s is claimed", path)
		}
	}
}

// A user with many sessions, also old ones, gets pages of them instead of an answer of
// megabytes (CWE-770).
func TestHardeningSessionsArePaged(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.MaxSessions, cfg.Limits = 1000, ratelimit.Limits{LinkOverall: ratelimit.Rate{N: 1 << 20, Window: time.Hour}}
	})
	var last loggedIn
	for range 2*100 + 5 {
		last = w.login("ada@example.com")
		w.advance(time.Second)
	}
	seen, path := map[string]bool{}, "/sessions/"
	for _, want := range []int{100, 100, 5} {
		var page []struct{ ID string }
		w.call("GET", path, "", last.authorization()...).decode(t, &page)
		if len(page) != want {
			t.Fatalf("GET %s = %d sessions, want %d", path, len(page), want)
		}
		for _, session := range page {
			seen[session.ID] = true
		}
		path = "/sessions/?after=" + page[len(page)-1].ID
	}
	if len(seen) != 205 {
		t.Errorf("the pages have %d sessions, want 205", len(seen))
	}
	w.call("GET", "/sessions/?after=unknown", "", last.authorization()...).expect(t, 400, `{"after":["There is no such session; begin again without it."]}`)
}
