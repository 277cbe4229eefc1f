package mailer

import (
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Values in plain text from right to left are isolated, so that dates keep their order.
// Links and codes, which are lines of their own, contain no invisible characters.
func TestPlainTextIsolatesValues(t *testing.T) {
	templates := mustLoad(t, "")
	for name, mail := range map[string]authcore.Mail{
		"login": sampleDetails(testMail("alice@example.org", noon)), "notice": accountMail(authcore.MailLinked, ""),
		"confirmation": accountMail(authcore.MailConfirmAddress, ""),
	} {
		for locale, isolated := range map[string]bool{"ar": true, "en": false, "ja": false} {
			mail.Locale = locale
			content, err := templates.Render(mail)
			if err != nil {
				t.Fatalf("Render() failed: %v", err)
			}
			for _, value := range []string{mail.Requested.Format("2006-01-02 15:04 UTC"), mail.To} {
				if got := strings.Contains(content.Text, ": \u2068"+value+"\u2069\n"); got != isolated {
					t.Errorf("%s mail in %s isolates %q = %t, want %t:\n%s", name, locale, value, got, isolated, content.Text)
				}
			}
			for line := range strings.Lines(content.Text) {
				if strings.ContainsAny(line, "\u2068\u2069") && (strings.Contains(line, "://") || strings.Contains(line, mail.Code) && mail.Code != "") {
					t.Errorf("%s mail in %s: the line %q contains an isolate, want none", name, locale, line)
				}
			}
		}
	}
}
