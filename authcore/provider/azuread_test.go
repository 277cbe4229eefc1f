package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	tenantA = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	tenantB = "0b3fc178-b730-4e8b-9843-e81259237b77"
)

func issuerOf(tenant string) string { return "https://login.microsoftonline.com/" + tenant + "/v2.0" }

// azureScript plays a login of a tenant's user.
func azureScript(t *testing.T, tenant string, allowed ...string) *script {
	t.Helper()
	row := rowOf(t, "azuread-oauth2")
	row.cfg.Tenants = allowed
	return row.script(t).claim(map[string]any{"tid": tenant, "iss": issuerOf(tenant)})
}

// TestTenantsOfMicrosoft checks which tenants are admitted, and the tenant in the
// endpoint URLs.
func TestTenantsOfMicrosoft(t *testing.T) {
	for _, test := range []struct {
		allowed []string
		path    string
		tenant  string
		want    error
	}{
		{nil, "common", tenantA, nil},
		{nil, "common", personalTenant, nil},
		{[]string{"common"}, "common", tenantB, nil},
		{[]string{"organizations"}, "organizations", tenantA, nil},
		{[]string{"organizations"}, "organizations", personalTenant, authcore.ErrProviderDenied},
		{[]string{"consumers"}, "consumers", personalTenant, nil},
		{[]string{"consumers"}, "consumers", tenantA, authcore.ErrProviderDenied},
		{[]string{tenantA}, tenantA, tenantA, nil},
		{[]string{tenantA}, tenantA, tenantB, authcore.ErrProviderDenied},
		{[]string{tenantA, tenantB}, "common", tenantB, nil},
		{[]string{tenantA, tenantB}, "common", personalTenant, authcore.ErrProviderDenied},
	} {
		s := azureScript(t, test.tenant, test.allowed...)
		got, err := s.exchange(s.provider())
		wants(t, err, test.want)
		if err == nil && got.Issuer != issuerOf(test.tenant) {
			t.Errorf("%v: exchange() = %+v", test.allowed, got)
		}
		endpoint, err := s.provider().Endpoint(t.Context())
		if want := "https://login.microsoftonline.com/" + test.path + "/oauth2/v2.0/authorize"; err != nil || endpoint.AuthorizeURL != want {
			t.Errorf("%v: Endpoint() = %+v, %v", test.allowed, endpoint, err)
		}
	}
}

// TestTenantForgery contains different tenants in different claims. Any attacker
// can create a tenant, and the values that its administrator sets must not pass for
// a user of another tenant (CWE-346).
func TestTenantForgery(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"issuer of another tenant":  {"iss": issuerOf(tenantB)},
		"tid of another tenant":     {"tid": tenantB},
		"no tid":                    {"tid": absent},
		"tid of a wrong type":       {"tid": []string{tenantA}},
		"the template itself":       {"tid": "{tenantid}", "iss": issuerOf("{tenantid}")},
		"an empty tenant":           {"tid": "", "iss": issuerOf("")},
		"a tenant that is a path":   {"tid": tenantA + "/x", "iss": issuerOf(tenantA + "/x")},
		"a tenant in upper case":    {"tid": strings.ToUpper(tenantA), "iss": issuerOf(strings.ToUpper(tenantA))},
		"the issuer of v1 tokens":   {"iss": "https://sts.windows.net/" + tenantA + "/"},
		"a host that begins alike":  {"iss": "https://login.microsoftonline.com.evil.example/" + tenantA + "/v2.0"},
		"another path of the host":  {"iss": "https://login.microsoftonline.com/" + tenantA + "/v2.0/"},
		"no issuer":                 {"iss": absent},
		"a domain instead of an id": {"tid": "example.com", "iss": issuerOf("example.com")},
	} {
		t.Run(name, func(t *testing.T) {
			s := azureScript(t, tenantA)
			for claim, value := range claims {
				s.set(place{"claims", claim}, value)
			}
			_, err := s.exchange(s.provider())
			wants(t, err, authcore.ErrProviderMismatch)
		})
	}
}

// TestKeyOfAnotherTenant signs with a key that the set assigns to another issuer.
func TestKeyOfAnotherTenant(t *testing.T) {
	for _, test := range []struct {
		keyIssuer any
		want      error
	}{
		{issuerOf(tenantMark), nil},
		{issuerOf(tenantA), nil},
		{absent, nil},
		{issuerOf(tenantB), authcore.ErrProviderMismatch},
		{issuerOf(personalTenant), authcore.ErrProviderMismatch},
		{"https://login.microsoftonline.us/" + tenantMark + "/v2.0", authcore.ErrProviderMismatch},
	} {
		s := azureScript(t, tenantA)
		set, err := json.Marshal(publicKeys("kid-1", &testKeys().rsa.PublicKey).Keys[0])
		if err != nil {
			t.Fatalf("Marshal() failed: %v", err)
		}
		var key map[string]any
		if err := json.Unmarshal(set, &key); err != nil {
			t.Fatalf("Unmarshal() failed: %v", err)
		}
		if test.keyIssuer != absent {
			key["issuer"] = test.keyIssuer
		}
		s.answer(s.at.jwks, 200, map[string]any{"keys": []any{key}})
		_, err = s.exchange(s.provider())
		wants(t, err, test.want)
	}
}

// TestAddressesOfMicrosoft contains addresses that a tenant's administrator chose:
// the attack known as nOAuth sets the victim's address.
func TestAddressesOfMicrosoft(t *testing.T) {
	for value, want := range map[any]bool{true: true, "true": true, 1: true, "1": true, false: false, "0": false, 2: false, "TRUE": false} {
		s := azureScript(t, tenantA).claim(map[string]any{"email": "victim@example.com", "email_verified": true, "xms_edov": value})
		got, err := s.exchange(s.provider())
		if err != nil || got.EmailVerified != want {
			t.Errorf("%v: exchange() = %+v, %v", value, got, err)
		}
	}
	s := azureScript(t, tenantA).claim(map[string]any{"email_verified": true, "upn": "victim@example.com"})
	s.set(place{"claims", "xms_edov"}, absent)
	s.set(place{"claims", "email"}, absent)
	got, err := s.exchange(s.provider())
	if err != nil || got.Email != "" || got.EmailVerified {
		t.Errorf("exchange() = %+v, %v, want no address from the user principal name", got, err)
	}
}

// TestNationalCloud uses another host, also in the issuer.
func TestNationalCloud(t *testing.T) {
	row := rowOf(t, "azuread-oauth2")
	row.cfg.BaseURL = "https://login.microsoftonline.us/"
	issuer := "https://login.microsoftonline.us/" + tenantA + "/v2.0"
	s := row.script(t).claim(map[string]any{"iss": issuer})
	got, err := s.exchange(s.provider())
	if err != nil || got.Issuer != issuer {
		t.Errorf("exchange() = %+v, %v", got, err)
	}
	s.once.Clear()
	s.claims["iss"] = issuerOf(tenantA)
	_, err = s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderMismatch)
}

// TestAlgorithmOfMicrosoft accepts RS256 only.
func TestAlgorithmOfMicrosoft(t *testing.T) {
	s := azureScript(t, tenantA)
	s.sign = signer(jwt.SigningMethodPS256, testKeys().rsa, "kid-1")
	_, err := s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderMismatch)
}
