package provider

import (
	"maps"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestHardeningTrustAddresses logs in through providers whose administrators choose
// the addresses of accounts, with an address of a domain that is not theirs. It must
// not be verified: a verified address joins the account of its owner (CWE-346).
func TestHardeningTrustAddresses(t *testing.T) {
	for _, test := range []struct {
		trust []string
		email string
		want  bool
	}{
		{nil, "ada@example.com", false},
		{[]string{"example.com"}, "ada@example.com", true},
		{[]string{"EXAMPLE.com"}, "ada@Example.COM", true},
		{[]string{"b\u00fccher.example", "example.com"}, "ada@xn--bcher-kva.example", true},
		{[]string{"example.com"}, "ada@mail.example.com", false},
		{[]string{"example.com"}, "ada@example.com.evil.example", false},
		{[]string{"example.com"}, "ada@notexample.com", false},
		{[]string{"mail.example.com"}, "ada@example.com", false},
		{[]string{"example.com"}, `"ada@example.com"@evil.example`, false},
		{[]string{"example.com"}, "ada@example.com@evil.example", false},
		{[]string{"*"}, "ada@evil.example", true},
	} {
		for _, kind := range []string{"oidc", "keycloak", "auth0", "okta-openidconnect", "slack"} {
			s := rowOf(t, kind).script(t)
			s.cfg.TrustAddresses = test.trust
			s.claim(map[string]any{"email": test.email, "email_verified": true, "name": "Ada Lovelace"})
			got, err := s.exchange(s.provider())
			if err != nil || got.EmailVerified != test.want {
				t.Errorf("%s with trust_addresses %v: Exchange() with %s = verified %t, %v, want %t", kind, test.trust, test.email, got.EmailVerified, err, test.want)
			}
		}
	}
}

// TestTrustedByDefault verifies addresses of public services, unless the operator
// restricts them.
func TestTrustedByDefault(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		spec := r.spec()
		s := r.script(t)
		s.cfg.TrustAddresses = nil
		got, err := r.login(s)
		if want := r.want.EmailVerified && !spec.administered; err != nil || got.EmailVerified != want {
			t.Errorf("login() = verified %t, %v, want %t", got.EmailVerified, err, want)
		}
		s = r.script(t)
		s.cfg.TrustAddresses = []string{"elsewhere.example"}
		if got, err := r.login(s); err != nil || got.EmailVerified {
			t.Errorf("login() with another trusted domain = verified %t, %v, want false", got.EmailVerified, err)
		}
	})
}

func TestTrustOptionFaults(t *testing.T) {
	good := Config{Name: "oidc", ClientID: "id", ClientSecret: "s", Issuer: testIssuer}
	for _, test := range []struct {
		trust []string
		valid bool
	}{
		{[]string{"example.com"}, true},
		{[]string{"example.com", "b\u00fccher.example"}, true},
		{[]string{"*"}, true},
		{[]string{""}, false},
		{[]string{"*", "example.com"}, false},
		{[]string{"*.example.com"}, false},
		{[]string{"@example.com"}, false},
		{[]string{"ada@example.com"}, false},
		{[]string{"https://example.com"}, false},
	} {
		cfg := good
		cfg.TrustAddresses = test.trust
		if _, err := New(cfg, Deps{}); (err == nil) != test.valid {
			t.Errorf("New() with trust_addresses %q = %v, want valid %t", test.trust, err, test.valid)
		}
	}
}

