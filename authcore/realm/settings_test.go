package realm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// Settings show the rules for roles and the service of the captcha, and no secret.
func TestSettings(t *testing.T) {
	r, err := realm.New(t.Context(), realm.Config{
		Store: memory.New(), DebugLinks: true, EmailLink: "https://a.example/{token}", APIKeys: "users",
		Clients: []authcore.Client{{Name: "web", Key: "secret-key-of-the-client"}},
		Captcha: &captcha.Config{VerifyURL: "https://captcha.example/verify?x=hidden", Secret: "secret-of-the-captcha"},
		Rules: account.Rules{
			SecondFactor: account.SecondFactorRequired, SecondFactorRoles: []string{"admin"},
			Roles: []account.RoleRule{{Role: "admin", To: []string{"ann@example.com"}}, {Role: "admin", To: []string{"@example.org"}}},
		},
	})
	if err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	encoded, err := json.Marshal(r.Settings())
	if err != nil {
		t.Fatalf("Marshal() failed: %v", err)
	}
	text := string(encoded)
	for _, want := range []string{
		`"roles":{"admin":["ann@example.com","@example.org"]}`, `"second_factor":"required","second_factor_roles":["admin"]`,
		`"api_keys":"users"`, `"challenge":"captcha.example"`, `"passkeys":"off"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("Settings() = %s, want %s in it", text, want)
		}
	}
	for _, secret := range []string{"secret-key-of-the-client", "secret-of-the-captcha", "hidden"} {
		if strings.Contains(text, secret) {
			t.Errorf("Settings() = %s, which contains %q", text, secret)
		}
	}
}
