package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
)

// Attack: replaying a recorded response, also at the end of the lifetime of its challenge
// (Web Authentication Level 3, section 13.4.3; CWE-294). A challenge is accepted once.
func TestHardeningReplayedChallenge(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	created := f.response(claims, a)
	if _, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: created}); err != nil {
		t.Fatal(err)
	}
	_, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: created})
	wantCode(t, "Register() with the same response", err, 409, authcore.CodePasskeyExists)
	response := f.assertion(a)
	if _, err := f.login(response); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{0, passkey.ChallengeLifetime - time.Second, time.Second, time.Hour} {
		f.advance(later)
		if _, err := f.store.Sweep(t.Context(), f.clock()); err != nil {
			t.Fatal(err)
		}
		_, err := f.login(response)
		wantCode(t, "ByPasskey() with a used response after "+later.String(), err, 400, authcore.CodeInvalidPasskey)
	}
	if got := f.count(authcore.EventLoginFailed, authcore.CodeInvalidPasskey); got != 4 {
		t.Errorf("failed logins = %d, want 4", got)
	}
	claims = f.loginAs(ann)
	// The challenge of a registration serves no second credential either.
	options, err := f.Passkeys.RegistrationOptions(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	var made []byte
	for i := range 2 {
		other := authenticator.New(origin)
		if made, err = other.Create(options); err != nil {
			t.Fatal(err)
		}
		_, err = f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: made})
		if i == 1 {
			wantCode(t, "Register() of a second credential with one challenge", err, 400, authcore.CodeInvalidPasskey)
		}
	}
}

