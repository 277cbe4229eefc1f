package login_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// The code of the enrolment is used up, too: it was shown on the same screen.
func TestHardeningEnrolmentCodeReplay(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	f.clock.Advance(-time.Minute)
	_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code()})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
}

// A challenge is used once, expires, and belongs to its realm (CWE-294). Other sealed
// texts are not challenges.
func TestHardeningChallengeReplay(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	used := f.challenged("ann@example.com").Challenge
	if _, err := f.bySecond(login.FactorLogin{Challenge: used, Code: p.code()}); err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	f.clock.Advance(time.Minute)
	old := f.challenged("ann@example.com").Challenge
	g := newFixture(t, withFactors(account.SecondFactorOptional))
	g.enrol(g.loginAs("ann@example.com"))
	foreign := g.challenged("ann@example.com").Challenge
	other, err := f.Keys.Seal("another purpose", []byte(`{"user":"`+p.f.loginBy(p).User.ID+`"}`))
	if err != nil {
		t.Fatalf("Seal() failed: %v", err)
	}
	f.clock.Advance(10 * time.Minute)
	fresh := f.challenged("ann@example.com").Challenge
	for name, challenge := range map[string]string{
		"used": used, "expired": old, "of another realm": foreign, "of another purpose": other, "empty": "", "cut": fresh[:len(fresh)-2],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.bySecond(login.FactorLogin{Challenge: challenge, Code: p.code()})
			wantCode(t, err, 400, authcore.CodeInvalidChallenge)
		})
	}
	if _, err := f.bySecond(login.FactorLogin{Challenge: fresh, Code: p.code()}); err != nil {
		t.Errorf("the code was used up by a challenge that is not valid: %v", err)
	}
}

// loginBy logs the owner of the phone in.
func (f *fixture) loginBy(p *phone) session.Grant {
	f.t.Helper()
	f.clock.Advance(time.Minute)
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code()})
	if err != nil {
		f.t.Fatalf("BySecondFactor() failed: %v", err)
	}
	return grant.Grant
}

// An attacker with the first factor of an account that requires a second one adds an
// application of the attacker, with a challenge of before the enrolment or with the
// enrolment of another user.
func TestHardeningFactorDowngrade(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorRequired))
	early := f.challenged("ann@example.com")
	attack, err := f.Logins.BeginEnrolment(t.Context(), early.Challenge)
	if err != nil {
		t.Fatalf("BeginEnrolment() failed: %v", err)
	}
	evil := &phone{f: f, secret: attack.Secret}
	late := f.challenged("ann@example.com")
	begun, err := f.Logins.BeginEnrolment(t.Context(), late.Challenge)
	if err != nil {
		t.Fatalf("BeginEnrolment() failed: %v", err)
	}
	p := &phone{f: f, secret: begun.Secret}
	if _, err := f.bySecond(login.FactorLogin{Challenge: late.Challenge, Enrolment: begun.Sealed, Code: p.code()}); err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	f.clock.Advance(time.Minute)
	_, err = f.Logins.BeginEnrolment(t.Context(), early.Challenge)
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
	_, err = f.bySecond(login.FactorLogin{Challenge: early.Challenge, Enrolment: attack.Sealed, Code: evil.code()})
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
	now := f.challenged("ann@example.com")
	_, err = f.bySecond(login.FactorLogin{Challenge: now.Challenge, Enrolment: attack.Sealed, Code: evil.code()})
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
	_, err = f.bySecond(login.FactorLogin{Challenge: now.Challenge, Code: evil.code()})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	bob := f.challenged("bob@example.com")
	_, err = f.bySecond(login.FactorLogin{Challenge: bob.Challenge, Enrolment: attack.Sealed, Code: evil.code()})
	if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Fields["enrolment"] == nil {
		t.Errorf("BySecondFactor() with the enrolment of another user = %v, want a field error", err)
	}
	if _, err := f.bySecond(login.FactorLogin{Challenge: now.Challenge, Code: p.code()}); err != nil {
		t.Errorf("BySecondFactor() of the owner failed: %v", err)
	}
}

