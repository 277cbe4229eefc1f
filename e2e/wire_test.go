package e2e

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/faulty"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// Media types of requests.
const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// call is one line of the contract: a request to the login API and what must
// come back.
type call struct {
	name   string
	method string // default POST
	path   string // below /v1/auth, without the slash at the end
	kind   string // default jsonType
	body   string
	status int
	// want is the whole body; like is a regular expression for the whole body.
	want, like string
}

func (c call) check(t *testing.T, s *site, slash string) {
	t.Helper()
	method, kind := c.method, c.kind
	if method == "" {
		method = http.MethodPost
	}
	if kind == "" {
		kind = jsonType
	}
	got := s.do(t, method, "/v1/auth"+c.path+slash, kind, c.body)
	matches := got.body == c.want
	if c.like != "" {
		matches = regexp.MustCompile(`^` + c.like + `$`).MatchString(got.body)
	}
	if got.status != c.status || !matches {
		t.Errorf("%s %s%s: got %d %s, want %d %s%s", method, c.path, slash, got.status, got.body, c.status, c.want, c.like)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != jsonType {
		t.Errorf("%s %s%s: headers %v", method, c.path, slash, got.header)
	}
}

// The messages about fields.
const (
	missingMsg   = `["This field is required."]`
	blankMsg     = `["This field may not be blank."]`
	nullMsg      = `["This field may not be null."]`
	notStringMsg = `["Not a valid string."]`
	notEmailMsg  = `["Enter a valid email address."]`
	wrongKeyMsg  = `{"client_key":["Invalid client key."]}`
)

// unknownRequest has the form of a request_id.
const unknownRequest = "AAAAAAAAAAAAAAAAAAAAAA"

// wireSite has two clients and two providers, so that everything that depends on
// their lists shows.
func wireSite(t *testing.T, options ...string) *site {
	t.Helper()
	idp := faulty.Start(t)
	realm := slices.Concat(debugLinks, noLimits, options,
		faultyProvider("idp", idp.Issuer("", faulty.UserInfo)),
		faultyProvider("hidden", idp.Issuer("", faulty.Token)),
		[]string{"client narrow narrow-key {", "\tredirect_uri https://narrow.test/cb", "\tproviders idp", "}"},
	)
	return newSite(t, caddyfile{Realm: realm}, "IDP_SECRET="+oidcClientSecret)
}

func TestWire(t *testing.T) {
	t.Parallel()
	s := wireSite(t)
	for _, c := range slices.Concat(fieldCalls(), bodyCalls(), socialCalls(), methodCalls()) {
		t.Run(c.name, func(t *testing.T) {
			for _, slash := range []string{"/", ""} {
				c.check(t, s, slash)
			}
		})
	}
}

// fieldCalls sends faulty fields. All of them are reported together.
func fieldCalls() []call {
	calls := []call{
		{name: "two fields missing", path: "/by-link/login", body: `{}`, status: 400, want: `{"client_key":` + missingMsg + `,"token":` + missingMsg + `}`},
		{name: "two fields faulty", path: "/by-link/login", body: `{"token":null,"client_key":[]}`, status: 400, want: `{"client_key":` + notStringMsg + `,"token":` + nullMsg + `}`},
		{name: "a number is text", path: "/by-link/login", body: `{"token":12345,"client_key":` + quoted(clientKey) + `}`, status: 400, like: `\{"detail":"[^"]+","code":"invalid_link"\}`},
		{name: "an unknown link", path: "/by-link/login", body: `{"token":"x","client_key":` + quoted(clientKey) + `}`, status: 400, like: `\{"detail":"[^"]+","code":"invalid_link"\}`},
		{name: "a wrong client key", path: "/by-link/login", body: `{"token":"x","client_key":"y"}`, status: 400, want: wrongKeyMsg},
		{name: "a wrong client key for a link", path: "/by-link/link", body: `{"email":"a@example.com","client_key":"y"}`, status: 400, want: wrongKeyMsg},
		{name: "a code without the rest", path: "/by-link/login", body: `{"code":"123456"}`, status: 400, want: `{"client_key":` + missingMsg + `,"request_id":` + missingMsg + `}`},
		{name: "text that cannot be a code", path: "/by-link/login", body: `{"request_id":` + quoted(unknownRequest) + `,"code":"12345x","client_key":` + quoted(clientKey) + `}`, status: 400, like: `\{"code":\["[^"]+"\]\}`},
		{name: "an unknown code", path: "/by-link/login", body: `{"request_id":` + quoted(unknownRequest) + `,"code":"123456","client_key":` + quoted(clientKey) + `}`, status: 400, like: `\{"detail":"[^"]+","code":"invalid_code"\}`},
	}
	for value, message := range map[string]string{
		`""`: blankMsg, `"  "`: blankMsg, `null`: nullMsg,
		`true`: notStringMsg, `["a@example.com"]`: notStringMsg, `{"a":1}`: notStringMsg,
		`5`: notEmailMsg, `"a"`: notEmailMsg, `"a@b@example.com"`: notEmailMsg, `"a@example.com\r\nBcc: b@example.com"`: "",
		`"a\u0000@example.com"`: "", `"a b@example.com"`: notEmailMsg, `"\"a\"@example.com"`: `["Addresses with quotes before the @ are not supported."]`,
		`"a@[127.0.0.1]"`: notEmailMsg, `"A <a@example.com>"`: notEmailMsg, `"a@example.com,b@example.com"`: notEmailMsg,
	} {
		c := call{name: "email " + value, path: "/by-link/link", body: `{"email":` + value + `}`, status: 400}
		if c.want = `{"email":` + message + `}`; message == "" {
			c.like = `\{"email":\["[^"]+"\]\}`
		}
		calls = append(calls, c)
	}
	return append(calls, call{name: "no email", path: "/by-link/link", body: `{}`, status: 400, want: `{"email":` + missingMsg + `}`})
}

// bodyCalls sends bodies that are not JSON objects, and other media types.
func bodyCalls() []call {
	const path = "/by-link/link"
	noEmail := `{"email":` + missingMsg + `}`
	accepted := `\{"email":"a@example\.com","expires_in":900,"request_id":"[\w-]{22}","_debug_auth_link":"` + regexp.QuoteMeta(linkPrefix) + `[\w-]{64}"\}`
	return []call{
		{name: "half an object", path: path, body: `{"email":`, status: 400, like: `\{"detail":"JSON parse error - [^"]+"\}`},
		{name: "two objects", path: path, body: `{"email":"a@example.com"}{}`, status: 400, like: `\{"detail":"JSON parse error - [^"]+"\}`},
		{name: "an array", path: path, body: `["email"]`, status: 400, want: `{"detail":"Expected a JSON object."}`},
		{name: "a string", path: path, body: `"email"`, status: 400, want: `{"detail":"Expected a JSON object."}`},
		{name: "null", path: path, body: `null`, status: 400, want: `{"detail":"Expected a JSON object."}`},
		{name: "not UTF-8", path: path, body: "{\"email\":\"a\xff@example.com\"}", status: 400, like: `\{.*\}`},
		{name: "not UTF-8 in a form", path: path, kind: formType, body: "email=a%ff%40example.com", status: 400, like: `\{.*\}`},
		{name: "deep", path: path, body: strings.Repeat(`{"a":`, 20000), status: 413, like: `\{"detail":"[^"]+","code":"body_too_large"\}`},
		{name: "nested", path: path, body: `{"email":` + strings.Repeat(`[`, 12000), status: 400, like: `\{"detail":"JSON parse error - [^"]+"\}`},
		{name: "too large", path: path, body: `{"email":"` + strings.Repeat("a", 65<<10) + `"}`, status: 413, like: `\{"detail":"[^"]+","code":"body_too_large"\}`},
		{name: "text", path: path, kind: "text/plain", body: `{}`, status: 415, want: `{"detail":"Unsupported media type \"text/plain\" in request."}`},
		{name: "an empty body", path: path, status: 400, want: noEmail},
		{name: "an empty form", path: path, kind: formType, status: 400, want: noEmail},
		{name: "an empty multipart form", path: path, kind: "multipart/form-data; boundary=b", status: 400, want: noEmail},
		{name: "satellizer's media type", path: path, kind: "application/json;charset=UTF-8", body: `{"email":"a@example.com"}`, status: 200, like: accepted},
		{name: "extra members", path: path, body: `{"email":"a@example.com","extra":{"a":[null]}}`, status: 200, like: accepted},
		{name: "a member twice", path: path, body: `{"email":"b@example.com","email":"a@example.com"}`, status: 200, like: accepted},
		{name: "a form", path: path, kind: formType, body: "email=a%40example.com", status: 200, like: accepted},
		{name: "a field twice", path: path, kind: formType, body: "email=b%40example.com&email=a%40example.com", status: 200, like: accepted},
		{name: "a multipart form", path: path, kind: "multipart/form-data; boundary=b", body: "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@example.com\r\n--b--\r\n", status: 200, like: accepted},
	}
}

// socialCalls checks which client may use which provider and redirect URI.
func socialCalls() []call {
	const path = "/social/login"
	body := func(provider, key, uri string) string {
		return `{"provider":` + quoted(provider) + `,"code":"c","client_key":` + quoted(key) + `,"redirect_uri":` + quoted(uri) + `}`
	}
	notFound := `{"detail":"Not found."}`
	return []call{
		{name: "no provider", path: path, body: `{"code":"c","client_key":` + quoted(clientKey) + `}`, status: 400, want: `{"provider":` + missingMsg + `}`},
		{name: "nothing", path: path, body: `{}`, status: 400, want: `{"client_key":` + missingMsg + `,"code":` + missingMsg + `,"provider":` + missingMsg + `}`},
		{name: "nothing but the path", path: path + "/idp", body: `{}`, status: 400, want: `{"client_key":` + missingMsg + `,"code":` + missingMsg + `}`},
		{name: "an unknown provider", path: path, body: body("nowhere", clientKey, redirectURI), status: 404, want: notFound},
		{name: "a provider that is not configured", path: path, body: body("facebook", clientKey, redirectURI), status: 404, want: notFound},
		{name: "another case", path: path, body: body("IDP", clientKey, redirectURI), status: 404, want: notFound},
		{name: "a provider for others", path: path, body: body("hidden", "narrow-key", "https://narrow.test/cb"), status: 404, want: notFound},
		{name: "the path wins", path: path + "/nowhere", body: body("idp", clientKey, redirectURI), status: 404, want: notFound},
		{name: "a wrong client key", path: path, body: body("idp", "y", redirectURI), status: 400, want: wrongKeyMsg},
		{name: "a foreign redirect URI", path: path, body: body("idp", clientKey, "https://evil.test/"), status: 400, want: `{"redirect_uri":["Not allowed for this client."]}`},
		{name: "which redirect URI", path: path, body: `{"provider":"idp","code":"c","client_key":` + quoted(clientKey) + `}`, status: 400, want: `{"redirect_uri":` + missingMsg + `}`},
		{name: "the other spelling", path: path, body: `{"provider":"idp","code":"c","client_key":` + quoted(clientKey) + `,"redirectUri":"https://evil.test/"}`, status: 400, want: `{"redirect_uri":["Not allowed for this client."]}`},
		{name: "the only redirect URI", path: path, body: `{"provider":"idp","code":"c","client_key":"narrow-key"}`, status: 200, like: `\{"id":"[^"]+","token":"[^"]+".*\}`},
		{name: "a form", path: path + "/idp", kind: formType, body: "code=c&client_key=narrow-key", status: 200, like: `\{"id":"[^"]+","token":"[^"]+".*\}`},
		{name: "authorize at an unknown provider", path: "/social/authorize/nowhere", body: `{"client_key":"narrow-key"}`, status: 404, want: notFound},
		{name: "an unknown path", path: "/social/nothing", body: `{}`, status: 404, want: notFound},
		{name: "state made here but unknown", path: path, body: `{"provider":"idp","code":"c","client_key":"narrow-key","state":"ea.x"}`, status: 400, like: `\{"detail":"[^"]+","code":"invalid_state"\}`},
	}
}

// methodCalls sends methods that a call does not have.
func methodCalls() []call {
	var calls []call
	for _, path := range []string{"/by-link/link", "/by-link/login", "/social/login", "/social/login/idp", "/social/authorize", "/logout", "/token/refresh"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			calls = append(calls, call{
				name: method + " " + path, method: method, path: path, status: 405,
				want: `{"detail":"Method \"` + method + `\" not allowed."}`,
			})
		}
	}
	return append(calls, call{name: "POST /user", path: "/user", status: 405, want: `{"detail":"Method \"POST\" not allowed."}`})
}

