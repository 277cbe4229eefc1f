package mailer

import (
	"html"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// FuzzParseSMTPURL checks that accepted URLs are valid and require TLS for a password,
// and that no error contains the text.
func FuzzParseSMTPURL(f *testing.F) {
	for _, seed := range []string{
		"smtp://mail.example.com", "smtps://u:p@mail.example.com:465", "smtp://u:p@127.0.0.1:1025?tls=none",
		"smtp://u:p#q@h", "smtp://[::1]:25", "smtp://u%0a:p@h?tls=none&tls=x", "smtp://u:p/q?r@h",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const marker = "hunter2marker"
		for _, input := range []string{text, marker + text, text + marker, strings.Replace(text, ":", ":"+marker, 2)} {
			server, err := ParseSMTPURL(input)
			if err != nil {
				if strings.Contains(err.Error(), marker) {
					t.Fatalf("ParseSMTPURL(%q) failed with %q, which contains the text", input, err)
				}
				continue
			}
			if err := server.Validate(); err != nil {
				t.Fatalf("ParseSMTPURL(%q) = %v, which is not valid: %v", input, server, err)
			}
			if server.Password != "" && server.TLS == TLSNone && !authcore.IsLoopback(server.Host) {
				t.Fatalf("ParseSMTPURL(%q) accepts a password without TLS", input)
			}
			if strings.ContainsAny(server.Host+server.User+server.Password, "\r\n\x00") {
				t.Fatalf("ParseSMTPURL(%q) = %#v, which contains control characters", input, server)
			}
		}
	})
}

// FuzzRender checks that the subject is one line and that the HTML contains only the tags
// of the template.
func FuzzRender(f *testing.F) {
	plain, err := LoadTemplates("")
	if err != nil {
		f.Fatalf("LoadTemplates() failed: %v", err)
	}
	templates, err := plain.WithSubject("Log in to {{.Client}} {{.Code}}")
	if err != nil {
		f.Fatalf("WithSubject() failed: %v", err)
	}
	f.Add("web", "123456", "https://frontend.app/x", "de-AT")
	f.Add("<script>", "\r\nBcc: x", "javascript:alert(1)", "../..")
	f.Add("\u202e\u2028\x00\xff", "\"'`>", "myapp://x?a=1&b=<", "en-\n")
	f.Fuzz(func(t *testing.T, client, code, link, locale string) {
		content, err := templates.Render(authcore.Mail{
			Client: client, Code: code, Link: link, Locale: locale,
			Lifetime: 15 * time.Minute, Expires: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return
		}
		if strings.ContainsFunc(content.Subject, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
			t.Fatalf("subject = %q, want one line", content.Subject)
		}
		want := 0
		if oneLine(code) != "" {
			want += 2
		}
		for tag, count := range map[string]int{"<script": 0, "<img": 0, "<iframe": 0, "<a ": 2, "<p ": 5 + want, "<style": 1, "<h1": 1} {
			if got := strings.Count(strings.ToLower(content.HTML), tag); got != count {
				t.Fatalf("number of %[2]s = %[1]d, want %[3]d\n%[4]s", got, tag, count, content.HTML)
			}
		}
		if !strings.Contains(content.Text, link) || !strings.Contains(html.UnescapeString(content.HTML), ">"+link+"</a>") {
			t.Fatalf("the mail does not contain the link %q", link)
		}
	})
}

// FuzzParseSender checks that accepted senders have one bare address and a name of one
// line.
func FuzzParseSender(f *testing.F) {
	for _, seed := range []string{"login@example.com", "Example <login@example.com>", "=?utf-8?q?a=0Ab?= <a@b.example>", `"a\"b" <a@b.example>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sender, err := ParseSender(text)
		if err != nil {
			return
		}
		if address, err := authcore.ParseAddress(sender.Address); err != nil || address.String() != sender.Address {
			t.Fatalf("ParseSender(%q) = address %q, %v", text, sender.Address, err)
		}
		if hasControl(sender.Name) || strings.ContainsAny(sender.String(), "\r\n\x00") {
			t.Fatalf("ParseSender(%q) = %q", text, sender.String())
		}
	})
}