// A passkey is a second factor: a login by mail must not add an application next to it.
func TestHardeningEnrolmentBesideAPasskey(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		withFactors(account.SecondFactorRequired)(c)
		c.Passkeys = realm.PasskeysOptional
	})
	lacks := f.challenged("ann@example.com")
	user, err := f.Accounts.Find(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatalf("Find() failed: %v", err)
	}
	_, err = f.store.UpdateAccount(t.Context(), user.ID, f.clock.Now(), func(a *authcore.Account) error {
		a.User.Passkeys = []string{"k"}
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	if now := f.challenged("ann@example.com"); now.Enrol || len(now.Methods) != 1 || now.Methods[0] != "passkey" {
		t.Errorf("missing factor = %+v, want the passkey", now)
	}
	_, err = f.Logins.BeginEnrolment(t.Context(), lacks.Challenge)
	wantCode(t, err, 400, authcore.CodeInvalidChallenge)
}

// The token of a remembered device is stolen: it replaces the second factor of its owner
// only, until its expiry, and not after the owner signed out everywhere, replaced the
// application or was disabled.
func TestHardeningStolenDevice(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	f.enrol(f.loginAs("eve@example.com"))
	remember := func() login.FactorGrant {
		f.clock.Advance(time.Minute)
		grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code(), Remember: true})
		if err != nil {
			t.Fatalf("BySecondFactor() failed: %v", err)
		}
		return grant
	}
	first := remember()
	_, err := f.byLinkOn(first.Device, "eve@example.com")
	missing(t, err)
	for _, token := range []string{first.Device + "x", strings.Repeat("x", 5000)} {
		_, err = f.byLinkOn(token, "ann@example.com")
		missing(t, err)
	}
	f.clock.Advance(30 * 24 * time.Hour)
	_, err = f.byLinkOn(first.Device, "ann@example.com")
	missing(t, err)
	second := remember()
	if err := f.Sessions.Logout(t.Context(), f.claims(second.Grant), true); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	_, err = f.byLinkOn(second.Device, "ann@example.com")
	missing(t, err)
	third := remember()
	p, _ = f.enrol(third.Grant)
	_, err = f.byLinkOn(third.Device, "ann@example.com")
	missing(t, err)
	fourth := remember()
	if _, err := f.Accounts.Disable(t.Context(), fourth.User.ID); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	if _, err := f.Accounts.Enable(t.Context(), fourth.User.ID); err != nil {
		t.Fatalf("Enable() failed: %v", err)
	}
	_, err = f.byLinkOn(fourth.Device, "ann@example.com")
	missing(t, err)
}

// A user is disabled, or the factor removed, between the two factors.
func TestHardeningChangesBetweenFactors(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	begun := f.challenged("ann@example.com").Challenge
	if _, err := f.Accounts.Disable(t.Context(), ann.User.ID); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	_, err := f.bySecond(login.FactorLogin{Challenge: begun, Code: p.code()})
	wantCode(t, err, 403, authcore.CodeUserInactive)
	if _, err := f.Accounts.Enable(t.Context(), ann.User.ID); err != nil {
		t.Fatalf("Enable() failed: %v", err)
	}
	if err := f.Factors.RemoveFor(t.Context(), ann.User.ID, "totp", ""); err != nil {
		t.Fatalf("RemoveFor() failed: %v", err)
	}
	_, err = f.bySecond(login.FactorLogin{Challenge: begun, Code: p.code()})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	wantCode(t, f.Factors.RemoveFor(t.Context(), ann.User.ID, "totp", ""), 404, authcore.CodeNotFound)
}

// A login that fails in the store begins no session; the challenge stays usable with the
// next code.
func TestFactorLoginWithAFailingStore(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	begun := f.challenged("ann@example.com").Challenge
	f.store.failing(func(method string, _ int) (error, bool) {
		if method == "Login" {
			return errDown, false
		}
		return nil, false
	})
	_, err := f.bySecond(login.FactorLogin{Challenge: begun, Code: p.code()})
	wantCode(t, err, 503, authcore.CodeUnavailable)
	f.store.failing(nil)
	f.clock.Advance(30 * time.Second)
	if _, err := f.bySecond(login.FactorLogin{Challenge: begun, Code: p.code()}); err != nil {
		t.Errorf("BySecondFactor() after the failure = %v, want nil", err)
	}
}

// A wrong code and a used recovery code are reported with the user, at a login and at a
// later proof, so that the owner and operators see who tries (CWE-778). Refusals of too many
// tries are not, so that they cannot fill the trail.
func TestHardeningProofsAreReported(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	id := f.claims(ann).Subject
	var want []authcore.Event
	failed := authcore.Event{Name: authcore.EventFactorFailed, Method: authcore.FactorTOTP, UserID: id, Code: authcore.CodeInvalidCode}
	challenge := f.challenged("ann@example.com").Challenge
	for range 3 {
		_, err := f.bySecond(login.FactorLogin{Challenge: challenge, Code: wrong(p.code()), Caller: caller})
		wantCode(t, err, 400, authcore.CodeInvalidCode)
		want = append(want, failed)
	}
	if _, err := f.bySecond(login.FactorLogin{Challenge: challenge, RecoveryCode: p.codes[0], Caller: caller}); err != nil {
		t.Fatalf("BySecondFactor() with a recovery code = %v, want no error", err)
	}
	want = append(want, authcore.Event{Name: authcore.EventFactorProven, Method: authcore.FactorRecovery, UserID: id})
	for range 2 {
		_, err := f.Factors.Verify(t.Context(), f.claims(ann), factor.Proof{RecoveryCode: p.codes[0], Caller: caller})
		wantCode(t, err, 400, authcore.CodeInvalidCode)
		failed.Method = authcore.FactorRecovery
		want = append(want, failed)
	}
	for range 3 {
		_, err := f.Factors.Verify(t.Context(), f.claims(ann), factor.Proof{Code: p.code(), Caller: caller})
		wantCode(t, err, 429, authcore.CodeThrottled)
	}
	var got []authcore.Event
	for _, event := range f.events.list {
		if event.Name == authcore.EventFactorFailed || event.Name == authcore.EventFactorProven {
			got = append(got, event)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("events = %+v, want %+v", got, want)
	}
}
