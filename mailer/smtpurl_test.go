package mailer

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestParseSMTPURL(t *testing.T) {
	for text, want := range map[string]SMTPServer{
		"smtp://mail.example.com":                      {Host: "mail.example.com", Port: 587, TLS: TLSStartTLS},
		"smtp://mail.example.com/":                     {Host: "mail.example.com", Port: 587, TLS: TLSStartTLS},
		"SMTP://mail.example.com:2525":                 {Host: "mail.example.com", Port: 2525, TLS: TLSStartTLS},
		"smtps://mail.example.com":                     {Host: "mail.example.com", Port: 465, TLS: TLSImplicit},
		"smtps://mail.example.com:587?tls=implicit":    {Host: "mail.example.com", Port: 587, TLS: TLSImplicit},
		"smtp://mail.example.com?tls=implicit":         {Host: "mail.example.com", Port: 465, TLS: TLSImplicit},
		"smtp://mail.example.com:25?tls=none":          {Host: "mail.example.com", Port: 25, TLS: TLSNone},
		"smtp://user:pass@mail.example.com":            {Host: "mail.example.com", Port: 587, User: "user", Password: "pass", TLS: TLSStartTLS},
		"smtp://me%40example.com:p%23%2F%3F%40@h.test": {Host: "h.test", Port: 587, User: "me@example.com", Password: "p#/?@", TLS: TLSStartTLS},
		"smtp://localhost:1025":                        {Host: "localhost", Port: 1025, TLS: TLSNone},
		"smtp://u:p@127.0.0.1:1025":                    {Host: "127.0.0.1", Port: 1025, User: "u", Password: "p", TLS: TLSNone},
		"smtp://[::1]:1025":                            {Host: "::1", Port: 1025, TLS: TLSNone},
		"smtp://localhost:1025?tls=starttls":           {Host: "localhost", Port: 1025, TLS: TLSStartTLS},
		"smtp://[2001:db8::1]":                         {Host: "2001:db8::1", Port: 587, TLS: TLSStartTLS},
	} {
		if got, err := ParseSMTPURL(text); err != nil || got != want {
			t.Errorf("ParseSMTPURL(%s) = %+v %q, %v", text, got, got.Password, err)
		}
	}
}

func TestParseSMTPURLRefuses(t *testing.T) {
	for _, text := range []string{
		"", "mail.example.com", "mail.example.com:587", "http://mail.example.com", "smtp:mail.example.com", "smtp://", "smtp://:587",
		"smtp://u:hunter2@", "smtp://u@mail.example.com", "smtp://:hunter2@mail.example.com",
		"smtp://mail.example.com:", "smtp://mail.example.com:0", "smtp://mail.example.com:65536", "smtp://mail.example.com:x",
		"smtp://mail.example.com/inbox", "smtp://mail.example.com#x", "smtp://mail.example.com?tls=", "smtp://mail.example.com?tls=off",
		"smtp://mail.example.com?tls=none&tls=starttls", "smtp://mail.example.com?ssl=1", "smtp://mail.example.com?tls=none&x=1",
		"smtps://mail.example.com?tls=none", "smtps://mail.example.com?tls=starttls",
		"smtp://u:hunter2@mail.example.com?tls=none", "smtp://u:hunter2%0D%0A@mail.example.com", "smtp://u%00:hunter2@mail.example.com",
		"smtp://mail example.com", "smtp://mail.example.com%0d%0a", "smtp://-mail.example.com", "smtp://[fe80::1%25eth0]:25",
	} {
		if got, err := ParseSMTPURL(text); err == nil {
			t.Errorf("ParseSMTPURL(%q) = %+v, want an error", text, got)
		}
	}
}

// TestParseSMTPURLErrorsHoldNoPassword uses passwords whose characters are delimiters of
// a URL, so that they become port, path, query, fragment or host (CWE-532).
func TestParseSMTPURLErrorsHoldNoPassword(t *testing.T) {
	for _, text := range []string{
		"smtp://user:hunter2#@mail.example.com", "smtp://user:1/hunter2@mail.example.com", "smtp://user:1?hunter2@mail.example.com",
		"smtp://user:1#hunter2@mail.example.com", "smtp://user:hunter2 @mail.example.com", "smtp://user:%hunter2@mail.example.com",
		"smtp://user:hunter2@mail.example.com:x", "hunter2://mail.example.com", "smtp://mail.example.com?tls=hunter2",
		"smtp://mail.example.com?hunter2=1", "smtp://user:hunter2@mail.example.com?tls=none", "smtp://user:hunter2\n@mail.example.com",
		"smtp://user:1@hunter2@mail.example.com/x", "smtp://hunter2", "smtp://[hunter2", "user:hunter2@mail.example.com",
	} {
		if _, err := ParseSMTPURL(text); err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseSMTPURL() failed with %q, which contains the password", err)
		}
	}
}

func TestSMTPServerPrintsNoPassword(t *testing.T) {
	server, err := ParseSMTPURL("smtp://user:hunter2@mail.example.com")
	if err != nil {
		t.Fatalf("ParseSMTPURL() failed: %v", err)
	}
	var logs logBuffer
	logs.logger().Info("start", "server", server)
	slog.New(slog.NewJSONHandler(&logs, nil)).Info("start", "server", server)
	encoded, err := json.Marshal(server)
	if err != nil {
		t.Fatalf("Marshal() failed: %v", err)
	}
	all := logs.String() + string(encoded)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		all += fmt.Sprintf(format, server)
	}
	if strings.Contains(all, "hunter2") || !strings.Contains(all, "smtp://mail.example.com:587?tls=starttls") {
		t.Errorf("printed forms =\n%s", all)
	}
}
