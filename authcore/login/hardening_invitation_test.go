package login_test

import (
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// The link of an invitation logs in once, for its address, until it expires. Guessed,
// truncated and former links do not (CWE-287, CWE-294).
func TestHardeningInvitationLinks(t *testing.T) {
	other := func(f *fixture) string { // another secret for the same address
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(tokenOf(f.mails.last(f.t)), "i-"))
		if err != nil {
			f.t.Fatal(err)
		}
		raw[len(raw)-1] ^= 1
		return "i-" + base64.RawURLEncoding.EncodeToString(raw)
	}
	for name, attack := range map[string]func(f *fixture, id, token string) string{
		"guess":               func(f *fixture, _, _ string) string { return other(f) },
		"no prefix":           func(_ *fixture, _, token string) string { return strings.TrimPrefix(token, "i-") },
		"truncated":           func(_ *fixture, _, token string) string { return token[:len(token)-1] },
		"longer":              func(_ *fixture, _, token string) string { return token + "A" },
		"prefix twice":        func(_ *fixture, _, token string) string { return "i-" + token },
		"prefix of a request": func(f *fixture, _, _ string) string { return "i-" + tokenOf(f.mail("ann@example.com")) },
		"expired": func(f *fixture, _, token string) string {
			f.clock.Advance(realm.DefaultInvitationLifetime)
			return token
		},
		"revoked": func(f *fixture, id, token string) string {
			if err := f.Logins.RevokeInvitation(f.t.Context(), id); err != nil {
				f.t.Fatal(err)
			}
			return token
		},
		"replaced": func(f *fixture, _, token string) string {
			f.invite("ann@example.com")
			return token
		},
		"accepted": func(f *fixture, _, token string) string {
			if _, err := f.byLink(token); err != nil {
				f.t.Fatal(err)
			}
			f.clock.Advance(time.Minute)
			return token
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newClosed(t)
			invitation, token := f.invite("ann@example.com", "admin")
			forged := attack(f, invitation.ID, token)
			grant, err := f.byLink(forged)
			if err == nil {
				t.Fatalf("ByLink(%s) = %+v, want an error", forged, grant)
			}
			wantCode(t, err, 400, authcore.CodeInvalidLink)
			_, err = f.Logins.ShowLink(t.Context(), forged)
			wantCode(t, err, 400, authcore.CodeInvalidLink)
		})
	}
}

// Mail scanners and previews open links. Looking at an invitation does not accept it, and
// the store contains no secret of it (CWE-522).
func TestHardeningInvitationSurvivesScanners(t *testing.T) {
	f := newClosed(t)
	_, token := f.invite("ann@example.com")
	for range 3 {
		if _, err := f.Logins.ShowLink(t.Context(), token); err != nil {
			t.Fatalf("ShowLink() failed: %v", err)
		}
	}
	_, secret, _ := strings.Cut(token, "-")
	for _, record := range f.store.puts {
		if strings.Contains(string(record.Data), secret[22:]) || strings.Contains(record.Key, secret[22:]) {
			t.Errorf("record = %+v, want none with the secret", record)
		}
	}
	if _, err := f.byLink(token); err != nil {
		t.Errorf("ByLink() after previews failed: %v", err)
	}
}

// Of several simultaneous logins with one invitation, one signs up, whatever way each
// takes (CWE-362).
func TestHardeningInvitationRace(t *testing.T) {
	f := newClosed(t)
	_, token := f.invite("ann@example.com", "admin")
	f.provider.set("code", authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true})
	var signups atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if grant, err := f.Logins.ByLink(t.Context(), login.LinkLogin{Token: token, ClientKey: clientKey}); err == nil && grant.IsNew {
				signups.Add(1)
			}
		})
		group.Go(func() {
			if grant, err := f.withCode(""); err == nil && grant.IsNew {
				signups.Add(1)
			}
		})
	}
	group.Wait()
	users, _, err := f.Accounts.List(t.Context(), authcore.UserFilter{}, "")
	if err != nil || len(users) != 1 || signups.Load() != 1 {
		t.Errorf("users = %d and signups = %d, %v, want one each", len(users), signups.Load(), err)
	}
}

