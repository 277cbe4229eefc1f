package login_test

import (
	"errors"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// Blanks and invisible characters around an address are ignored, and the error says
// which part is not supported.
func TestAddressesAsUsersTypeThem(t *testing.T) {
	const (
		invalid       = "Enter a valid email address."
		quoted        = "Addresses with quotes before the @ are not supported."
		international = "Only letters from a to z, digits and common signs are supported before the @."
	)
	f := newFixture(t, nil)
	debug := newFixture(t, func(c *realm.Config) { c.DebugLinks = true })
	for text, want := range map[string]string{
		"ann@example.com": "", "\u00a0\u200bann@example.com\u2060\ufeff\r\n": "", "a..b@docomo.ne.jp": "", "ann@bücher.example": "",
		`"ann"@example.com`: quoted, "änn@example.com": international, "ann": invalid, "a..b@example.com": invalid,
		"root@localhost": invalid, "root@LOCALHOST": invalid, "root@localhost.localdomain": invalid, "root@app.localhost": invalid,
		"ann@mylocaldomain.example": "", "\u3164ann@example.com\ufe0f": "",
	} {
		_, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: text, Caller: caller})
		var public *authcore.Error
		switch {
		case want == "" && err != nil:
			t.Errorf("RequestLink(%q) = %v, want nil", text, err)
		case want != "" && (!errors.As(err, &public) || public.Status != 400 || public.Detail != want):
			t.Errorf("RequestLink(%q) = %v, want %q", text, err, want)
		}
	}
	if _, err := debug.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "root@localhost", Caller: caller}); err != nil {
		t.Errorf("RequestLink(root@localhost) with DebugLinks = %v, want nil", err)
	}
}
