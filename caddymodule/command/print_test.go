package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A user agent, a name or an error of the server must not control the terminal of an
// operator (CWE-150).
func TestHardeningTablesArePlainText(t *testing.T) {
	for _, attack := range []string{"\x1b[2J\x1b]0;title\x07", "a\nb\tc", "\u202egpj.exe", "\u009b31m", "\xff"} {
		body, err := json.Marshal(map[string]any{"sessions": []any{map[string]any{"id": "1", "user_agent": "UA" + attack}}, "error": "E" + attack})
		if err != nil {
			t.Fatal(err)
		}
		for status, want := range map[int]string{http.StatusOK: "UA", http.StatusConflict: "E"} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = w.Write(body)
			}))
			var out bytes.Buffer
			cmd := User(func(string, string, string) (Endpoint, error) {
				return Endpoint{Client: server.Client(), URL: server.URL}, nil
			})
			cmd.SetArgs([]string{"sessions", "1"})
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			printed := out.String
			if err := cmd.Execute(); err != nil {
				printed = err.Error
			}
			server.Close()
			lines := strings.Split(strings.TrimSpace(printed()), "\n")
			if last := lines[len(lines)-1]; len(lines) > 2 || !strings.Contains(last, want) || printable(last) != last {
				t.Errorf("user sessions with %q and status %d printed %q, want %q as plain text", attack, status, printed(), want)
			}
		}
	}
}

func TestParseLifetime(t *testing.T) {
	for text, want := range map[string]time.Duration{"3d": 72 * time.Hour, "12h": 12 * time.Hour, "90m": 90 * time.Minute} {
		if got, err := parseLifetime(text); err != nil || got != want {
			t.Errorf("parseLifetime(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-3d", "0d", "1.5d", "999999d", "soon", "-1h", "1ms", "3"} {
		if got, err := parseLifetime(text); err == nil {
			t.Errorf("parseLifetime(%q) = %s, want an error", text, got)
		}
	}
}
