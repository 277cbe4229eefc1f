package mailer

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseSender(t *testing.T) {
	for text, want := range map[string]netmail.Address{
		"login@example.com":                              {Address: "login@example.com"},
		"<login@EXAMPLE.com>":                            {Address: "login@example.com"},
		"Example <login@example.com>":                    {Name: "Example", Address: "login@example.com"},
		`"Example, Inc." <login@example.com>`:            {Name: "Example, Inc.", Address: "login@example.com"},
		"Übergrün <login@bücher.example>":                {Name: "Übergrün", Address: "login@xn--bcher-kva.example"},
		"=?utf-8?q?=C3=9Cbergr=C3=BCn?= <l@example.com>": {Name: "Übergrün", Address: "l@example.com"},
	} {
		if got, err := ParseSender(text); err != nil || got != want {
			t.Errorf("ParseSender(%s) = %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "Example", "a@b.example, c@d.example", "a@b", "a@[192.0.2.1]", `"a b"@c.example`, "a@b.example\r\nBcc: c@d.example",
		strings.Repeat("x", maxSenderName+1) + " <a@b.example>", "=?utf-8?q?a=0D=0ABcc:_c@d.example?= <a@b.example>", "=?utf-8?q?a=00?= <a@b.example>",
	} {
		if got, err := ParseSender(text); err == nil {
			t.Errorf("ParseSender(%q) = %+v, want an error", text, got)
		}
	}
}

func testComposer(t *testing.T) *composer {
	t.Helper()
	return &composer{
		templates: mustLoad(t, ""), from: netmail.Address{Address: "login@example.com"},
		now: func() time.Time { return noon },
	}
}

func TestCompose(t *testing.T) {
	mail := testMail("Alice@example.org", noon)
	m, err := testComposer(t).compose(mail, stamp{})
	if err != nil {
		t.Fatalf("compose() failed: %v", err)
	}
	if isID := regexp.MustCompile(`^[0-9a-f]{32}@example\.com$`); m.To != "Alice@example.org" || !isID.MatchString(m.MessageID) || !m.Date.Equal(noon) {
		t.Errorf("message: To = %q, MessageID = %q, Date = %s", m.To, m.MessageID, m.Date)
	}
	if again, err := testComposer(t).compose(mail, stamp{}); err != nil || again.MessageID == m.MessageID {
		t.Errorf("MessageID of another mail = %q, %v, want a new one", again.MessageID, err)
	}
	for _, to := range []string{"", "alice", "a@b.example\r\nDATA", "a@b.example\x00"} {
		if _, err := testComposer(t).compose(testMail(to, noon), stamp{}); !errors.Is(err, errRecipient) {
			t.Errorf("compose(%q) failed with %v, want %v", to, err, errRecipient)
		}
	}
}

func TestMessagePrintsNoSecret(t *testing.T) {
	var logs logBuffer
	m := testMessage()
	logs.logger().Info("mail", "message", m)
	all := logs.String()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		all += fmt.Sprintf(format, m)
	}
	wantNoSecrets(t, all)
}

// wantNoSecrets checks for the secrets of testMail and testMessage.
func wantNoSecrets(t *testing.T, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, secret := range []string{"alice", "example.org", "s3cretl1nk", "987654", "hunter2"} {
		if strings.Contains(lower, secret) {
			t.Errorf("the text contains the secret %q:\n%s", secret, text)
		}
	}
}
