package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// Credentials at the SMTP server. The password needs escaping in a URL.
const (
	smtpUser     = "submission-user"
	smtpPassword = "p@ss/word-of-smtp"
)

// mailSite starts a site that sends its mail to an SMTP server by STARTTLS.
func mailSite(t *testing.T, authority *ca.Authority, addr string) *site {
	t.Helper()
	s := newSite(t, caddyfile{Realm: smtpLines()}, smtpEnv(authority, addr)...)
	s.secrets.Add("SMTP password", smtpPassword)
	return s
}

// smtpLines configure an SMTP server.
func smtpLines() []string {
	return []string{"mailer smtp {env.SMTP_URL} {", "\tfrom \"Frontend <login@frontend.test>\"", "}"}
}

// smtpEnv is the environment that goes with smtpLines: the edge trusts the
// authority, and finds the server by a name that its certificate has.
func smtpEnv(authority *ca.Authority, addr string) []string {
	_, port, _ := strings.Cut(addr, ":")
	return []string{
		"SSL_CERT_FILE=" + authority.File,
		"SMTP_URL=smtp://" + smtpUser + ":p%40ss%2Fword-of-smtp@localhost:" + port + "?tls=starttls",
	}
}

// mailServer has STARTTLS with a certificate of the authority, and AUTH.
func mailServer(t *testing.T, authority *ca.Authority) smtpd.Options {
	t.Helper()
	return smtpd.Options{TLS: authority.ServerConfig(t), User: smtpUser, Password: smtpPassword}
}

// askForMail requests a link by mail and returns the ID of the request.
func (s *site) askForMail(t *testing.T, email string, further ...string) (requestID string) {
	t.Helper()
	s.secrets.Add("e-mail address", email)
	body := map[string]any{"email": email}
	for i := 0; i < len(further); i += 2 {
		body[further[i]] = further[i+1]
	}
	got := s.post(t, "/by-link/link/", body).must(t, http.StatusOK)
	requestID = got.text(t, "request_id")
	if want := `{"email":"` + email + `","expires_in":900,"request_id":"` + requestID + `"}`; got.body != want {
		t.Errorf("a request for a link = %s, want %s", got.body, want)
	}
	return requestID
}

// open returns the token and the code of a mail.
func (s *site) open(t *testing.T, mail smtpd.Mail) (token, code string) {
	t.Helper()
	parts := mail.Parts(t)
	token, code = s.linkToken(t, parts.Link(t, linkPrefix)), parts.Code(t)
	s.secrets.Add("code", code)
	return token, code
}

// spendCode logs in with the code of the mail that a request caused.
func (s *site) spendCode(t *testing.T, requestID, code string) answer {
	t.Helper()
	return s.post(t, "/by-link/login/", map[string]any{"request_id": requestID, "code": code, "client_key": clientKey})
}