// TestTokenAnswers reads token responses as servers send them: by their content, and
// by the members that a login uses.
func TestTokenAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"a number with a fraction":      `{"access_token":"` + testAccess + `","token_type":"bearer","expires_in":3600.0}`,
		"a fraction as text":            `{"access_token":"` + testAccess + `","token_type":"bearer","expires_in":"3600.5"}`,
		"an object for a number":        `{"access_token":"` + testAccess + `","token_type":"bearer","expires_in":{}}`,
		"a boolean for a text":          `{"access_token":"` + testAccess + `","token_type":"bearer","refresh_token":false,"scope":[]}`,
		"a byte order mark":             "\xef\xbb\xbf" + `{"access_token":"` + testAccess + `","token_type":"bearer"}`,
		"blanks around":                 "\r\n " + `{"access_token":"` + testAccess + `","token_type":"bearer"}` + "\r\n",
		"a blank after the type":        `{"access_token":"` + testAccess + `","token_type":"Bearer "}`,
		"a line feed after the token":   `{"access_token":"` + testAccess + `\n","token_type":"bearer"}`,
		"two tokens, the last counts":   `{"access_token":"other","access_token":"` + testAccess + `"}`,
		"types of another kind":         `{"access_token":"` + testAccess + `","token_type":["Bearer"],"error":false,"expires_in":null}`,
		"text that is not UTF-8":        `{"access_token":"` + testAccess + `","scope":"` + "\xe9" + `"}`,
		"no type":                       `{"access_token":"` + testAccess + `"}`,
		"a type that is not a text":     `{"access_token":"` + testAccess + `","token_type":null}`,
		"an empty error":                `{"access_token":"` + testAccess + `","error":"","error_description":null}`,
		"form data":                     "access_token=" + testAccess + "&token_type=bearer&expires_in=&scope=",
		"form data with a line feed":    "access_token=" + testAccess + "&token_type=bearer\n",
		"form data with a strange type": "access_token=" + testAccess + "&token_type=BEARER+",
	} {
		for _, label := range []string{"application/json", "text/plain", "text/html; charset=utf-8", "application/x-www-form-urlencoded", ""} {
			s := githubScript(t)
			s.labelled(s.at.token, 200, label, body)
			if _, err := s.exchange(s.provider()); err != nil {
				t.Errorf("Exchange() with %s as %q = %v, want a profile", name, label, err)
			}
		}
	}
	for name, test := range map[string]struct {
		status int
		body   string
		want   []error
	}{
		"a refusal":                        {400, `{"error":"invalid_grant"}`, []error{authcore.ErrProviderDenied}},
		"a refusal with status 200":        {200, `{"error":"invalid_grant"}`, []error{authcore.ErrProviderDenied}},
		"a refusal with 401":               {401, `{"error":"invalid_grant"}`, []error{authcore.ErrProviderDenied}},
		"a refusal in form data":           {400, "error=invalid_grant&error_description=x", []error{authcore.ErrProviderDenied}},
		"a refusal with a mark":            {400, "\xef\xbb\xbf" + `{"error":"invalid_grant "}`, []error{authcore.ErrProviderDenied}},
		"a redirect URI":                   {400, `{"error":"redirect_uri_mismatch"}`, []error{authcore.ErrProviderFailed, authcore.ErrProviderRedirectURI}},
		"a redirect URI with 200":          {200, `{"error":"redirect_uri_mismatch"}`, []error{authcore.ErrProviderFailed, authcore.ErrProviderRedirectURI}},
		"a redirect URI in a description":  {400, `{"error":"invalid_request","error_description":"Invalid \"redirect_uri\" in request."}`, []error{authcore.ErrProviderRedirectURI}},
		"a client":                         {401, `{"error":"invalid_client"}`, []error{authcore.ErrProviderFailed, authcore.ErrProviderMisconfigured, ErrClient}},
		"a scope":                          {400, `{"error":"invalid_scope"}`, []error{authcore.ErrProviderFailed, authcore.ErrProviderMisconfigured}},
		"an unknown error":                 {400, `{"error":"odd"}`, []error{authcore.ErrProviderFailed}},
		"a token of another type":          {200, `{"access_token":"a","token_type":"mac"}`, []error{authcore.ErrProviderFailed}},
		"form data without a token":        {200, "a=b", []error{authcore.ErrProviderFailed}},
		"a page that mentions a parameter": {200, "<p>access_token=a</p>", []error{authcore.ErrProviderFailed}},
	} {
		for _, label := range []string{"application/json", "text/plain", "text/html"} {
			s := githubScript(t)
			s.labelled(s.at.token, test.status, label, test.body)
			_, err := s.exchange(s.provider())
			for _, want := range test.want {
				wantsAlso(t, name+" as "+label, err, want)
			}
		}
	}
}

