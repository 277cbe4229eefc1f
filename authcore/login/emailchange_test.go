package login_test

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// requestChange requests a change of address and returns the receipt with the codes for
// the new and the current address.
func (f *fixture) requestChange(of session.Grant, email string) (receipt login.EmailChangeReceipt, code, current string) {
	f.t.Helper()
	before := len(f.mails.all())
	receipt, err := f.Logins.RequestEmailChange(f.t.Context(), login.EmailChangeRequest{Claims: f.claims(of), Email: email, Caller: caller})
	if err != nil {
		f.t.Fatalf("RequestEmailChange(%s) failed: %v", email, err)
	}
	for _, mail := range f.mails.all()[before:] {
		if mail.Kind == authcore.MailConfirmChange {
			current = mail.Code
		} else {
			code = mail.Code
		}
	}
	return receipt, code, current
}

func (f *fixture) confirmChange(of session.Grant, requestID, code, current string) (session.Grant, error) {
	f.t.Helper()
	return f.Logins.ConfirmEmailChange(f.t.Context(), login.EmailChangeProof{
		Claims: f.claims(of), RequestID: requestID, Code: code, CurrentCode: current, Caller: caller,
	})
}

// all returns the mails in the order of Enqueue.
func (o *outbox) all() []authcore.Mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]authcore.Mail(nil), o.mails...)
}

// ofKind returns the mails of one kind.
func (o *outbox) ofKind(kind authcore.MailKind) (mails []authcore.Mail) {
	for _, mail := range o.all() {
		if mail.Kind == kind {
			mails = append(mails, mail)
		}
	}
	return mails
}

