package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
)

// linkReceipt is the same for every address.
type linkReceipt struct {
	Email     string `json:"email"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	DebugLink string `json:"_debug_auth_link,omitempty"`
}

// requestLink has a link mailed.
func (h *Handler) requestLink(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	in, err := read(from, email(), optional("client_key"), optional("locale"))
	if err != nil {
		return answer{}, err
	}
	receipt, err := h.service.RequestLink(r.Context(), authcore.LinkRequest{
		Email:     in["email"],
		ClientKey: in["client_key"],
		Locale:    in["locale"],
		Caller:    h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, linkReceipt{
		Email:     in["email"],
		ExpiresIn: int64(receipt.ExpiresIn.Seconds()),
		DebugLink: receipt.DebugLink,
	})
}

// loginByMail spends what a mail held: the token of its link, or its code.
func (h *Handler) loginByMail(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	if isCodeLogin(from) {
		return h.loginByCode(r, from)
	}
	in, err := read(from, required("token"), required("client_key"))
	if err != nil {
		return answer{}, err
	}
	return signedInAs(h.service.LoginByLink(r.Context(), authcore.LinkLogin{
		Token:     in["token"],
		ClientKey: in["client_key"],
		Caller:    h.caller(r),
	}))
}

// isCodeLogin tells the two apart. A token decides, also a faulty one.
func isCodeLogin(from source) bool {
	if _, found := from("token"); found {
		return false
	}
	for _, name := range []string{"code", "email"} {
		if _, found := from(name); found {
			return true
		}
	}
	return false
}

func (h *Handler) loginByCode(r *request, from source) (answer, error) {
	in, err := read(from, email(), required("code"), required("client_key"))
	if err != nil {
		return answer{}, err
	}
	return signedInAs(h.service.LoginByCode(r.Context(), authcore.CodeLogin{
		Email:     in["email"],
		Code:      in["code"],
		ClientKey: in["client_key"],
		Caller:    h.caller(r),
	}))
}
