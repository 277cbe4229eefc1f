package authcore

import (
	"strings"
	"testing"
)

// TestParseOrigin accepts what browsers send, and refuses other spellings with the
// form to write.
func TestParseOrigin(t *testing.T) {
	for _, origin := range []string{
		"https://frontend.app", "http://localhost:3000", "https://a.example:8443", "http://127.0.0.1:5173", "http://[::1]:8080",
		"https://xn--bcher-kva.example", "https://[2001:db8::1]", "http://intranet", "https://a_b.example",
		"capacitor://localhost", "ionic://localhost", "tauri://localhost", "http://tauri.localhost",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop", "moz-extension://0f8a-1", "safari-web-extension://A1B2", "app://-", "app://obsidian.md", "vscode-webview://x1",
	} {
		got, err := ParseOrigin(origin)
		if err != nil || got != origin {
			t.Errorf("ParseOrigin(%q) = %q, %v, want itself", origin, got, err)
		}
	}
	for origin, want := range map[string]string{
		"https://b\u00fccher.example":      "https://xn--bcher-kva.example",
		"https://stra\u00dfe.example":      "https://xn--strae-oqa.example",
		"https://\u4f8b\u3048.example:444": "https://xn--r8jz45g.example:444",
	} {
		if got, err := ParseOrigin(origin); err != nil || got != want {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", origin, got, err, want)
		}
	}
	for origin, hint := range map[string]string{
		"https://frontend.app/":            "written https://frontend.app:",
		"https://frontend.app/auth?x":      "written https://frontend.app:",
		"https://Frontend.APP/":            "written",
		"https://Frontend.app":             "written https://frontend.app",
		"HTTPS://frontend.app":             "written https://frontend.app",
		"https://frontend.app:443":         "written https://frontend.app",
		"http://frontend.app:80":           "written http://frontend.app",
		"https://frontend.app:0443":        "443",
		"https://frontend.app:":            "port",
		"https://frontend.app:70000":       "port",
		"https://*.frontend.app":           "wildcard",
		"*":                                "wildcard",
		"null":                             "sandboxed",
		"https://a.example,https://b.test": "separator",
		"https://a.example;":               "separator",
		"http://[0:0:0:0:0:0:0:1]":         "[::1]",
		"http://[::1":                      "IPv6",
		"http://[2001:DB8::1]":             "[2001:db8::1]",
		"http://[::ffff:127.0.0.1]":        "[::ffff:7f00:1]",
		"http://[fe80::1%25eth0]":          "origin",
		"http://::1":                       "brackets",
		"http://127.1":                     "127.0.0.1",
		"http://0x7f000001":                "IPv4",
		"http://2130706433":                "IPv4",
		"https://user@frontend.app":        "origin such as",
		"https://frontend.app:443/":        "written https://frontend.app: without the port",
		"https://frontend.app:0443/cb":     "443",
		"http://a..example":                "not valid",
		"http://.example":                  "not valid",
		"https://a|b.example":              "not valid",
		"https://a<b>.example":             "not valid",
		"https://a\"b.example":             "not valid",
		"https://'self'":                   "not valid",
		"https://$host":                    "not valid",
		"wss://a.example":                  "written https://a.example",
		"ws://localhost:3000":              "written http://localhost:3000",
		"ftp://a.example":                  "null",
		"https://":                         "origin such as",
		"frontend.app":                     "origin such as",
		"//frontend.app":                   "origin such as",
		"https://a b.example":              "origin such as",
		"capacitor://localhost/":           "written capacitor://localhost",
		"file://":                          "origin",
		"file://host":                      "null",
		"data://x":                         "null",
		"":                                 "origin such as",
	} {
		if got, err := ParseOrigin(origin); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("ParseOrigin(%q) = %q, %v, want an error with %q", origin, got, err, hint)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, seed := range []string{"https://frontend.app", "capacitor://localhost", "http://[::1]:8080", "https://b\u00fccher.example", "null", "*", "http://0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := ParseOrigin(text)
		if err != nil {
			return
		}
		if again, err := ParseOrigin(origin); err != nil || again != origin {
			t.Errorf("ParseOrigin(%q) = %q, and of that %q, %v", text, origin, again, err)
		}
	})
}

