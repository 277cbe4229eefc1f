package login_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func mustAddr(text string) netip.Addr { return netip.MustParseAddr(text) }

// Six digits can be guessed. Wrong codes are counted with the link, also when they
// are sent simultaneously, and end the code but not the link (CWE-307).
func TestHardeningWrongCodesAreCounted(t *testing.T) {
	f := newFixture(t, nil)
	requestID, mail := f.request("ann@example.com")
	wrong := differentFrom(mail.Code)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := f.byCode(requestID, wrong); err == nil {
				t.Error("ByCode() with a wrong code succeeded")
			}
		})
	}
	group.Wait()
	_, err := f.byCode(requestID, mail.Code)
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	if _, err := f.byLink(tokenOf(mail)); err != nil {
		t.Errorf("ByLink() after wrong codes failed: %v", err)
	}
}

// Four wrong codes leave the code usable, and text that cannot be a code costs no try.
func TestHardeningFifthTry(t *testing.T) {
	f := newFixture(t, nil)
	requestID, mail := f.request("ann@example.com")
	wrong := differentFrom(mail.Code)
	for range 4 {
		_, err := f.byCode(requestID, wrong)
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	for _, nonsense := range []string{"", "abc", "12345", "1234567"} { // costs no try
		_, err := f.byCode(requestID, nonsense)
		wantCode(t, err, 400, authcore.CodeInvalidRequest)
	}
	if _, err := f.byCode(requestID, mail.Code); err != nil {
		t.Errorf("ByCode() after four wrong codes failed: %v", err)
	}

	requestID, mail = f.request("bob@example.com")
	for range 5 {
		_, err := f.byCode(requestID, differentFrom(mail.Code))
		wantCode(t, err, 400, authcore.CodeInvalidCode)
	}
	_, err := f.byCode(requestID, mail.Code)
	wantCode(t, err, 400, authcore.CodeInvalidCode)
}

// differentFrom returns another code.
func differentFrom(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// A store failure must not cost a link, a code or a state: the client repeats the
// request after the 503. Each call of the store fails once, before and after it took
// effect.
func TestHardeningStoreFailsAtEveryPoint(t *testing.T) {
	for name, prepare := range map[string]func(f *fixture) func() error{
		"link": func(f *fixture) func() error {
			token := tokenOf(f.mail("ann@example.com"))
			return func() error { _, err := f.byLink(token); return err }
		},
		"code": func(f *fixture) func() error {
			requestID, mail := f.request("ann@example.com")
			return func() error { _, err := f.byCode(requestID, mail.Code); return err }
		},
		"state": func(f *fixture) func() error {
			state := f.begin(nil)
			f.provider.set("code", authcore.Profile{Subject: "42"})
			return func() error { _, err := f.withCode(state); return err }
		},
		"linking": func(f *fixture) func() error {
			grant := f.loginAs("ann@example.com")
			claims := f.claims(grant)
			state := f.begin(claims)
			f.provider.set("code", authcore.Profile{Subject: "42"})
			return func() error {
				_, err := f.Logins.Social(f.t.Context(), login.SocialLogin{
					Provider: "github", Code: "code", ClientKey: clientKey, State: state, LinkTo: claims, Caller: caller,
				})
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			probe := newFixture(t, nil)
			attempt := prepare(probe)
			probe.store.failing(nil)
			if err := attempt(); err != nil {
				t.Fatalf("login without a failure: %v", err)
			}
			calls := probe.store.counts()
			if calls["Login"] != 1 || calls["PutRecord"] != 0 {
				t.Errorf("store calls = %v, want one Login and no other write", calls)
			}
			for method, times := range calls {
				for n := 1; n <= times; n++ {
					failAt(t, prepare, method, n)
				}
			}
		})
	}
}

// failAt fails the nth call of a method and expects that the login succeeds after
// that.
func failAt(t *testing.T, prepare func(*fixture) func() error, method string, n int) {
	t.Helper()
	f := newFixture(t, nil)
	attempt := prepare(f)
	failed := false
	f.store.failing(func(called string, i int) (error, bool) {
		if called == method && i == n && !failed {
			failed = true
			return errDown, false
		}
		return nil, false
	})
	wantCode(t, attempt(), 503, authcore.CodeUnavailable)
	if err := attempt(); err != nil {
		t.Errorf("login after %s call %d failed = %v, want success", method, n, err)
	}
}

// The answer of a step that took effect can be lost. The repeated request gets the
// session that began.
func TestHardeningLostAnswerOfTheStore(t *testing.T) {
	f := newFixture(t, nil)
	token := tokenOf(f.mail("ann@example.com"))
	f.store.failing(func(method string, n int) (error, bool) {
		return map[bool]error{true: errDown}[method == "Login" && n == 1], true
	})
	_, err := f.byLink(token)
	wantCode(t, err, 503, authcore.CodeUnavailable)
	grant, err := f.byLink(token)
	if err != nil {
		t.Fatalf("ByLink() after a lost answer failed: %v", err)
	}
	if sessions, err := f.Sessions.List(t.Context(), f.claims(grant)); err != nil || len(sessions) != 1 {
		t.Errorf("List() = %d sessions, %v, want 1", len(sessions), err)
	}
}

// Every failure of every method is observed once.
func TestHardeningFailuresAreObserved(t *testing.T) {
	for name, attempt := range map[string]func(f *fixture) error{
		"client key": func(f *fixture) error {
			_, err := f.Logins.ByLink(f.t.Context(), login.LinkLogin{ClientKey: "wrong"})
			return err
		},
		"link": func(f *fixture) error { _, err := f.byLink("x"); return err },
		"code": func(f *fixture) error { _, err := f.byCode("x", "123456"); return err },
		"text": func(f *fixture) error { _, err := f.byCode("x", "x"); return err },
		"provider": func(f *fixture) error {
			_, err := f.Logins.Social(f.t.Context(), login.SocialLogin{Provider: "none", ClientKey: clientKey})
			return err
		},
		"provider's refusal": func(f *fixture) error { _, err := f.withCode(""); return err },
		"state":              func(f *fixture) error { _, err := f.withCode("ea.forged"); return err },
		"store": func(f *fixture) error {
			f.store.failing(func(string, int) (error, bool) { return errDown, false })
			_, err := f.byLink("x")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			err := attempt(f)
			public, ok := errors.AsType[*authcore.Error](err)
			if !ok || f.events.names() != "login_failed" || f.events.list[0].Code != public.Code {
				t.Errorf("error = %v, events = %+v, want one login_failed with the code", err, f.events.list)
			}
		})
	}
}

// An attacker who requests links must not learn which addresses have an account
// (CWE-204): results, store calls and records are the same; only the mail is a decoy.
func TestHardeningLinkRequestsAreIndistinguishable(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) {
		c.Rules = account.Rules{Signup: account.SignupDomains, Domains: []string{"example.com"}, Deny: []string{"denied@example.com"}}
	})
	f.loginAs("ann@example.com")
	disabled := f.loginAs("bob@example.com")
	if _, err := f.Accounts.Disable(t.Context(), disabled.User.ID); err != nil {
		t.Fatal(err)
	}
	var reference string
	for address, decoy := range map[string]bool{
		"ann@example.com": false, "new@example.com": false, "bob@example.com": true, "eve@other.invalid": true, "denied@example.com": true,
	} {
		f.store.failing(nil)
		f.store.puts = nil
		receipt, err := f.Logins.RequestLink(t.Context(), login.LinkRequest{Email: address, Caller: caller})
		if err != nil || len(receipt.RequestID) != 22 || receipt.ExpiresIn != 15*time.Minute {
			t.Errorf("RequestLink(%s) = %+v, %v, want a receipt", address, receipt, err)
		}
		if mail := f.mails.last(t); mail.Decoy != decoy || mail.To != address || len(mail.Link) != len(linkBase)+64 || len(mail.Code) != 6 {
			t.Errorf("mail to %s = %+v, want decoy %t", address, mail, decoy)
		}
		if len(f.store.puts) != 1 || f.store.puts[0].Kind != "link" {
			t.Fatalf("records for %s = %+v, want one link", address, f.store.puts)
		}
		trace := fmt.Sprint(f.store.counts(), len(f.store.puts[0].Key), len(f.store.puts[0].Owner), len(f.store.puts[0].Data)-len(address))
		if reference == "" {
			reference = trace
		}
		if trace != reference {
			t.Errorf("traces for %s = %s, want %s", address, trace, reference)
		}
	}
}

