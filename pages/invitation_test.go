package pages_test

import (
	"net/http"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
)

// A user accepts an invitation at the login page of a site where no user can sign up.
// Scanners do not accept it.
func TestAcceptInvitation(t *testing.T) {
	w := newWorld(t, func(_ *pages.Options, c *realm.Config) { c.Rules.Signup = account.SignupClosed })
	if _, err := w.realm.Logins.Invite(t.Context(), login.InvitationRequest{NewUser: account.NewUser{Email: ann}}); err != nil {
		t.Fatal(err)
	}
	link := w.mails.path()
	for range 3 { // scanners
		w.browser().get(link).must(http.StatusOK)
		w.browser().send(http.MethodHead, link, nil).must(http.StatusOK)
	}
	b := w.browser()
	b.get(link).must(http.StatusOK).shows("<title>Invitation to Example</title>", "Sign in as "+ann, "Accept and sign in").hides("Requested")
	if got := b.post(link).must(http.StatusSeeOther).location(); got != "/" {
		t.Errorf("the invitation leads to %q, want /", got)
	}
	b.mustBe(ann)
	w.browser().get(link).must(http.StatusBadRequest).shows("used already")
}
