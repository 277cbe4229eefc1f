package caddymodule

import (
	"strings"
	"testing"
)

// A site for which no login is needed contradicts the realm.
func TestPasskeysRequiredExcludesOptional(t *testing.T) {
	s := setup{Port: "8080", Realm: "storage memory\nmailer log\npasskeys required", Site: "token_auth {\noptional\n}"}
	if err := validate(s.caddyfile()); err == nil || !strings.Contains(err.Error(), "optional: the realm has `passkeys required`") {
		t.Errorf("validate() = %v, want an error about optional", err)
	}
}
