package edgeauth_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/wasm/config"
)

// checkGuestConfig checks that the WebAssembly module accepts the configuration, with
// the files that a host without edge.mjs needs.
func checkGuestConfig(t *testing.T, b block) {
	files := strings.Replace(b.text, "{", `{"keys_file": "jwks.json", "revocations_file": "revocations.jws",`, 1)
	if _, err := config.Parse([]byte(files)); err != nil {
		t.Errorf("Parse: %v", err)
	}
}

// checkHandler checks a handler of Caddy, in the configuration that a Caddyfile gives.
func checkHandler(t *testing.T, b block) {
	adapted, err := adapt("{\nedgeauth {\n" + minimal + "}\n}\nhttp://localhost:8080 {\nrespond ok\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	const other = `{"body":"ok","handler":"static_response"}`
	if !strings.Contains(string(adapted), other) {
		t.Fatalf("the configuration has no handler to replace: %s", adapted)
	}
	var configuration caddy.Config
	if err := json.Unmarshal([]byte(strings.Replace(string(adapted), other, b.text, 1)), &configuration); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&configuration); err != nil {
		t.Errorf("Validate: %v", err)
	}
}

// checkAuditSearch checks a search of the operators' API.
func checkAuditSearch(t *testing.T, b block) {
	decoder := json.NewDecoder(strings.NewReader(b.text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&adminapi.AuditSearch{}); err != nil {
		t.Errorf("Decode: %v", err)
	}
}
