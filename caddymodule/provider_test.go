package caddymodule

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/provider"
)

// Every kind can be configured in a Caddyfile, under its own name and next to
// another one of its kind.
func TestEveryKindOfProvider(t *testing.T) {
	key := filepath.Join(t.TempDir(), "AuthKey.p8")
	if err := os.WriteFile(key, appleKey(t), 0o600); err != nil {
		t.Fatal(err)
	}
	const client = "client_id a\nclient_secret b\n"
	options := map[string]string{
		"apple-id":           "client_id a\nteam_id T\nkey_id K\nprivate_key {file." + key + "}\naudience com.example.ios\n",
		"auth0":              client + "issuer https://example.eu.auth0.com\n",
		"azuread-oauth2":     client + "tenant organizations\n",
		"google-oauth2":      client + "hosted_domain example.com\n",
		"keycloak":           client + "issuer https://login.example.com/realms/main\n",
		"oauth2":             client + "authorize_url https://a.app/a\ntoken_url https://a.app/t\nuser_info_url https://a.app/u\nfield subject id\n",
		"oidc":               client + "issuer https://login.example.com\n",
		"okta-openidconnect": client + "issuer https://example.okta.com\n",
		"vk-id":              "client_id a\n",
	}
	realm := "mailer log\napi_url https://api.example.com/v1/auth\n"
	for _, kind := range provider.Kinds() {
		block, found := options[kind]
		if !found {
			block = client
		}
		realm += "provider " + kind + " {\n" + block + "}\nprovider second-" + kind + " {\ntype " + kind + "\n" + block + "}\n"
	}
	if err := validate(setup{Port: "8080", Realm: realm}.caddyfile()); err != nil {
		t.Error(err)
	}
}

func appleKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// A fault of a provider's options names the provider and the option, and shows
// no secret.
func TestFaultsOfProviders(t *testing.T) {
	folder := t.TempDir()
	wrong := filepath.Join(folder, "wrong.p8")
	if err := os.WriteFile(wrong, []byte("hidden-words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for block, want := range map[string]string{
		"provider apple-id a hidden-words":                                                                       "provider apple-id: client_secret: kind ",
		"provider apple-id {\nclient_id a\nteam_id T\nkey_id K\n}":                                               "provider apple-id: private_key: the option is missing",
		"provider apple-id {\nclient_id a\nteam_id T\nkey_id K\nprivate_key {file." + wrong + "}\n}":             "provider apple-id: private_key: the value is not PEM",
		"provider apple-id {\nclient_id a\nteam_id T\nkey_id K\nprivate_key {file." + folder + "/none.p8}\n}":    "provider apple-id: private_key: ",
		"provider entra a hidden-words {\ntype azuread-oauth2\ntenant example.com\n}":                            "provider entra: tenant: ",
		"provider intranet a hidden-words {\ntype oauth2\n}":                                                     "provider intranet: authorize_url: the option is missing",
		"provider github a hidden-words {\naudience x\n}":                                                        "provider github: audience: kind github does not use it",
		"provider google-oauth2 a hidden-words {\nhosted_domain {env.EDGEAUTH_TEST_UNSET}\n}":                    "provider google-oauth2: hosted_domain: ",
		"provider keycloak a hidden-words {\nissuer https://login.example.com\nfield subject sub\n}":             "provider keycloak: field: kind keycloak does not use it",
		"provider intranet a hidden-words {\ntype oauth2\nauthorize_url https://a.app\ntoken_url ftp://a.app\n}": "provider intranet: token_url: ",
		"provider vk-id a hidden-words":                                                                          "provider vk-id: client_secret: kind ",
	} {
		err := validate(setup{Port: "8080", Realm: "mailer log\n" + block}.caddyfile())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden-words") {
			t.Errorf("%s:\ngot  %v\nwant %s", block, err, want)
		}
	}
}
