package pages_test

import (
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/pages"
)

// TestCheckOrigin accepts only what browsers send, and names the form to write.
func TestCheckOrigin(t *testing.T) {
	for _, origin := range []string{
		"https://app.example.com", "https://app.example.com:8443", "http://localhost:8080", "http://127.0.0.1", "http://[::1]",
		"https://xn--bcher-kva.example", "http://app.localhost",
	} {
		if err := pages.CheckOrigin(origin); err != nil {
			t.Errorf("CheckOrigin(%q) = %v, want nil", origin, err)
		}
	}
	for origin, hint := range map[string]string{
		"https://b\u00fccher.example":    "https://xn--bcher-kva.example",
		"https://App.example.com":        "https://app.example.com",
		"https://app.example.com/":       "https://app.example.com:",
		"https://app.example.com:443":    "without the port",
		"http://localhost:80":            "without the port",
		"https://app.example.com:0443":   "443",
		"https://[0:0::1]":               "[::1]",
		"https://u@app.example.com":      "origin such as",
		"https://*.example.com":          "wildcard",
		"https://a.example,b.example":    "separator",
		"capacitor://localhost":          "https://app.example.com",
		"wss://app.example.com":          "https://app.example.com",
		"http://app.example.com":         "must begin with https://",
		"https://app.example.com\\@evil": "app.example.com",
		"app.example.com":                "origin such as",
		"":                               "origin such as",
		"null":                           "sandboxed",
	} {
		if err := pages.CheckOrigin(origin); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("CheckOrigin(%q) = %v, want an error with %q", origin, err, hint)
		}
	}
}
