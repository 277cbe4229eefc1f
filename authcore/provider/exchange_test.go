package provider

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestProfiles covers account states that are specific to one kind.
func TestProfiles(t *testing.T) {
	googleAda := authcore.Profile{
		Issuer: "https://accounts.google.com", Subject: "110169484474386276334", FormerSubject: "ada@example.com",
		Email: "ada@example.com", EmailVerified: true, FirstName: "Ada", LastName: "King Lovelace",
		AvatarURL: "https://lh3.googleusercontent.com/a/photo=s96-c",
	}
	githubAda := authcore.Profile{
		Subject: "9007199254740993", Email: "ada@example.com", EmailVerified: true,
		FirstName: "Ada King", LastName: "Lovelace", Nickname: "ada",
		AvatarURL: "https://avatars.githubusercontent.com/u/1?v=4",
	}
	with := func(profile authcore.Profile, email string, verified bool) authcore.Profile {
		profile.Email, profile.EmailVerified, profile.FormerSubject = email, verified, ""
		return profile
	}
	const emails = "https://api.github.com/user/emails"
	for _, test := range []struct {
		name   string
		script func(*testing.T) *script
		change func(*script)
		want   authcore.Profile
	}{
		{"google with its other issuer", googleScript, func(s *script) { s.claims["iss"] = "accounts.google.com" }, googleAda},
		{"google, verified as text", googleScript, func(s *script) { s.claims["email_verified"] = "true" }, googleAda},
		{"google, no e-mail", googleScript, func(s *script) {
			delete(s.claims, "email")
			delete(s.claims, "email_verified")
			s.answer(s.at.userInfo, 200, `{"sub":"110169484474386276334"}`)
		}, with(googleAda, "", false)},

		{"github, no primary", githubScript, func(s *script) {
			s.answer(emails, 200, `[{"email":"other@example.com","primary":false,"verified":true}]`)
		}, with(githubAda, "", false)},
		{"github, no e-mail at all", githubScript, func(s *script) { s.answer(emails, 200, `[]`) }, with(githubAda, "", false)},
		{"github, scope not granted", githubScript, func(s *script) { s.answer(emails, 404, `{"message":"Not Found"}`) }, with(githubAda, "", false)},
		{"github app without the permission", githubScript, func(s *script) { s.answer(emails, 403, `{"message":"Resource not accessible by integration"}`) }, with(githubAda, "", false)},
		{"github, null name", githubScript, func(s *script) {
			s.answer(s.at.userInfo, 200, `{"login":"ada","id":1,"name":null,"avatar_url":null,"email":null}`)
		}, authcore.Profile{Subject: "1", Email: "ada@example.com", EmailVerified: true, Nickname: "ada"}},

		{"oidc, all in the ID token", oidcScript, func(s *script) {
			s.claim(map[string]any{"email": "token@example.com", "email_verified": true, "name": "Ada Lovelace"})
			s.answer(s.at.userInfo, 500, `{}`)
		}, authcore.Profile{
			Issuer: testIssuer, Subject: "subject-1", Email: "token@example.com", EmailVerified: true,
			FirstName: "Ada", LastName: "Lovelace",
		}},
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
				t.Fatalf("provider() failed: %v", err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("exchange() =\n%+v, want\n%+v", got, test.want)
			}
		})
	}
}

// TestTokenRequest follows the capabilities that discovery announces.
func TestTokenRequest(t *testing.T) {
	for _, test := range []struct {
		name   string
		script func(*testing.T) *script
		change func(*script)
		basic  bool
		pkce   bool
	}{
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
				t.Fatalf("provider() failed: %v", err)
			}
			requests := s.to(s.at.token)
			if len(requests) != 1 {
				t.Fatalf("number of token requests = %d, want 1", len(requests))
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
				t.Errorf("form = %v, want %v", got.form, want)
			}
			if got.method != http.MethodPost || len(got.query) > 0 {
				t.Errorf("request = %s with query %v, want POST without a query", got.method, got.query)
			}
			if got.header.Get("Authorization") != authorization || got.header.Get("Accept") != "application/json" {
				t.Errorf("unexpected header %v", got.header)
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

// TestGitHubHeaders requests the API version whose responses are parsed.
func TestGitHubHeaders(t *testing.T) {
	s := githubScript(t)
	if _, err := s.exchange(s.provider()); err != nil {
		t.Fatalf("provider() failed: %v", err)
	}
	for _, address := range []string{s.at.userInfo, s.at.userInfo + "/emails"} {
		header := s.to(address)[0].header
		if header.Get("Accept") != "application/vnd.github+json" || header.Get("X-GitHub-Api-Version") != "2022-11-28" {
			t.Errorf("%s: unexpected header %v", address, header)
		}
	}
}

// TestBareAuthorizeURL omits parameters that the frontend does not use.
func TestBareAuthorizeURL(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		bare, err := r.script(t).provider().AuthorizeURL(t.Context(), authcore.AuthorizeRequest{RedirectURI: testReturn, State: "state-1"})
		if err != nil || strings.Contains(bare, "nonce") || strings.Contains(bare, "challenge") {
			t.Errorf("AuthorizeURL() = %s, %v", bare, err)
		}
	})
}

// TestGitHubPages searches the primary address beyond the first page, with a limit.
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

// TestGitHubEnterprise logs in at a self-hosted server. Its ids are separate and
// its addresses are not verified.
func TestGitHubEnterprise(t *testing.T) {
	at := github().selfHosted.below("https://ghe.example")
	s := newScript(t, Config{Name: "work", Kind: "github", BaseURL: "https://ghe.example/"}, at)
	s.answer("https://ghe.example/api/v3/user", 200, `{"id":1,"login":"ada"}`)
	s.answer("https://ghe.example/api/v3/user/emails", 200, `[{"email":"ada@example.com","primary":true,"verified":true}]`)
	profile, err := s.exchange(s.provider())
	if err != nil {
		t.Fatalf("provider() failed: %v", err)
	}
	want := authcore.Profile{Issuer: "https://ghe.example", Subject: "1", Email: "ada@example.com", Nickname: "ada"}
	if !reflect.DeepEqual(profile, want) {
		t.Errorf("exchange() = %+v, want %+v", profile, want)
	}
}
