package login_test

import (
	"slices"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/internal/authenticator"
)

// withPasskeyFactor offers passkeys in addition to second factors.
func withPasskeyFactor(c *realm.Config) {
	withFactors(account.SecondFactorOptional)(c)
	c.Passkeys, c.Rules.LinkByEmail = realm.PasskeysOptional, account.LinkByEmailVerified
}

// addPasskey adds a passkey to the user of a session.
func (f *fixture) addPasskey(grant session.Grant) (*authenticator.Authenticator, passkey.Passkey) {
	f.t.Helper()
	a := authenticator.New("https://frontend.app")
	options, err := f.Passkeys.RegistrationOptions(f.t.Context(), f.claims(grant))
	if err != nil {
		f.t.Fatalf("RegistrationOptions() failed: %v", err)
	}
	response, err := a.Create(options)
	if err != nil {
		f.t.Fatalf("Create(%s) failed: %v", options, err)
	}
	made, err := f.Passkeys.Register(f.t.Context(), f.claims(grant), passkey.Registration{Credential: response, Caller: caller})
	if err != nil {
		f.t.Fatalf("Register() failed: %v", err)
	}
	return a, made
}

func (f *fixture) assertion(a *authenticator.Authenticator) []byte {
	f.t.Helper()
	options, err := f.Passkeys.LoginOptions()
	if err != nil {
		f.t.Fatalf("LoginOptions() failed: %v", err)
	}
	response, err := a.Get(options)
	if err != nil {
		f.t.Fatalf("Get(%s) failed: %v", options, err)
	}
	return response
}

// A passkey completes a login as the other second factors do: with the method, the client
// and the roles of the first factor, and a device that is remembered.
func TestPasskeyCompletesALogin(t *testing.T) {
	for name, accept := range map[string]func(f *fixture, token string) error{
		login.MethodLink: func(f *fixture, token string) error {
			_, err := f.byLink(token)
			return err
		},
		"github": func(f *fixture, _ string) error {
			_, err := f.social(verified("1", "ann@example.com"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPasskeyFactor)
			_, token := f.invite("ann@example.com", "editor")
			if _, err := f.Accounts.Create(t.Context(), account.NewUser{Email: "ann@example.com", Roles: []string{"admin"}}); err != nil {
				t.Fatalf("Create() failed: %v", err)
			}
			_, strong := f.enrol(f.loginAs("ann@example.com"))
			a, made := f.addPasskey(strong)
			asked := missing(t, accept(f, token))
			if want := []string{"totp", "recovery", "passkey"}; !slices.Equal(asked.Methods, want) {
				t.Errorf("methods = %q, want %q", asked.Methods, want)
			}
			grant, err := f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Credential: f.assertion(a), Remember: true})
			if err != nil || !slices.Equal(grant.User.Roles, []string{"admin", "editor"}) || grant.Device == "" {
				t.Fatalf("BySecondFactor() = %+v, device %q, %v, want both roles and a device", grant.User, grant.Device, err)
			}
			claims := f.claims(grant.Grant)
			if claims.Method != name || claims.Client != "web" || claims.ACR != "2" || claims.AMR[len(claims.AMR)-1] != "passkey" {
				t.Errorf("claims = %+v, want method %s, client web and the passkey as second factor", claims, name)
			}
			list, err := f.Passkeys.List(t.Context(), claims)
			if err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].LastUsed.IsZero() {
				t.Errorf("List() = %+v, %v, want the passkey with its last use", list, err)
			}
		})
	}
}

// The session of a mailed login ends with the passkey that completed it.
func TestRemovedPasskeyEndsTheLoginItCompleted(t *testing.T) {
	f := newFixture(t, withPasskeyFactor)
	_, strong := f.enrol(f.loginAs("ann@example.com"))
	a, made := f.addPasskey(strong)
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Credential: f.assertion(a)})
	if err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	if err := f.Passkeys.Delete(t.Context(), f.claims(strong), caller, made.ID); err != nil {
		t.Fatalf("Delete() failed: %v", err)
	}
	if _, err := f.Authenticate([]string{"Token " + grant.Token}); err == nil {
		t.Error("Authenticate() = nil, want the end of the session")
	}
}

// A realm without passkeys accepts none as a second factor.
func TestPasskeyFactorSwitchedOff(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	f.enrol(f.loginAs("ann@example.com"))
	_, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Credential: []byte("{}")})
	wantCode(t, err, 400, authcore.CodeUnknownPasskey)
}
