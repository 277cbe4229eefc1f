package login_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func verified(subject, email string) authcore.Profile {
	return authcore.Profile{Subject: subject, Email: email, EmailVerified: true}
}

// withRules returns a fixture with these rules and, if the address is not empty, a
// user who has verified it.
func withRules(t *testing.T, rules account.Rules, own account.ProviderRules, known string) (*fixture, string) {
	t.Helper()
	f := newFixture(t, nil)
	id := ""
	if known != "" {
		id = f.loginAs(known).User.ID
	}
	return newFixture(t, func(c *realm.Config) {
		c.Store, c.Rules = f.store, rules
		c.ProviderRules = map[string]account.ProviderRules{"github": own}
	}), id
}

func TestRulesForNewIdentities(t *testing.T) {
	const known = "ann@example.com"
	for name, c := range map[string]struct {
		rules   account.Rules
		own     account.ProviderRules
		profile authcore.Profile
		joins   bool
		email   string // of the new account
		status  int
		code    authcore.Code
	}{
		"verified address":              {profile: verified("1", "ANN@example.com"), joins: true},
		"verified, never linked":        {rules: account.Rules{LinkByEmail: "never"}, profile: verified("1", known), status: 409, code: authcore.CodeEmailTaken},
		"verified, new account":         {rules: account.Rules{LinkByEmail: "never", EmailTaken: "new_account"}, profile: verified("1", known)},
		"verified, never, sign-up off":  {rules: account.Rules{LinkByEmail: "never", Signup: "closed"}, profile: verified("1", known), status: 403, code: authcore.CodeSignupClosed},
		"verified, joins, sign-up off":  {rules: account.Rules{Signup: "closed"}, profile: verified("1", known), joins: true},
		"provider never links":          {own: account.ProviderRules{LinkByEmail: "never"}, profile: verified("1", known), status: 409, code: authcore.CodeEmailTaken},
		"provider links":                {rules: account.Rules{LinkByEmail: "never"}, own: account.ProviderRules{LinkByEmail: "verified"}, profile: verified("1", known), joins: true},
		"provider's sign-up off":        {own: account.ProviderRules{Signup: "closed"}, profile: verified("1", "new@example.com"), status: 403, code: authcore.CodeSignupClosed},
		"provider's sign-up on":         {rules: account.Rules{Signup: "closed"}, own: account.ProviderRules{Signup: "open"}, profile: verified("1", "new@example.com"), email: "new@example.com"},
		"domain":                        {rules: account.Rules{Signup: "domains", Domains: []string{"example.org"}}, profile: verified("1", "new@example.org"), email: "new@example.org"},
		"another domain":                {rules: account.Rules{Signup: "domains", Domains: []string{"example.org"}}, profile: verified("1", "new@example.net"), status: 403, code: authcore.CodeSignupClosed},
		"unverified domain":             {rules: account.Rules{Signup: "domains", Domains: []string{"example.org"}}, profile: authcore.Profile{Subject: "1", Email: "new@example.org"}, status: 403, code: authcore.CodeSignupClosed},
		"denied":                        {rules: account.Rules{Deny: []string{"evil.example"}}, profile: authcore.Profile{Subject: "1", Email: "x@evil.example"}, status: 403, code: authcore.CodeNotAdmitted},
		"not on the list":               {rules: account.Rules{Allow: []string{"example.org"}}, profile: authcore.Profile{Subject: "1", Email: "x@example.org"}, status: 403, code: authcore.CodeNotAdmitted},
		"on the list":                   {rules: account.Rules{Allow: []string{"example.org"}}, profile: verified("1", "x@example.org"), email: "x@example.org"},
		"no address":                    {profile: authcore.Profile{Subject: "1"}},
		"not a valid address":           {profile: verified("1", "not an address")},
		"unverified address of another": {profile: authcore.Profile{Subject: "1", Email: known}, email: known},
	} {
		t.Run(name, func(t *testing.T) {
			f, id := withRules(t, c.rules, c.own, known)
			grant, err := f.social(c.profile)
			if c.status != 0 {
				wantCode(t, err, c.status, c.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if joined := grant.User.ID == id; joined != c.joins || grant.IsNew == c.joins {
				t.Errorf("Social() = %+v, want joined %t", grant, c.joins)
			}
			if !c.joins && (grant.User.Email != c.email || grant.User.EmailVerified != (c.profile.EmailVerified && c.email != "")) {
				t.Errorf("new user = %+v, want address %q", grant.User, c.email)
			}
		})
	}
}

// The lists hold for existing accounts too: for their own address and for that at
// the provider.
func TestListsHoldForKnownIdentities(t *testing.T) {
	before := newFixture(t, nil)
	before.loginAs("ann@example.com")
	if _, err := before.social(verified("1", "ann@example.com")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rules   account.Rules
		profile authcore.Profile
		refused bool
	}{
		"denied address":                {account.Rules{Deny: []string{"ann@example.com"}}, verified("1", "new@example.org"), true},
		"denied domain":                 {account.Rules{Deny: []string{"example.com"}}, authcore.Profile{Subject: "1"}, true},
		"denied at the provider":        {account.Rules{Deny: []string{"evil.example"}}, authcore.Profile{Subject: "1", Email: "ann@evil.example"}, true},
		"not allowed any more":          {account.Rules{Allow: []string{"bob@example.com"}}, verified("1", "ann@example.com"), true},
		"allowed by the account":        {account.Rules{Allow: []string{"ann@example.com"}}, authcore.Profile{Subject: "1", Email: "new@example.org"}, false},
		"allowed by the provider":       {account.Rules{Allow: []string{"example.org"}}, verified("1", "new@example.org"), false},
		"sign-up is not about accounts": {account.Rules{Signup: "closed"}, authcore.Profile{Subject: "1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *realm.Config) { cfg.Store, cfg.Rules = before.store, c.rules })
			_, err := f.social(c.profile)
			if c.refused {
				wantCode(t, err, 403, authcore.CodeNotAdmitted)
			} else if err != nil {
				t.Errorf("Social() failed: %v", err)
			}
		})
	}
}

// An attacker can have any unverified address at a provider. It must not show
// whether the address has an account: the answer and the calls of the store are the
// same (CWE-204).
func TestHardeningUnverifiedAddressIsNotLookedUp(t *testing.T) {
	for _, rules := range []account.Rules{{}, {LinkByEmail: "never"}, {EmailTaken: "new_account"}} {
		f, id := withRules(t, rules, account.ProviderRules{}, "ann@example.com")
		for i, email := range []string{"ann@example.com", "unknown@example.com"} {
			grant, err := f.social(authcore.Profile{Subject: fmt.Sprint(i), Email: email})
			if err != nil || !grant.IsNew || grant.User.ID == id || grant.User.Email != email || grant.User.EmailVerified {
				t.Errorf("Social() with %s, rules %+v = %+v, %v, want a new account with the address", email, rules, grant, err)
			}
			for _, ref := range f.store.steps[len(f.store.steps)-1].Refs {
				if ref.EmailKey != "" {
					t.Errorf("the step looked up %s", ref.EmailKey)
				}
			}
		}
	}
}

// The owner of an address gets an account of their own, although an attacker has
// registered the address before, unverified (CWE-287).
func TestHardeningPreRegisteredAddress(t *testing.T) {
	f := newFixture(t, nil)
	attacker, err := f.social(authcore.Profile{Subject: "evil", Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	ann := f.loginAs("ann@example.com")
	if ann.User.ID == attacker.User.ID || !ann.IsNew {
		t.Errorf("the owner logged in to %+v, which the attacker registered", ann.User)
	}
	if joined, err := f.social(verified("ann", "ann@example.com")); err != nil || joined.User.ID != ann.User.ID {
		t.Errorf("Social() = %+v, %v, want the owner's account", joined.User, err)
	}
}

const formerSubject = "ann@example.com"

// imported adds a user with a pending identity under the former subject, and more.
func (f *fixture) imported(user authcore.User, more ...authcore.Identity) string {
	f.t.Helper()
	identities := append([]authcore.Identity{{
		Provider: "github", Subject: formerSubject, State: authcore.IdentityPending, PublicID: "pending", Created: f.Now(),
	}}, more...)
	user.ID, user.Created = "f47ac10b-58cc-4372-a567-0e02b2c3d479", f.Now()
	stored, err := f.store.Store.Login(f.t.Context(), authcore.LoginStep{
		Now: f.Now(), Decide: func(authcore.LoginFound) (authcore.Account, error) {
			return authcore.Account{User: user, Identities: identities}, nil
		},
	})
	if err != nil {
		f.t.Fatalf("importing %+v failed: %v", user, err)
	}
	return stored.User.ID
}

// former is the profile of an account for whose former subject the provider vouches.
func former(subject string) authcore.Profile {
	return authcore.Profile{Subject: subject, FormerSubject: formerSubject}
}

func TestFormerSubject(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.Signup = account.SignupClosed })
	id := f.imported(authcore.User{FirstName: "Ann"})
	for _, profile := range []authcore.Profile{{Subject: "1"}, {Subject: formerSubject}, {Subject: "1", UnprovenFormer: formerSubject}} {
		_, err := f.social(profile)
		wantCode(t, err, 403, authcore.CodeSignupClosed)
	}
	grant, err := f.social(former("1"))
	if err != nil || grant.User.ID != id || grant.IsNew || grant.User.FirstName != "Ann" {
		t.Fatalf("Social() = %+v, %v, want the imported user", grant, err)
	}
	// From now on the subject identifies the account, whatever the former one is.
	for _, profile := range []authcore.Profile{former("1"), {Subject: "1"}, {Subject: "1", FormerSubject: "new@example.com"}} {
		if grant, err := f.social(profile); err != nil || grant.User.ID != id {
			t.Errorf("Social(%+v) = %+v, %v, want the imported user", profile, grant.User, err)
		}
	}
	identities, err := f.Accounts.Identities(t.Context(), f.claims(grant))
	if err != nil || len(identities) != 1 || identities[0].Subject != "1" {
		t.Errorf("identities = %+v, %v, want the new one", identities, err)
	}
	// Another account that has the former subject now is another person (CWE-290).
	_, err = f.social(former("2"))
	wantCode(t, err, 403, authcore.CodeSignupClosed)
}

// The former subject of a user who logs in by other means is retired as well.
func TestHardeningRecycledFormerSubject(t *testing.T) {
	for name, c := range map[string]struct {
		user    authcore.User
		more    []authcore.Identity
		profile authcore.Profile
	}{
		"imported with both":       {more: []authcore.Identity{{Provider: "github", Subject: "1", PublicID: "p"}}, profile: former("1")},
		"not vouched for":          {more: []authcore.Identity{{Provider: "github", Subject: "1", PublicID: "p"}}, profile: authcore.Profile{Subject: "1", UnprovenFormer: formerSubject}},
		"joined by address":        {user: authcore.User{Email: "ann@example.com", EmailVerified: true}, profile: authcore.Profile{Subject: "1", UnprovenFormer: formerSubject, Email: "ann@example.com", EmailVerified: true}},
		"both, the former is used": {user: authcore.User{Email: "ann@example.com", EmailVerified: true}, profile: authcore.Profile{Subject: "1", FormerSubject: formerSubject, Email: "ann@example.com", EmailVerified: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			id := f.imported(c.user, c.more...)
			if grant, err := f.social(c.profile); err != nil || grant.User.ID != id {
				t.Fatalf("Social() = %+v, %v, want the imported user", grant.User, err)
			}
			if grant, err := f.social(former("2")); err != nil || grant.User.ID == id || !grant.IsNew {
				t.Errorf("Social() of the next owner = %+v, %v, want a new account", grant.User, err)
			}
		})
	}
}

// A former subject of another user waits for that user.
func TestFormerSubjectOfAnother(t *testing.T) {
	f := newFixture(t, nil)
	other, err := f.social(authcore.Profile{Subject: "1"})
	if err != nil {
		t.Fatal(err)
	}
	id := f.imported(authcore.User{})
	if grant, err := f.social(former("1")); err != nil || grant.User.ID != other.User.ID {
		t.Errorf("Social() = %+v, %v, want the user of the identity", grant.User, err)
	}
	if grant, err := f.social(former("2")); err != nil || grant.User.ID != id {
		t.Errorf("Social() = %+v, %v, want the imported user", grant.User, err)
	}
}

func TestRulesHoldForFormerSubjects(t *testing.T) {
	profile := former("1")
	profile.Email, profile.EmailVerified = "ann@example.org", true
	for name, c := range map[string]struct {
		rules   account.Rules
		refused bool
	}{
		"never linked by address":      {account.Rules{Signup: "closed", LinkByEmail: "never"}, false},
		"denied at the provider":       {account.Rules{Deny: []string{"example.org"}}, true},
		"denied address of the import": {account.Rules{Deny: []string{"imported.example"}}, true},
		"not on the list":              {account.Rules{Allow: []string{"example.net"}}, true},
		"on the list":                  {account.Rules{Allow: []string{"example.org"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *realm.Config) { cfg.Rules = c.rules })
			id := f.imported(authcore.User{Email: "ann@imported.example"})
			grant, err := f.social(profile)
			if !c.refused {
				if err != nil || grant.User.ID != id {
					t.Errorf("Social() = %+v, %v, want the imported user", grant.User, err)
				}
				return
			}
			wantCode(t, err, 403, authcore.CodeNotAdmitted)
			again := newFixture(t, func(cfg *realm.Config) { cfg.Store = f.store })
			if grant, err := again.social(profile); err != nil || grant.User.ID != id {
				t.Errorf("Social() without the rules = %+v, %v, want the imported user", grant.User, err)
			}
		})
	}
}

func TestExpiredFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imported(authcore.User{}, authcore.Identity{
		Provider: "github", Subject: "old@example.com", State: authcore.IdentityPending, PublicID: "p", Expires: f.Now().Add(time.Hour),
	})
	f.clock.Advance(time.Hour)
	if grant, err := f.social(authcore.Profile{Subject: "1", FormerSubject: "old@example.com"}); err != nil || grant.User.ID == id {
		t.Errorf("Social() with an expired former subject = %+v, %v, want a new account", grant.User, err)
	}
}

// Of many accounts for which the provider vouches, because the address went from
// hand to hand, one gets the imported user, once (CWE-362).
func TestHardeningManyUseOneFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imported(authcore.User{})
	const crowd = 20
	for i := range crowd {
		f.provider.set(fmt.Sprint(i), former(fmt.Sprint(i)))
	}
	var (
		mu    sync.Mutex
		users = map[string]int{}
		group sync.WaitGroup
	)
	for i := range crowd {
		group.Go(func() {
			grant, err := f.Logins.Social(t.Context(), socialWith(fmt.Sprint(i)))
			if err != nil {
				t.Errorf("Social() failed: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			users[grant.User.ID]++
		})
	}
	group.Wait()
	if users[id] != 1 || len(users) != crowd {
		t.Errorf("%d logins to the imported user and %d users, want 1 and %d", users[id], len(users), crowd)
	}
}
