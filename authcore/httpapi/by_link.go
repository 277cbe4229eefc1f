package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/login"
)

// linkReceipt is the body of the answer to a link request, the same for every
// address.
type linkReceipt struct {
	Email     string `json:"email"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	RequestID string `json:"request_id"`
	DebugLink string `json:"_debug_auth_link,omitempty"`
}

// requestLink mails a link.
func (h *Handler) requestLink(r *request) (answer, error) {
	in, err := h.ofLogin(r)(r.fields(email(), optional("client_key"), optional("locale"), optional("return_to"), blank("captcha_response")))
	if err != nil {
		return answer{}, err
	}
	start, err := h.pageStart(r, in)
	if err != nil {
		return answer{}, err
	}
	receipt, err := h.realm.Logins.RequestLink(r.Context(), login.LinkRequest{
		Email:     in["email"],
		ClientKey: in["client_key"],
		Locale:    in["locale"],
		Page:      start,
		Captcha:   in["captcha_response"],
		Caller:    h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, linkReceipt{
		Email:     in["email"],
		ExpiresIn: int64(receipt.ExpiresIn.Seconds()),
		RequestID: receipt.RequestID,
		DebugLink: receipt.DebugLink,
	})
}

// loginByMail logs in with the token of a mailed link, or with a mailed code.
func (h *Handler) loginByMail(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	if isCodeLogin(from) {
		return h.loginByCode(r, from)
	}
	in, err := h.ofLogin(r)(read(from, trimmed("token"), h.clientKey(), blank("device_token")))
	if err != nil {
		return answer{}, err
	}
	return h.signedInAs(r)(h.realm.Logins.ByLink(r.Context(), login.LinkLogin{
		Token:     in["token"],
		ClientKey: in["client_key"],
		Caller:    h.callerOn(r, in["device_token"]),
	}))
}

// isCodeLogin reports whether a request is a login by code. A token decides, even if
// it is faulty.
func isCodeLogin(from source) bool {
	if _, found := from("token"); found {
		return false
	}
	for _, name := range []string{"code", "request_id", "email"} {
		if _, found := from(name); found {
			return true
		}
	}
	return false
}

// loginByCode ignores the member "email", which frontends may send along.
func (h *Handler) loginByCode(r *request, from source) (answer, error) {
	in, err := h.ofLogin(r)(read(from, trimmed("request_id"), code(), h.clientKey(), blank("device_token")))
	if err != nil {
		return answer{}, err
	}
	return h.signedInAs(r)(h.realm.Logins.ByCode(r.Context(), login.CodeLogin{
		RequestID: in["request_id"],
		Code:      in["code"],
		ClientKey: in["client_key"],
		Caller:    h.callerOn(r, in["device_token"]),
	}))
}
