package pages

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// Codes of this package. Pages show texts instead; the codes are for the log.
const (
	codeCrossSite        authcore.Code = "cross_site"
	codeMethodNotAllowed authcore.Code = "method_not_allowed"
	codeInternal         authcore.Code = "internal"
)

func errCrossSite() *authcore.Error {
	return &authcore.Error{Status: http.StatusForbidden, Code: codeCrossSite, Detail: "Requests from this site are not allowed."}
}

func errMethod() *authcore.Error {
	return &authcore.Error{Status: http.StatusMethodNotAllowed, Code: codeMethodNotAllowed, Detail: "Method not allowed."}
}

// errState refuses what began in another browser or has expired.
func errState() *authcore.Error {
	return &authcore.Error{
		Status: http.StatusBadRequest, Code: authcore.CodeInvalidState,
		Detail: "This sign-in has expired or was started elsewhere. Please try again.",
	}
}

func asPublic(err error) (*authcore.Error, bool) { return errors.AsType[*authcore.Error](err) }

// panicked returns the error for a panic, which it logs.
func (h *Handler) panicked(fault any) error {
	return &authcore.Error{
		Status: http.StatusInternalServerError, Code: codeInternal, Detail: "Internal server error.",
		Err: fmt.Errorf("panic of type %T\n%s", fault, debug.Stack()),
	}
}

// fail shows an error page.
func (h *Handler) fail(r *request, err error) {
	public := authcore.Unavailable(err)
	if public.Status >= http.StatusInternalServerError {
		h.Failed(public.Code)
		h.Logger.Error("a page failed", "code", string(public.Code), "error", public)
	}
	if public.RetryAfter > 0 {
		r.w.Header().Set("Retry-After", strconv.Itoa(int((public.RetryAfter+time.Second-1)/time.Second)))
	}
	r.view.Error = r.view.failure(public)
	if err := h.show(r, public.Status, "error"); err != nil {
		h.Logger.Error("a template failed", "error", err)
		http.Error(r.w, http.StatusText(public.Status), public.Status)
	}
}

// failure returns the text about an error in the language of the view.
func (v *view) failure(err *authcore.Error) string {
	text := &v.Text
	switch err.Code { //nolint:exhaustive // the others have one text
	case authcore.CodeThrottled:
		return strings.ReplaceAll(text.ErrThrottled, "{time}", language.InWords(max(err.RetryAfter, time.Second), v.Lang))
	case authcore.CodeInvalidLink:
		return text.ErrLink
	case authcore.CodeInvalidCode:
		return text.ErrCode
	case authcore.CodeInvalidState, authcore.CodeInvalidChallenge, authcore.CodeProviderMismatch:
		return text.ErrState
	case authcore.CodeInvalidPasskey:
		return text.ErrPasskey
	case authcore.CodeUnknownPasskey:
		return text.ErrUnknownPasskey
	case codeCrossSite:
		return text.ErrCrossSite
	case authcore.CodeNotFound, codeMethodNotAllowed:
		return text.ErrNotFound
	case authcore.CodeProviderDenied:
		return text.ErrDenied
	case authcore.CodeSignupClosed, authcore.CodeNotAdmitted:
		return text.ErrNotAdmitted
	case authcore.CodeUserInactive:
		return text.ErrInactive
	case authcore.CodeEmailTaken:
		return text.ErrEmailTaken
	case authcore.CodeIdentityTaken:
		return text.ErrIdentityTaken
	case authcore.CodeIdentityUnlinked:
		return text.ErrUnlinked
	case authcore.CodeLastIdentity:
		return text.ErrLastLogin
	case authcore.CodeLastFactor:
		return text.ErrLastFactor
	case authcore.CodeReauthenticationRequired:
		return text.ErrRecent
	}
	if err.Status >= http.StatusInternalServerError {
		return text.ErrUnavailable
	}
	return text.ErrOther
}
