package socialauth_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// claims returns the claims of a login.
func (f *fixture) claims(grant session.Grant) *gate.Claims {
	f.t.Helper()
	claims, err := f.Authenticate([]string{"Token " + grant.Token})
	if err != nil {
		f.t.Fatalf("Authenticate() failed: %v", err)
	}
	return claims
}

// The first login of an imported account makes its identity active.
func TestFormerSubject(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.Signup = account.SignupClosed })
	id := f.imports(socialauth.ImportedUser{FirstName: "Ann"}, former)
	_, err := f.social(authcore.Profile{Subject: "1"})
	wantError(t, "Social() without the former subject", err, 403, authcore.CodeSignupClosed)
	grant, err := f.social(vouched("1"))
	if err != nil || grant.User.ID != id || grant.IsNew || grant.User.FirstName != "Ann" {
		t.Fatalf("Social() = %+v, %v, want user %s", grant.User, err, id)
	}
	// From now on the subject identifies the account, whatever the address is.
	for _, profile := range []authcore.Profile{vouched("1"), {Subject: "1"}, {Subject: "1", FormerSubject: "new@example.com"}} {
		if got := f.entered(profile); got != id {
			t.Errorf("Social(%+v) = user %s, want %s", profile, got, id)
		}
	}
	list, err := f.Accounts.Identities(t.Context(), f.claims(grant))
	if err != nil || len(list) != 1 || list[0].Subject != "1" {
		t.Errorf("Identities() = %+v, %v, want the active one", list, err)
	}
	if retired := f.identities(id)[former]; retired.State != authcore.IdentityRetired {
		t.Errorf("identity %s = %+v, want a retired one", former, retired)
	}
}

// A pending identity expires at its deadline, and can be imported again.
func TestFormerSubjectExpires(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former, "2")
	f.clock.Advance(year - 1)
	if stored := f.identities(id); len(stored) != 2 {
		t.Errorf("identities before the deadline = %+v, want 2", stored)
	}
	f.clock.Advance(1)
	if got := f.entered(vouched("1")); got == id {
		t.Error("the former subject logged in after its deadline")
	}
	f.sweep()
	if got := f.importResult(socialauth.ImportedUser{}, "2", former); got.UserID != id || got.Stored != 1 {
		t.Errorf("repeated Import() = %+v, want the former subject stored", got)
	}
	if got := f.entered(vouched("3")); got != id {
		t.Errorf("the former subject logged in as %s after another import, want %s", got, id)
	}
}

// The rules of accounts hold for a login by a former subject, and a refused login
// does not use it up.
func TestRulesHoldForFormerSubjects(t *testing.T) {
	for name, c := range map[string]struct {
		rules   account.Rules
		profile authcore.Profile
		refused bool
	}{
		"signup and linking are closed": {
			account.Rules{Signup: account.SignupClosed, LinkByEmail: account.LinkByEmailNever}, vouched("1"), false,
		},
		"denied at the provider": {
			account.Rules{Deny: []string{"evil.example"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@evil.example"},
			true,
		},
		"denied address of the account": {account.Rules{Deny: []string{"imported.example"}}, vouched("1"), true},
		"not allowed": {
			account.Rules{Allow: []string{"example.org"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@example.org"},
			true,
		},
		"allowed": {
			account.Rules{Allow: []string{"example.org"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@example.org", EmailVerified: true},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *realm.Config) { cfg.Rules = c.rules })
			id := f.imports(socialauth.ImportedUser{Email: "ann@imported.example"}, former)
			grant, err := f.social(c.profile)
			if !c.refused {
				if err != nil || grant.User.ID != id {
					t.Errorf("Social() = %+v, %v, want %s", grant.User, err, id)
				}
				return
			}
			wantError(t, "Social()", err, 403, authcore.CodeNotAdmitted)
			if pending := f.identities(id)[former]; pending.State != authcore.IdentityPending {
				t.Errorf("identity %s = %+v after a refusal, want a pending one", former, pending)
			}
		})
	}
}

// A disabled user gets no token by a former subject, and neither does another one.
func TestFormerSubjectOfADisabledUser(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	if _, err := f.Accounts.Disable(t.Context(), id); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	for range 2 {
		_, err := f.social(vouched("1"))
		wantError(t, "Social() of a disabled user", err, 403, authcore.CodeUserInactive)
	}
	if _, err := f.Accounts.Enable(t.Context(), id); err != nil {
		t.Fatalf("Enable() failed: %v", err)
	}
	if got := f.entered(vouched("1")); got != id {
		t.Errorf("Social() after Enable() = user %s, want %s", got, id)
	}
}

// A double click makes two simultaneous logins of one account at the provider.
// Both reach the imported account, also if sign-up is closed.
func TestTwoLoginsByOneFormerSubject(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.Signup = account.SignupClosed })
	id := f.imports(socialauth.ImportedUser{}, former)
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if grant, err := f.social(vouched("1")); err != nil || grant.User.ID != id {
				t.Errorf("Social() = user %s, %v, want %s", grant.User.ID, err, id)
			}
		})
	}
	group.Wait()
}

// Many accounts at the provider have the former subject one after the other, since
// it is an address. One of them reaches the imported account, once (CWE-362).
func TestManyAccountsWithOneFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	const crowd = 20
	var mu sync.Mutex
	users := map[string]int{}
	var group sync.WaitGroup
	for i := range crowd {
		group.Go(func() {
			grant, err := f.social(vouched(fmt.Sprint(i)))
			if err != nil {
				t.Errorf("Social(%d) failed: %v", i, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			users[grant.User.ID]++
		})
	}
	group.Wait()
	if users[id] != 1 || len(users) != crowd {
		t.Errorf("%d logins reached the imported account, of %d users, want 1 of %d", users[id], len(users), crowd)
	}
}
