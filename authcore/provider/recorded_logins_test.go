package provider

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestEveryKindIsRecorded(t *testing.T) {
	var kinds []string
	for _, row := range rows() {
		kinds = append(kinds, row.kind)
		if len(row.errors) == 0 {
			t.Errorf("%s has no documented error", row.name())
		}
	}
	kinds = slices.Compact(kinds)
	if !slices.Equal(kinds, Kinds()) {
		t.Errorf("kinds with rows =\n%v, want\n%v", kinds, Kinds())
	}
}

// TestRecordedLogins covers every state of an account.
func TestRecordedLogins(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		check := func(name string, change func(*script), want authcore.Profile) {
			t.Run(name, func(t *testing.T) {
				s := r.script(t)
				change(s)
				got, err := r.login(s)
				if err != nil {
					t.Fatalf("login() failed: %v", err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("login() =\n%+v, want\n%+v", got, want)
				}
			})
		}
		with := func(email string, verified bool) authcore.Profile {
			profile := r.want
			profile.Email, profile.EmailVerified = email, verified
			if profile.FormerSubject != "" {
				profile.FormerSubject, profile.UnprovenFormer = "", strings.ToLower(email)
			}
			return profile
		}
		check("normal", func(*script) {}, r.want)
		for name, value := range map[string]any{"no e-mail": absent, "null for an e-mail": nil} {
			check(name, func(s *script) {
				s.set(r.email, value)
				if r.withoutEmail != nil {
					r.withoutEmail(s)
				}
			}, with("", false))
		}
		check("an invalid e-mail", func(s *script) { s.set(r.email, "ada") }, with("", false))
		check("changed e-mail", func(s *script) { s.set(r.email, "Countess@EXAMPLE.org") }, with("Countess@example.org", r.want.EmailVerified))
		if r.verified == (place{}) {
			return // the kind has no verification status
		}
		unverified := r.unverified
		if unverified == nil {
			unverified = []any{false, "false", nil, absent, 0, "yes", []bool{true}}
		}
		for _, value := range unverified {
			check("unverified e-mail", func(s *script) { s.set(r.verified, value) }, with(r.want.Email, false))
		}
	})
}

// TestRecordedWithoutID refuses responses without an id: all such users would share
// an account.
func TestRecordedWithoutID(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		for _, value := range []any{absent, nil, "", " ", "None", "null", 0, -1, 1.5, true, []string{"1"}, map[string]any{"id": 1}} {
			s := r.script(t)
			s.set(r.id, value)
			if user, ok := s.docs["user"].(map[string]any); ok && r.id.doc == "claims" && value != absent {
				user["sub"] = value // a difference is another fault
			}
			_, err := r.login(s)
			wants(t, err, authcore.ErrProviderFailed)
		}
	})
}

// TestRecordedRequests compares the requests with the documented ones.
func TestRecordedRequests(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		s := r.script(t)
		if _, err := r.login(s); err != nil {
			t.Fatalf("login() failed: %v", err)
		}
		r.checkAuthorize(t, s)
		r.checkExchange(t, s)
		if s.at.userInfo != "" {
			checkRequest(t, s, s.at.userInfo, r.user)
		}
		if r.emails != "" {
			checkRequest(t, s, r.emails, "GET "+r.emailQuery+" Bearer "+testAccess)
		}
	})
}

func (r *recorded) checkAuthorize(t *testing.T, s *script) {
	t.Helper()
	text, err := s.provider().AuthorizeURL(t.Context(), authcore.AuthorizeRequest{
		RedirectURI: testReturn, State: "state-1", Nonce: "nonce-1", Challenge: "challenge-1",
	})
	if err != nil {
		t.Fatalf("Context() failed: %v", err)
	}
	address, query, _ := strings.Cut(text, "?")
	got, err := url.ParseQuery(query)
	if err != nil || address != s.at.authorize {
		t.Fatalf("AuthorizeURL() = %s, %v", text, err)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": testID, "redirect_uri": testReturn, "state": "state-1",
	} {
		if !slices.Equal(got[name], []string{want}) {
			t.Errorf("parameter %s = %q, want %q", name, got[name], want)
		}
		got.Del(name)
	}
	if rest, _ := url.QueryUnescape(got.Encode()); rest != r.authorize {
		t.Errorf("query of the authorize URL =\n%s, want\n%s", rest, r.authorize)
	}
	endpoint, err := s.provider().Endpoint(t.Context())
	want := authcore.Endpoint{
		ClientID: testID, AuthorizeURL: address, Scope: got.Get("scope"), ResponseType: "code", ResponseMode: got.Get("response_mode"),
	}
	if err != nil || endpoint != want {
		t.Errorf("Endpoint() = %+v, %v, want %+v", endpoint, err, want)
	}
}