// TestConfigFaults maps the error codes of single providers.
func TestConfigFaults(t *testing.T) {
	for _, test := range []struct {
		kind, body string
		want       error
	}{
		{"azuread-oauth2", `{"error":"invalid_client","error_codes":[50011]}`, authcore.ErrProviderRedirectURI},
		{"azuread-oauth2", `{"error":"invalid_grant","error_codes":[500112]}`, authcore.ErrProviderRedirectURI},
		{"azuread-oauth2", `{"error":"invalid_client","error_codes":[7000215]}`, authcore.ErrProviderMisconfigured},
		{"microsoft-graph", `{"error":"invalid_client","error_codes":[50011]}`, authcore.ErrProviderRedirectURI},
		{"facebook", `{"error":{"code":191,"message":"quoted"}}`, authcore.ErrProviderRedirectURI},
		{"facebook", `{"error":{"code":101}}`, authcore.ErrProviderMisconfigured},
		{"slack", `{"ok":false,"error":"bad_redirect_uri"}`, authcore.ErrProviderRedirectURI},
		{"linkedin-openidconnect", `{"error":"invalid_redirect_uri"}`, authcore.ErrProviderRedirectURI},
	} {
		s := rowOf(t, test.kind).script(t)
		s.answer(s.at.token, 400, test.body)
		_, err := s.exchange(s.provider())
		wantsAlso(t, test.kind+" "+test.body, err, test.want)
	}
}

// TestClientAuthOfOpenIDKinds configures post for every OpenID Connect kind with a
// secret.
func TestClientAuthOfOpenIDKinds(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		spec := r.spec()
		if !spec.openID() || spec.noSecret || spec.appTokensOnly {
			t.Skip("not an OpenID Connect kind with a secret")
		}
		for method, basic := range map[string]bool{"post": false, "basic": true} {
			s := r.script(t)
			s.cfg.ClientAuth = method
			if _, err := r.login(s); err != nil {
				t.Fatalf("login() with client_auth %s = %v, want a profile", method, err)
			}
			sent := s.to(s.at.token)[0]
			inHeader := sent.header.Get("Authorization") != ""
			if inForm := sent.form.Get("client_secret") != ""; inHeader != basic || inForm == basic {
				t.Errorf("client_auth %s sent the secret in the header %t, in the form %t", method, inHeader, inForm)
			}
		}
	})
}

// TestFieldPaths reads members whose names contain dots.
func TestFieldPaths(t *testing.T) {
	user, _ := parseObject([]byte(`{"data":{"user":{"id":"1"},"user.id":"2","a/b":"6","list":["x",{"y":"3"}]},"https://example.com/uid":"4","data.user.id":"5"}`))
	for path, want := range map[string]string{
		"data.user.id":            `"1"`,
		"/data/user/id":           `"1"`,
		"/data/user.id":           `"2"`,
		"data.list.1.y":           `"3"`,
		"/data/list/1/y":          `"3"`,
		"/data/a~1b":              `"6"`,
		"https://example.com/uid": `"4"`,
		"/data.user.id":           `"5"`,
		"data.user.no":            "",
		"/data/list/2":            "",
		"http://example.com/uid":  "",
	} {
		got, found := user.at(path)
		if string(got) != want || found != (want != "") || !validPath(path) {
			t.Errorf("at(%s) = %s, %t, want %s", path, got, found, want)
		}
	}
	for _, path := range []string{"", "/", "//", "a..b", ".a", "a.", "/a//b"} {
		if validPath(path) {
			t.Errorf("validPath(%q) = true, want false", path)
		}
	}
}

// TestWithdrawnKeyIsFetchedAtOnce rotates the key immediately after it was fetched.
// The token comes from the token endpoint, so that the provider alone determines the
// number of fetches.
func TestWithdrawnKeyIsFetchedAtOnce(t *testing.T) {
	s := oidcScript(t)
	p := s.provider()
	if _, err := s.exchange(p); err != nil {
		t.Fatalf("exchange() failed: %v", err)
	}
	s.sign = signer2("kid-2")
	s.answer(s.at.jwks, 200, publicKeys("kid-2", &testKeys().otherRSA.PublicKey))
	claims := maps.Clone(s.claims)
	_, err := p.(authcore.IDTokenVerifier).VerifyIDToken(t.Context(), authcore.IDTokenRequest{IDToken: s.sign(claims), Nonce: s.nonce})
	wants(t, err, authcore.ErrProviderMismatch)
	s.once.Clear()
	if _, err := s.exchange(p); err != nil {
		t.Errorf("exchange() after the rotation = %v, want a profile", err)
	}
	if n := len(s.to(s.at.jwks)); n != 2 {
		t.Errorf("number of fetches = %d, want 2", n)
	}
}
