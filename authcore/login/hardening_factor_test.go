package login_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// An attacker who saw a code uses it within its validity (RFC 6238, section 5.2): for
// another login, and for a step before the last accepted one.
func TestHardeningCodeReplay(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	before, code := p.codeAt(-30*time.Second), p.code()
	if _, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: code}); err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	f.clock.Advance(24 * time.Second)
	for name, used := range map[string]string{"same code": code, "code of the step before": before} {
		_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: used})
		if wantCode(t, err, 400, authcore.CodeInvalidCode); err == nil {
			t.Errorf("the %s was accepted again", name)
		}
	}
}

// The code of the enrolment is used up, too: it was shown on the same screen.
func TestHardeningEnrolmentCodeReplay(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	f.clock.Advance(-time.Minute)
	_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code()})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
}

// The clock of the application may be off by one step, and not by two.
func TestHardeningCodeSkew(t *testing.T) {
	for offset, accepted := range map[time.Duration]bool{
		-60 * time.Second: false, -30 * time.Second: true, 0: true, 30 * time.Second: true, 60 * time.Second: false,
	} {
		t.Run(offset.String(), func(t *testing.T) {
			f := newFixture(t, withFactors(account.SecondFactorOptional))
			p, _ := f.enrol(f.loginAs("ann@example.com"))
			f.clock.Advance(5 * time.Minute)
			_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.codeAt(offset)})
			if (err == nil) != accepted {
				t.Errorf("BySecondFactor() with a code of %v = %v, want accepted = %t", offset, err, accepted)
			}
		})
	}
}

// An attacker who proved the first factor guesses codes, over many challenges (CWE-307).
// The owner's other accounts and other users are not affected, and nothing that a
// stranger sends without the first factor counts.
func TestHardeningCodeBruteForce(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	for range 20 {
		_, err := f.bySecond(login.FactorLogin{Challenge: "made up", Code: "000000"})
		wantCode(t, err, 400, authcore.CodeInvalidChallenge)
	}
	for range 5 {
		_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: wrong(p.code())})
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	for _, r := range []login.FactorLogin{{Code: p.code()}, {RecoveryCode: p.codes[0]}} {
		r.Challenge = f.challenged("ann@example.com").Challenge
		_, err := f.bySecond(r)
		wantCode(t, err, 429, authcore.CodeThrottled)
	}
	bob, _ := f.enrol(f.loginAs("bob@example.com"))
	if _, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("bob@example.com").Challenge, Code: bob.code()}); err != nil {
		t.Errorf("BySecondFactor() of another user failed: %v", err)
	}
	f.clock.Advance(15 * time.Minute)
	if _, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code()}); err != nil {
		t.Errorf("BySecondFactor() after the window failed: %v", err)
	}
}

// A recovery code works once, also for the owner's attacker with the list of used ones,
// and not for another user.
func TestHardeningRecoveryCodeReuse(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	q, _ := f.enrol(f.loginAs("bob@example.com"))
	if _, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, RecoveryCode: p.codes[0]}); err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	if kind := f.mails.last(t).Kind; kind != authcore.MailRecoveryUsed && kind != authcore.MailNewLogin {
		t.Errorf("the last mail is %q, want a notice about the recovery code", kind)
	}
	for name, code := range map[string]string{
		"used": p.codes[0], "of another user": q.codes[0], "empty after normalization": "-", "part": p.codes[1][:9],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, RecoveryCode: code})
			wantCode(t, err, 400, authcore.CodeInvalidCode)
		})
	}
}

// A reader of the store learns neither the secret of an application, nor recovery codes,
// nor tokens of devices (CWE-312), and cannot move a secret to another user.
func TestHardeningStoredFactors(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code(), Remember: true})
	if err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	for _, record := range f.store.puts {
		for _, secret := range append([]string{p.secret, grant.Device}, p.codes...) {
			if strings.Contains(string(record.Data)+record.Key, secret) {
				t.Errorf("a %s record contains a secret", record.Kind)
			}
		}
	}
	bob := f.loginAs("bob@example.com")
	if _, err := f.store.UpdateAccount(t.Context(), bob.User.ID, f.clock.Now(), func(a *authcore.Account) error {
		a.User.Factors = grant.User.Factors
		return nil
	}); err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	f.clock.Advance(time.Minute)
	_, err = f.bySecond(login.FactorLogin{Challenge: f.challenged("bob@example.com").Challenge, Code: p.code()})
	wantCode(t, err, 503, authcore.CodeUnavailable)
}

// Of many simultaneous logins with one code one succeeds, and of many with one challenge
// and different recovery codes.
func TestHardeningFactorRaces(t *testing.T) {
	f := newFixture(t, func(cfg *realm.Config) {
		withFactors(account.SecondFactorOptional)(cfg)
		cfg.Limits.FactorPerUser.N = 0
	})
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	var challenges []string
	for range 10 {
		challenges = append(challenges, f.challenged("ann@example.com").Challenge)
	}
	for name, request := range map[string]func(i int) login.FactorLogin{
		"one code": func(i int) login.FactorLogin { return login.FactorLogin{Challenge: challenges[i], Code: p.code()} },
		"one recovery code": func(i int) login.FactorLogin {
			return login.FactorLogin{Challenge: challenges[i], RecoveryCode: p.codes[9]}
		},
	} {
		if won := race(f, request); won != 1 {
			t.Errorf("%s: %d logins succeeded, want 1", name, won)
		}
	}
	one := f.challenged("ann@example.com").Challenge
	if won := race(f, func(i int) login.FactorLogin {
		return login.FactorLogin{Challenge: one, RecoveryCode: p.codes[i%9]}
	}); won != 1 {
		t.Errorf("one challenge: %d logins succeeded, want 1", won)
	}
}

// race sends ten requests at the same time and returns how many succeeded.
func race(f *fixture, request func(i int) login.FactorLogin) (won int) {
	var group sync.WaitGroup
	var mu sync.Mutex
	for i := range 10 {
		r := request(i)
		r.Caller = caller
		group.Go(func() {
			if _, err := f.Logins.BySecondFactor(f.t.Context(), r); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return won
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
	record := authcore.Record{RecordKey: authcore.RecordKey{Kind: "passkey", Key: "k"}, Owner: user.ID, Created: f.clock.Now()}
	if err := f.store.PutRecord(t.Context(), record, authcore.PutOptions{Now: f.clock.Now()}); err != nil {
		t.Fatalf("PutRecord() failed: %v", err)
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

// The step-up of a session counts in the same budget as logins.
func TestHardeningStepUpBruteForce(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	for range 5 {
		_, err := f.Factors.Verify(t.Context(), f.claims(ann), factor.Proof{Code: wrong(p.code()), Caller: caller})
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	_, err := f.Factors.Verify(t.Context(), f.claims(ann), factor.Proof{Code: p.code(), Caller: caller})
	wantCode(t, err, 429, authcore.CodeThrottled)
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
