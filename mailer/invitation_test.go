package mailer

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestInvitationMail(t *testing.T) {
	mail := authcore.Mail{
		Kind: authcore.MailInvitation, To: "ann@example.org", Link: "https://frontend.app/in/i-secret", Lifetime: 7 * 24 * time.Hour,
		Expires: noon, Title: "Shop", Locale: "en",
	}
	changed, err := mustLoad(t, "").WithSubject("Log in")
	if err != nil {
		t.Fatal(err)
	}
	content, err := changed.Render(mail)
	if err != nil || content.Subject != "Invitation to Shop" {
		t.Fatalf("Render() = subject %q, %v, want the subject of invitations", content.Subject, err)
	}
	for name, text := range map[string]string{"text": content.Text, "HTML": content.HTML} {
		for _, want := range []string{"invitation", mail.Link, "7 days", "If you do not want an account"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s of the mail = %s, want it to contain %q", name, text, want)
			}
		}
		if strings.Contains(text, "Browser") || strings.Contains(text, "Network") {
			t.Errorf("%s of the mail = %s, want no details of a request", name, text)
		}
	}
	mail.Link = "javascript:alert(1)"
	if _, err := changed.Render(mail); err == nil {
		t.Error("Render() with an unsafe link succeeded, want an error")
	}
}
