package e2e

import (
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// device is a virtual authenticator of a page in Chromium.
type device struct {
	*tab
	id proto.WebAuthnAuthenticatorID
}

// newDevice adds an authenticator that verifies its user to a page.
func newDevice(page *tab) *device {
	page.t.Helper()
	if err := (proto.WebAuthnEnable{}).Call(page); err != nil {
		page.t.Fatal(err)
	}
	added, err := proto.WebAuthnAddVirtualAuthenticator{Options: &proto.WebAuthnVirtualAuthenticatorOptions{
		Protocol: proto.WebAuthnAuthenticatorProtocolCtap2, Transport: proto.WebAuthnAuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}.Call(page)
	if err != nil {
		page.t.Fatal(err)
	}
	return &device{page, added.AuthenticatorID}
}

// credentials returns the passkeys of the authenticator.
func (d *device) credentials() []*proto.WebAuthnCredential {
	d.t.Helper()
	got, err := proto.WebAuthnGetCredentials{AuthenticatorID: d.id}.Call(d)
	if err != nil {
		d.t.Fatal(err)
	}
	return got.Credentials
}

// forgot waits until the authenticator has no passkeys: the browser offers none that was
// removed.
func (d *device) forgot() {
	d.t.Helper()
	wait.Until(d.t, pageLimit, "the browser to forget the passkey", func() bool { return len(d.credentials()) == 0 })
}

// present sets whether the user touches the authenticator.
func (d *device) present(is bool) {
	d.t.Helper()
	if err := (proto.WebAuthnSetAutomaticPresenceSimulation{AuthenticatorID: d.id, Enabled: is}).Call(d); err != nil {
		d.t.Fatal(err)
	}
}

// verified sets whether the verification of the user succeeds.
func (d *device) verified(is bool) {
	d.t.Helper()
	if err := (proto.WebAuthnSetUserVerified{AuthenticatorID: d.id, IsUserVerified: is}).Call(d); err != nil {
		d.t.Fatal(err)
	}
}

// signOut signs out and stays there.
func (d *device) signOut(s *pageSite) {
	d.t.Helper()
	d.visit(s.URL + "/auth/logout")
	d.submit("main form button")
}

// TestPasskeyPages uses passkeys in Chromium with its virtual authenticator.
func TestPasskeyPages(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t, "passkeys optional")
	const email = "ann@example.com"
	d := newDevice(openTab(t, browser, "about:blank"))
	d.openLink(s, "/", email)
	d.mustBe(email, "/")

	d.visit(s.URL + "/auth/account")
	d.write("#passkey_name", "Laptop")
	d.submit("form[data-passkey] button")
	d.await("the passkey", `() => document.querySelector("[name=passkey_name][value=Laptop]") !== null`)
	if got := d.credentials(); len(got) != 1 || got[0].RpID != "localhost" || !got[0].IsResidentCredential {
		t.Fatalf("credentials = %+v, want one for localhost", got)
	}
	d.click("form[data-passkey] button") // the authenticator has a passkey of this user
	d.visit(s.URL + "/auth/account")
	if got := d.credentials(); len(got) != 1 {
		t.Errorf("credentials after a second registration = %d, want 1", len(got))
	}

	t.Run("autofill", func(t *testing.T) {
		d.signOut(s)
		d.visit(s.URL + "/deep?a=1")
		d.mustBe(email, "/deep?a=1")
	})
	t.Run("button", func(t *testing.T) {
		d.signOut(s)
		d.present(false)
		d.visit(s.URL + "/button")
		d.await("the button", `() => document.querySelector("form[data-passkey]").hidden === false`)
		d.click("form[data-passkey] button")
		d.present(true) // the authenticator may answer the first request now, and the page goes
		if _, err := d.Eval(`() => document.querySelector("form[data-passkey] button")?.click()`); err != nil && !isNavigation(err) {
			t.Fatal(err)
		}
		d.mustBe(email, "/button")
	})
	t.Run("flags change", func(t *testing.T) {
		err := proto.WebAuthnSetCredentialProperties{
			AuthenticatorID: d.id, CredentialID: d.credentials()[0].CredentialID, BackupEligibility: true, BackupState: true,
		}.Call(d)
		if err != nil {
			t.Fatal(err)
		}
		d.signOut(s)
		d.visit(s.URL + "/flags")
		d.mustBe(email, "/flags")
	})
	t.Run("verification fails", func(t *testing.T) {
		d.signOut(s)
		d.verified(false)
		d.visit(s.URL + "/deep")
		d.await("the button", `() => document.querySelector("form[data-passkey]").hidden === false`)
		d.click("form[data-passkey] button")
		if got := d.text("h1"); got == "" {
			t.Error("the sign-in page is gone, want it to stay")
		}
		d.visit("about:blank") // ends the request, which the authenticator would answer now
		d.verified(true)
	})
	t.Run("two tabs", func(t *testing.T) {
		d.signOut(s)
		page, err := d.Browser().Page(proto.TargetCreateTarget{URL: s.URL + "/second"})
		if err != nil {
			t.Fatal(err)
		}
		second := &tab{page, t}
		second.await("the sign-in page", `() => document.querySelector("#email") !== null`)
		d.visit(s.URL + "/first")
		d.mustBe(email, "/first")
		second.await("the sign-in page without an error", `() => document.querySelector("#email") !== null && document.querySelector("[role=alert]") === null`)
		second.visit(s.URL + "/second")
		second.mustBe(email, "/second")
		d.signOut(s)
	})
	t.Run("removed passkey", func(t *testing.T) {
		other := openTab(t, browser, "about:blank")
		other.openLink(s, "/", email)
		other.visit(s.URL + "/auth/account")
		other.submit("button[value=remove-passkey]")
		d.visit(s.URL + "/auth/")
		d.await("the error", `() => document.querySelector("[role=alert]") !== null`)
		d.forgot()
	})
	t.Run("own passkey removed", func(t *testing.T) {
		own := newDevice(openTab(t, browser, "about:blank"))
		own.openLink(s, "/", email)
		own.visit(s.URL + "/auth/account")
		own.submit("form[data-passkey] button")
		own.await("the passkey", `() => document.querySelector("[name=passkey_name]:not(#passkey_name)") !== null`)
		own.visit(s.URL + "/auth/account")
		if got := own.credentials(); len(got) != 1 {
			t.Fatalf("credentials before the removal = %d, want 1", len(got))
		}
		own.submit("button[value=remove-passkey]")
		own.forgot()
	})
}

// TestPasskeyRequired signs in by mail to a page that requires a passkey. The user adds
// one on the way, and another one after the first was lost.
func TestPasskeyRequired(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t, "passkeys optional")
	const email = "ann@example.com"
	first := newDevice(openTab(t, browser, "about:blank"))
	first.openLink(s, "/strict", email)
	first.submit("main a.button")
	first.click("form[data-passkey] button")
	first.mustBe(email, "/strict") // the browser offers the new passkey, and the user takes it

	second := newDevice(openTab(t, browser, "about:blank"))
	second.openLink(s, "/", email)
	second.mustBe(email, "/")
	second.visit(s.URL + "/strict")
	second.submit("p.links a") // the account page
	second.click("form[data-passkey] button")
	second.mustBe(email, "/strict")
}
