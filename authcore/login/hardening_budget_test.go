package login_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func withDefaultLimits(c *realm.Config) { c.Limits = ratelimit.DefaultLimits() }

// requestFrom requests a link from a network and reports whether a mail was sent.
func (f *fixture) requestFrom(ip, email string) (mailed bool) {
	f.t.Helper()
	before := len(f.mails.mails)
	if _, err := f.Logins.RequestLink(f.t.Context(), from(ip, email, clientKey)); err != nil {
		f.t.Fatalf("RequestLink(%s) from %s failed: %v", email, ip, err)
	}
	return len(f.mails.mails) > before && !f.mails.last(f.t).Decoy
}

// An attacker uses up the mailbox's budget with other spellings of the victim's
// address, from several networks, and the victim cannot log in (CWE-770). The owner
// of an account gets a mail; an owner with a live link has one.
func TestHardeningOwnerIsNotLockedOut(t *testing.T) {
	for name, attack := range map[string]func(f *fixture){
		"tags": func(f *fixture) {
			for i := range 40 {
				f.requestFrom(fmt.Sprintf("198.51.%d.1", i), fmt.Sprintf("victim+%d@example.com", i))
			}
		},
		"the same network": func(f *fixture) {
			for i := range 20 {
				f.requestFrom("192.0.2.7", fmt.Sprintf("victim+%d@example.com", i))
			}
		},
		"the address itself": func(f *fixture) {
			for i := range 40 {
				f.requestFrom(fmt.Sprintf("198.51.%d.1", i), "victim@example.com")
			}
		},
		"between the logins": func(f *fixture) {
			for i := range 20 {
				f.requestFrom(fmt.Sprintf("198.51.%d.1", i), "victim@example.com")
			}
			if _, err := f.byLink(tokenOf(f.lastMailed())); err != nil {
				f.t.Fatalf("ByLink() with the mail that an attacker caused: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withDefaultLimits)
			f.loginAs("victim@example.com")
			attack(f)
			f.requestFrom("192.0.2.7", "victim@example.com")
			if _, err := f.byLink(tokenOf(f.lastMailed())); err != nil {
				t.Errorf("ByLink() of the victim after the attack failed: %v", err)
			}
		})
	}
}

// lastMailed returns the last mail that is not a decoy.
func (f *fixture) lastMailed() authcore.Mail {
	f.t.Helper()
	for i := len(f.mails.mails) - 1; i >= 0; i-- {
		if !f.mails.mails[i].Decoy {
			return f.mails.mails[i]
		}
	}
	f.t.Fatal("no mail was sent")
	return authcore.Mail{}
}

// A new user's address is attacked from one network, with other spellings. The
// user signs up from another one.
func TestHardeningOneNetworkDoesNotUseUpAMailbox(t *testing.T) {
	f := newFixture(t, withDefaultLimits)
	for i := range 60 {
		f.requestFrom("198.51.100.1", fmt.Sprintf("new+%d@example.com", i))
	}
	if !f.requestFrom("192.0.2.7", "new@example.com") {
		t.Error("the new user got no mail after requests of another network")
	}
}

// An attacker floods a mailbox with mails, using spellings of it that Gmail ignores
// (CWE-799). The limit counts the mailbox, however it is spelled.
func TestHardeningMailboxIsNotFlooded(t *testing.T) {
	spelled := func(i int) string {
		name, text := "victimname", ""
		for j, letter := range name {
			text += string(letter)
			if i>>j&1 == 1 && j < len(name)-1 {
				text += "."
			}
		}
		return text + []string{"@gmail.com", "+x@googlemail.com"}[i%2]
	}
	f := newFixture(t, withDefaultLimits)
	mails := 0
	for i := range 60 {
		if f.requestFrom("198.51.100.1", spelled(i)) {
			mails++
		}
	}
	if mails != 5 {
		t.Errorf("one network caused %d mails to one mailbox, want 5", mails)
	}
	for i := range 60 {
		if f.requestFrom(fmt.Sprintf("203.0.%d.1", i), spelled(i)) {
			mails++
		}
	}
	if mails != 10 {
		t.Errorf("61 networks caused %d mails to one mailbox, want 10", mails)
	}
}

// Over the budget of its mailbox an address must not be recognized as one with an
// account (CWE-204), and no live link may be displaced by one that is not mailed.
func TestHardeningOverTheBudgetAddressesAreAlike(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		withDefaultLimits(c)
		c.Rules = account.Rules{Signup: account.SignupDomains, Domains: []string{"example.com"}}
	})
	f.loginAs("ann@example.com")
	f.clock.Advance(time.Hour)
	f.mails.mails = nil
	traces := map[string]string{}
	for _, email := range []string{"ann@example.com", "bob@other.example"} {
		f.store.failing(nil)
		f.store.puts = nil
		for range 20 {
			f.requestFrom("192.0.2.7", email)
		}
		traces[email] = fmt.Sprint(f.store.counts(), len(f.store.puts))
		if len(f.store.puts) != 5 {
			t.Errorf("%d links of %s were stored, want 5", len(f.store.puts), email)
		}
	}
	if traces["ann@example.com"] != traces["bob@other.example"] {
		t.Errorf("traces = %v, want the same", traces)
	}
	if _, err := f.byLink(tokenOf(f.mails.mails[4])); err != nil {
		t.Errorf("ByLink() with the newest mailed link failed: %v", err)
	}
}

// One network uses up the budget of a client or of the realm, so that no other user
// can log in (CWE-770).
func TestHardeningOneNetworkDoesNotUseUpAClient(t *testing.T) {
	for name, limits := range map[string]ratelimit.Limits{
		"client": {LinkPerClient: ratelimit.Rate{N: 100, Window: time.Minute}},
		"realm":  {LinkOverall: ratelimit.Rate{N: 100, Window: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *realm.Config) { c.Limits = limits })
			for i := range 200 {
				_, _ = f.Logins.RequestLink(t.Context(), from(fmt.Sprintf("2001:db8:1:%x::1", i), fmt.Sprintf("x%d@example.com", i), clientKey))
			}
			if !f.requestFrom("2001:db8:2::1", "ann@example.com") {
				t.Error("a user of another network got no mail")
			}
		})
	}
}

// A flood of authorization requests from many networks is bounded; one network
// cannot use up the bound (CWE-770).
func TestHardeningAuthorizeIsBounded(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Limits = ratelimit.Limits{AuthorizeOverall: ratelimit.Rate{N: 20, Window: time.Minute}}
	})
	begin := func(ip string) error {
		_, err := f.Logins.Authorize(t.Context(), login.AuthorizeStart{
			Provider: "github", ClientKey: clientKey, RedirectURI: frontend, Caller: authcore.Caller{IP: mustAddr(ip)},
		})
		return err
	}
	for i := range 20 {
		if err := begin(fmt.Sprintf("192.0.2.%d", i)); (err != nil) != (i >= 10) {
			t.Errorf("request %d of one network: error = %v, want one after 10", i+1, err)
		}
	}
	for i := range 10 {
		if err := begin(fmt.Sprintf("198.51.%d.1", i)); err != nil {
			t.Errorf("request of another network failed: %v", err)
		}
	}
	wantCode(t, begin("203.0.113.1"), 429, authcore.CodeThrottled)
}
