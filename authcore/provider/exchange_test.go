package provider

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestProfiles plays what each provider answers for accounts in different
// states.
func TestProfiles(t *testing.T) {
	googleAda := authcore.Profile{
		Issuer: "https://accounts.google.com", Subject: "110169484474386276334",
		Email: "ada@example.com", EmailVerified: true, FirstName: "Ada", LastName: "King Lovelace",
		AvatarURL: "https://lh3.googleusercontent.com/a/photo=s96-c",
	}
	githubAda := authcore.Profile{
		Subject: "9007199254740993", Email: "ada@example.com", EmailVerified: true,
		FirstName: "Ada King", LastName: "Lovelace", Nickname: "ada",
		AvatarURL: "https://avatars.githubusercontent.com/u/1?v=4",
	}
	oidcAda := authcore.Profile{
		Issuer: testIssuer, Subject: "subject-1", Email: "ada@example.com", EmailVerified: true,
		FirstName: "Ada", LastName: "Lovelace", Nickname: "ada", AvatarURL: "https://idp.example/ada.png",
	}
	with := func(profile authcore.Profile, email string, verified bool) authcore.Profile {
		profile.Email, profile.EmailVerified = email, verified
		return profile
	}
	const emails = "https://api.github.com/user/emails"
	for _, test := range []struct {
		name   string
		script func(*testing.T) *script
		change func(*script)
		want   authcore.Profile
	}{
		{"google", googleScript, func(*script) {}, googleAda},
		{"google with its other issuer", googleScript, func(s *script) { s.claims["iss"] = "accounts.google.com" }, googleAda},
		{"google, verified as text", googleScript, func(s *script) { s.claims["email_verified"] = "true" }, googleAda},
		{"google, unverified although hd", googleScript, func(s *script) { s.claims["email_verified"] = false }, with(googleAda, "ada@example.com", false)},
		{"google, changed e-mail", googleScript, func(s *script) { s.claims["email"] = "Countess@EXAMPLE.org" }, with(googleAda, "Countess@example.org", true)},
		{"google, no e-mail", googleScript, func(s *script) {
			delete(s.claims, "email")
			delete(s.claims, "email_verified")
			s.answer(s.at.userInfo, 200, `{"sub":"110169484474386276334"}`)
		}, with(googleAda, "", false)},
		{"google, e-mail that is none", googleScript, func(s *script) { s.claims["email"] = "ada" }, with(googleAda, "", false)},

		{"github", githubScript, func(*script) {}, githubAda},
		{"github, unverified", githubScript, func(s *script) {
			s.answer(emails, 200, `[{"email":"ada@example.com","primary":true,"verified":false}]`)
		}, with(githubAda, "ada@example.com", false)},
		{"github, verified as text does not count", githubScript, func(s *script) {
			s.answer(emails, 200, `[{"email":"ada@example.com","primary":true,"verified":"true"}]`)
		}, with(githubAda, "ada@example.com", false)},
		{"github, no primary", githubScript, func(s *script) {
			s.answer(emails, 200, `[{"email":"other@example.com","primary":false,"verified":true}]`)
		}, with(githubAda, "", false)},
		{"github, no e-mail at all", githubScript, func(s *script) { s.answer(emails, 200, `[]`) }, with(githubAda, "", false)},
		{"github, scope not granted", githubScript, func(s *script) { s.answer(emails, 404, `{"message":"Not Found"}`) }, with(githubAda, "", false)},
		{"github app without the permission", githubScript, func(s *script) { s.answer(emails, 403, `{"message":"Resource not accessible by integration"}`) }, with(githubAda, "", false)},
		{"github, changed e-mail", githubScript, func(s *script) {
			s.answer(emails, 200, `[{"email":"countess@example.org","primary":true,"verified":true}]`)
		}, with(githubAda, "countess@example.org", true)},
		{"github, null name", githubScript, func(s *script) {
			s.answer(s.at.userInfo, 200, `{"login":"ada","id":1,"name":null,"avatar_url":null,"email":null}`)
		}, authcore.Profile{Subject: "1", Email: "ada@example.com", EmailVerified: true, Nickname: "ada"}},

		{"oidc", oidcScript, func(*script) {}, oidcAda},
		{"oidc, all in the ID token", oidcScript, func(s *script) {
			s.claim(map[string]any{"email": "token@example.com", "email_verified": true, "name": "Ada Lovelace"})
			s.answer(s.at.userInfo, 500, `{}`)
		}, authcore.Profile{
			Issuer: testIssuer, Subject: "subject-1", Email: "token@example.com", EmailVerified: true,
			FirstName: "Ada", LastName: "Lovelace",
		}},
		{"oidc, unverified", oidcScript, func(s *script) {
			s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":"ada@example.com","email_verified":false}`)
		}, authcore.Profile{Issuer: testIssuer, Subject: "subject-1", Email: "ada@example.com"}},
		{"oidc, not a word on verified", oidcScript, func(s *script) {
			s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":"ada@example.com"}`)
		}, authcore.Profile{Issuer: testIssuer, Subject: "subject-1", Email: "ada@example.com"}},
		{"oidc, no e-mail", oidcScript, func(s *script) {
			s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":null,"nickname":"ada"}`)
		}, authcore.Profile{Issuer: testIssuer, Subject: "subject-1", Nickname: "ada"}},
		{"oidc without user info", oidcScript, func(s *script) {
			document := s.document()
			delete(document, "userinfo_endpoint")
			s.answer(discoveryAddress, 200, document)
		}, authcore.Profile{Issuer: testIssuer, Subject: "subject-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.script(t)
			test.change(s)
			got, err := s.exchange(s.provider())
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got\n%+v, want\n%+v", got, test.want)
			}
		})
	}
}

