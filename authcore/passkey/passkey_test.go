package passkey_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestRegisterAndLogin(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	made, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: f.response(claims, a), Name: " My\u202e  phone ", Caller: caller})
	if err != nil || made.Name != "My phone" || made.ID == "" || made.CredentialID == "" || !made.LastUsed.IsZero() || made.BackedUp {
		t.Fatalf("Register() = %+v, %v, want a passkey named My phone", made, err)
	}
	if want := "login_added passkey " + ann; f.notices() != want || f.count(authcore.EventPasskeyAdded, "") != 1 {
		t.Errorf("notices = %q and %d events, want %q and 1", f.notices(), f.count(authcore.EventPasskeyAdded, ""), want)
	}
	f.advance(time.Hour)
	grant := f.mustLogin(a)
	got := f.claims(grant)
	if grant.User.ID != claims.Subject || got.Method != "passkey" || got.Client != "web" || grant.IsNew || got.AuthTime != f.clock().Unix() {
		t.Errorf("ByPasskey() = %+v, want a session of the user", got)
	}
	if f.count(authcore.EventLogin, "") != 1 {
		t.Errorf("events = %+v, want one login", f.events)
	}
	list, err := f.Passkeys.List(t.Context(), claims)
	if err != nil || len(list) != 1 || list[0].ID != made.ID || !list[0].LastUsed.Equal(f.clock()) {
		t.Errorf("List() = %+v, %v, want the passkey, used now", list, err)
	}
	if want := "login_added passkey " + ann + ", new_login passkey " + ann; f.notices() != want {
		t.Errorf("notices = %q, want %q", f.notices(), want)
	}
}

func TestManage(t *testing.T) {
	f := newFixture(t, nil)
	claims, eve := f.loginAs(ann), f.loginAs("eve@example.com")
	first, second := authenticator.New(origin), authenticator.New(origin)
	one := f.register(claims, first)
	two := f.register(claims, second)
	if !bytes.Equal(first.Last().Handle, second.Last().Handle) {
		t.Error("the passkeys of a user have different user handles, want one")
	}
	renamed, err := f.Passkeys.Rename(t.Context(), claims, one.ID, "Laptop")
	if err != nil || renamed.Name != "Laptop" || renamed.ID != one.ID {
		t.Errorf("Rename() = %+v, %v, want the new name", renamed, err)
	}
	_, err = f.Passkeys.Rename(t.Context(), claims, one.ID, strings.Repeat("x", 65))
	wantCode(t, "Rename(65 characters)", err, 400, authcore.CodeInvalidRequest)
	_, err = f.Passkeys.Rename(t.Context(), eve, one.ID, "Mine")
	wantCode(t, "Rename() by another user", err, 404, authcore.CodeNotFound)
	wantCode(t, "Delete() by another user", f.Passkeys.Delete(t.Context(), eve, caller, one.ID), 404, authcore.CodeNotFound)
	wantCode(t, "Delete(unknown)", f.Passkeys.Delete(t.Context(), claims, caller, "unknown"), 404, authcore.CodeNotFound)

	through, other := f.mustLogin(first), f.mustLogin(second)
	if err := f.Passkeys.Delete(t.Context(), claims, caller, one.ID); err != nil {
		t.Fatalf("Delete() failed: %v", err)
	}
	if _, err := f.Authenticate([]string{"Token " + through.Token}); err == nil {
		t.Error("the session of the removed passkey did not end, want its end")
	}
	f.claims(other)
	_, err = f.login(f.assertion(first))
	wantCode(t, "ByPasskey() with a removed passkey", err, 400, authcore.CodeUnknownPasskey)
	list, err := f.Passkeys.List(t.Context(), claims)
	if err != nil || len(list) != 1 || list[0].ID != two.ID {
		t.Errorf("List() = %+v, %v, want the other passkey", list, err)
	}
	if !strings.HasSuffix(f.notices(), "login_removed passkey "+ann) || f.count(authcore.EventPasskeyRemoved, "") != 1 {
		t.Errorf("notices = %q, want one about the removal", f.notices())
	}
}

// Registration and removal need a recent login.
func TestChangesNeedARecentLogin(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	made := f.register(claims, authenticator.New(origin))
	f.advance(15*time.Minute + time.Second)
	_, err := f.Passkeys.RegistrationOptions(t.Context(), claims)
	wantCode(t, "RegistrationOptions() after 15 minutes", err, 403, authcore.CodeReauthenticationRequired)
	wantCode(t, "Delete() after 15 minutes", f.Passkeys.Delete(t.Context(), claims, caller, made.ID), 403, authcore.CodeReauthenticationRequired)
	if _, err := f.Passkeys.Rename(t.Context(), claims, made.ID, "Name"); err != nil {
		t.Errorf("Rename() after 15 minutes = %v, want nil", err)
	}
}