func quoted(text string) string { return `"` + text + `"` }

// TestWireMore checks headers and sequences of requests.
func TestWireMore(t *testing.T) {
	t.Parallel()
	s := wireSite(t)

	t.Run("405 lists the methods", func(t *testing.T) {
		got := s.do(t, http.MethodGet, "/v1/auth/by-link/link/", "", "")
		if allow := got.header.Get("Allow"); !strings.Contains(allow, "POST") || strings.Contains(allow, "GET") {
			t.Errorf("Allow: %q", allow)
		}
	})
	t.Run("an invalid token does not prevent a login", func(t *testing.T) {
		token := s.requestLink(t, "dead@example.com")
		body := `{"token":` + quoted(token) + `,"client_key":` + quoted(clientKey) + `}`
		got := s.do(t, http.MethodPost, "/v1/auth/by-link/login/", jsonType, body,
			"Authorization", "Token dead", "Authorization", "Bearer x")
		s.loggedIn(t, got)
	})
	t.Run("links are spent in every media type", func(t *testing.T) {
		var form bytes.Buffer
		writer := multipart.NewWriter(&form)
		for name, value := range map[string]string{"token": s.requestLink(t, "multi@example.com"), "client_key": clientKey} {
			if err := writer.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		first := s.loggedIn(t, s.do(t, http.MethodPost, "/v1/auth/by-link/login", writer.FormDataContentType(), form.String()))
		second := s.loggedIn(t, s.do(t, http.MethodPost, "/v1/auth/by-link/login", formType,
			"token="+s.requestLink(t, "multi@example.com")+"&client_key="+clientKey))
		if !first.isNew || second.isNew || first.id != second.id {
			t.Errorf("first %v, then %v", first.user, second.user)
		}
	})
	t.Run("the answer is the same for known and unknown addresses", func(t *testing.T) {
		s.logIn(t, "known@example.com")
		random := regexp.MustCompile(`[\w-]{22,64}`)
		shape := func(email string) string {
			got := s.post(t, "/by-link/link/", map[string]any{"email": email}).must(t, http.StatusOK)
			got.header.Del("Date")
			body := random.ReplaceAllString(strings.ReplaceAll(got.body, email, ""), "")
			return encode(t, got.header) + body
		}
		if known, unknown := shape("known@example.com"), shape("never@example.com"); known != unknown {
			t.Errorf("known: %s\nunknown: %s", known, unknown)
		}
	})
	t.Run("the address of the link comes from the configuration", func(t *testing.T) {
		got := s.do(t, http.MethodPost, "/v1/auth/by-link/link/", jsonType, `{"email":"host@example.com"}`,
			"X-Forwarded-Host", "evil.test", "Forwarded", "host=evil.test", "X-Forwarded-Proto", "http", "Origin", origin, "Referer", "https://evil.test/")
		if link := got.text(t, "_debug_auth_link"); !strings.HasPrefix(link, linkPrefix) {
			t.Errorf("the link is %q", link)
		}
	})
	t.Run("what a frontend must know", func(t *testing.T) {
		got := s.do(t, http.MethodGet, "/v1/auth/social/providers/?client_key=narrow-key", "", "").must(t, http.StatusOK)
		want := `^\[\{"name":"idp","client_id":"edge","authorize_url":"http://[^"]+/authorize","scope":"[^"]*openid[^"]*","response_type":"code"\}\]$`
		if !regexp.MustCompile(want).MatchString(got.body) {
			t.Errorf("got %s", got.body)
		}
	})
}

func TestExpiredLink(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: append([]string{"link_lifetime 1s"}, debugLinks...)})
	asked := time.Now()
	token := s.requestLink(t, "late@example.com")
	wait.Until(t, 5*time.Second, "the link expires", func() bool { return time.Since(asked) > 1500*time.Millisecond })
	s.spendLink(t, token).refused(t, http.StatusBadRequest, "invalid_link")
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: append([]string{"limit link_per_ip 3 15m"}, debugLinks...)})
	s.logIn(t, "known@example.com")
	detail := regexp.MustCompile(`^\{"detail":"Request was throttled\. Expected available in ([0-9]+) seconds\."\}$`)
	for _, address := range []string{"known@example.com", "unknown@example.com"} {
		for {
			got := s.post(t, "/by-link/link/", map[string]any{"email": address}, "X-Forwarded-For", "203.0.113.7")
			if got.status == http.StatusOK {
				continue
			}
			match := detail.FindStringSubmatch(got.body)
			if got.status != http.StatusTooManyRequests || match == nil || got.header.Get("Retry-After") != match[1] {
				t.Errorf("a throttled link for %s = %d %v %s, want 429 and Retry-After", address, got.status, got.header, got.body)
			}
			break
		}
	}
}