// otherDigits returns a code that differs from the given one.
func otherDigits(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

func TestEmailChange(t *testing.T) {
	f := newFixture(t, nil)
	other, ann := f.loginAs("ann@example.com"), f.loginAs("ann@example.com")
	receipt, code, current := f.requestChange(ann, " Ann@New.Example ")
	if receipt.NeedsCurrentCode || current != "" || receipt.RequestID == "" || receipt.ExpiresIn != 15*time.Minute {
		t.Errorf("RequestEmailChange() after a login by mail = %+v, want a receipt without a second code", receipt)
	}
	if mail := f.mails.last(t); mail.To != "Ann@new.example" || mail.Kind != authcore.MailConfirmAddress || mail.Link != "" || mail.Site != linkBase {
		t.Errorf("mail = %+v, want a code for the new address", mail)
	}
	oldClaims, otherClaims := f.claims(ann), f.claims(other)
	changed, err := f.confirmChange(ann, receipt.RequestID, code[:3]+"-"+code[3:], "")
	if err != nil || changed.User.ID != ann.User.ID || changed.User.Email != "Ann@new.example" || !changed.User.EmailVerified || changed.IsNew {
		t.Fatalf("ConfirmEmailChange() = %+v, %v, want the user with the new address", changed.User, err)
	}
	if claims := f.claims(changed); claims.Email != "Ann@new.example" || claims.Method != login.MethodCode {
		t.Errorf("claims = %+v, want the new address", claims)
	}
	for name, claims := range map[string]string{"the session": oldClaims.Session, "another session": otherClaims.Session} {
		if sessions, err := f.Sessions.List(t.Context(), f.claims(changed)); err != nil || len(sessions) != 1 || sessions[0].ID == claims {
			t.Errorf("%s is among %+v, %v, want one new session", name, sessions, err)
		}
	}
	if _, err := f.authenticate(ann); err == nil {
		t.Error("Authenticate() of a token with the former address = nil, want an error")
	}
	notices := f.mails.ofKind(authcore.MailAddressChanged)
	if len(notices) != 1 || notices[0].To != "ann@example.com" || notices[0].IP != caller.IP || notices[0].Client != "web" {
		t.Errorf("notices = %+v, want one to the former address", notices)
	}
	if f.events.count(authcore.EventEmailChanged) != 1 {
		t.Errorf("events = %s, want email_changed", f.events.names())
	}
	if again := f.loginAs("ann@new.example"); again.User.ID != ann.User.ID || again.IsNew {
		t.Errorf("login with the new address = %+v, want the user", again.User)
	}
	if again := f.loginAs("ann@example.com"); again.User.ID == ann.User.ID || !again.IsNew {
		t.Errorf("login with the former address = %+v, want a new user", again.User)
	}
}

// An account with a verified address needs its proof, too, unless the login was by
// mail.
func TestEmailChangeAfterASocialLogin(t *testing.T) {
	f := newFixture(t, nil)
	ann, err := f.social(verified("1", "ann@example.com"))
	if err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	receipt, code, current := f.requestChange(ann, "ann@new.example")
	if !receipt.NeedsCurrentCode || code == "" || current == "" {
		t.Fatalf("RequestEmailChange() = %+v, want a second code", receipt)
	}
	if mails := f.mails.ofKind(authcore.MailConfirmChange); len(mails) != 1 || mails[0].To != "ann@example.com" {
		t.Errorf("mails = %+v, want one to the current address", mails)
	}
	for name, codes := range map[string][2]string{
		"none": {code, ""}, "wrong": {code, otherDigits(current)}, "exchanged": {current, code}, "wrong new": {otherDigits(code), current},
	} {
		_, err := f.confirmChange(ann, receipt.RequestID, codes[0], codes[1])
		if err == nil {
			t.Fatalf("ConfirmEmailChange() with codes %s succeeded, want an error", name)
		}
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	if changed, err := f.confirmChange(ann, receipt.RequestID, code, current); err != nil || changed.User.Email != "ann@new.example" {
		t.Errorf("ConfirmEmailChange() with both codes = %+v, %v, want the new address", changed.User, err)
	}

	bob, err := f.social(authcore.Profile{Subject: "2", Email: "bob@example.com"})
	if err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	receipt, code, _ = f.requestChange(bob, "bob@example.com")
	if receipt.NeedsCurrentCode {
		t.Error("RequestEmailChange() of an account without a verified address needs a second code")
	}
	if changed, err := f.confirmChange(bob, receipt.RequestID, code, ""); err != nil || !changed.User.EmailVerified {
		t.Errorf("ConfirmEmailChange() = %+v, %v, want a verified address", changed.User, err)
	}
}

func TestEmailChangeRefusals(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Rules = account.Rules{Signup: account.SignupDomains, Domains: []string{"example.com"}, Deny: []string{"eve@example.com"}}
	})
	ann := f.loginAs("ann@example.com")
	request := func(email string) error {
		_, err := f.Logins.RequestEmailChange(t.Context(), login.EmailChangeRequest{Claims: f.claims(ann), Email: email, Caller: caller})
		return err
	}
	wantCode(t, request("nobody"), 400, authcore.CodeInvalidRequest)
	wantCode(t, request("ann@example.com"), 400, authcore.CodeInvalidRequest)
	wantCode(t, request("eve+x@example.com"), 403, authcore.CodeNotAdmitted)
	wantCode(t, request("ann@other.example"), 403, authcore.CodeNotAdmitted)
	f.mails.err = authcore.ErrMailQueueFull
	wantCode(t, request("new@example.com"), 503, authcore.CodeUnavailable)
	f.mails.err = nil

	receipt, code, _ := f.requestChange(ann, "new@example.com")
	_, err := f.confirmChange(ann, receipt.RequestID, "12345", "")
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
	_, err = f.confirmChange(ann, "unknown", code, "")
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	f.clock.Advance(15*time.Minute - time.Second)
	if err := request("late@example.com"); err != nil {
		t.Errorf("RequestEmailChange() 15 minutes after the login failed: %v", err)
	}
	f.clock.Advance(time.Second + 1)
	_, err = f.confirmChange(ann, receipt.RequestID, code, "")
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	f.clock.Advance(time.Minute)
	wantCode(t, request("late@example.com"), 403, authcore.CodeReauthenticationRequired)
}

// A failure of the store leaves codes usable, and a mail of a request that was not
// stored is not sent.
func TestEmailChangeWithoutStore(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	receipt, code, _ := f.requestChange(ann, "new@example.com")
	f.store.failing(func(method string, _ int) (error, bool) {
		if method == "Login" || method == "PutRecord" {
			return errDown, false
		}
		return nil, false
	})
	_, err := f.confirmChange(ann, receipt.RequestID, code, "")
	wantCode(t, err, 503, authcore.CodeUnavailable)
	_, err = f.Logins.RequestEmailChange(t.Context(), login.EmailChangeRequest{Claims: f.claims(ann), Email: "x@example.com", Caller: caller})
	wantCode(t, err, 503, authcore.CodeUnavailable)
	if mail := f.mails.last(t); mail.Live(t.Context()) {
		t.Error("Live() of a mail whose request was not stored = true, want false")
	}
	f.store.failing(nil)
	if _, err := f.confirmChange(ann, receipt.RequestID, code, ""); err != nil {
		t.Errorf("ConfirmEmailChange() after the failure = %v, want nil", err)
	}
}

