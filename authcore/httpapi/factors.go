package httpapi

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// factorsBody lists the second factors of the user. An absent time is "".
type factorsBody struct {
	// TOTP is null if the user has no authenticator application.
	TOTP         *totpBody    `json:"totp"`
	RecoveryLeft int          `json:"recovery_codes_left"`
	Devices      []deviceBody `json:"devices"`
	Required     bool         `json:"required"`
}

type totpBody struct {
	ID       string `json:"id"`
	Created  string `json:"created"`
	LastUsed string `json:"last_used"`
}

type deviceBody struct {
	ID        string `json:"id"`
	Created   string `json:"created"`
	ExpiresAt string `json:"expires_at"`
	UserAgent string `json:"user_agent"`
}

// listFactors returns the second factors of the user.
func (h *Handler) listFactors(r *request, claims *gate.Claims) (answer, error) {
	overview, err := h.realm.Factors.List(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	body := factorsBody{RecoveryLeft: overview.RecoveryLeft, Devices: []deviceBody{}, Required: overview.Required}
	if enrolled := overview.TOTP; enrolled != nil {
		body.TOTP = &totpBody{ID: enrolled.ID, Created: rfc3339(enrolled.Created), LastUsed: rfc3339(enrolled.LastUsed)}
	}
	for _, device := range overview.Devices {
		body.Devices = append(body.Devices, deviceBody{
			ID: device.ID, Created: rfc3339(device.Created), ExpiresAt: rfc3339(device.Expires), UserAgent: device.UserAgent,
		})
	}
	return reply(http.StatusOK, body)
}

// enrolmentBody is a secret for an authenticator application.
type enrolmentBody struct {
	Enrolment string `json:"enrolment"`
	Secret    string `json:"secret"`
	URI       string `json:"uri"`
	// QR is a data URL of an SVG image.
	QR        string `json:"qr"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// beginTOTP returns a secret for the user of the token, or for that of a challenge who has
// to add a factor to log in.
func (h *Handler) beginTOTP(r *request) (answer, error) {
	in, err := r.fields(optional("challenge"))
	if err != nil {
		return answer{}, err
	}
	if in["challenge"] != "" {
		return enrolmentAnswer(h.realm.Logins.BeginEnrolment(r.Context(), in["challenge"]))
	}
	return h.signedIn(func(r *request, claims *gate.Claims) (answer, error) {
		return enrolmentAnswer(h.realm.Factors.Begin(r.Context(), claims))
	})(r)
}

func enrolmentAnswer(begun factor.Enrolment, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, enrolmentBody{
		Enrolment: begun.Sealed, Secret: begun.Secret, URI: begun.URI,
		QR:        "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(begun.QR),
		ExpiresIn: int64(begun.ExpiresIn / time.Second),
	})
}

// factorLoginBody is the body of a login with a second factor. Absent members are left
// out.
type factorLoginBody struct {
	loginBody
	RecoveryCodes []string `json:"recovery_codes,omitempty"`
	DeviceToken   string   `json:"device_token,omitempty"`
}

// withFactor is the answer of a login, with the secrets that it shows once. With the
// session cookie, the token of the device is in a cookie as well, so that no script has it.
func (h *Handler) withFactor(r *request, grant session.Grant, codes []string, device string) (answer, error) {
	if r.byCookie {
		if err := h.keep(r, &grant); err != nil {
			return answer{}, err
		}
		if device != "" {
			r.cookies = append(r.cookies, h.site.cookies().New(gate.CookieDevice, device, h.realm.Factors.Remembers()))
			device = ""
		}
	}
	return reply(http.StatusOK, factorLoginBody{loginBody: loginBodyOf(grant), RecoveryCodes: codes, DeviceToken: device})
}

// confirmTOTP adds the application of an enrolment. The answer is that of a login, with
// new recovery codes if the user had none.
func (h *Handler) confirmTOTP(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(trimmed("enrolment"), code())
	if err != nil {
		return answer{}, err
	}
	grant, codes, err := h.realm.Factors.Confirm(r.Context(), claims, in["enrolment"], in["code"], h.caller(r))
	if err != nil {
		return answer{}, err
	}
	return h.withFactor(r, grant, codes, "")
}

// loginByFactor completes a login with a second factor.
func (h *Handler) loginByFactor(r *request) (answer, error) {
	in, err := r.fields(trimmed("challenge"), codeUnless("recovery_code", "credential"), optional("recovery_code"),
		optional("enrolment"), field{name: "credential", object: true}, flag("remember_device"))
	if err != nil {
		return answer{}, err
	}
	if err := h.continueWith(r, in["challenge"]); err != nil {
		return answer{}, err
	}
	grant, err := h.realm.Logins.BySecondFactor(r.Context(), login.FactorLogin{
		Challenge: in["challenge"], Code: in["code"], RecoveryCode: in["recovery_code"], Enrolment: in["enrolment"],
		Credential: []byte(in["credential"]), Remember: in.isSet("remember_device"), Caller: h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return h.withFactor(r, grant.Grant, grant.RecoveryCodes, grant.Device)
}

// codeUnless is the code of an application, which one of the other fields replaces.
func codeUnless(others ...string) field {
	f := code()
	f.unless = others
	return f
}

// verifyFactor adds a second factor to the session of the token. The answer is that of a
// login.
func (h *Handler) verifyFactor(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(codeUnless("recovery_code"), optional("recovery_code"))
	if err != nil {
		return answer{}, err
	}
	grant, err := h.realm.Factors.Verify(r.Context(), claims, factor.Proof{
		Code: in["code"], RecoveryCode: in["recovery_code"], Caller: h.caller(r),
	})
	return h.signedInAs(r)(grant, err)
}

// newRecoveryCodes replaces the recovery codes of the user.
func (h *Handler) newRecoveryCodes(r *request, claims *gate.Claims) (answer, error) {
	codes, err := h.realm.Factors.NewRecoveryCodes(r.Context(), claims, h.caller(r))
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, map[string][]string{"recovery_codes": codes})
}

// removeTOTP removes the authenticator app.
func (h *Handler) removeTOTP(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Factors.Remove(r.Context(), claims, authcore.FactorTOTP, h.caller(r)))
}

// removeRecovery removes the recovery codes.
func (h *Handler) removeRecovery(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Factors.Remove(r.Context(), claims, authcore.FactorRecovery, h.caller(r)))
}

// forgetDevices forgets the device that the path names, or all devices of the user.
func (h *Handler) forgetDevices(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Factors.ForgetDevice(r.Context(), claims, r.param))
}

// missingBody is the body of the answer that a second factor is required.
type missingBody struct {
	failureBody
	Challenge   string   `json:"challenge,omitempty"`
	Methods     []string `json:"methods"`
	Enrol       bool     `json:"enrol"`
	ExpiresIn   int64    `json:"expires_in,omitempty"`   // seconds
	RememberFor int64    `json:"remember_for,omitempty"` // seconds
}

func missingAnswer(e *authcore.Error) answer {
	a, _ := reply(e.Status, missingBody{ // which can be encoded
		failureBody: failureBody{Detail: e.Detail, Code: e.Code},
		Challenge:   e.Missing.Challenge, Methods: append([]string{}, e.Missing.Methods...), Enrol: e.Missing.Enrol,
		ExpiresIn: int64(e.Missing.ExpiresIn / time.Second), RememberFor: int64(e.Missing.RememberFor / time.Second),
	})
	return a
}
