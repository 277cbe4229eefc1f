package gate

import "testing"

func TestNewBrowser(t *testing.T) {
	for _, test := range []struct{ origin, login, want, session string }{
		{"https://app.example.com", "", "/auth", "__Host-edgeauth"},
		{"https://app.example.com:8443", "/sign-in/", "/sign-in", "__Host-edgeauth"},
		{"http://localhost:8080", "/a/b", "/a/b", "edgeauth"},
		{"https://app.example.com", "https://login.example.com/auth", "https://login.example.com/auth", "__Host-edgeauth"},
		{"https://app.example.com", "https://app.example.com/auth", "/auth", "__Host-edgeauth"},
	} {
		b, err := NewBrowser(BrowserConfig{Origin: test.origin, Login: test.login})
		if err != nil || b.Login() != test.want || b.session != test.session || b.Origin() != test.origin {
			t.Errorf("NewBrowser(%q, %q) = %+v, %v, want the login page %s and the cookie %s", test.origin, test.login, b, err, test.want, test.session)
		}
	}
	for _, test := range []BrowserConfig{
		{},
		{Origin: "app.example.com"},
		{Origin: "https://App.example.com"},
		{Origin: "https://app.example.com/"},
		{Origin: "https://app.example.com:443"},
		{Origin: "http://localhost:80"},
		{Origin: "https://app.example.com", Login: "/"},
		{Origin: "https://app.example.com", Login: "auth"},
		{Origin: "https://app.example.com", Login: "//evil.example"},
		{Origin: "https://app.example.com", Login: "/a/../b"},
		{Origin: "https://app.example.com", Login: `/"><script>`},
		{Origin: "https://app.example.com", Login: "javascript:alert(1)"},
		{Origin: "https://app.example.com", Login: "https://login.example.com/auth?x"},
		{Origin: "https://app.example.com", Login: "https://user@login.example.com/auth"},
		{Origin: "https://app.example.com", Login: "https://app.example.com"},
		{Origin: "https://app.example.com", Login: "https://login.example.com"},
	} {
		if b, err := NewBrowser(test); err == nil {
			t.Errorf("NewBrowser(%+v) = %+v, want an error", test, b)
		}
	}
}
