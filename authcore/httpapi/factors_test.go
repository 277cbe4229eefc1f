package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
)

// factorAnswer has the members of the answers about second factors.
type factorAnswer struct {
	Token, Enrolment, Secret, QR, Code, Challenge string
	Methods                                       []string
	Enrol                                         bool
	RecoveryCodes                                 []string `json:"recovery_codes"`
	DeviceToken                                   string   `json:"device_token"`
	ExpiresIn                                     int64    `json:"expires_in"`
	RememberFor                                   int64    `json:"remember_for"`
}

func (w *world) totp(secret string) string {
	w.t.Helper()
	code, err := totp.GenerateCode(secret, time.Unix(w.clock.Load(), 0))
	if err != nil {
		w.t.Fatalf("totp.GenerateCode() failed: %v", err)
	}
	return code
}

// factors sends a request and returns its answer, which must have this status.
func (w *world) factors(path, body string, status int, headers ...string) (a factorAnswer) {
	w.t.Helper()
	text := w.post(path, body, headers...).wantStatus(w.t, status)
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		w.t.Fatalf("json.Unmarshal of the answer to %s failed: %v", path, err)
	}
	return a
}

// byMail sends the login by link and returns its answer.
func (w *world) byMail(address, device string, status int) factorAnswer {
	w.t.Helper()
	token, _ := w.mail(address)
	return w.factors("/by-link/login/", fmt.Sprintf(`{"token":%q,"client_key":%q,"device_token":%q}`, token, webKey, device), status)
}

func TestFactors(t *testing.T) {
	w := newWorld(t, func(c *realm.Config) {
		c.Rules.SecondFactor, c.RememberDevice = account.SecondFactorOptional, 24*time.Hour
	})
	first := w.login("ann@example.com")
	begun := w.factors("/factors/totp/", "{}", http.StatusOK, first.authorization()...)
	if !strings.HasPrefix(begun.QR, "data:image/svg+xml;base64,") || begun.ExpiresIn != 900 {
		t.Errorf("enrolment = %+v, want an image and 900 seconds", begun)
	}
	added := w.factors("/factors/totp/confirm/", fmt.Sprintf(`{"enrolment":%q,"code":%q}`, begun.Enrolment, w.totp(begun.Secret)), http.StatusOK, first.authorization()...)
	if len(added.RecoveryCodes) != 10 || added.Token == "" {
		t.Errorf("confirmation = %+v, want a token and ten recovery codes", added)
	}
	w.advance(time.Minute)
	lacks := w.byMail("ann@example.com", "", http.StatusForbidden)
	if lacks.Code != "second_factor_required" || lacks.Challenge == "" || lacks.Enrol || len(lacks.Methods) != 2 || lacks.ExpiresIn != 600 || lacks.RememberFor != 86400 {
		t.Errorf("login = %+v, want a challenge, with a day to remember the device", lacks)
	}
	w.post("/factors/login/", fmt.Sprintf(`{"challenge":%q}`, lacks.Challenge)).expect(t, 400, `{"code":["This field is required."]}`)
	done := w.factors("/factors/login/", fmt.Sprintf(`{"challenge":%q,"code":%q,"remember_device":true}`, lacks.Challenge, w.totp(begun.Secret)), http.StatusOK)
	if done.Token == "" || done.DeviceToken == "" {
		t.Fatalf("login with a second factor = %+v, want a token and a device", done)
	}
	again := w.factors("/factors/login/", fmt.Sprintf(`{"challenge":%q,"recovery_code":%q}`, lacks.Challenge, added.RecoveryCodes[0]), http.StatusBadRequest)
	if again.Code != "invalid_challenge" {
		t.Errorf("second use of a challenge = %+v, want invalid_challenge", again)
	}
	weak := w.byMail("ann@example.com", done.DeviceToken, http.StatusOK)
	refused := w.factors("/factors/recovery/", "{}", http.StatusForbidden, "Authorization", "Token "+weak.Token)
	if refused.Code != "second_factor_required" || refused.Challenge != "" || refused.RememberFor != 0 {
		t.Errorf("sensitive call with one factor = %+v, want second_factor_required without a challenge", refused)
	}
	w.advance(time.Minute)
	strong := w.factors("/factors/verify/", fmt.Sprintf(`{"code":%q}`, w.totp(begun.Secret)), http.StatusOK, "Authorization", "Token "+weak.Token)
	w.factors("/factors/recovery/", "{}", http.StatusOK, "Authorization", "Token "+strong.Token)
	list := w.call(http.MethodGet, "/factors/", "", "Authorization", "Token "+strong.Token).wantStatus(t, http.StatusOK)
	for _, want := range []string{`"recovery_codes_left":10`, `"required":false`, `"user_agent"`} {
		if !strings.Contains(list, want) {
			t.Errorf("GET /factors/ = %s, want %s", list, want)
		}
	}
	if strings.Contains(list, begun.Secret) || strings.Contains(w.logs.String(), begun.Secret) {
		t.Error("the secret is in the list or in the log")
	}
	for path, status := range map[string]int{"/factors/devices/x/": 404, "/factors/devices/": 204} {
		w.call(http.MethodDelete, path, "", "Authorization", "Token "+strong.Token).wantStatus(t, status)
	}
	w.call(http.MethodDelete, "/factors/recovery/", "", "Authorization", "Token "+strong.Token).wantStatus(t, http.StatusNoContent)
	w.call(http.MethodDelete, "/factors/totp/", "", "Authorization", "Token "+strong.Token).wantStatus(t, http.StatusNoContent)
	w.byMail("ann@example.com", "", http.StatusOK)
}

