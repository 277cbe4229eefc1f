package provider_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// TestTakeoverOfTheImported logs in at Google, after a user was imported from
// python-social-auth with the victim's address as uid. The account is found by the
// former subject, and otherwise only by the rules for addresses.
func TestTakeoverOfTheImported(t *testing.T) {
	server := newServer(t)
	providers := server.providers(t)
	const (
		theirs  = "that account"
		another = "a new account"
		taken   = "409 `email_taken`"
	)
	workspace := members{"email_verified": true, "hd": "example.com"}
	for _, test := range []struct {
		name     string
		reported members
		verified bool // the imported address
		linkBy   string
		want     string
	}{
		{"member of the organization", workspace, false, "verified", theirs},
		{"member of the organization", workspace, false, "never", theirs},
		{"member of the organization", workspace, true, "verified", theirs},
		{"member of the organization", workspace, true, "never", theirs},
		{"external address", members{"email_verified": true}, false, "verified", another},
		{"external address", members{"email_verified": true}, false, "never", another},
		{"external address", members{"email_verified": true}, true, "verified", theirs}, // both sides have verified it
		{"external address", members{"email_verified": true}, true, "never", taken},
		{"member of another organization", members{"email_verified": true, "hd": "evil.example"}, false, "verified", another},
		{"member of another organization", members{"email_verified": true, "hd": "evil.example"}, true, "never", taken},
		{"unverified address", members{"email_verified": false, "hd": "example.com"}, false, "verified", another},
		{"unverified address", members{"hd": "example.com"}, true, "verified", another},
		{"another address", members{"email": "victim@gmail.com", "email_verified": true}, false, "verified", another},
	} {
		f := server.open(t, providers, account.Rules{LinkByEmail: test.linkBy})
		imported, err := f.Import(t.Context(), socialauth.ImportedUser{
			Email: victim, EmailVerified: test.verified,
			Logins: []socialauth.ImportedLogin{{Provider: "google-oauth2", UID: "Victim@example.com"}},
		}, false)
		if err != nil || imported.Stored != 1 {
			t.Fatalf("Import() = %+v, %v", imported, err)
		}
		got := another
		login, err := f.social("google-oauth2", reports(victim, test.reported))
		var refused *authcore.Error
		switch {
		case errors.As(err, &refused):
			got = fmt.Sprintf("%d %#q", refused.Status, refused.Code)
		case err != nil:
			t.Fatalf("Social() failed: %v", err)
		case login.User.ID == imported.UserID:
			got = theirs
		}
		if got != test.want {
			t.Errorf("%s, imported address verified %t, link_by_email %s: result = %s, want %s",
				test.name, test.verified, test.linkBy, got, test.want)
		}
		if got == theirs {
			continue
		}
		// The former subject is still pending for its owner.
		owner, err := f.social("google-oauth2", reports(victim, members{"sub": "the owner", "email_verified": true, "hd": "example.com"}))
		if err != nil || owner.User.ID != imported.UserID {
			t.Errorf("after %s: Social() of the owner = %+v, %v", test.name, owner.User, err)
		}
	}
}

// TestTakeoverOfTheKnown imports a user by subject and by an address outside of Gmail
// and Workspace, and logs in by subject. If the domain joins Workspace later, its
// administrator can create an account with the address, for which Google is then
// authoritative. By then the former subject must be retired (CWE-290).
func TestTakeoverOfTheKnown(t *testing.T) {
	server := newServer(t)
	providers := server.providers(t)
	for name, reported := range map[string]members{
		"external address":               {"email_verified": true},
		"unverified address":             {"email_verified": false},
		"another case":                   {"email_verified": true, "email": "VICTIM@Example.com"},
		"member of the organization":     {"email_verified": true, "hd": "example.com"},
		"member of another organization": {"email_verified": true, "hd": "corp.example"},
	} {
		f := server.open(t, providers, account.Rules{LinkByEmail: account.LinkByEmailNever})
		imported, err := f.Import(t.Context(), socialauth.ImportedUser{Logins: []socialauth.ImportedLogin{
			{Provider: "google-oauth2", UID: victim}, {Provider: "google-oauth2", UID: "1001"},
		}}, false)
		if err != nil || imported.Stored != 2 {
			t.Fatalf("Import() = %+v, %v", imported, err)
		}
		reported["sub"] = "1001"
		if user, err := f.social("google-oauth2", reports(victim, reported)); err != nil || user.User.ID != imported.UserID {
			t.Fatalf("%s: Social() of the user = %+v, %v", name, user.User, err)
		}
		heir, err := f.social("google-oauth2", reports(victim, members{"sub": "1002", "email_verified": true, "hd": "example.com"}))
		if err != nil || heir.User.ID == imported.UserID {
			t.Errorf("%s: Social() of the domain owner's account = %+v, %v", name, heir.User, err)
		}
	}
}
