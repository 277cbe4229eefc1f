package mailer

import (
	"context"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// accountMail returns a mail of a kind, with a code unless it is a notice.
func accountMail(kind authcore.MailKind, locale string) authcore.Mail {
	mail := sampleDetails(authcore.Mail{Kind: kind, Site: "https://frontend.app/auth/link/", Lifetime: noticeSample, Expires: noon, Locale: locale})
	mail.Title, mail.Method = "", "github"
	if !kind.IsNotice() {
		mail.Code, mail.Method = "987654", ""
	}
	return mail
}

const noticeSample = 15 * 60 * 1e9

// Every kind of mail is complete in every language.
func TestAccountMails(t *testing.T) {
	templates := mustLoad(t, "")
	for _, tag := range language.Tags() {
		subjects := map[string]bool{}
		for _, kind := range accountKinds() {
			content, err := templates.Render(accountMail(kind, tag))
			if err != nil {
				t.Fatalf("Render(%s, %s) failed: %v", kind, tag, err)
			}
			for _, want := range []string{"user@example.org", "Firefox, Linux", "192.0.2.0/24"} {
				if !strings.Contains(content.Text, want) || !strings.Contains(content.HTML, want) {
					t.Errorf("Render(%s, %s) lacks %q:\n%s", kind, tag, want, content.Text)
				}
			}
			if strings.ContainsAny(content.Subject+content.Text, "{}") || strings.Contains(content.HTML, "://") {
				t.Errorf("Render(%s, %s) contains a placeholder or a link:\n%s", kind, tag, content.Text)
			}
			if hasCode := strings.Contains(content.Subject+content.Text, "987654"); hasCode == kind.IsNotice() {
				t.Errorf("Render(%s, %s) contains a code: %t\n%s", kind, tag, hasCode, content.Text)
			}
			if hasMethod := strings.Contains(content.Text, "GitHub"); hasMethod != kind.IsNotice() {
				t.Errorf("Render(%s, %s) contains the method: %t\n%s", kind, tag, hasMethod, content.Text)
			}
			if kind.IsNotice() {
				subjects[content.Subject] = true
			}
		}
		if len(subjects) != 9 {
			t.Errorf("subjects in %s = %v, want 9", tag, subjects)
		}
	}
}

func TestMethodName(t *testing.T) {
	for method, want := range map[string]string{
		"": "", "link": "E-Mail", "code": "E-Mail", "google-oauth2": "Google", "github": "GitHub", "linkedin-openidconnect": "LinkedIn",
		"apple-id": "Apple", "microsoft-graph": "Microsoft", "keycloak": "Keycloak", "-id": "-id", "Über": "Über",
	} {
		if got := methodName(method, "E-Mail"); got != want {
			t.Errorf("methodName(%q) = %q, want %q", method, got, want)
		}
	}
}

// Own texts of the login mail leave those of other mails in all languages, and the
// other way around.
func TestLoadTemplatesOfAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		files                  map[string]string
		login, account, german string
	}{
		"login only":   {map[string]string{"subject.txt": "Mine"}, "Mine", "New sign-in to frontend.app", "Neue Anmeldung bei frontend.app"},
		"account only": {map[string]string{"account-subject.txt": "{{.Kind}} {{.Title}}"}, "987654 is your code for frontend.app", "new_login frontend.app", "new_login frontend.app"},
		"folder":       {map[string]string{"de/account-subject.txt": "Neu"}, "987654 is your code for frontend.app", "New sign-in to frontend.app", "Neu"},
		"other language": {
			map[string]string{"sv/subject.txt": "Länk", "sv/text.txt": "x", "sv/html.html": "x"},
			"987654 is your code for frontend.app", "New sign-in to frontend.app", "Neue Anmeldung bei frontend.app",
		},
	} {
		t.Run(name, func(t *testing.T) {
			templates := mustLoad(t, writeFiles(t, c.files))
			if got := render(t, templates, "en").Subject; got != c.login {
				t.Errorf("subject of the login mail = %q, want %q", got, c.login)
			}
			for locale, want := range map[string]string{"en": c.account, "sv": c.account, "de": c.german} {
				content, err := templates.Render(accountMail(authcore.MailNewLogin, locale))
				if err != nil || content.Subject != want {
					t.Errorf("subject of a notice in %s = %q, %v, want %q", locale, content.Subject, err, want)
				}
			}
		})
	}
	for _, files := range []map[string]string{
		{"account-text.txt": "{{.Nope}}"},
		{"account-text.txt": "{{if .Method}}{{.Nope}}{{end}}"},
		{"account-subject.txt": "{{if .Code}}a\nb{{end}}x"},
		{"sv/account-text.txt": "x"},
		{"sv/README": "x"},
	} {
		if _, err := LoadTemplates(writeFiles(t, files)); err == nil {
			t.Errorf("LoadTemplates(%v) succeeded, want an error", files)
		}
	}
}

// Notices use half of the queue at most, so that they keep no login mail out
// (CWE-770).
func TestHardeningNoticesLeaveRoom(t *testing.T) {
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), func(c *QueueConfig) { c.Capacity, c.Delay = 4, 1e15 })
	notice := r.mail("alice@example.org")
	notice.Kind, notice.Link = authcore.MailNewLogin, ""
	for i, want := range []bool{true, true, false} {
		if err := r.Enqueue(t.Context(), notice); (err == nil) != want {
			t.Errorf("Enqueue() of notice %d = %v, want accepted: %t", i+1, err, want)
		}
	}
	for range 2 {
		r.enqueue(t, r.mail("alice@example.org"))
	}
	if err := r.Enqueue(t.Context(), r.mail("alice@example.org")); err == nil {
		t.Error("Enqueue() of a mail beyond the capacity = nil, want an error")
	}
}
