package provider_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestTakeoverOfTheImported: somebody was imported as python-social-auth knew them,
// by the victim's address at Google, and somebody comes from Google. The account is
// theirs by the former subject, and otherwise by the rules for addresses alone.
func TestTakeoverOfTheImported(t *testing.T) {
	server := newClasses(t)
	providers := server.providers(t)
	const (
		theirs  = "that account"
		another = "a new account"
		taken   = "409 `email_taken`"
	)
	workspace := person{"email_verified": true, "hd": "example.com"}
	for _, test := range []struct {
		comes    string
		says     person
		verified bool // the imported address is
		linkBy   string
		want     string
	}{
		{"who is of the organization", workspace, false, "verified", theirs},
		{"who is of the organization", workspace, false, "never", theirs},
		{"who is of the organization", workspace, true, "verified", theirs},
		{"who is of the organization", workspace, true, "never", theirs},
		{"who read mail there once", person{"email_verified": true}, false, "verified", another},
		{"who read mail there once", person{"email_verified": true}, false, "never", another},
		{"who read mail there once", person{"email_verified": true}, true, "verified", theirs}, // both sides have proven it
		{"who read mail there once", person{"email_verified": true}, true, "never", taken},
		{"of another organization", person{"email_verified": true, "hd": "evil.example"}, false, "verified", another},
		{"of another organization", person{"email_verified": true, "hd": "evil.example"}, true, "never", taken},
		{"who claims the address", person{"email_verified": false, "hd": "example.com"}, false, "verified", another},
		{"who claims the address", person{"hd": "example.com"}, true, "verified", taken},
		{"who claims another one", person{"email": "victim@gmail.com", "email_verified": true}, false, "verified", another},
	} {
		f := server.open(t, providers, authcore.AccountRules{LinkByEmail: test.linkBy})
		imported, err := f.ImportUser(t.Context(), authcore.ImportedUser{
			Email: victim, EmailVerified: test.verified,
			Logins: []authcore.ImportedLogin{{Provider: "google-oauth2", UID: "Victim@example.com"}},
		}, false)
		if err != nil || imported.Stored != 1 {
			t.Fatalf("%+v, %v", imported, err)
		}
		got := another
		login, err := f.comes("google-oauth2", say(victim, test.says))
		var refused *authcore.Error
		switch {
		case errors.As(err, &refused):
			got = fmt.Sprintf("%d %#q", refused.Status, refused.Code)
		case err != nil:
			t.Fatal(err)
		case login.User.ID == imported.UserID:
			got = theirs
		}
		if got != test.want {
			t.Errorf("somebody %s, imported address verified %t, link_by_email %s: got %s, want %s",
				test.comes, test.verified, test.linkBy, got, test.want)
		}
		if got == theirs {
			continue
		}
		// The former subject still waits for its owner.
		owner, err := f.comes("google-oauth2", say(victim, person{"sub": "the owner", "email_verified": true, "hd": "example.com"}))
		if err != nil || owner.User.ID != imported.UserID {
			t.Errorf("after somebody %s: the owner is %+v, %v", test.comes, owner.User, err)
		}
	}
}

// TestTakeoverOfTheKnown: somebody was imported by their subject and by an address
// that is not of Gmail nor of an organization, and comes by the subject. When the
// domain becomes one of Workspace, its administrator can make an account for the
// address, which Google then vouches for: the turn of the address is over by then
// (CWE-290).
func TestTakeoverOfTheKnown(t *testing.T) {
	server := newClasses(t)
	providers := server.providers(t)
	for name, says := range map[string]person{
		"the address was read once":       {"email_verified": true},
		"the address is only claimed":     {"email_verified": false},
		"in another case":                 {"email_verified": true, "email": "VICTIM@Example.com"},
		"Google vouched for it long ago":  {"email_verified": true, "hd": "example.com"},
		"of another organization by then": {"email_verified": true, "hd": "corp.example"},
	} {
		f := server.open(t, providers, authcore.AccountRules{LinkByEmail: authcore.LinkByEmailNever})
		imported, err := f.ImportUser(t.Context(), authcore.ImportedUser{Logins: []authcore.ImportedLogin{
			{Provider: "google-oauth2", UID: victim}, {Provider: "google-oauth2", UID: "1001"},
		}}, false)
		if err != nil || imported.Stored != 2 {
			t.Fatalf("%+v, %v", imported, err)
		}
		says["sub"] = "1001"
		if person, err := f.comes("google-oauth2", say(victim, says)); err != nil || person.User.ID != imported.UserID {
			t.Fatalf("%s: the person is %+v, %v", name, person.User, err)
		}
		heir, err := f.comes("google-oauth2", say(victim, person{"sub": "1002", "email_verified": true, "hd": "example.com"}))
		if err != nil || heir.User.ID == imported.UserID {
			t.Errorf("%s: the owner of the domain is %+v, %v", name, heir.User, err)
		}
	}
}