func (r *recorded) checkExchange(t *testing.T, s *script) {
	t.Helper()
	requests := s.to(s.at.token)
	if len(requests) != 1 {
		t.Fatalf("number of token requests = %d, want 1", len(requests))
	}
	got := requests[0]
	want := url.Values{"grant_type": {"authorization_code"}, "code": {testCode}, "redirect_uri": {testReturn}}
	if !r.plainCode {
		want.Set("code_verifier", "verifier-1")
	}
	authorization := ""
	switch basic := (&http.Request{Header: http.Header{}}); {
	case r.basic:
		basic.SetBasicAuth(testID, testSecret)
		authorization = basic.Header.Get("Authorization")
	case !r.noSecret:
		want.Set("client_secret", testSecret)
		fallthrough
	default:
		want.Set("client_id", testID)
	}
	further, _ := url.ParseQuery(r.exchange)
	for name, values := range further {
		want[name] = values
	}
	if r.kind == "apple-id" { // covered by TestAppleSecret
		want["client_secret"] = got.form["client_secret"]
	}
	if got.method != http.MethodPost || len(got.query) > 0 || got.form.Encode() != want.Encode() {
		t.Errorf("token request = %s with query %v and form\n%s, want\n%s", got.method, got.query, got.form.Encode(), want.Encode())
	}
	if got.header.Get("Authorization") != authorization || got.header.Get("Accept") != "application/json" {
		t.Errorf("unexpected header %v", got.header)
	}
}

// checkRequest compares the only request to a URL with "METHOD query scheme token".
// For "" it requires that the URL received none.
func checkRequest(t *testing.T, s *script, address, want string) {
	t.Helper()
	requests := s.to(address)
	if want == "" {
		if len(requests) > 0 {
			t.Errorf("%s received a redundant request", address)
		}
		return
	}
	if len(requests) != 1 {
		t.Fatalf("number of requests to %[2]s = %[1]d, want 1", len(requests), address)
	}
	r := requests[0]
	query, _ := url.QueryUnescape(r.query.Encode())
	if r.method == http.MethodPost {
		query, _ = url.QueryUnescape(r.form.Encode())
	}
	got := strings.TrimSpace(r.method + " " + query + " " + r.header.Get("Authorization"))
	if client := r.header.Get("Client-Id"); client != "" {
		got += " Client-Id: " + client
	}
	if got != want {
		t.Errorf("request to %s =\n%s, want\n%s", address, got, want)
	}
}

// TestRecordedErrors maps every documented error, without its text. The code is
// sent at most once: a second response would be about a used code.
func TestRecordedErrors(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		for _, fault := range r.errors {
			s := r.script(t)
			address := map[string]string{"token": s.at.token, "user": s.at.userInfo, "emails": r.emails, "keys": s.at.jwks}[fault.doc]
			s.handle(address, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(fault.status)
				io.WriteString(w, fault.body)
			})
			_, err := r.login(s)
			wants(t, err, fault.want)
			if err != nil && strings.Contains(err.Error(), "quoted") {
				t.Errorf("login() failed with %v, which contains text of the provider", err)
			}
			if n := len(s.to(s.at.token)); n != 1 {
				t.Errorf("number of token requests = %d, want at most 1", n)
			}
			if t.Failed() {
				t.Fatalf("login() after %d %s", fault.status, fault.body)
			}
		}
	})
}

func (r *recorded) stations(t *testing.T) map[string]string {
	t.Helper()
	s := r.script(t)
	all := map[string]string{"token": s.at.token}
	if s.docs["claims"] != nil {
		all["keys"] = s.at.jwks
	}
	if s.docs["user"] != nil {
		all["user info"] = s.at.userInfo
	}
	if r.emails != "" {
		all["e-mails"] = r.emails
	}
	if s.docs["discovery"] != nil {
		all["discovery"] = strings.TrimSuffix(r.cfg.Issuer, "/") + "/.well-known/openid-configuration"
	}
	return all
}

// bare removes claims that the user info also contains, so that it is requested.
func (s *script) bare() *script {
	for _, claim := range []string{"email", "email_verified"} {
		delete(s.claims, claim)
	}
	return s
}
