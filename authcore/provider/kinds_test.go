package provider

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestFacebookAnswersAsQuery covers the response format of older API versions,
// which can be configured by token_url.
func TestFacebookAnswersAsQuery(t *testing.T) {
	for _, contentType := range []string{"text/plain; charset=UTF-8", "application/x-www-form-urlencoded"} {
		row := rowOf(t, "facebook")
		s := row.script(t)
		s.handle(s.at.token, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, url.Values{"access_token": {testAccess}, "expires": {"5183944"}}.Encode())
		})
		got, err := row.login(s)
		if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: login() = %+v, %v", contentType, got, err)
		}
	}
}

// TestHostedDomains admits members of an organization. An address in its domain is
// not a proof of membership: Google accounts with such an address exist without
// Workspace.
func TestHostedDomains(t *testing.T) {
	for _, test := range []struct {
		allowed []string
		domain  any
		hint    string
		want    error
	}{
		{nil, absent, "", nil},
		{[]string{"example.com"}, "example.com", "example.com", nil},
		{[]string{"example.com", "example.org"}, "example.org", "*", nil},
		{[]string{"example.com"}, absent, "example.com", authcore.ErrProviderDenied},
		{[]string{"example.com"}, "", "example.com", authcore.ErrProviderDenied},
		{[]string{"example.com"}, "evil.example", "example.com", authcore.ErrProviderDenied},
		{[]string{"example.com"}, "EXAMPLE.com", "example.com", authcore.ErrProviderDenied},
		{[]string{"example.com"}, []string{"example.com"}, "example.com", authcore.ErrProviderDenied},
	} {
		row := rowOf(t, "google-oauth2")
		row.cfg.HostedDomains = test.allowed
		s := row.script(t)
		s.set(place{"claims", "hd"}, test.domain)
		_, err := row.login(s)
		wants(t, err, test.want)
		_, err = s.verify(t, "", nil)
		wants(t, err, test.want)
		address, err := s.provider().AuthorizeURL(t.Context(), authcore.AuthorizeRequest{})
		parsed, parseErr := url.Parse(address)
		if err != nil || parseErr != nil || parsed.Query().Get("hd") != test.hint {
			t.Errorf("%v: AuthorizeURL() = %s, %v", test.allowed, address, err)
		}
	}
}

// TestErrorForUserInfo covers Slack's errors with status 200. They are not user
// info of another user.
func TestErrorForUserInfo(t *testing.T) {
	for _, body := range []string{`{"ok":false,"error":"invalid_auth"}`, `{"error":"ratelimited"}`} {
		row := rowOf(t, "slack")
		s := row.script(t).bare()
		s.answer(s.at.userInfo, 200, body)
		_, err := row.login(s)
		wants(t, err, authcore.ErrProviderFailed)
	}
}

// TestLinkedInIssuers maps both of LinkedIn's issuers to one.
func TestLinkedInIssuers(t *testing.T) {
	for issuer, want := range map[string]error{
		"https://www.linkedin.com": nil, "https://www.linkedin.com/oauth": nil,
		"https://www.linkedin.com/": authcore.ErrProviderMismatch, "https://linkedin.com": authcore.ErrProviderMismatch,
	} {
		row := rowOf(t, "linkedin-openidconnect")
		s := row.script(t)
		s.claims["iss"] = issuer
		got, err := row.login(s)
		wants(t, err, want)
		if err == nil && !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: login() = %+v", issuer, got)
		}
	}
}

// TestLinkedInSendsNoNonce: an ID token without a nonce is accepted.
func TestLinkedInSendsNoNonce(t *testing.T) {
	row := rowOf(t, "linkedin-openidconnect")
	s := row.script(t)
	s.nonce = "nonce-1"
	if got, err := row.login(s); err != nil || !reflect.DeepEqual(got, row.want) {
		t.Errorf("login() = %+v, %v", got, err)
	}
}

// TestSlackWorkspaces distinguishes two users with the same id in different
// workspaces.
func TestSlackWorkspaces(t *testing.T) {
	const team, user = "https://slack.com/team_id", "https://slack.com/user_id"
	for _, test := range []struct {
		claims map[string]any
		issuer string
		want   error
	}{
		{map[string]any{team: "T1"}, "https://slack.com/T1", nil},
		{map[string]any{team: "T2"}, "https://slack.com/T2", nil},
		{map[string]any{team: ""}, "", authcore.ErrProviderFailed},
		{map[string]any{team: absent}, "", authcore.ErrProviderFailed},
		{map[string]any{team: 1}, "", authcore.ErrProviderFailed},
		{map[string]any{user: "U2"}, "", authcore.ErrProviderFailed},
		{map[string]any{user: absent}, "", authcore.ErrProviderFailed},
	} {
		row := rowOf(t, "slack")
		s := row.script(t)
		maps.Copy(s.claims, test.claims)
		maps.DeleteFunc(s.claims, func(_ string, value any) bool { return value == absent })
		got, err := row.login(s)
		wants(t, err, test.want)
		if got.Issuer != test.issuer {
			t.Errorf("%v: login() = %+v", test.claims, got)
		}
	}
}

// TestSelfHostedGitLab has ids of its own and verifies no addresses.
func TestSelfHostedGitLab(t *testing.T) {
	row := rowOf(t, "gitlab")
	row.cfg = Config{Name: "git", BaseURL: "https://git.example/sub/"}
	want := unverified(row.want)
	want.Issuer = "https://git.example/sub"
	if got, err := row.login(row.script(t)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("login() = %+v, %v", got, err)
	}
}

