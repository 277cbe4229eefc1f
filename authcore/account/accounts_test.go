package authcore_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// rules is a fixture with account rules.
func rules(t *testing.T, accounts authcore.AccountRules) *fixture {
	t.Helper()
	return newFixture(t, func(c *authcore.Config) { c.Accounts = accounts })
}

// byMail tries both ways in that a mailed link has: the mail, and the link of a
// mail that was sent before the lists were written.
func (f *fixture) byMail(email string) (mailed bool, err error) {
	f.t.Helper()
	mail := f.mail(email)
	_, err = f.spend(secretOf(mail))
	return !mail.Decoy, err
}

func TestAllowAndDeny(t *testing.T) {
	lists := authcore.AccountRules{
		Allow: []string{"example.com", "Guest@Elsewhere.example", "bücher.example", "tag+one@elsewhere.example"},
		Deny:  []string{"mallory@example.com", "evil.example"},
	}
	for email, admitted := range map[string]bool{
		"ann@example.com":             true,
		"Ann@EXAMPLE.com":             true,
		"guest@elsewhere.example":     true,
		"ann@xn--bcher-kva.example":   true,
		"tag+one@elsewhere.example":   true,
		"tag@elsewhere.example":       false,
		"tag+two@elsewhere.example":   false,
		"guest+x@elsewhere.example":   false, // another mailbox, for all we know
		"ann@sub.example.com":         false,
		"ann@example.com.evil.test":   false,
		"ann@other.example":           false,
		"mallory@example.com":         false,
		"MALLORY@example.com":         false,
		"mallory+again@example.com":   false,
		"anybody@evil.example":        false,
		"example.com@elsewhere.test":  false,
		"mallory.other@example.com":   true,
		"x+mallory@example.com":       true,
		"mallory@sub.example.com":     false,
		"ann%example.com@example.com": true,
	} {
		t.Run(email, func(t *testing.T) {
			f := rules(t, lists)
			mailed, err := f.byMail(email)
			if mailed != admitted {
				t.Errorf("by mail: mailed is %t", mailed)
			}
			if admitted && err != nil {
				t.Errorf("by mail: %v", err)
			} else if !admitted {
				wantCode(t, err, 403, authcore.CodeNotAdmitted)
			}
			_, err = rules(t, lists).social(authcore.Profile{Subject: "1", Email: email, EmailVerified: true})
			if admitted && err != nil {
				t.Errorf("social: %v", err)
			} else if !admitted {
				wantCode(t, err, 403, authcore.CodeNotAdmitted)
			}
		})
	}
}

// An address that nobody verified opens nothing, and hides nothing.
func TestListsAndUnverifiedAddresses(t *testing.T) {
	f := rules(t, authcore.AccountRules{Allow: []string{"example.com"}})
	for _, profile := range []authcore.Profile{
		{Subject: "1", Email: "ann@example.com"},
		{Subject: "1"},
		{Subject: "1", EmailVerified: true},
	} {
		_, err := f.social(profile)
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
	}
	f = rules(t, authcore.AccountRules{Deny: []string{"mallory@example.com"}})
	_, err := f.social(authcore.Profile{Subject: "1", Email: "mallory@example.com"})
	wantCode(t, err, 403, authcore.CodeNotAdmitted)
	if _, err := f.social(authcore.Profile{Subject: "2"}); err != nil {
		t.Errorf("without an address: %v", err)
	}
}

