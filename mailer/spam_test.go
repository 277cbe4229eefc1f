package mailer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// SpamAssassin gives no points to any kind of mail that a named host hands over. Its
// tests are local ones: without DNS and without lists of hosts.
func TestSpamAssassin(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("spamassassin")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("spamassassin is not installed, and CI is set")
		}
		t.Skip("SKIPPED: spamassassin is not installed")
	}
	mails := []authcore.Mail{}
	for _, locale := range []string{"en", "de", "ar", "ja", "ru", "zh-hans"} {
		login := sampleDetails(testMail("alice@example.org", noon))
		login.To, login.Locale = "alice@example.org", locale
		mails = append(mails, login)
	}
	for _, kind := range accountKinds() {
		mail := accountMail(kind, "en")
		mail.To = "alice@example.org"
		mails = append(mails, mail)
	}
	var handed strings.Builder
	for _, mail := range mails {
		c := testComposer(t)
		c.now = time.Now
		m, err := c.compose(mail, stamp{})
		if err != nil {
			t.Fatalf("compose() failed: %v", err)
		}
		fmt.Fprintf(&handed, "From login@example.com %s\nReceived: from mail.example.com (mail.example.com [93.184.216.34])\n"+
			"\tby mx.example.org (Postfix) with ESMTPS id 4ABCDE\n\tfor <alice@example.org>; %s\n%s\n\n",
			m.Date.Format(time.ANSIC), m.Date.Format(time.RFC1123Z), strings.ReplaceAll(string(m.raw), "\r\n", "\n"))
	}
	home := t.TempDir() // without rules of the user
	command := exec.CommandContext(t.Context(), program, "--local", "--mbox", "--cf", "use_bayes 0", "--prefspath", home+"/prefs", "--nocreate-prefs")
	command.Env = append(os.Environ(), "HOME="+home)
	command.Stdin = strings.NewReader(handed.String())
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	if err := command.Run(); err != nil {
		t.Fatalf("spamassassin failed: %v\n%s", err, faults.String())
	}
	status := regexp.MustCompile(`(?m)^X-Spam-Status: \w+, score=(-?[0-9.]+) .*(?:\n\s.*)*`)
	found := status.FindAllStringSubmatch(out.String(), -1)
	if len(found) != len(mails) {
		t.Fatalf("spamassassin judged %d mails, want %d\n%s", len(found), len(mails), out.String())
	}
	for i, verdict := range found {
		if verdict[1] != "0.0" {
			t.Errorf("score of mail %q in %q = %s, want 0.0\n%s", mails[i].Kind, mails[i].Locale, verdict[1], verdict[0])
		}
	}
}
