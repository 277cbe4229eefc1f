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
	if err.Code == authcore.CodeThrottled {
		return strings.ReplaceAll(text.ErrThrottled, "{time}", language.InWords(max(err.RetryAfter, time.Second), v.Lang))
	}
	known := map[authcore.Code]string{
		authcore.CodeInvalidLink:              text.ErrLink,
		authcore.CodeInvalidCode:              text.ErrCode,
		authcore.CodeInvalidState:             text.ErrState,
		authcore.CodeInvalidChallenge:         text.ErrState,
		authcore.CodeProviderMismatch:         text.ErrState,
		authcore.CodeInvalidPasskey:           text.ErrPasskey,
		authcore.CodeUnknownPasskey:           text.ErrUnknownPasskey,
		codeCrossSite:                         text.ErrCrossSite,
		authcore.CodeNotFound:                 text.ErrNotFound,
		codeMethodNotAllowed:                  text.ErrNotFound,
		authcore.CodeProviderDenied:           text.ErrDenied,
		authcore.CodeSignupClosed:             text.ErrNotAdmitted,
		authcore.CodeNotAdmitted:              text.ErrNotAdmitted,
		authcore.CodeUserInactive:             text.ErrInactive,
		authcore.CodeEmailTaken:               text.ErrEmailTaken,
		authcore.CodeIdentityTaken:            text.ErrIdentityTaken,
		authcore.CodeIdentityUnlinked:         text.ErrUnlinked,
		authcore.CodeLastIdentity:             text.ErrLastLogin,
		authcore.CodeLastFactor:               text.ErrLastFactor,
		authcore.CodeReauthenticationRequired: text.ErrRecent,
	}
	if text, found := known[err.Code]; found {
		return text
	}
	if err.Status >= http.StatusInternalServerError {
		return text.ErrUnavailable
	}
	return text.ErrOther
}
