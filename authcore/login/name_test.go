package login_test

import (
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Names from a provider follow the rule for names that users set.
func TestNamesOfProviders(t *testing.T) {
	f := newFixture(t, nil)
	grant, err := f.social(authcore.Profile{
		Subject: "1", FirstName: " Ann\u202e\n ", LastName: strings.Repeat("ä", 200), Nickname: "a\u200bnn",
	})
	if err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	if user := grant.User; user.FirstName != "Ann" || user.LastName != strings.Repeat("ä", 150) || user.Nickname != "ann" {
		t.Errorf("Social() = user %q %q %q, want clean names", user.FirstName, user.LastName, user.Nickname)
	}
}