// An invitation does not help other addresses, addresses that the provider did not
// verify, and disabled users (CWE-863).
func TestHardeningInvitationIsForItsAddress(t *testing.T) {
	for name, profile := range map[string]authcore.Profile{
		"another address": {Subject: "2", Email: "bob@example.com", EmailVerified: true},
		"not verified":    {Subject: "2", Email: "ann@example.com"},
		"a sub-address":   {Subject: "2", Email: "ann+x@example.com", EmailVerified: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newClosed(t)
			_, token := f.invite("ann@example.com", "admin")
			_, err := f.social(profile)
			wantCode(t, err, 403, authcore.CodeSignupClosed)
			if _, err := f.byLink(token); err != nil {
				t.Errorf("ByLink() after the attack failed: %v", err)
			}
		})
	}
	t.Run("an identity of another user", func(t *testing.T) {
		f := newClosed(t)
		_, token := f.invite("bob@example.com")
		bob, err := f.byLink(token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.link(bob, authcore.Profile{Subject: "2", Email: "bob@example.com", EmailVerified: true}); err != nil {
			t.Fatal(err)
		}
		_, token = f.invite("ann@example.com", "admin")
		grant, err := f.social(authcore.Profile{Subject: "2", Email: "ann@example.com", EmailVerified: true})
		if err != nil || grant.User.ID != bob.User.ID || len(grant.User.Roles) != 0 {
			t.Errorf("Social() = %+v, %v, want bob without roles", grant, err)
		}
		if _, err := f.byLink(token); err != nil {
			t.Errorf("ByLink() after the login of another user failed: %v", err)
		}
	})
	t.Run("disabled user", func(t *testing.T) {
		f := newClosed(t)
		_, token := f.invite("ann@example.com")
		user, err := f.Accounts.Create(t.Context(), account.NewUser{Email: "ann@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Accounts.Disable(t.Context(), user.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.byLink(token)
		wantCode(t, err, 403, authcore.CodeUserInactive)
	})
	t.Run("denied meanwhile", func(t *testing.T) {
		store := newFaultyStore(newClosed(t).store)
		invited := newFixture(t, func(c *realm.Config) { c.Store = store })
		_, token := invited.invite("ann@example.com")
		denying := newFixture(t, func(c *realm.Config) { c.Store, c.Rules.Deny = store, []string{"example.com"} })
		_, err := denying.byLink(token)
		wantCode(t, err, 403, authcore.CodeNotAdmitted)
	})
}

// An invitation that is revoked between the check and the login through a provider does
// not let the user sign up (CWE-367).
func TestHardeningInvitationRevokedMeanwhile(t *testing.T) {
	f := newClosed(t)
	invitation, _ := f.invite("ann@example.com", "admin")
	f.store.failing(func(method string, n int) (error, bool) {
		if method == "Login" && n == 1 {
			if err := f.Logins.RevokeInvitation(t.Context(), invitation.ID); err != nil {
				t.Error(err)
			}
		}
		return nil, false
	})
	_, err := f.social(authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true})
	wantCode(t, err, 403, authcore.CodeSignupClosed)
	wantCode(t, f.Logins.RevokeInvitation(t.Context(), invitation.ID), 404, authcore.CodeNotFound)
	wantCode(t, f.Logins.RevokeInvitation(t.Context(), "x"), 404, authcore.CodeNotFound)
}

// A store failure must not cost an invitation: the link works after the 503.
func TestHardeningInvitationSurvivesAStoreFailure(t *testing.T) {
	for _, method := range []string{"Record", "Login"} {
		f := newClosed(t)
		_, token := f.invite("ann@example.com")
		f.store.failing(func(called string, n int) (error, bool) {
			if called == method && n == 1 {
				return errDown, false
			}
			return nil, false
		})
		_, err := f.byLink(token)
		wantCode(t, err, 503, authcore.CodeUnavailable)
		if _, err := f.byLink(token); err != nil {
			t.Errorf("ByLink() after a failure of %s failed: %v", method, err)
		}
	}
}

// An invitation that was not needed does not bring a deleted user back, with its roles.
func TestHardeningInvitationOfADeletedUser(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.Logins.Invite(t.Context(), login.InvitationRequest{NewUser: account.NewUser{Email: "ann@example.com", Roles: []string{"admin"}}})
	if err != nil {
		t.Fatalf("Invite() = %v, want no error", err)
	}
	invitation := f.mails.last(t)
	ann := f.loginAs("ann@example.com")
	if err := f.Accounts.Delete(t.Context(), f.claims(ann).Subject); err != nil {
		t.Fatalf("Delete() = %v, want no error", err)
	}
	_, err = f.byLink(tokenOf(invitation))
	wantCode(t, err, 400, authcore.CodeInvalidLink)
}