// A reader of the store, or of a backup, must find no link, code, state or ID token
// that still works (CWE-312), and no address in a key.
func TestHardeningSecretsAreStoredHashed(t *testing.T) {
	f := newFixture(t, nil)
	requestID, mail := f.request("ann@example.com")
	state := f.begin(nil)
	f.provider.set("code", authcore.Profile{Subject: "42"})
	if _, err := f.withCode(state); err != nil {
		t.Fatal(err)
	}
	if _, err := f.byLink(tokenOf(mail)); err != nil {
		t.Fatal(err)
	}
	stored := strings.Builder{}
	for _, record := range f.store.puts {
		fmt.Fprintf(&stored, "%s %s %s\n", record.Key, record.Owner, record.Data)
	}
	for _, step := range f.store.steps {
		for _, claim := range step.Claims {
			fmt.Fprintf(&stored, "%s %s %s\n", claim.Key, claim.Owner, claim.Data)
		}
	}
	for name, secret := range map[string]string{
		"link": tokenOf(mail), "secret": tokenOf(mail)[22:], "request ID": requestID, "code": `"` + mail.Code, "state": state[3:],
	} {
		if strings.Contains(stored.String(), secret) {
			t.Errorf("the %s is stored: %s", name, stored.String())
		}
	}
	if strings.Count(stored.String(), "\n") != 3 {
		t.Errorf("stored = %s, want a link, a used link and a used state", stored.String())
	}
}

// FuzzLinkToken: only the token in the mail logs in.
func FuzzLinkToken(f *testing.F) {
	for _, seed := range []string{"", "x", strings.Repeat("A", 64), "\x00", "a/b", "../", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		fixture := newFixture(t, nil)
		fixture.mail("ann@example.com")
		_, err := fixture.byLink(token)
		wantCode(t, err, 400, authcore.CodeInvalidLink)
	})
}