// TestTokenRequest asserts what each provider is sent.
func TestTokenRequest(t *testing.T) {
	for _, test := range []struct {
		name   string
		script func(*testing.T) *script
		change func(*script)
		basic  bool
		pkce   bool
	}{
		{"google", googleScript, func(*script) {}, false, true},
		{"github", githubScript, func(*script) {}, false, true},
		{"oidc that does not say how", oidcScript, func(*script) {}, true, true},
		{"oidc with basic among others", oidcScript, func(s *script) {
			s.announce("token_endpoint_auth_methods_supported", []string{"private_key_jwt", "client_secret_post", "client_secret_basic"})
		}, true, true},
		{"oidc with post only", oidcScript, func(s *script) {
			s.announce("token_endpoint_auth_methods_supported", []string{"client_secret_post"})
		}, false, true},
		{"oidc with S256", oidcScript, func(s *script) {
			s.announce("code_challenge_methods_supported", []string{"plain", "S256"})
		}, true, true},
		{"oidc without S256", oidcScript, func(s *script) {
			s.announce("code_challenge_methods_supported", []string{"plain"})
		}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.script(t)
			test.change(s)
			if _, err := s.exchange(s.provider()); err != nil {
				t.Fatal(err)
			}
			requests := s.to(s.at.token)
			if len(requests) != 1 {
				t.Fatalf("%d token requests", len(requests))
			}
			want := url.Values{"grant_type": {"authorization_code"}, "code": {testCode}, "redirect_uri": {testReturn}}
			if test.pkce {
				want.Set("code_verifier", "verifier-1")
			}
			authorization := ""
			if test.basic {
				request := http.Request{Header: http.Header{}}
				request.SetBasicAuth(testID, testSecret)
				authorization = request.Header.Get("Authorization")
			} else {
				want.Set("client_id", testID)
				want.Set("client_secret", testSecret)
			}
			got := requests[0]
			if !maps.EqualFunc(got.form, want, slices.Equal) {
				t.Errorf("form %v, want %v", got.form, want)
			}
			if got.method != http.MethodPost || len(got.query) > 0 {
				t.Errorf("%s with query %v", got.method, got.query)
			}
			if got.header.Get("Authorization") != authorization || got.header.Get("Accept") != "application/json" {
				t.Errorf("header %v", got.header)
			}
		})
	}
}

// announce changes one member of the discovery document.
func (s *script) announce(member string, value any) {
	document := s.document()
	document[member] = value
	s.answer(discoveryAddress, 200, document)
}

func TestUserInfoRequests(t *testing.T) {
	s := githubScript(t)
	if _, err := s.exchange(s.provider()); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{s.at.userInfo, s.at.userInfo + "/emails"} {
		requests := s.to(address)
		if len(requests) != 1 {
			t.Fatalf("%d requests to %s", len(requests), address)
		}
		header := requests[0].header
		if header.Get("Authorization") != "Bearer "+testAccess || header.Get("Accept") != "application/vnd.github+json" ||
			header.Get("X-GitHub-Api-Version") != "2022-11-28" {
			t.Errorf("%s: header %v", address, header)
		}
	}
	if query := s.to(s.at.userInfo + "/emails")[0].query.Encode(); query != "page=1&per_page=100" {
		t.Errorf("query %s", query)
	}

	s = oidcScript(t)
	if _, err := s.exchange(s.provider()); err != nil {
		t.Fatal(err)
	}
	if header := s.to(s.at.userInfo)[0].header; header.Get("Authorization") != "Bearer "+testAccess {
		t.Errorf("header %v", header)
	}

	s = googleScript(t)
	if _, err := s.exchange(s.provider()); err != nil {
		t.Fatal(err)
	}
	if requests := s.to(s.at.userInfo); len(requests) > 0 {
		t.Errorf("user info asked for what the ID token already says")
	}
}