// The lists hold for accounts that exist, too: for their own address and for
// that at the provider.
func TestListsHoldForAccounts(t *testing.T) {
	var store authcore.Store
	before := newFixture(t, func(c *authcore.Config) { store = c.Store })
	ann := before.loginAs("ann@example.com")
	profile := authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true}
	if _, err := before.social(profile); err != nil {
		t.Fatal(err)
	}
	with := func(accounts authcore.AccountRules) *fixture {
		f := newFixture(t, func(c *authcore.Config) { c.Store, c.Accounts = store, accounts })
		f.provider.profiles["code"] = profile
		return f
	}
	refused := func(t *testing.T, f *fixture, claims string) {
		t.Helper()
		mailed, err := f.byMail("ann@example.com")
		if mailed {
			t.Error("a mail was sent")
		}
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
		_, err = f.social(profile)
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
		if _, err := f.Refresh(t.Context(), f.claims(claims)); err == nil {
			t.Error("the token was refreshed")
		} else {
			wantCode(t, err, 403, authcore.CodeNotAdmitted)
		}
	}
	t.Run("denied address", func(t *testing.T) {
		refused(t, with(authcore.AccountRules{Deny: []string{"ann@example.com"}}), ann.Token)
	})
	t.Run("denied domain", func(t *testing.T) {
		refused(t, with(authcore.AccountRules{Deny: []string{"example.com"}}), ann.Token)
	})
	t.Run("no longer allowed", func(t *testing.T) {
		refused(t, with(authcore.AccountRules{Allow: []string{"bob@example.com"}}), ann.Token)
	})
	t.Run("denied at the provider", func(t *testing.T) {
		f := with(authcore.AccountRules{Deny: []string{"evil.example"}})
		_, err := f.social(authcore.Profile{Subject: "1", Email: "ann@evil.example"})
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
	})
	t.Run("denied under another address at the provider", func(t *testing.T) {
		f := with(authcore.AccountRules{Deny: []string{"ann@example.com"}})
		_, err := f.social(authcore.Profile{Subject: "1", Email: "new@example.com", EmailVerified: true})
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
	})
	t.Run("allowed by the account's own address", func(t *testing.T) {
		f := with(authcore.AccountRules{Allow: []string{"ann@example.com"}})
		if _, err := f.social(authcore.Profile{Subject: "1", Email: "new@example.org"}); err != nil {
			t.Error(err)
		}
		if _, err := f.Refresh(t.Context(), f.claims(ann.Token)); err != nil {
			t.Error(err)
		}
	})
	t.Run("linking a denied address", func(t *testing.T) {
		f := with(authcore.AccountRules{Deny: []string{"evil.example"}})
		f.provider.profiles["code"] = authcore.Profile{Subject: "2", Email: "x@evil.example"}
		login := f.loginAs("ann@example.com")
		_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
			Provider: "github", Code: "code", ClientKey: clientKey, LinkTo: f.claims(login.Token),
		})
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
	})
}

// A code of a mail that was sent before the lists were written.
func TestListsHoldForCodes(t *testing.T) {
	f := rules(t, authcore.AccountRules{Deny: []string{"example.com"}})
	mail := f.mail("ann@example.com")
	_, err := f.LoginByCode(t.Context(), authcore.CodeLogin{Email: "ann@example.com", Code: mail.Code, ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 403, authcore.CodeNotAdmitted)
}

// A provider may be stricter, or more open, than the realm.
func TestRulesOfAProvider(t *testing.T) {
	verified := authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true}
	for name, c := range map[string]struct {
		realm authcore.AccountRules
		own   authcore.ProviderRules
		known bool // somebody has the address
		want  authcore.Code
	}{
		"nothing of its own":         {},
		"closed in an open realm":    {own: authcore.ProviderRules{Signup: "closed"}, want: authcore.CodeSignupClosed},
		"closed, to a known address": {own: authcore.ProviderRules{Signup: "closed"}, known: true},
		"open in a closed realm":     {realm: authcore.AccountRules{Signup: "closed"}, own: authcore.ProviderRules{Signup: "open"}},
		"domains": {
			realm: authcore.AccountRules{Signup: "domains", Domains: []string{"example.com"}},
			own:   authcore.ProviderRules{Signup: "domains", Domains: []string{"Example.org"}},
			want:  authcore.CodeSignupClosed,
		},
		"domains of the realm": {
			realm: authcore.AccountRules{Signup: "domains", Domains: []string{"example.com"}},
			own:   authcore.ProviderRules{LinkByEmail: "never"},
		},
		"never joins":             {own: authcore.ProviderRules{LinkByEmail: "never"}, known: true, want: authcore.CodeEmailTaken},
		"joins in a strict realm": {realm: authcore.AccountRules{LinkByEmail: "never"}, own: authcore.ProviderRules{LinkByEmail: "verified"}, known: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *authcore.Config) {
				cfg.Accounts = c.realm
				cfg.ProviderRules = map[string]authcore.ProviderRules{"github": c.own}
			})
			if c.known {
				_, _, err := f.store.EnsureUser(t.Context(), authcore.User{ID: "known", Email: "ann@example.com", EmailVerified: true})
				if err != nil {
					t.Fatal(err)
				}
			}
			login, err := f.social(verified)
			if c.want != "" {
				status := map[authcore.Code]int{authcore.CodeSignupClosed: 403, authcore.CodeEmailTaken: 409}[c.want]
				wantCode(t, err, status, c.want)
				return
			}
			if err != nil || (login.User.ID == "known") != c.known {
				t.Errorf("got %+v, %v", login.User, err)
			}
		})
	}
}
