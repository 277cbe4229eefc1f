package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// emailChangeReceipt is the body of the answer to a request for a change of address,
// the same for every address.
type emailChangeReceipt struct {
	Email     string `json:"email"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	RequestID string `json:"request_id"`
	// CurrentCode reports that the confirmation also needs the code that was mailed
	// to the current address.
	CurrentCode bool `json:"current_code_required"`
}

// requestEmailChange mails a code to the new address of the user.
func (h *Handler) requestEmailChange(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(email(), optional("locale"))
	if err != nil {
		return answer{}, err
	}
	receipt, err := h.realm.Logins.RequestEmailChange(r.Context(), login.EmailChangeRequest{
		Claims: claims,
		Email:  in["email"],
		Locale: in["locale"],
		Caller: h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, emailChangeReceipt{
		Email:       in["email"],
		ExpiresIn:   int64(receipt.ExpiresIn.Seconds()),
		RequestID:   receipt.RequestID,
		CurrentCode: receipt.NeedsCurrentCode,
	})
}

// confirmEmailChange changes the address. The answer is that of a login.
func (h *Handler) confirmEmailChange(r *request, claims *gate.Claims) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	currentCode := code()
	currentCode.name, currentCode.required = "current_code", false
	in, err := read(from, trimmed("request_id"), code(), currentCode)
	if err != nil {
		return answer{}, err
	}
	grant, err := h.realm.Logins.ConfirmEmailChange(r.Context(), login.EmailChangeProof{
		Claims:      claims,
		RequestID:   in["request_id"],
		Code:        in["code"],
		CurrentCode: in["current_code"],
		Caller:      h.caller(r),
	})
	return h.signedInAs(r)(grant, err)
}

// deleteUser deletes the user of the token.
func (h *Handler) deleteUser(r *request, claims *gate.Claims) (answer, error) {
	if err := h.realm.Accounts.DeleteCurrentUser(r.Context(), claims, h.caller(r)); err != nil {
		return answer{}, err
	}
	h.forget(r)
	return answer{status: http.StatusNoContent}, nil
}

// exportUser returns everything that is stored about the user, as a file.
func (h *Handler) exportUser(r *request, claims *gate.Claims) (answer, error) {
	export, err := h.realm.Accounts.Export(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	a, err := reply(http.StatusOK, export)
	a.header = http.Header{"Content-Disposition": {`attachment; filename="account.json"`}}
	return a, err
}
