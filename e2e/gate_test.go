package e2e

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends header lines that net/http would refuse or change: duplicates, bytes
// that are not valid UTF-8, names in any spelling.
func (s *site) raw(t *testing.T, method, path string, headerLines ...string) answer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: " + strings.TrimPrefix(s.URL, "http://")}, headerLines...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// Bodies of 401 answers.
const (
	bodyNotProvided = `{"detail":"Authentication credentials were not provided."}`
	bodyEmpty       = `{"detail":"Invalid token header. No credentials provided."}`
	bodySpaces      = `{"detail":"Invalid token header. Token string should not contain spaces."}`
	bodyCharacters  = `{"detail":"Invalid token header. Token string should not contain invalid characters."}`
	bodyInvalid     = `{"detail":"Invalid token."}`
	bodyInactive    = `{"detail":"User inactive or deleted."}`
)

// isRefused checks a 401 byte for byte.
func isRefused(t *testing.T, what string, got answer, body string) {
	t.Helper()
	if got.status != http.StatusUnauthorized || got.body != body ||
		got.header.Get("WWW-Authenticate") != "Token" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: got %d %v %q, want %q", what, got.status, got.header, got.body, body)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	good := s.logIn(t, "gate@example.com")
	header, rest, _ := strings.Cut(good.token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	forged := func(header string) string {
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + payload
		mac := hmac.New(sha256.New, []byte(s.get(t, "/v1/auth/.well-known/jwks.json", "").body))
		mac.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	for name, c := range map[string]struct {
		lines []string
		body  string
	}{
		"no header":                {nil, bodyNotProvided},
		"an empty header":          {[]string{"Authorization:"}, bodyNotProvided},
		"a blank header":           {[]string{"Authorization:   "}, bodyNotProvided},
		"Bearer":                   {[]string{"Authorization: Bearer " + good.token}, bodyNotProvided},
		"Basic":                    {[]string{"Authorization: Basic dTpw"}, bodyNotProvided},
		"an equals sign":           {[]string{"Authorization: Token=" + good.token}, bodyNotProvided},
		"no scheme":                {[]string{"Authorization: " + good.token}, bodyNotProvided},
		"the scheme alone":         {[]string{"Authorization: Token"}, bodyEmpty},
		"the scheme and a blank":   {[]string{"Authorization: Token "}, bodyEmpty},
		"a blank within":           {[]string{"Authorization: Token a b"}, bodySpaces},
		"two joined by a comma":    {[]string{"Authorization: Token " + good.token + ", Token " + good.token}, bodySpaces},
		"two headers":              {[]string{"Authorization: Token " + good.token, "Authorization: Token " + good.token}, bodySpaces},
		"two headers, one foreign": {[]string{"authorization: Basic dTpw", "AUTHORIZATION: Token " + good.token}, bodySpaces},
		"not UTF-8":                {[]string{"Authorization: Token a\xff\xfe"}, bodyCharacters},
		"half a character":         {[]string{"Authorization: Token \xc3"}, bodyCharacters},
		"UTF-8":                    {[]string{"Authorization: Token ü"}, bodyInvalid},
		"nonsense":                 {[]string{"Authorization: Token nonsense"}, bodyInvalid},
		"5 kB of noise":            {[]string{"Authorization: Token " + strings.Repeat("n", 5000)}, bodyInvalid},
		"three dots":               {[]string{"Authorization: Token ..."}, bodyInvalid},
		"another signature":        {[]string{"Authorization: Token " + header + "." + payload + "." + strings.Repeat("A", len(signature))}, bodyInvalid},
		"no signature":             {[]string{"Authorization: Token " + header + "." + payload + "."}, bodyInvalid},
		"alg none":                 {[]string{"Authorization: Token " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."}, bodyInvalid},
		"the public key as secret": {[]string{"Authorization: Token " + forged(`{"alg":"HS256","typ":"login+jwt"}`)}, bodyInvalid},
		"trailing bytes":           {[]string{"Authorization: Token " + good.token + "."}, bodyInvalid},
		"padding":                  {[]string{"Authorization: Token " + good.token + "="}, bodyInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/whoami", "/v1/auth/user/", "/v1/auth/verify"} {
				isRefused(t, path, s.raw(t, http.MethodGet, path, c.lines...), c.body)
			}
		})
	}
	for _, line := range []string{
		"Authorization: Token " + good.token, "authorization: tOKEN " + good.token, "AUTHORIZATION:Token \t  " + good.token + "  ",
	} {
		if got := s.raw(t, http.MethodGet, "/whoami", line); got.status != http.StatusOK {
			t.Errorf("a request with %q = %d %s, want 200", line[:24], got.status, got.body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions, "PROPFIND"} {
		if got := s.raw(t, method, "/whoami"); got.status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", method, got.status)
		}
	}
}

// TestEndedTokens checks that tokens end immediately and stay ended after a restart.
// A refresh ends no token.
func TestEndedTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	alive, loggedOut := s.logIn(t, "alive@example.com"), s.logIn(t, "out@example.com")
	disabled, deleted := s.logIn(t, "disabled@example.com"), s.logIn(t, "deleted@example.com")
	refreshed, reused := s.logIn(t, "fresh@example.com"), s.logIn(t, "reused@example.com")
	for _, l := range []login{alive, loggedOut, disabled, deleted, refreshed, reused} {
		s.get(t, "/whoami", l.token).must(t, http.StatusOK) // and now it is cached
	}
	s.logOut(t, loggedOut.token)
	for operation, l := range map[string]login{"disable": disabled, "delete": deleted} {
		if err := s.Command(t, "edgeauth", "user", operation, l.id, "--address", s.Admin); err != nil {
			t.Fatal(err)
		}
	}
	fresh := s.refresh(t, refreshed.token)
	successor := s.refresh(t, reused.token)
	s.logOut(t, reused.token) // a superseded token ends its session, too
	check := func(when string) {
		s.get(t, "/whoami", alive.token).must(t, http.StatusOK)
		s.get(t, "/whoami", fresh.token).must(t, http.StatusOK)
		isRefused(t, when+" logged out", s.get(t, "/whoami", loggedOut.token), bodyInvalid)
		s.get(t, "/whoami", refreshed.token).must(t, http.StatusOK)
		isRefused(t, when+" logged out with its predecessor", s.get(t, "/whoami", successor.token), bodyInvalid)
		isRefused(t, when+" superseded and logged out", s.get(t, "/whoami", reused.token), bodyInvalid)
		isRefused(t, when+" disabled", s.get(t, "/whoami", disabled.token), bodyInactive)
		isRefused(t, when+" deleted", s.get(t, "/whoami", deleted.token), bodyInactive)
		isRefused(t, when+" disabled, at the API", s.get(t, "/v1/auth/user/", disabled.token), bodyInactive)
	}
	check("immediately:")
	s.Stop(t)
	s.client.CloseIdleConnections()
	s.Start(t)
	check("after a restart:")
	s.spendLink(t, s.requestLink(t, "disabled@example.com")).refused(t, http.StatusForbidden, "user_inactive")
}

// TestSessions lists and ends the sessions of one user.
func TestSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	here, there := s.logIn(t, "two@example.com"), s.logIn(t, "two@example.com")
	other := s.logIn(t, "other@example.com")
	list := func(token string) (ids []string) {
		var sessions []map[string]any
		if err := json.Unmarshal([]byte(s.get(t, "/v1/auth/sessions/", token).must(t, http.StatusOK).body), &sessions); err != nil {
			t.Fatal(err)
		}
		for _, session := range sessions {
			if session["client"] != "web" || session["method"] != "link" || session["address"] != "127.0.0.1" {
				t.Errorf("a session: %v", session)
			}
			if session["current"] != true {
				id, _ := session["id"].(string)
				ids = append(ids, id)
			}
		}
		return ids
	}
	others := list(here.token)
	if len(others) != 1 || len(list(other.token)) != 0 {
		t.Fatalf("the other sessions: %v", others)
	}
	end := func(token string) answer {
		return s.do(t, http.MethodDelete, "/v1/auth/sessions/"+others[0]+"/", "", "", "Authorization", "Token "+token)
	}
	end(other.token).must(t, http.StatusNotFound) // CWE-639
	s.get(t, "/whoami", there.token).must(t, http.StatusOK)
	end(here.token).must(t, http.StatusNoContent)
	isRefused(t, "an ended session", s.get(t, "/whoami", there.token), bodyInvalid)
	again := s.logIn(t, "two@example.com")
	s.post(t, "/logout/", map[string]any{"everywhere": true}, "Authorization", "Token "+here.token).must(t, http.StatusNoContent)
	isRefused(t, "everywhere", s.get(t, "/whoami", again.token), bodyInvalid)
	s.get(t, "/whoami", other.token).must(t, http.StatusOK)
}

// TestIdentityHeaders checks that no identity header of a client reaches the
// application, which trusts them (CWE-290, CWE-348).
func TestIdentityHeaders(t *testing.T) {
	t.Parallel()
	forgedLines := []string{
		"X-Auth-User-Id: forged", "x-auth-user-id: forged", "X_Auth_User_Id: forged", "X.Auth.User.Id: forged",
		"x-Auth_email: forged@example.com", "X-Auth-Name: forged", "X-AUTH-ASSERTION: forged", "X-Auth-Email: forged@example.com",
	}
	forwarded := func(t *testing.T, s *site, lines ...string) map[string]string {
		t.Helper()
		got := s.raw(t, http.MethodGet, "/whoami", append(lines, forgedLines...)...).must(t, http.StatusOK)
		var seen struct{ Headers http.Header }
		if err := json.Unmarshal([]byte(got.body), &seen); err != nil {
			t.Fatal(err)
		}
		identity := map[string]string{}
		for name, values := range seen.Headers {
			plain := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
			if strings.HasPrefix(plain, "x-auth-") || plain == "authorization" {
				identity[name] = strings.Join(values, "|")
			}
		}
		return identity
	}
	t.Run("with a token", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, caddyfile{Realm: debugLinks, Gate: []string{"headers all"}})
		l := s.logIn(t, "who@example.com")
		seen := forwarded(t, s, "Authorization: Token "+l.token, "Connection: X-Auth-User-Id")
		if seen["X-Auth-User-Id"] != l.id || seen["X-Auth-Method"] != "link" || seen["X-Auth-Client"] != "web" {
			t.Errorf("the application sees %v", seen)
		}
		if strings.Contains(encode(t, seen), "forged") || seen["Authorization"] != "" {
			t.Errorf("the application sees %v", seen)
		}
	})
	t.Run("without one", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, caddyfile{
			Realm: debugLinks, Gate: []string{"optional"},
			Site: []string{`request_header X-Seen-User "[{http.auth.user.id}]"`},
		})
		if seen := forwarded(t, s); len(seen) != 0 {
			t.Errorf("the application sees %v", seen)
		}
		anonymous := s.raw(t, http.MethodGet, "/whoami").must(t, http.StatusOK)
		if !strings.Contains(anonymous.body, `"X-Seen-User":["[]"]`) {
			t.Errorf("the placeholder is not empty: %s", anonymous.body)
		}
		isRefused(t, "a bad token", s.raw(t, http.MethodGet, "/whoami", "Authorization: Token bad"), bodyInvalid)
		l := s.logIn(t, "who@example.com")
		if seen := forwarded(t, s, "Authorization: Token "+l.token); seen["X-Auth-User-Id"] != l.id {
			t.Errorf("the application sees %v", seen)
		}
	})
}