func TestAuthorizeURL(t *testing.T) {
	request := authcore.AuthorizeRequest{RedirectURI: testReturn, State: "state-1", Nonce: "nonce-1", Challenge: "challenge-1"}
	base := url.Values{
		"response_type": {"code"}, "client_id": {testID}, "redirect_uri": {testReturn}, "state": {"state-1"},
		"code_challenge": {"challenge-1"}, "code_challenge_method": {"S256"},
	}
	for _, test := range []struct {
		script func(*testing.T) *script
		scope  string
		nonce  bool
	}{
		{googleScript, "openid email profile", true},
		{githubScript, "user:email", false},
		{oidcScript, "openid profile email", true},
	} {
		s := test.script(t)
		p := s.provider()
		t.Run(p.Name(), func(t *testing.T) {
			text, err := p.AuthorizeURL(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			want := maps.Clone(base)
			want.Set("scope", test.scope)
			if test.nonce {
				want.Set("nonce", "nonce-1")
			}
			address, query, _ := strings.Cut(text, "?")
			got, err := url.ParseQuery(query)
			if err != nil || address != s.at.authorize || !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("got %s", text)
			}

			endpoint, err := p.Endpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := (authcore.Endpoint{ClientID: testID, AuthorizeURL: s.at.authorize, Scope: test.scope, ResponseType: "code"}); endpoint != want {
				t.Errorf("got %+v, want %+v", endpoint, want)
			}

			bare, err := p.AuthorizeURL(t.Context(), authcore.AuthorizeRequest{RedirectURI: testReturn, State: "state-1"})
			if err != nil || strings.Contains(bare, "nonce") || strings.Contains(bare, "challenge") {
				t.Errorf("got %s, %v", bare, err)
			}
		})
	}
}

// TestGitHubPages looks for the primary address beyond the first page, and not
// for ever.
func TestGitHubPages(t *testing.T) {
	full := "[" + strings.Repeat(`{"email":"x@example.com","primary":false,"verified":true},`, githubPageSize-1) +
		`{"email":"x@example.com","primary":false,"verified":true}]`
	s := githubScript(t)
	emails := s.at.userInfo + "/emails"
	s.handle(emails, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "3" {
			w.Write([]byte(`[{"email":"ada@example.com","primary":true,"verified":true}]`))
			return
		}
		w.Write([]byte(full))
	})
	profile, err := s.exchange(s.provider())
	if err != nil || profile.Email != "ada@example.com" || !profile.EmailVerified || len(s.to(emails)) != 3 {
		t.Errorf("%+v, %v after %d pages", profile, err, len(s.to(emails)))
	}

	s = githubScript(t)
	s.answer(emails, 200, full)
	profile, err = s.exchange(s.provider())
	if err != nil || profile.Email != "" || len(s.to(emails)) != githubPages {
		t.Errorf("%+v, %v after %d pages", profile, err, len(s.to(emails)))
	}
}

// TestGitHubEnterprise signs in at a self-hosted server. Its ids and its word
// on addresses are worth nothing outside of it.
func TestGitHubEnterprise(t *testing.T) {
	at := github().selfHosted.below("https://ghe.example")
	s := newScript(t, Config{Name: "work", Kind: "github", BaseURL: "https://ghe.example/"}, at)
	s.answer("https://ghe.example/api/v3/user", 200, `{"id":1,"login":"ada"}`)
	s.answer("https://ghe.example/api/v3/user/emails", 200, `[{"email":"ada@example.com","primary":true,"verified":true}]`)
	profile, err := s.exchange(s.provider())
	if err != nil {
		t.Fatal(err)
	}
	want := authcore.Profile{Issuer: "https://ghe.example", Subject: "1", Email: "ada@example.com", Nickname: "ada"}
	if profile != want {
		t.Errorf("got %+v, want %+v", profile, want)
	}
}
