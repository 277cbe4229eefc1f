package passkey_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// The options are in the form that browsers parse, and name neither an address nor, for
// a login, any credential.
func TestOptions(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Title = "Example" })
	claims := f.loginAs(ann)
	a := authenticator.New(origin)
	f.register(claims, a)
	text, err := f.Passkeys.RegistrationOptions(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	var created struct {
		RP                     struct{ ID, Name string }
		User                   struct{ ID, Name, DisplayName string }
		Challenge, Attestation string
		Params                 []struct{ Alg int }                            `json:"pubKeyCredParams"`
		Exclude                []struct{ ID, Type string }                    `json:"excludeCredentials"`
		Selection              struct{ ResidentKey, UserVerification string } `json:"authenticatorSelection"`
	}
	if err := json.Unmarshal(text, &created); err != nil {
		t.Fatal(err)
	}
	if created.RP.ID != "example.com" || created.RP.Name != "Example" || created.User.Name != ann || created.User.DisplayName != ann ||
		len(created.User.ID) != 43 || created.Attestation != "none" || len(created.Params) != 3 ||
		len(created.Exclude) != 1 || created.Selection.ResidentKey != "required" || created.Selection.UserVerification != "required" {
		t.Errorf("RegistrationOptions() = %s", text)
	}
	if text, err = f.Passkeys.LoginOptions(); err != nil {
		t.Fatal(err)
	}
	var request map[string]any
	if err := json.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	if request["rpId"] != "example.com" || request["userVerification"] != "required" || request["allowCredentials"] != nil {
		t.Errorf("LoginOptions() = %s, want no credentials", text)
	}
	if _, err := a.Create([]byte(`{"excludeCredentials":[{"id":"` + created.Exclude[0].ID + `"}]}`)); err == nil {
		t.Errorf("the options do not exclude the registered passkey: %s", text)
	}
}

// Attestation statements are checked if an authenticator sends one, and never needed.
func TestAttestation(t *testing.T) {
	for format, accepted := range map[string]bool{"none": true, "packed": true, "unknown": false, "tpm": false, "": false} {
		f := newFixture(t, nil)
		claims := f.loginAs(ann)
		a := authenticator.New(origin)
		a.Format = format
		_, err := f.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: f.response(claims, a), Caller: caller})
		if accepted && err != nil {
			t.Errorf("Register(attestation %q) = %v, want nil", format, err)
		}
		if !accepted {
			wantCode(t, fmt.Sprintf("Register(attestation %q)", format), err, 400, authcore.CodeInvalidPasskey)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*realm.Config)
		want   string
	}{
		"default": {func(c *realm.Config) { c.PasskeyRPID = "" }, ""},
		"localhost": {func(c *realm.Config) {
			c.PasskeyRPID, c.Clients[0].Origins = "localhost", []string{"http://localhost:8080"}
		}, ""},
		"IP address":   {func(c *realm.Config) { c.PasskeyRPID = "127.0.0.1" }, "127.0.0.1 is an IP address"},
		"IPv6 address": {func(c *realm.Config) { c.PasskeyRPID = "[::1]" }, "[::1] is an IP address"},
		"from an IP":   {func(c *realm.Config) { c.PasskeyRPID, c.EmailLink = "", "http://127.0.0.1:8080/link/{token}" }, "use a domain name, for example localhost"},
		"URL":          {func(c *realm.Config) { c.PasskeyRPID = "https://example.com" }, "is not a domain name"},
		"upper case":   {func(c *realm.Config) { c.PasskeyRPID = "Example.com" }, "must be written example.com"},
		"no origin":    {func(c *realm.Config) { c.PasskeyRPID = "example.org" }, "no client has an origin at example.org"},
		"parent only":  {func(c *realm.Config) { c.PasskeyRPID = "www.app.example.com" }, "no client has an origin at"},
		"http": {func(c *realm.Config) {
			c.Clients = c.Clients[:1]
			c.Clients[0].Origins = []string{"http://app.example.com"}
		}, "no client has an origin"},
		"wrong word": {func(c *realm.Config) { c.Passkeys = "on" }, `passkeys: "on" is not valid`},
	} {
		cfg := config()
		cfg.Store, cfg.Mailer = memory.New(), &fixture{}
		c.change(&cfg)
		_, err := realm.New(t.Context(), cfg)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("realm.New() with %s = %v, want %q", name, err, c.want)
		}
	}
}

// A change of the domain is refused while it would leave passkeys that do not work.
func TestDomainStaysWhilePasskeysExist(t *testing.T) {
	store := memory.New()
	restart := func(domain string) error {
		cfg := config()
		cfg.Store, cfg.Mailer, cfg.PasskeyRPID = store, &fixture{}, domain
		_, err := realm.New(t.Context(), cfg)
		return err
	}
	f := newFixtureOn(t, store, nil)
	claims := f.loginAs(ann)
	if err := restart("app.example.com"); err != nil {
		t.Errorf("realm.New() with another domain and no passkeys = %v, want nil", err)
	}
	made := f.register(claims, authenticator.New(origin))
	const want = "passkey_rp_id: users have passkeys for example.com, which would stop working with app.example.com; write: passkey_rp_id example.com,"
	if err := restart("app.example.com"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("realm.New() with another domain = %v, want %q", err, want)
	}
	if err := restart("example.com"); err != nil {
		t.Errorf("realm.New() with the same domain = %v, want nil", err)
	}
	if err := f.Passkeys.Delete(t.Context(), claims, caller, made.ID); err != nil {
		t.Fatal(err)
	}
	if err := restart("app.example.com"); err != nil {
		t.Errorf("realm.New() after the last passkey was removed = %v, want nil", err)
	}
}

func TestSwitchedOff(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Passkeys = "" })
	if f.Passkeys != nil {
		t.Error("Passkeys of a realm without the option is not nil, want nil")
	}
	_, err := f.login([]byte("{}"))
	wantCode(t, "ByPasskey()", err, http.StatusNotFound, authcore.CodeNotFound)
}