func TestNoticesOfLogins(t *testing.T) {
	f := newFixture(t, nil)
	notices := func() (list []string) {
		for _, mail := range f.mails.all() {
			if mail.Kind.IsNotice() {
				list = append(list, string(mail.Kind)+" "+mail.Method+" "+mail.To)
			}
		}
		return list
	}
	want := func(step string, wanted ...string) {
		t.Helper()
		got := notices()
		if len(got) != len(wanted) || len(got) > 0 && got[len(got)-1] != wanted[len(wanted)-1] {
			t.Fatalf("notices after %s = %q, want %q", step, got, wanted)
		}
	}
	ann := f.loginAs("ann@example.com")
	want("the sign-up")
	f.loginAs("ann@example.com")
	want("another login by mail")
	if joined, err := f.social(verified("1", "ann@example.com")); err != nil || joined.User.ID != ann.User.ID {
		t.Fatalf("Social() = %+v, %v, want the user", joined.User, err)
	}
	added := "login_added github ann@example.com"
	want("a login that joined by address", added)
	if _, err := f.social(verified("1", "ann@example.com")); err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	want("another login with it", added)
	if err := f.Sessions.Logout(t.Context(), f.claims(ann), true); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	bySocial, err := f.social(verified("1", "ann@example.com"))
	if err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	want("a login without other sessions", added)
	f.loginAs("ann@example.com")
	other := "new_login link ann@example.com"
	want("a login through another method", added, other)
	if _, err := f.link(bySocial, verified("2", "x@example.com")); err != nil {
		t.Fatalf("Social() with LinkTo failed: %v", err)
	}
	want("linking", added, other, added)
	if err := f.Accounts.Unlink(t.Context(), f.claims(bySocial), caller, f.identities(bySocial)[0].PublicID); err != nil {
		t.Fatalf("Unlink() failed: %v", err)
	}
	want("unlinking", added, other, added, "login_removed github ann@example.com")
	if _, err := f.social(authcore.Profile{Subject: "3", Email: "eve@example.com"}); err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	want("a sign-up without a verified address", added, other, added, "login_removed github ann@example.com")
}

// A notice that cannot be sent does not fail the login, and none are sent if they are
// switched off.
func TestNoticesFailNothing(t *testing.T) {
	f := newFixture(t, nil)
	f.loginAs("ann@example.com")
	f.mails.err = authcore.ErrMailQueueFull
	if _, err := f.social(verified("1", "ann@example.com")); err != nil {
		t.Errorf("Social() with a full queue failed: %v", err)
	}
	f = newFixture(t, func(c *realm.Config) { c.NoNotices = true })
	f.loginAs("ann@example.com")
	if _, err := f.social(verified("1", "ann@example.com")); err != nil {
		t.Errorf("Social() failed: %v", err)
	}
	if mails := f.mails.ofKind(authcore.MailLinked); len(mails) != 0 {
		t.Errorf("notices = %+v, want none", mails)
	}
}

// The site and the language of mails follow the client, then the request.
func TestMailNamesTheSite(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Title, c.Clients[1].Title, c.Clients[1].Locale = "Realm", "App", ""
	})
	from := caller
	from.Languages = "fr, de;q=0.5"
	for _, c := range []struct{ key, locale, wantTitle, wantLocale string }{
		{clientKey, "", "Realm", "fr, de;q=0.5"}, {"app-key", "", "App", "fr, de;q=0.5"}, {"app-key", "ja", "App", "ja"},
	} {
		if _, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "a@example.com", ClientKey: c.key, Locale: c.locale, Caller: from}); err != nil {
			t.Fatalf("RequestLink() failed: %v", err)
		}
		if mail := f.mails.last(t); mail.Title != c.wantTitle || mail.Locale != c.wantLocale {
			t.Errorf("mail for %s = %q in %q, want %q in %q", c.key, mail.Title, mail.Locale, c.wantTitle, c.wantLocale)
		}
	}
}