// A passkey completes a login in place of a code.
func TestPasskeyAtFactorLogin(t *testing.T) {
	w := newWorld(t, withPasskeys, func(c *realm.Config) {
		c.Rules.SecondFactor, c.RememberDevice = account.SecondFactorOptional, 24*time.Hour
	})
	first, a := w.login("ann@example.com"), authenticator.New(origin)
	w.addPasskey(a, first.Token, "Phone")
	begun := w.factors("/factors/totp/", "{}", http.StatusOK, first.authorization()...)
	w.factors("/factors/totp/confirm/", fmt.Sprintf(`{"enrolment":%q,"code":%q}`, begun.Enrolment, w.totp(begun.Secret)), http.StatusOK, first.authorization()...)
	lacks := w.byMail("ann@example.com", "", http.StatusForbidden)
	if len(lacks.Methods) != 3 || lacks.Methods[2] != "passkey" {
		t.Errorf("methods = %q, want the passkey after the other factors", lacks.Methods)
	}
	for body, want := range map[string]string{
		`{"challenge":%q,"credential":{},"code":"000000"}`: `{"code":["Not together with credential."]}`,
		`{"challenge":%q,"credential":1}`:                  `{"credential":["Not a valid object."]}`,
		`{"challenge":%q,"credential":{}}`:                 `{"detail":"The passkey was not accepted. Please try again.","code":"invalid_passkey"}`,
	} {
		w.post("/factors/login/", fmt.Sprintf(body, lacks.Challenge)).expect(t, 400, want)
	}
	done := w.factors("/factors/login/", fmt.Sprintf(`{"challenge":%q,"credential":%s,"remember_device":true}`, lacks.Challenge, w.assertion(a)), http.StatusOK)
	if done.Token == "" || done.DeviceToken == "" {
		t.Errorf("login with a passkey as second factor = %+v, want a token and a device", done)
	}
}

func TestRequiredFactorAtLogin(t *testing.T) {
	w := newWorld(t, func(c *realm.Config) { c.Rules.SecondFactor = account.SecondFactorRequired })
	lacks := w.byMail("ann@example.com", "", http.StatusForbidden)
	if !lacks.Enrol || lacks.RememberFor != 0 {
		t.Fatalf("login = %+v, want an enrolment", lacks)
	}
	begun := w.factors("/factors/totp/", fmt.Sprintf(`{"challenge":%q}`, lacks.Challenge), http.StatusOK)
	done := w.factors("/factors/login/",
		fmt.Sprintf(`{"challenge":%q,"enrolment":%q,"code":%q}`, lacks.Challenge, begun.Enrolment, w.totp(begun.Secret)), http.StatusOK)
	if done.Token == "" || len(done.RecoveryCodes) != 10 {
		t.Errorf("login with an enrolment = %+v, want a token and ten recovery codes", done)
	}
	w.post("/factors/totp/", "{}").wantStatus(t, http.StatusUnauthorized)
}