// TestMayNotReadEmails returns an account without an address if the scope for
// addresses was not granted.
func TestMayNotReadEmails(t *testing.T) {
	for _, kind := range []string{"bitbucket-oauth2", "github", "linkedin-oauth2"} {
		for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
			row := rowOf(t, kind)
			s := row.script(t)
			s.handle(row.emails, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
			})
			want := row.want
			want.Email, want.EmailVerified = "", false
			if got, err := row.login(s); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %d: login() = %+v, %v", kind, status, got, err)
			}
		}
	}
}

// TestNamesInOnePiece splits a full name if the parts are missing.
func TestNamesInOnePiece(t *testing.T) {
	for kind, names := range map[string][]place{
		"facebook":        {{"user", "first_name"}, {"user", "last_name"}},
		"mailru":          {{"user", "first_name"}, {"user", "last_name"}},
		"microsoft-graph": {{"user", "givenName"}, {"user", "surname"}},
		"yandex-oauth2":   {{"user", "first_name"}, {"user", "last_name"}},
	} {
		row := rowOf(t, kind)
		s := row.script(t)
		for _, name := range names {
			s.set(name, nil)
		}
		got, err := row.login(s)
		if err != nil || got.LastName != "Lovelace" || got.FirstName == "" {
			t.Errorf("%s: login() = %+v, %v", kind, got, err)
		}
	}
}

// TestYandexFallback uses the first address without a default address, and no
// avatar if it is empty.
func TestYandexFallback(t *testing.T) {
	row := rowOf(t, "yandex-oauth2")
	s := row.script(t)
	s.set(place{"user", "default_email"}, absent)
	s.set(place{"user", "is_avatar_empty"}, true)
	if got, err := row.login(s); err != nil || got.Email != "ada@example.com" || got.AvatarURL != "" {
		t.Errorf("login() = %+v, %v", got, err)
	}
}

// TestDiscordWithoutAvatar covers an account with neither avatar nor discriminator.
func TestDiscordWithoutAvatar(t *testing.T) {
	row := rowOf(t, "discord")
	s := row.script(t)
	s.set(place{"user", "avatar"}, nil)
	s.set(place{"user", "discriminator"}, absent)
	want := named(row.want, "ada", "")
	if got, err := row.login(s); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("login() = %+v, %v", got, err)
	}
}

// TestVKIDNeedsDevice fails before the code is sent.
func TestVKIDNeedsDevice(t *testing.T) {
	s := rowOf(t, "vk-id").script(t)
	request := s.request()
	request.Device = ""
	_, err := s.provider().Exchange(t.Context(), request)
	wants(t, err, authcore.ErrProviderDenied)
	if n := len(s.to(s.at.token)); n != 0 {
		t.Error("the code was sent")
	}
}

// TestClientAuth configures the client authentication method of every kind that
// supports it, against the default of the kind.
func TestClientAuth(t *testing.T) {
	for _, row := range rows() {
		s := row.spec()
		if taken, _ := s.takes("client_auth"); !taken && !s.choosesClientAuth() {
			continue
		}
		for _, method := range []string{"basic", "post"} {
			t.Run(row.name()+" "+method, func(t *testing.T) {
				row.cfg.ClientAuth = method
				s := row.script(t)
				if _, err := row.login(s); err != nil {
					t.Fatalf("login() failed: %v", err)
				}
				request := s.to(s.at.token)[0]
				inHeader, inForm := request.header.Get("Authorization") != "", request.form.Get("client_secret") == testSecret
				if inHeader != (method == "basic") || inForm != (method == "post") {
					t.Errorf("token request = %v, %v, want the method %s", request.header, request.form, method)
				}
			})
		}
	}
}

func TestPaths(t *testing.T) {
	user, _ := parseObject([]byte(`{"a":{"b":{"c":"deep"}},"l":["x",{"y":"in a list"},[["nested"]]],"n":null,"0":"zero"}`))
	for path, want := range map[string]string{
		"a.b.c": `"deep"`, "l.0": `"x"`, "l.1.y": `"in a list"`, "l.2.0.0": `"nested"`, "n": "null", "0": `"zero"`,
		"a.b": `{"c":"deep"}`, "a.x": "", "x": "", "a.b.c.d": "", "l.3": "", "l.-1": "", "l.x": "", "l.1e0": "", "n.x": "", "A.b.c": "",
	} {
		if raw, found := user.at(path); string(raw) != want || found != (want != "") {
			t.Errorf("at(%s) = %s, %v", path, raw, found)
		}
	}
	for path, want := range map[string]bool{
		"id": true, "a.b": true, "a.0.b": true, "": false, ".": false, "a.": false, ".a": false, "a..b": false, "a.b.c.d.e.f.g.h.i": false,
	} {
		if validPath(path) != want {
			t.Errorf("validPath(%q) = %v", path, !want)
		}
	}
}

// TestSeveralOfAKind configures two independent providers of one kind.
func TestSeveralOfAKind(t *testing.T) {
	staff, partners := oidcScript(t), oidcScript(t)
	staff.cfg.Name, partners.cfg.Name = "staff", "partners"
	partners.sign = staff.sign
	first, err := staff.exchange(staff.provider())
	if err != nil {
		t.Fatalf("provider() failed: %v", err)
	}
	second, err := partners.exchange(partners.provider())
	if err != nil || !reflect.DeepEqual(first, second) || staff.provider().Name() == partners.provider().Name() {
		t.Errorf("exchange() = %+v and %+v, %v", first, second, err)
	}
}
