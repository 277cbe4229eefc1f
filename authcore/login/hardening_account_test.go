package login_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// An attacker asks for changes to many addresses, to learn which belong to other
// accounts (CWE-204): the answer, the mail and the work are the same.
func TestEmailChangeRevealsNoAccount(t *testing.T) {
	f := newFixture(t, nil)
	f.loginAs("bob@example.com")
	eve := f.loginAs("eve@example.com")
	work := map[string]string{}
	for _, address := range []string{"bob@example.com", "new@example.com"} {
		f.store.failing(nil)
		receipt, code, _ := f.requestChange(eve, address)
		work[address] = fmt.Sprint(f.store.counts(), receipt.NeedsCurrentCode, len(receipt.RequestID), receipt.ExpiresIn, len(code))
	}
	if work["bob@example.com"] != work["new@example.com"] {
		t.Errorf("RequestEmailChange() = %v, want no difference", work)
	}
}

// Only who has proven the address learns that it belongs to another account, and gets
// nothing of it.
func TestEmailChangeTakesNoAccountOver(t *testing.T) {
	f := newFixture(t, nil)
	bob, eve := f.loginAs("bob@example.com"), f.loginAs("eve@example.com")
	receipt, code, _ := f.requestChange(eve, "bob@example.com")
	_, err := f.confirmChange(eve, receipt.RequestID, code, "")
	wantCode(t, err, 409, authcore.CodeEmailTaken)
	if user, err := f.Accounts.CurrentUser(t.Context(), f.claims(eve)); err != nil || user.Email != "eve@example.com" {
		t.Errorf("CurrentUser() = %+v, %v, want the former address", user, err)
	}
	if again := f.loginAs("bob@example.com"); again.User.ID != bob.User.ID {
		t.Errorf("login of the owner = %+v, want the owner's account", again.User)
	}
}

// An attacker with another account or an older session of the victim confirms a change
// that the victim began, or that the attacker began for the victim (CWE-639).
func TestEmailChangeIsBoundToItsSession(t *testing.T) {
	f := newFixture(t, nil)
	other, ann, eve := f.loginAs("ann@example.com"), f.loginAs("ann@example.com"), f.loginAs("eve@example.com")
	receipt, code, _ := f.requestChange(ann, "new@example.com")
	_, err := f.confirmChange(eve, receipt.RequestID, code, "")
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	_, err = f.confirmChange(other, receipt.RequestID, code, "")
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	if _, err := f.confirmChange(ann, receipt.RequestID, code, ""); err != nil {
		t.Errorf("ConfirmEmailChange() of the session = %v, want nil", err)
	}
}

// An attacker who cannot read the mail of an address guesses its code (CWE-307): five
// wrong ones end the request, and further requests do not give more guesses than the
// budget of the user.
func TestEmailChangeGuesses(t *testing.T) {
	f := newFixture(t, nil)
	eve := f.loginAs("eve@example.com")
	receipt, code, _ := f.requestChange(eve, "victim@example.com")
	for range 5 {
		_, err := f.confirmChange(eve, receipt.RequestID, otherDigits(code), "")
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	_, err := f.confirmChange(eve, receipt.RequestID, code, "")
	wantCode(t, err, 400, authcore.CodeInvalidCode)

	f = newFixture(t, func(c *realm.Config) { c.Limits.CodePerAddress = ratelimit.Rate{N: 6, Window: time.Hour} })
	eve = f.loginAs("eve@example.com")
	for range 2 {
		receipt, code, _ = f.requestChange(eve, "victim@example.com")
		for range 3 {
			_, err := f.confirmChange(eve, receipt.RequestID, otherDigits(code), "")
			wantCode(t, err, 400, authcore.CodeInvalidCode)
		}
	}
	_, err = f.confirmChange(eve, receipt.RequestID, code, "")
	wantCode(t, err, 429, authcore.CodeThrottled)
}

// A signed-in attacker has mails sent to a victim (CWE-770): the address has a budget for
// all users together, which does not affect the login mails of its owner.
func TestEmailChangeFloodsNoMailbox(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Limits.LinkPerAddress = ratelimit.Rate{N: 2, Window: time.Hour} })
	for _, attacker := range []string{"eve@example.com", "mallory@example.com"} {
		f.requestChange(f.loginAs(attacker), "victim@example.com")
	}
	_, err := f.Logins.RequestEmailChange(t.Context(), login.EmailChangeRequest{
		Claims: f.claims(f.loginAs("trudy@example.com")), Email: "victim+x@example.com", Caller: caller,
	})
	wantCode(t, err, 429, authcore.CodeThrottled)
	if mail := f.mail("victim@example.com"); mail.Decoy {
		t.Error("RequestLink() of the owner sent no mail, want one")
	}
}

// Logins and changes that repeat all day fill the mailbox of the owner: a user gets a
// limited number of notices.
func TestNoticesAreBounded(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	sent := 0
	for i := range 30 {
		profile := authcore.Profile{Subject: fmt.Sprint(i)}
		if _, err := f.link(ann, profile); err != nil {
			t.Fatalf("Social() with LinkTo failed: %v", err)
		}
		mail := f.mails.last(t)
		if mail.Live(t.Context()) && mail.Live(t.Context()) { // two attempts count once
			sent++
		}
	}
	if sent != 20 {
		t.Errorf("%d notices in a day, want 20", sent)
	}
}