// TestPreflight checks that only CORS preflights pass without a token.
func TestPreflight(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	for _, path := range []string{"/whoami", "/v1/auth/by-link/login/", "/v1/auth/user"} {
		asked := s.raw(t, http.MethodOptions, path, "Origin: "+origin,
			"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")
		allowed := strings.ToLower(asked.header.Get("Access-Control-Allow-Headers"))
		if asked.status != http.StatusNoContent || asked.header.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(allowed, "authorization") {
			t.Errorf("%s: a preflight: %d %v", path, asked.status, asked.header)
		}
		stranger := s.raw(t, http.MethodOptions, path, "Origin: https://evil.test", "Access-Control-Request-Method: GET")
		if got := stranger.header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: a stranger's preflight is allowed for %q", path, got)
		}
	}
	isRefused(t, "OPTIONS without Origin", s.raw(t, http.MethodOptions, "/whoami", "Access-Control-Request-Method: GET"), bodyNotProvided)
	isRefused(t, "OPTIONS without method", s.raw(t, http.MethodOptions, "/whoami", "Origin: "+origin), bodyNotProvided)
	refused := s.raw(t, http.MethodGet, "/whoami", "Origin: "+origin)
	isRefused(t, "GET of a page", refused, bodyNotProvided)
	if refused.header.Get("Access-Control-Allow-Origin") != origin {
		t.Error("the page cannot read that it has to log in")
	}
}
