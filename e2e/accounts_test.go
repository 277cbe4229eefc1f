package e2e

import (
	"net/http"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// TestAccounts checks that an address joins logins to one account only where both
// sides have verified it (CWE-287; "pre-hijacking" of accounts).
func TestAccounts(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{})
	social := func(t *testing.T, person openid.Person) answer {
		t.Helper()
		s.secrets.Add("e-mail address", person.Email)
		idp.SignIn(person)
		return s.redeem(t, s.authorize(t, idp), nil)
	}

	t.Run("a verified address joins", func(t *testing.T) {
		byLink := s.logIn(t, "joined@example.com")
		got := s.loggedIn(t, social(t, openid.Person{Subject: "j", Email: "Joined@Example.com", EmailVerified: true}))
		if got.id != byLink.id || got.isNew {
			t.Errorf("became %v, want the account %s", got.user, byLink.id)
		}
	})
	t.Run("an unverified one does not", func(t *testing.T) {
		byLink := s.logIn(t, "victim@example.com")
		attacker := s.loggedIn(t, social(t, openid.Person{Subject: "attacker", Email: "victim@example.com"}))
		if attacker.id == byLink.id || !attacker.isNew || attacker.user["email_verified"] != false {
			t.Errorf("the attacker logs in as %v, the victim is %s", attacker.user, byLink.id)
		}
		if again := s.logIn(t, "victim@example.com"); again.id != byLink.id {
			t.Error("the victim has another account now")
		}
	})
	t.Run("an account with an unverified address does not wait for its owner", func(t *testing.T) {
		planted := s.loggedIn(t, social(t, openid.Person{Subject: "planted", Email: "later@example.com"}))
		if planted.user["email_verified"] != false {
			t.Errorf("taken for verified: %v", planted.user)
		}
		owner := s.logIn(t, "later@example.com")
		if owner.id == planted.id || !owner.isNew {
			t.Error("the owner of the address got the account of the attacker")
		}
	})
	t.Run("a changed address moves no user", func(t *testing.T) {
		before := s.loggedIn(t, social(t, openid.Person{Subject: "mover", Email: "old@example.com", EmailVerified: true}))
		other := s.logIn(t, "other@example.com")
		after := s.loggedIn(t, social(t, openid.Person{Subject: "mover", Email: "other@example.com", EmailVerified: true}))
		if after.id != before.id || after.id == other.id {
			t.Errorf("was %s, is %s, the address belongs to %s", before.id, after.id, other.id)
		}
	})
	t.Run("an identity is linked on request", func(t *testing.T) {
		byLink := s.logIn(t, "linker@example.com")
		idp.SignIn(openid.Person{Subject: "work", Email: "linker@work.example"})
		link := map[string]any{"link": true}
		bearer := []string{"Authorization", "Token " + byLink.token}
		s.redeem(t, s.authorize(t, idp), link, bearer...).refused(t, http.StatusBadRequest, "invalid_state")
		s.beginLinking(t, "Authorization", "Token dead").must(t, http.StatusUnauthorized)
		s.beginLinking(t).must(t, http.StatusUnauthorized)
		attacker := s.logIn(t, "link-attacker@example.com")
		s.redeem(t, s.authorizeLinking(t, idp, attacker.token), link, bearer...).refused(t, http.StatusBadRequest, "invalid_state")
		f := s.authorizeLinking(t, idp, byLink.token)
		s.redeem(t, f, link, "Authorization", "Token dead").must(t, http.StatusUnauthorized)
		got := s.loggedIn(t, s.redeem(t, f, link, "Authorization", "Token "+byLink.token))
		if got.id != byLink.id {
			t.Errorf("linked to %s, want %s", got.id, byLink.id)
		}
		again := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil, "Authorization", "Token dead"))
		if again.id != byLink.id {
			t.Errorf("logs in as %s afterwards, want %s", again.id, byLink.id)
		}
	})
}