// Attack: using a challenge of another realm, of another purpose, of another session, or
// one that the attacker made (CWE-346).
func TestHardeningForeignChallenge(t *testing.T) {
	f, other := newFixture(t, nil), newFixture(t, nil)
	claims, eve := f.loginAs(ann), f.loginAs("eve@example.com")
	a := authenticator.New(origin)
	f.register(claims, a)
	_, err := f.login(other.assertion(a))
	wantCode(t, "ByPasskey() with a challenge of another realm", err, 400, authcore.CodeInvalidPasskey)

	challenge := func(options json.RawMessage) string {
		var o struct{ Challenge string }
		if err := json.Unmarshal(options, &o); err != nil {
			t.Fatal(err)
		}
		return o.Challenge
	}
	registration, err := f.Passkeys.RegistrationOptions(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	request, err := f.Passkeys.LoginOptions()
	if err != nil {
		t.Fatal(err)
	}
	forged := base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	for name, text := range map[string]string{
		"a registration's": challenge(registration), "a forged": forged, "a changed": flip(challenge(request)), "an empty": "",
		"a padded": challenge(request) + "=", "a broken": challenge(request)[:40], "a long": strings.Repeat("A", 10_000),
	} {
		response, err := a.Assert(a.Last(), text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.login(response)
		wantCode(t, "ByPasskey() with "+name+" challenge", err, 400, authcore.CodeInvalidPasskey)
	}
	for name, text := range map[string]string{"a login's": challenge(request), "another user's": challenge(registration), "a forged": forged} {
		b := authenticator.New(origin)
		if _, err := b.Create(registration); err != nil {
			t.Fatal(err)
		}
		response, err := b.Attest(b.Last(), text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Passkeys.Register(t.Context(), eve, passkey.Registration{Credential: response})
		wantCode(t, "Register() with "+name+" challenge", err, 400, authcore.CodeInvalidPasskey)
	}
	again := f.loginAs(ann)
	b := authenticator.New(origin)
	_, err = f.Passkeys.Register(t.Context(), again, passkey.Registration{Credential: f.response(claims, b)})
	wantCode(t, "Register() in another session of the user", err, 400, authcore.CodeInvalidPasskey)
}

// flip changes one character in the middle of a text.
func flip(text string) string {
	changed := []byte(text)
	if changed[20] == 'A' {
		changed[20] = 'B'
	} else {
		changed[20] = 'A'
	}
	return string(changed)
}

// Attack: passing on a response that a page of another origin obtained (Web
// Authentication Level 3, section 13.4.9), also one of another client of the realm, which
// may be less trusted.
func TestHardeningForeignOrigin(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	f.register(claims, a)
	for _, page := range []string{
		"https://evil.example", "http://app.example.com", "https://app.example.com:8443", "https://app.example.com.evil.example",
		"https://example.com", "https://admin.example.com", "null", "",
	} {
		a.Origin = page
		_, err := f.login(f.assertion(a))
		wantCode(t, "ByPasskey() from "+page, err, 400, authcore.CodeInvalidPasskey)
	}
	for _, page := range []string{"https://evil.example", "http://app.example.com", "null"} {
		b := authenticator.New(page)
		_, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: f.response(claims, b)})
		wantCode(t, "Register() from "+page, err, 400, authcore.CodeInvalidPasskey)
	}
	a.Origin = "https://admin.example.com"
	if _, err := f.Logins.ByPasskey(t.Context(), login.PasskeyLogin{Credential: f.assertion(a), ClientKey: "admin-key", Caller: caller}); err != nil {
		t.Errorf("ByPasskey() from a page of the client = %v, want nil", err)
	}
}

// Attack: changing any signed part of a response, or skipping the verification of the
// user, with which a stolen security key alone would log in.
func TestHardeningTamperedResponse(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a, eve := authenticator.New(origin), authenticator.New(origin)
	f.register(claims, a)
	f.register(f.loginAs("eve@example.com"), eve)
	for _, member := range []string{"clientDataJSON", "authenticatorData", "signature", "userHandle"} {
		var response map[string]any
		if err := json.Unmarshal(f.assertion(a), &response); err != nil {
			t.Fatal(err)
		}
		inner := response["response"].(map[string]any)
		inner[member] = flip(inner[member].(string))
		changed, err := json.Marshal(response)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.login(changed)
		wantCode(t, "ByPasskey() with another "+member, err, 400, authcore.CodeInvalidPasskey)
	}
	own := eve.Last().Handle
	eve.Last().Handle = a.Last().Handle
	_, err := f.login(f.assertion(eve))
	wantCode(t, "ByPasskey() with the user handle of another user", err, 400, authcore.CodeInvalidPasskey)
	eve.Last().Handle = nil
	_, err = f.login(f.assertion(eve))
	wantCode(t, "ByPasskey() without a user handle", err, 400, authcore.CodeInvalidPasskey)
	eve.Last().Handle = own
	stolen := *eve.Last()
	stolen.ID = a.Last().ID
	var o struct{ Challenge string }
	options, err := f.Passkeys.LoginOptions()
	if err != nil || json.Unmarshal(options, &o) != nil {
		t.Fatal(err)
	}
	response, err := eve.Assert(&stolen, o.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.login(response)
	wantCode(t, "ByPasskey() with the key of another passkey", err, 400, authcore.CodeInvalidPasskey)
	a.Last().RPID = "evil.example"
	_, err = f.login(f.assertion(a))
	wantCode(t, "ByPasskey() for another domain", err, 400, authcore.CodeInvalidPasskey)
	a.Last().RPID = "example.com"
	for name, flags := range map[string]byte{
		"no verification": authenticator.UserPresent, "no presence": authenticator.UserVerified, "nothing": 0,
		"a copy that cannot exist": authenticator.UserPresent | authenticator.UserVerified | authenticator.BackedUp,
	} {
		a.Flags = flags
		_, err := f.login(f.assertion(a))
		wantCode(t, "ByPasskey() with "+name, err, 400, authcore.CodeInvalidPasskey)
		b := authenticator.New(origin)
		b.Flags = flags
		_, err = f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: f.response(claims, b)})
		wantCode(t, "Register() with "+name, err, 400, authcore.CodeInvalidPasskey)
	}
}

// Attack: registering the credential of another user, so that the other user's browser
// logs in to the attacker's account (Web Authentication Level 3, section 7.1, step 26).
func TestHardeningRegisteredCredential(t *testing.T) {
	f := newFixture(t, nil)
	a := authenticator.New(origin)
	f.register(f.loginAs(ann), a)
	eve := f.loginAs("eve@example.com")
	options, err := f.Passkeys.RegistrationOptions(t.Context(), eve)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Challenge string }
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	response, err := a.Attest(a.Last(), o.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Passkeys.Register(t.Context(), eve, passkey.Registration{Credential: response})
	wantCode(t, "Register() of another user's credential", err, 409, authcore.CodePasskeyExists)
	if grant := f.mustLogin(a); grant.User.Email != ann {
		t.Errorf("ByPasskey() = %s, want %s", grant.User.Email, ann)
	}
}

