package passkey_test

import (
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// Attack: the same response, or the same registration, many times concurrently (CWE-362).
// One wins.
func TestHardeningRacingResponses(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	race := func(call func() error) (won int) {
		var running sync.WaitGroup
		var mu sync.Mutex
		for range 50 {
			running.Go(func() {
				if call() == nil {
					mu.Lock()
					defer mu.Unlock()
					won++
				}
			})
		}
		running.Wait()
		return won
	}
	created := f.response(claims, a)
	if got := race(func() error {
		_, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: created})
		return err
	}); got != 1 {
		t.Errorf("%d of 50 registrations with one response succeeded, want 1", got)
	}
	response := f.assertion(a)
	if got := race(func() error {
		_, err := f.login(response)
		return err
	}); got != 1 {
		t.Errorf("%d of 50 logins with one response succeeded, want 1", got)
	}
}

// Attack: a login that is in progress while its passkey is removed. It ends with the
// removal, as the sessions before it do.
func TestHardeningLoginDuringRemoval(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	made := f.register(claims, a)
	var removed sync.Once
	f.store.beforeLogin = func() {
		removed.Do(func() {
			if err := f.Passkeys.Delete(t.Context(), claims, caller, made.ID); err != nil {
				t.Errorf("Delete() failed: %v", err)
			}
		})
	}
	_, err := f.login(f.assertion(a))
	wantCode(t, "ByPasskey() during the removal", err, 400, authcore.CodeUnknownPasskey)
	sessions, err := f.Sessions.List(t.Context(), claims)
	if err != nil || len(sessions) != 1 || sessions[0].Method != login.MethodLink {
		t.Errorf("List() = %+v, %v, want the session of the link only", sessions, err)
	}
}

// Attack: filling the store. Options store nothing, and a user has at most 20 passkeys,
// also with registrations that are in progress concurrently (CWE-770).
func TestHardeningUnboundedPasskeys(t *testing.T) {
	store := memory.New()
	f := newFixtureOn(t, store, nil)
	items := func() int {
		list, _, err := store.Export(t.Context(), "", f.clock())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	claims := f.loginAs(ann)
	before := items()
	for range 100 {
		if _, err := f.Passkeys.LoginOptions(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Passkeys.RegistrationOptions(t.Context(), claims); err != nil {
			t.Fatal(err)
		}
	}
	if after := items(); after != before {
		t.Errorf("200 options left %d items in the store, want %d", after, before)
	}
	var responses [][]byte
	for range 25 {
		responses = append(responses, f.response(claims, authenticator.New(origin)))
	}
	refused := 0
	for _, response := range responses {
		if _, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: response}); err != nil {
			wantCode(t, "Register() of one too many", err, 409, authcore.CodeTooManyPasskeys)
			refused++
		}
	}
	if list, err := f.Passkeys.List(t.Context(), claims); err != nil || len(list) != 20 || refused != 5 {
		t.Errorf("List() = %d passkeys, %v, after %d refusals, want 20 and 5", len(list), err, refused)
	}
	_, err := f.Passkeys.RegistrationOptions(t.Context(), claims)
	wantCode(t, "RegistrationOptions() with 20 passkeys", err, 409, authcore.CodeTooManyPasskeys)
}

// Attack, or two browser windows: several requests remove several login methods at once, so
// that each finds another one left. One stays (CWE-362).
func TestHardeningLastLoginRaces(t *testing.T) {
	for range 20 {
		f := newFixture(t, nil)
		claims := f.loginAs(ann)
		first, second := authenticator.New(origin), authenticator.New(origin)
		ids := []string{f.register(claims, first).ID, f.register(claims, second).ID}
		_, err := f.store.UpdateAccount(t.Context(), claims.Subject, f.clock(), func(a *authcore.Account) error {
			a.User.EmailVerified = false // an account that has passkeys only
			return nil
		})
		if err != nil {
			t.Fatalf("UpdateAccount() failed: %v", err)
		}
		var removals sync.WaitGroup
		for _, id := range ids {
			removals.Go(func() {
				if err := f.Passkeys.Delete(t.Context(), claims, caller, id); err != nil {
					wantCode(t, "Delete() at the same time", err, 409, authcore.CodeLastIdentity)
				}
			})
		}
		removals.Wait()
		left, err := f.Passkeys.List(t.Context(), claims)
		if err != nil || len(left) == 0 {
			t.Fatalf("List() after two removals = %+v, %v, want a passkey", left, err)
		}
	}
}
