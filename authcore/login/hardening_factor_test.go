package login_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
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

// An attacker with the first factor of a user accepts an invitation that grants roles, or
// logs in after the configuration gave the user roles. The step stores nothing without the
// second factor, so that no session has these roles, on this node either.
func TestHardeningRolesWithOneFactor(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	_, owner := f.enrol(f.loginAs("ann@example.com"))
	reloaded := newFixture(t, func(c *realm.Config) {
		withFactors(account.SecondFactorOptional)(c)
		c.Store = f.store
		c.Rules.Roles = []account.RoleRule{{Role: "admin", To: []string{"ann@example.com"}}}
	})
	reloaded.clock.Advance(2 * time.Minute)
	if claims := reloaded.claims(owner); len(claims.Roles) > 0 {
		t.Fatalf("roles before the login = %q, want none", claims.Roles)
	}
	reloaded.challenged("ann@example.com")
	user, err := f.store.User(t.Context(), authcore.UserRef{ID: owner.User.ID})
	if err != nil || len(user.Roles) > 0 {
		t.Fatalf("User() after one factor = %+v, %v, want no role", user, err)
	}
	if claims := reloaded.claims(owner); len(claims.Roles) > 0 {
		t.Errorf("roles of the session of the owner = %q, want none", claims.Roles)
	}
}