// Attack: learning about accounts from options or failures (CWE-204). Options name no
// user, user handles are random, and every failure with a registered passkey is the same.
func TestHardeningEnumeration(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	made := f.register(claims, a)
	handle := string(a.Last().Handle)
	if len(handle) != 32 || strings.Contains(handle, "ann") || strings.Contains(handle, claims.Subject) {
		t.Errorf("user handle = %q, want 32 random bytes", handle)
	}
	for range 10 {
		options, err := f.Passkeys.LoginOptions()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{made.CredentialID, ann, claims.Subject, "allowCredentials"} {
			if strings.Contains(string(options), part) {
				t.Errorf("LoginOptions() = %s, want nothing about %s", options, part)
			}
		}
	}
	texts := map[string]bool{}
	for _, flags := range []byte{0, authenticator.UserPresent} {
		a.Flags = flags
		_, err := f.login(f.assertion(a))
		texts[authcore.Unavailable(err).Detail] = true
	}
	_, err := f.login([]byte("nonsense"))
	texts[authcore.Unavailable(err).Detail] = true
	if len(texts) != 1 {
		t.Errorf("failures have the texts %v, want one", texts)
	}
}

// Attack: a realm that shares an engine's process with another one accepts none of its
// passkeys, whatever domain both have.
func TestHardeningOtherRealm(t *testing.T) {
	f := newFixture(t, nil)
	a := authenticator.New(origin)
	f.register(f.loginAs(ann), a)
	other := newFixture(t, func(c *realm.Config) { c.Realm = "other" })
	_, err := other.login(other.assertion(a))
	wantCode(t, "ByPasskey() at another realm", err, 400, authcore.CodeUnknownPasskey)
}

// Attack: a page of another site shows the login page in a frame, and asks for the passkey
// there (Web Authentication Level 3, section 13.4.9; CWE-1021).
func TestHardeningFrames(t *testing.T) {
	f := newFixture(t, nil)
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	f.register(claims, a)
	for _, top := range []string{"https://evil.example", origin, "https://admin.example.com"} {
		a.Top = top
		_, err := f.login(f.assertion(a))
		wantCode(t, "ByPasskey() in a frame of "+top, err, 400, authcore.CodeInvalidPasskey)
		framed := authenticator.New(origin)
		framed.Top = top
		_, err = f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: f.response(claims, framed)})
		wantCode(t, "Register() in a frame of "+top, err, 400, authcore.CodeInvalidPasskey)
	}
	a.Top = ""
	if _, err := f.login(f.assertion(a)); err != nil {
		t.Errorf("ByPasskey() without a frame = %v, want nil", err)
	}
}

// Attack: an attacker with a login of one factor has the options for a passkey. The owner
// notices, and ends the session or adds a second factor. The node of the attacker does not
// know yet (CWE-613): the passkey, which would outlive the session, is refused.
func TestHardeningRegistrationAfterTheSession(t *testing.T) {
	f := newFixture(t, func(cfg *realm.Config) { cfg.Rules.SecondFactor = account.SecondFactorOptional })
	for name, test := range map[string]struct {
		change func(*authcore.Account, *gate.Claims)
		status int
		code   authcore.Code
	}{
		"the session ended": {func(a *authcore.Account, claims *gate.Claims) {
			a.EndSessions(func(s authcore.Session) bool { return s.ID == claims.Session })
		}, 401, authcore.CodeInvalidToken},
		"a second factor was added": {func(a *authcore.Account, _ *gate.Claims) {
			a.User.Factors = append(a.User.Factors, authcore.Factor{Kind: authcore.FactorTOTP, ID: "x", Created: f.clock()})
		}, 403, authcore.CodeSecondFactorRequired},
		"the user was disabled": {func(a *authcore.Account, _ *gate.Claims) { a.User.Disabled = true }, 403, authcore.CodeUserInactive},
	} {
		claims := f.loginAs(strings.ReplaceAll(name, " ", ".") + "@example.com")
		response := f.response(claims, authenticator.New(origin))
		_, err := f.store.UpdateAccount(t.Context(), claims.Subject, f.clock(), func(a *authcore.Account) error {
			test.change(a, claims)
			return nil
		})
		if err != nil {
			t.Fatalf("UpdateAccount() = %v", err)
		}
		_, err = f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: response})
		wantCode(t, "Register() after "+name, err, test.status, test.code)
		if user, err := f.store.User(t.Context(), authcore.UserRef{ID: claims.Subject}); err != nil || len(user.Passkeys) != 0 {
			t.Errorf("passkeys after %s = %v, %v, want none", name, user.Passkeys, err)
		}
	}
}