// TestHardeningRedirectURI asks for URIs that look like a configured one (RFC 9700,
// section 4.1; CWE-601). Only the port of a loopback URI may differ (RFC 8252,
// section 7.3).
func TestHardeningRedirectURI(t *testing.T) {
	client := Client{RedirectURIs: []string{
		"https://frontend.app/cb", "http://127.0.0.1/cb", "http://[::1]:4000/cb?x=1", "http://localhost:3000", "app.example:/cb", "postmessage",
	}}
	for uri, want := range map[string]bool{
		"https://frontend.app/cb":            true,
		"http://127.0.0.1/cb":                true,
		"http://127.0.0.1:1/cb":              true,
		"http://127.0.0.1:65535/cb":          true,
		"http://[::1]:51234/cb?x=1":          true,
		"http://[::1]/cb?x=1":                true,
		"http://localhost:8080":              true,
		"app.example:/cb":                    true,
		"postmessage":                        true,
		"https://frontend.app:8443/cb":       false,
		"https://frontend.app/cb/":           false,
		"http://127.0.0.1:0/cb":              false,
		"http://127.0.0.1:080/cb":            false,
		"http://127.0.0.1:65536/cb":          false,
		"http://127.0.0.1:/cb":               false,
		"http://127.0.0.1:+1/cb":             false,
		"http://127.0.0.1:80/cb/":            false,
		"http://127.0.0.1:80/cb?x":           false,
		"http://127.0.0.1:80/cb#":            false,
		"http://127.0.0.1:80@evil.example/":  false,
		"http://127.0.0.1:80\\@evil.test/cb": false,
		"http://127.0.0.1.evil.example/cb":   false,
		"http://127.0.0.2:80/cb":             false,
		"https://127.0.0.1:80/cb":            false,
		"HTTP://127.0.0.1:80/cb":             false,
		"http://localhost:80/cb":             false,
		"http://localhost.evil.example:80":   false,
		"http://127.0.0.1:80/%63b":           false,
		"postMessage":                        false,
	} {
		if got, err := client.RedirectURI(uri); (err == nil) != want || err == nil && got != uri {
			t.Errorf("RedirectURI(%q) = %q, %v, want allowed %t", uri, got, err, want)
		}
	}
}

func TestValidateRedirectURI(t *testing.T) {
	for _, uri := range []string{
		"https://frontend.app", "https://frontend.app/cb?x=1", "http://127.0.0.1/cb", "http://[::1]:1/", "com.example.app:/cb", "com.example.app://cb", "postmessage",
	} {
		if err := ValidateRedirectURI(uri); err != nil {
			t.Errorf("ValidateRedirectURI(%q) = %v, want nil", uri, err)
		}
	}
	for uri, hint := range map[string]string{
		"https://b\u00fccher.example/cb": "https://xn--bcher-kva.example/cb",
		"https://Frontend.app/cb":        "https://frontend.app",
		"https://frontend.app:443/cb":    "https://frontend.app",
		"http://[0:0::1]/cb":             "[::1]",
		"https://a.example,b.example/":   "separator",
		"/cb":                            "absolute",
	} {
		if err := ValidateRedirectURI(uri); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("ValidateRedirectURI(%q) = %v, want an error with %q", uri, err, hint)
		}
	}
}

func TestLoopbackPort(t *testing.T) {
	for uri, want := range map[string]uint16{"http://127.0.0.1:51234/cb": 51234, "http://[::1]:1": 1, "http://localhost/": 0, "https://a.example:8443/": 0} {
		got := LoopbackPort(uri)
		if got != want {
			t.Errorf("LoopbackPort(%q) = %d, want %d", uri, got, want)
		}
		if again := WithLoopbackPort(uri, got); again != uri {
			t.Errorf("WithLoopbackPort(%q, %d) = %q, want the same", uri, got, again)
		}
	}
	if got := WithLoopbackPort("http://localhost:3000/cb", 0); got != "http://localhost/cb" {
		t.Errorf("WithLoopbackPort() = %q, want http://localhost/cb", got)
	}
}