func TestLinkBySMTP(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	server := smtpd.Start(t, mailServer(t, authority))
	s := mailSite(t, authority, server.Addr)

	t.Run("the mail", func(t *testing.T) {
		const ann = "ann.lee@example.com"
		s.askForMail(t, ann, "debug", "true", "insecure_debug_links", "1", "_debug_auth_link", "1")
		mail := server.Nth(t, ann, 1)
		if !mail.Encrypted || mail.User != smtpUser || mail.From != "login@frontend.test" {
			t.Errorf("sent encrypted: %t, by user %q, from %q", mail.Encrypted, mail.User, mail.From)
		}
		if heard := server.Clear(); strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") {
			t.Errorf("said in the clear: %q", heard)
		}
		parts := mail.Parts(t)
		for name, want := range map[string]string{"From": "login@frontend.test", "To": ann, "Date": ":", "Message-Id": "@"} {
			if got := parts.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("the header %s = %q, want %q in it", name, got, want)
			}
		}
		if parts.Subject == "" {
			t.Error("the mail has no subject")
		}
		token, code := s.open(t, mail)
		if !strings.Contains(parts.Subject, code) {
			t.Errorf("the subject %q does not contain the code %s", parts.Subject, code)
		}
		header, _, _ := strings.Cut(string(mail.Raw), "\r\n\r\n")
		others := strings.ReplaceAll(header, "Subject: "+parts.Subject, "")
		if strings.Contains(header, token) || strings.Contains(others, code) {
			t.Errorf("a secret is in the header:\n%s", header)
		}
	})

	t.Run("a link is used once, by POST and by a known client", func(t *testing.T) {
		const ben = "ben@example.com"
		request := s.askForMail(t, ben)
		token, code := s.open(t, server.Nth(t, ben, 1))
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			s.do(t, method, "/v1/auth/by-link/login/", jsonType, encode(t, map[string]any{"token": token, "client_key": clientKey}))
		}
		wrong := s.post(t, "/by-link/login/", map[string]any{"token": token, "client_key": "x"})
		if wrong.must(t, http.StatusBadRequest).body != `{"client_key":["Invalid client key."]}` {
			t.Errorf("a wrong client key: %s", wrong.body)
		}
		first := s.loggedIn(t, s.spendLink(t, token))
		if !first.isNew || first.user["email"] != ben || first.user["email_verified"] != true || first.user["username"] != "ben" {
			t.Errorf("logged in as %v", first.user)
		}
		s.spendLink(t, token).refused(t, http.StatusBadRequest, "invalid_link")
		s.spendCode(t, request, code).refused(t, http.StatusBadRequest, "invalid_code")
		if seen := s.get(t, "/whoami", first.token).must(t, http.StatusOK); !strings.Contains(seen.body, first.id) {
			t.Errorf("the application does not see who it is: %s", seen.body)
		}
	})

	t.Run("a login by code", func(t *testing.T) {
		const cat = "cat@example.com"
		request := s.askForMail(t, cat)
		token, code := s.open(t, server.Nth(t, cat, 1))
		other := s.askForMail(t, "other@example.com")
		s.spendCode(t, other, code).refused(t, http.StatusBadRequest, "invalid_code")
		typed := " " + code[:3] + "-" + code[3:] + ". "
		if got := s.loggedIn(t, s.spendCode(t, request, typed)); got.user["email"] != cat {
			t.Errorf("logged in as %v", got.user)
		}
		s.spendCode(t, request, code).refused(t, http.StatusBadRequest, "invalid_code")
		s.spendLink(t, token).refused(t, http.StatusBadRequest, "invalid_link")
	})

	t.Run("five wrong codes end the code only", func(t *testing.T) {
		const dan = "dan@example.com"
		request := s.askForMail(t, dan)
		token, code := s.open(t, server.Nth(t, dan, 1))
		for guess := range 5 {
			wrong := string('0'+(code[0]-'0'+1+byte(guess))%10) + code[1:]
			s.spendCode(t, request, wrong).refused(t, http.StatusBadRequest, "invalid_code")
		}
		s.spendCode(t, request, code).refused(t, http.StatusBadRequest, "invalid_code")
		s.loggedIn(t, s.spendLink(t, token))
	})

	t.Run("the newest three links are live", func(t *testing.T) {
		const eve = "eve@example.com"
		var links []string
		for n := range 4 {
			s.askForMail(t, eve)
			link, _ := s.open(t, server.Nth(t, eve, n+1))
			links = append(links, link)
		}
		s.spendLink(t, links[0]).refused(t, http.StatusBadRequest, "invalid_link")
		s.loggedIn(t, s.spendLink(t, links[1]))
		for _, link := range links[2:] { // a login ends the others
			s.spendLink(t, link).refused(t, http.StatusBadRequest, "invalid_link")
		}
	})

	t.Run("a page that repeats its request gets the same login", func(t *testing.T) {
		const liz = "liz@example.com"
		s.askForMail(t, liz)
		token, _ := s.open(t, server.Nth(t, liz, 1))
		body := map[string]any{"token": token, "client_key": clientKey}
		spend := func() answer { return s.post(t, "/by-link/login/", body, "Origin", origin) }
		first, second := s.loggedIn(t, spend()), s.loggedIn(t, spend())
		if first.id != second.id || !second.isNew {
			t.Errorf("the repeated request = %v, want the login %v", second.user, first.user)
		}
		s.spendLink(t, token).refused(t, http.StatusBadRequest, "invalid_link")
		s.logOut(t, second.token)
		isRefused(t, "the token of the first request", s.get(t, "/whoami", first.token), bodyInvalid)
		spend().refused(t, http.StatusBadRequest, "invalid_link")
	})

	t.Run("the language of the request", func(t *testing.T) {
		subjects := map[string]string{}
		for _, locale := range []string{"en", "de"} {
			address := "fay-" + locale + "@example.com"
			s.askForMail(t, address, "locale", locale)
			mail := server.Nth(t, address, 1)
			_, code := s.open(t, mail)
			subjects[locale] = strings.ReplaceAll(mail.Parts(t).Subject, code, "")
		}
		if subjects["en"] == subjects["de"] {
			t.Errorf("the subjects are %v", subjects)
		}
	})
}

