package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// imports runs `edgeauth user import` next to the running server and returns its
// output.
func (s *site) imports(t *testing.T, rows string, flags ...string) (string, error) {
	t.Helper()
	file := filepath.Join(s.Dir, "users.csv")
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, err := s.Output(t, append([]string{"edgeauth", "user", "import", file, "--address", s.Admin}, flags...)...)
	s.mustNotHold(t, "what the import prints", printed)
	return printed, err
}

// idOf returns the ID that was printed for a user of the other system.
func idOf(t *testing.T, printed, user string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + user + `,([0-9a-f-]{36})$`).FindStringSubmatch(printed)
	if found == nil {
		t.Fatalf("there is no id for %s in:\n%s", user, printed)
	}
	return found[1]
}

// TestImportFromGoogle imports users whom python-social-auth identified by address.
// They find their accounts when they log in, and other users do not.
func TestImportFromGoogle(t *testing.T) {
	t.Parallel()
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI}, ClaimsInIDToken: true,
	})
	const name = "google-oauth2"
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, []string{
		"signup closed",
		"provider " + name + " " + oidcClientID + " {env.IDP_SECRET} {",
		"\tissuer " + idp.Issuer, "\tauthorize_url " + idp.Issuer + "/authorize", "\ttoken_url " + idp.Issuer + "/oauth/token",
		"\tuser_info_url " + idp.Issuer + "/userinfo", "\tjwks_url " + idp.Issuer + "/keys",
		"\tinsecure_allow_private_addresses", "}",
	})}, "IDP_SECRET="+oidcClientSecret)
	s.secrets.Add("client secret", oidcClientSecret)
	for _, address := range []string{"Ann.Lee@gmail.com", "ben@example.com", "ann.lee@gmail.com"} {
		s.secrets.Add("e-mail address", address)
	}
	comes := func(person openid.Person) answer {
		idp.SignIn(person)
		return s.redeem(t, s.authorizeAt(t, name, idp), map[string]any{"provider": name})
	}
	ann := openid.Person{Subject: "110169484474386276334", Email: "ann.lee@gmail.com", EmailVerified: true, Nickname: "x"}
	comes(ann).refused(t, http.StatusForbidden, "signup_closed")

	const rows = "user,provider,uid,email,first_name\n7,google-oauth2,Ann.Lee@gmail.com,,Ann\n8,google-oauth2,ben@example.com,,Ben\n9,azuread-oauth2,c,,\n"
	printed, err := s.imports(t, rows, "--dry-run")
	if err == nil || !strings.Contains(printed, "3 rows: 2 users would be created; 2 identities would be stored, 0 present; 1 rows refused") ||
		!strings.Contains(printed, "line 4: provider: ") {
		t.Fatalf("the dry run printed %s (%v)", printed, err)
	}
	comes(ann).refused(t, http.StatusForbidden, "signup_closed")
	printed, err = s.imports(t, rows)
	if err == nil || !strings.Contains(printed, "3 rows: 2 users created; 2 identities stored, 0 present; 1 rows refused") {
		t.Fatalf("the import printed %s (%v)", printed, err)
	}
	unverified := ann
	unverified.EmailVerified = false
	comes(unverified).refused(t, http.StatusForbidden, "signup_closed")
	// Google has seen once that this person reads mail at an address elsewhere.
	comes(openid.Person{Subject: "2", Email: "ben@example.com", EmailVerified: true}).refused(t, http.StatusForbidden, "signup_closed")
	first := s.loggedIn(t, comes(ann))
	if first.id != idOf(t, printed, "7") || first.isNew || first.user["first_name"] != "Ann" {
		t.Errorf("logged in as %v, imported as %s", first.user, idOf(t, printed, "7"))
	}

	s.Kill(t)
	s.Start(t)
	moved := ann
	moved.Email = "new@gmail.com"
	if again := s.loggedIn(t, comes(moved)); again.id != first.id {
		t.Errorf("with another address: %v", again.user)
	}
	printed, _ = s.imports(t, rows)
	if !strings.Contains(printed, "3 rows: 0 users created; 0 identities stored, 2 present") || idOf(t, printed, "7") != first.id {
		t.Errorf("the second import printed %s", printed)
	}
	stranger := ann
	stranger.Subject = "3"
	comes(stranger).refused(t, http.StatusForbidden, "signup_closed")
}

// TestImportFromAnotherTeam imports users of an app that another Apple team owned.
func TestImportFromAnotherTeam(t *testing.T) {
	t.Parallel()
	s, idp := appleSite(t, caddyfile{})
	comes := func() login {
		t.Helper()
		state, fields := s.begunAtApple(t)
		s.secrets.Add("authorization code", fields.Get("code"))
		s.do(t, http.MethodPost, "/v1/auth/social/callback/apple-id/", "application/x-www-form-urlencoded", fields.Encode(),
			"Origin", "https://appleid.apple.com").must(t, http.StatusSeeOther)
		return s.loggedIn(t, s.post(t, "/social/login/apple-id/", map[string]any{
			"code": fields.Get("code"), "state": state, "client_key": clientKey, "redirect_uri": redirectURI,
		}))
	}
	before := comes() // with the earlier team
	printed, err := s.imports(t, "user,provider,uid,transfer_sub\n7,apple-id,001234.apple,760417.e.1827\n8,apple-id,,760417.f.1827\n")
	if err != nil || idOf(t, printed, "7") != before.id || !strings.Contains(printed, "2 rows: 1 users created; 2 identities stored, 1 present") {
		t.Fatalf("the import printed %s (%v)", printed, err)
	}
	idp.Transfer("009876.apple", "760417.e.1827")
	if after := comes(); after.id != before.id || after.isNew {
		t.Errorf("was %s, is %v", before.id, after.user)
	}
	idp.Transfer("009876.apple", "") // 60 days later
	if later := comes(); later.id != before.id {
		t.Errorf("was %s, is %v", before.id, later.user)
	}
}
