package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/apple"
	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
)

// TestCheck runs `edgeauth check` next to a running server.
func TestCheck(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI},
	})
	mailEnv := smtpEnv(authority, mails.Addr)
	s := newSite(t, caddyfile{Realm: slices.Concat(smtpLines(), providerLines("idp", idp.Issuer))},
		append(mailEnv, "IDP_SECRET="+oidcClientSecret)...)
	s.secrets.Add("client secret", oidcClientSecret)
	s.secrets.Add("mail password", smtpPassword)
	check := func(t *testing.T, good bool, wants ...string) {
		t.Helper()
		printed, err := s.Check(t)
		if (err == nil) != good {
			t.Errorf("the check ended with %v", err)
		}
		for _, want := range wants {
			if !strings.Contains(printed, want) {
				t.Errorf("%q is not in:\n%s", want, printed)
			}
		}
		s.mustNotHold(t, "what the check prints", printed)
	}
	redirects := fmt.Sprintf("    idp  %s        (client web)\n    idp  %s/other  (client web)\n", redirectURI, redirectURI)

	check(t, true, "storage bolt: ", " is in use by a running server", "  ok     mailer smtp: accepts mail from the sender\n",
		"  ok     provider idp: responds as expected\n", redirects)
	if got := mails.Count(); got != 0 {
		t.Errorf("the check sent %d mails", got)
	}
	s.Stop(t)
	check(t, true, " and not in use\n")
	s.Start(t) // nothing was left locked

	t.Run("a wrong password of the mail server", func(t *testing.T) {
		for _, variable := range mailEnv {
			s.Setenv(strings.Replace(variable, "p%40ss%2Fword-of-smtp", "wr0ng-passw0rd", 1))
		}
		s.secrets.Add("wrong password", "wr0ng-passw0rd")
		check(t, false, "  WRONG  mailer smtp: auth: 535", "→ Compare user and password")
		s.Setenv(mailEnv...)
	})
	t.Run("a wrong issuer", func(t *testing.T) {
		s.config.Realm = slices.Concat(smtpLines(), providerLines("idp", idp.Issuer+"/elsewhere"))
		s.Configure(t, s.config.render(s.Edge))
		check(t, false, "  WRONG  provider idp: provider failed: discovery: ", "→ Compare issuer")
	})
	t.Run("a file of another program", func(t *testing.T) {
		s.config.Realm = slices.Concat(smtpLines(), []string{"storage bolt " + filepath.Join(s.Dir, "Caddyfile")})
		s.Configure(t, s.config.render(s.Edge))
		check(t, false, "  WRONG  storage bolt: ", "is damaged or not a bbolt file")
	})
}

// TestCheckOfApple checks the callback address that is printed, and a wrong key.
func TestCheckOfApple(t *testing.T) {
	t.Parallel()
	s, idp := appleSite(t, caddyfile{})
	printed, err := s.Check(t)
	bridge := "    apple-id  " + s.URL + "/v1/auth/social/callback/apple-id/  (the form_post callback of this server)\n"
	if err != nil || !strings.Contains(printed, "  ok     provider apple-id: responds as expected\n") || !strings.Contains(printed, bridge) {
		t.Errorf("%v, without %q:\n%s", err, bridge, printed)
	}
	if faults := idp.Faults(); len(faults) != 1 || faults[0] != "invalid_grant" {
		t.Errorf("Apple heard of %v", faults)
	}
	s.mustNotHold(t, "what the check prints", printed)

	another := apple.Start(t).PrivateKey(t)
	if err := os.WriteFile(filepath.Join(s.Dir, "AuthKey.p8"), []byte(another), 0o600); err != nil {
		t.Fatal(err)
	}
	s.secrets.Add("another private key", strings.Split(another, "\n")[1])
	printed, err = s.Check(t)
	if err == nil || !strings.Contains(printed, "  WRONG  provider apple-id: ") || !strings.Contains(printed, "→ Compare client_id and client_secret") {
		t.Errorf("%v:\n%s", err, printed)
	}
	s.mustNotHold(t, "what the check prints", printed)
}
