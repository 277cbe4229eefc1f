package gate

import (
	"errors"
	"testing"
	"time"
)

// The answer states everything that another login has to provide, and nothing to users
// whom no login helps.
func TestStepUp(t *testing.T) {
	amr := Requirement{"amr", []string{"passkey", "totp"}}
	acr := Requirement{"acr", []string{"2"}}
	tests := []struct {
		name            string
		policy          Policy
		err             error
		challenge, body string
		needs           string
	}{
		{"age", Policy{MaxAge: time.Minute}, ErrTooOld, `, max_age="60"`, `,"max_age":60`, ""},
		{"amr", Policy{Require: []Requirement{amr}}, ErrFactorMissing, `, amr_values="passkey totp"`, `,"amr":["passkey","totp"]`, "amr=passkey+totp"},
		{"acr", Policy{Require: []Requirement{acr}}, ErrFactorMissing, `, acr_values="2"`, `,"acr":["2"]`, "acr=2"},
		{
			"all",
			Policy{MaxAge: time.Minute, Require: []Requirement{{"amr", []string{"mail"}}, amr, acr}},
			ErrFactorMissing,
			`, acr_values="2", amr_values="passkey totp", max_age="60"`, `,"acr":["2"],"amr":["passkey","totp"],"max_age":60`,
			"acr=2&amr=passkey+totp&max_age=60",
		},
		{"amr and age that suffices", Policy{MaxAge: time.Hour, Require: []Requirement{amr}}, ErrFactorMissing, `, amr_values="passkey totp"`, `,"amr":["passkey","totp"]`, "amr=passkey+totp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims := testClaims()
			d := test.policy.judge(&claims, testNow)
			if !errors.Is(d.Err, test.err) || errors.Is(d.Err, ErrInvalidToken) || d.Status != 401 || d.Claims != nil {
				t.Errorf("judge = %+v, want 401 %v", d, test.err)
			}
			header := Header{}
			d.Answer(header)
			want := `Token error="insufficient_user_authentication"` + test.challenge
			if got := header["Www-Authenticate"]; len(got) != 1 || got[0] != want {
				t.Errorf("WWW-Authenticate = %q, want %q", got, want)
			}
			if want := `{"detail":"This request requires another login.","code":"insufficient_user_authentication"` + test.body + "}"; d.Body != want {
				t.Errorf("body = %s, want %s", d.Body, want)
			}
			if d.needs != test.needs {
				t.Errorf("needs = %q, want %q", d.needs, test.needs)
			}
		})
	}
	for name, policy := range map[string]Policy{
		"factor and role": {Require: []Requirement{amr, {"client", []string{"ios"}}}},
		"age and role":    {MaxAge: time.Minute, Require: []Requirement{{"client", []string{"ios"}}}},
	} {
		claims := testClaims()
		if d := policy.judge(&claims, testNow); !errors.Is(d.Err, ErrForbidden) {
			t.Errorf("judge with %s = %+v, want ErrForbidden", name, d)
		}
	}
}