// Registration and removal need the second factor of a user who has one: a passkey counts
// as two factors.
func TestChangesNeedTheSecondFactor(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.SecondFactor = account.SecondFactorOptional })
	claims := f.loginAs(ann)
	made := f.register(claims, authenticator.New(origin))
	_, err := f.store.UpdateAccount(t.Context(), claims.Subject, f.Now(), func(a *authcore.Account) error {
		a.User.Factors = []authcore.Factor{{Kind: authcore.FactorTOTP}}
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	_, err = f.Passkeys.RegistrationOptions(t.Context(), claims)
	wantCode(t, "RegistrationOptions() with the first factor only", err, 403, authcore.CodeSecondFactorRequired)
	wantCode(t, "Delete() with the first factor only", f.Passkeys.Delete(t.Context(), claims, caller, made.ID), 403, authcore.CodeSecondFactorRequired)
	proven := *claims
	proven.ACR = "2"
	if _, err := f.Passkeys.RegistrationOptions(t.Context(), &proven); err != nil {
		t.Errorf("RegistrationOptions() with the second factor = %v, want nil", err)
	}
}

// The last usable login method stays.
func TestLastLoginStays(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	made := f.register(claims, authenticator.New(origin))
	_, err := f.store.UpdateAccount(t.Context(), claims.Subject, f.clock(), func(a *authcore.Account) error {
		a.User.EmailVerified = false
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Delete() of the only login", f.Passkeys.Delete(t.Context(), claims, caller, made.ID), 409, authcore.CodeLastIdentity)
	f.register(claims, authenticator.New(origin))
	if err := f.Passkeys.Delete(t.Context(), claims, caller, made.ID); err != nil {
		t.Errorf("Delete() of one of two = %v, want nil", err)
	}
}

// The rules of the realm and the state of the user apply to logins with passkeys.
func TestRulesApply(t *testing.T) {
	store, a := memory.New(), authenticator.New(origin)
	f := newFixtureOn(t, store, nil)
	claims := f.loginAs(ann)
	f.register(claims, a)
	denied := newFixtureOn(t, store, func(c *realm.Config) { c.Rules = account.Rules{Deny: []string{ann}} })
	_, err := denied.login(denied.assertion(a))
	wantCode(t, "ByPasskey() of a denied address", err, 403, authcore.CodeNotAdmitted)
	if _, err := f.Accounts.Disable(t.Context(), claims.Subject); err != nil {
		t.Fatal(err)
	}
	response := f.assertion(a)
	_, err = f.login(response)
	wantCode(t, "ByPasskey() of a disabled user", err, 403, authcore.CodeUserInactive)
	if _, err := f.Accounts.Enable(t.Context(), claims.Subject); err != nil {
		t.Fatal(err)
	}
	if _, err := f.login(response); err != nil {
		t.Errorf("ByPasskey() with the same response after the user was enabled = %v, want nil: a refusal uses nothing up", err)
	}
	if got := f.count(authcore.EventLoginFailed, authcore.CodeUserInactive); got != 1 {
		t.Errorf("failed logins = %d, want 1", got)
	}
	if err := f.Accounts.Delete(t.Context(), claims.Subject); err != nil {
		t.Fatal(err)
	}
	_, err = f.login(f.assertion(a))
	wantCode(t, "ByPasskey() of a deleted user", err, 400, authcore.CodeUnknownPasskey)
}

// Authenticators change flags that never change according to the specification, and
// their counters go back. Neither locks a user out.
func TestFlagsAndCountersMayChange(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	a.Count = 7
	f.register(claims, a)
	const both = authenticator.UserPresent | authenticator.UserVerified
	for _, step := range []struct {
		flags    byte
		count    uint32
		backedUp bool
	}{
		{both | authenticator.BackupEligible | authenticator.BackedUp, 8, true},
		{both, 0, false},
		{both | authenticator.BackupEligible, 3, false},
		{both | authenticator.BackupEligible | authenticator.BackedUp, 3, true},
	} {
		a.Flags, a.Count = step.flags, step.count
		f.mustLogin(a)
		if list, err := f.Passkeys.List(t.Context(), claims); err != nil || list[0].BackedUp != step.backedUp {
			t.Errorf("List() after flags %#x = %+v, %v, want BackedUp = %v", step.flags, list, err, step.backedUp)
		}
	}
}

// BenchmarkLogin measures options and a login of a user with five sessions, without the
// work of the authenticator.
func BenchmarkLogin(b *testing.B) {
	f := newFixture(b, func(c *realm.Config) {
		c.Limits.LinkOverall, c.MaxSessions = ratelimit.Rate{N: 1 << 30, Window: time.Minute}, 5
	})
	a := authenticator.New(origin)
	f.register(f.loginAs(ann), a)
	b.ReportAllocs()
	for b.Loop() {
		options, err := f.Passkeys.LoginOptions()
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		response, err := a.Get(options)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := f.login(response); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzResponse sends arbitrary responses to both checks. None is accepted, and none
// causes a panic.
func FuzzResponse(f *testing.F) {
	fixed := newFixture(f, nil)
	claims := fixed.loginAs(ann)
	a := authenticator.New(origin)
	a.Format = "packed"
	created := fixed.response(claims, a)
	f.Add(created)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	a.Origin = "https://evil.example"
	f.Add(fixed.assertion(a))
	client := &authcore.Client{Origins: []string{origin}}
	f.Fuzz(func(t *testing.T, response []byte) {
		if _, err := fixed.Passkeys.Verify(t.Context(), client, response); err == nil {
			t.Errorf("Verify(%q) = nil, want an error", response)
		}
		other := gate.Claims{Subject: "nobody", Session: "none", AuthTime: claims.AuthTime}
		if _, err := fixed.Passkeys.Register(t.Context(), &other, passkey.Registration{Credential: response}); err == nil {
			t.Errorf("Register(%q) = nil, want an error", response)
		}
	})
}