// TestNoMailInTheClear plays an attacker between the edge and its mail server, who
// removes STARTTLS from the greeting or presents another certificate (RFC 3207,
// section 6; CWE-319, CWE-295).
func TestNoMailInTheClear(t *testing.T) {
	t.Parallel()
	trusted := ca.New(t)
	for name, options := range map[string]smtpd.Options{
		"STARTTLS stripped":     {User: smtpUser, Password: smtpPassword},
		"a foreign certificate": mailServer(t, ca.New(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtpd.Start(t, options)
			s := mailSite(t, trusted, server.Addr)
			s.askForMail(t, "gil@example.com")
			wait.Until(t, time.Minute, "the edge tries twice", func() bool {
				return strings.Count(server.Clear(), "EHLO") >= 2
			})
			_, secure := server.Connections()
			heard := server.Clear()
			if server.Count() > 0 || secure > 0 || strings.Contains(heard, "AUTH") || strings.Contains(heard, "gil") {
				t.Errorf("%d mails, %d trusted connections, heard in the clear: %q", server.Count(), secure, heard)
			}
		})
	}
}

func TestMailWaitsForTheServer(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)

	t.Run("that is down", func(t *testing.T) {
		t.Parallel()
		gone := smtpd.Start(t, smtpd.Options{})
		gone.Close()
		s := mailSite(t, authority, gone.Addr)
		s.askForMail(t, "hal@example.com")
		back := smtpd.StartAt(t, gone.Addr, mailServer(t, authority))
		token, _ := s.open(t, back.Nth(t, "hal@example.com", 1))
		s.loggedIn(t, s.spendLink(t, token))
		if len(back.Mails("hal@example.com")) != 1 {
			t.Error("the mail came more than once")
		}
	})

	t.Run("that is busy", func(t *testing.T) {
		t.Parallel()
		server := smtpd.Start(t, mailServer(t, authority))
		server.Refuse(&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "try again"})
		s := mailSite(t, authority, server.Addr)
		s.askForMail(t, "ida@example.com")
		wait.Until(t, time.Minute, "the edge tries", func() bool {
			_, secure := server.Connections()
			return secure > 0
		})
		server.Refuse(nil)
		token, _ := s.open(t, server.Nth(t, "ida@example.com", 1))
		s.loggedIn(t, s.spendLink(t, token))
	})

	t.Run("across a reload", func(t *testing.T) {
		t.Parallel()
		gone := smtpd.Start(t, smtpd.Options{})
		gone.Close()
		s := mailSite(t, authority, gone.Addr)
		s.askForMail(t, "jan@example.com")
		s.reconfigure(t, func(c *caddyfile) { c.Realm = append(c.Realm, "token_lifetime 1h") })
		back := smtpd.StartAt(t, gone.Addr, mailServer(t, authority))
		token, _ := s.open(t, back.Nth(t, "jan@example.com", 1))
		s.loggedIn(t, s.spendLink(t, token))
	})

	t.Run("and is delivered before the end", func(t *testing.T) {
		t.Parallel()
		server := smtpd.Start(t, mailServer(t, authority))
		server.Refuse(&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "try again"})
		s := mailSite(t, authority, server.Addr)
		s.askForMail(t, "kim@example.com")
		wait.Until(t, time.Minute, "the edge tries", func() bool {
			_, secure := server.Connections()
			return secure > 0
		})
		server.Refuse(nil)
		s.Stop(t)
		if got := len(server.Mails("kim@example.com")); got != 1 {
			t.Fatalf("%d mails after the end", got)
		}
		s.open(t, server.Mails("kim@example.com")[0])
	})
}
