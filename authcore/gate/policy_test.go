package gate

import (
	"strings"
	"testing"
	"time"
)

func TestPolicyValidate(t *testing.T) {
	require := func(field string, values ...string) Policy {
		return Policy{Require: []Requirement{{field, values}}}
	}
	tests := []struct {
		name   string
		policy Policy
		want   string // "": valid
	}{
		{"nothing", Policy{}, ""},
		{"optional", Policy{Optional: true, MaxAge: time.Hour}, ""},
		{"id", require("id", "u"), ""},
		{"email", require("email", "Ada@Example.com", "x@localhost"), ""},
		{"email_domain", require("email_domain", "example.com", "xn--bcher-kva.example"), ""},
		{"email_verified", require("email_verified", "true"), ""},
		{"method, client, name", Policy{Require: []Requirement{{"method", []string{"link"}}, {"client", []string{"web"}}, {"name", []string{"Zoë"}}}}, ""},
		{"amr", require("amr", "mail", "social", "passkey", "totp", "recovery", "key"), ""},
		{"acr", require("acr", "1", "2"), ""},
		{"unknown method", require("amr", "totp", "sms"), "require amr: a value is not one of mail, social"},
		{"unknown level", require("acr", "3"), "require acr: a value is neither 1 nor 2"},
		{"negative age", Policy{MaxAge: -1}, "max_age: must not be negative"},
		{"optional and required", Policy{Optional: true, Require: []Requirement{{"id", []string{"u"}}}}, "optional: excludes require"},
		{"role", require("role", "admin", "a_b-1"), ""},
		{"role in another case", require("role", "Admin"), "require role: a value is not the name of a role"},
		{"roles in one value", require("role", "admin,editor"), "require role: a value is not the name of a role"},
		{"unknown field", require("shoe_size", "x"), "require shoe_size: unknown field"},
		{"field in another case", require("ID", "x"), "require ID: unknown field"},
		{"field that cannot be required", require("session", "x"), "require session: unknown field"},
		{"no values", require("id"), "require id: needs a value"},
		{"empty value", require("id", "x", ""), "require id: a value is empty"},
		{"not an address", require("email", "example.com"), "require email: a value is not an e-mail address"},
		{"two at signs", require("email", "a@b@c"), "require email: a value is not an e-mail address"},
		{"address without domain", require("email", "a@"), "require email: a value is not an e-mail address"},
		{"domain with at sign", require("email_domain", "@example.com"), "require email_domain: a value is not a domain"},
		{"international domain", require("email_domain", "bücher.example"), "require email_domain: a value is not a domain"},
		{"wildcard", require("email_domain", "*.example.com"), "require email_domain: a value is not a domain"},
		{"dot in front", require("email_domain", ".example.com"), "require email_domain: a value is not a domain"},
		{"yes", require("email_verified", "yes"), "require email_verified: a value is neither true nor false"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.policy.Validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("Validate() = %v, want %q", err, test.want)
			}
		})
	}
	several := Policy{MaxAge: -1, Require: []Requirement{{"x", nil}, {"id", nil}}}
	if err := several.Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("Validate() = %v, want three faults", err)
	}
}

func TestRequirements(t *testing.T) {
	verified := testClaims()
	unverified := testClaims()
	unverified.EmailVerified = false
	twoFactors := testClaims()
	twoFactors.AMR, twoFactors.ACR = []string{"mail", "totp"}, "2"
	odd := testClaims()
	odd.Email = "Ada@kernel.example"
	tests := []struct {
		name   string
		claims Claims
		field  string
		values []string
		want   bool
	}{
		{"id", verified, "id", []string{testUser}, true},
		{"one of several", verified, "id", []string{"x", testUser}, true},
		{"id in another case", verified, "id", []string{strings.ToUpper(testUser)}, false},
		{"a part of the id", verified, "id", []string{testUser[:35]}, false},
		{"email", verified, "email", []string{"ada@example.com"}, true},
		{"email in another case", verified, "email", []string{"ADA@Example.COM"}, true},
		{"email not verified", unverified, "email", []string{"ada@example.com"}, false},
		{"email of another", verified, "email", []string{"bob@example.com"}, false},
		{"email_domain", verified, "email_domain", []string{"Example.com"}, true},
		{"email_domain not verified", unverified, "email_domain", []string{"example.com"}, false},
		{"email_domain of a part", verified, "email_domain", []string{"com", "ample.com"}, false},
		{"Kelvin sign for a k", odd, "email_domain", []string{"\u212aernel.example"}, false},
		{"email_verified", verified, "email_verified", []string{"true"}, true},
		{"email_verified is not", unverified, "email_verified", []string{"true"}, false},
		{"email_verified not wanted", unverified, "email_verified", []string{"false"}, true},
		{"method", verified, "method", []string{"code", "link"}, true},
		{"other method", verified, "method", []string{"github"}, false},
		{"client", verified, "client", []string{"web"}, true},
		{"amr", twoFactors, "amr", []string{"passkey", "totp"}, true},
		{"amr of the first factor", twoFactors, "amr", []string{"mail"}, true},
		{"other amr", twoFactors, "amr", []string{"passkey"}, false},
		{"a list is not one value", twoFactors, "amr", []string{"mail,totp"}, false},
		{"no amr", Claims{}, "amr", []string{"mail"}, false},
		{"acr", twoFactors, "acr", []string{"2"}, true},
		{"lower acr", verified, "acr", []string{"2"}, false},
		{"greater acr", twoFactors, "acr", []string{"1"}, true},
		{"name", verified, "name", []string{"Ada Lovelace"}, true},
		{"empty value is not in the claims", Claims{}, "name", []string{""}, false},
		{"unknown field", verified, "role", []string{""}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Requirement{Field: test.field, Values: test.values}
			if got := r.holds(&test.claims); got != test.want {
				t.Errorf("holds = %t, want %t", got, test.want)
			}
		})
	}
}
