package pages

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Limits of a form and of one of its values, in bytes.
const (
	maxForm  = 64 << 10
	maxValue = 8 << 10
)

// readForm parses the body of a POST. Values that are not valid UTF-8, contain NUL or
// are too long are refused.
func (r *request) readForm() error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return &authcore.Error{
			Status: http.StatusUnsupportedMediaType, Code: authcore.CodeInvalidRequest, Detail: "The form has an unsupported format.",
		}
	}
	r.Body = http.MaxBytesReader(r.w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return badForm()
	}
	for _, values := range r.PostForm {
		if slices.ContainsFunc(values, func(value string) bool {
			return len(value) > maxValue || !utf8.ValidString(value) || strings.Contains(value, "\x00")
		}) {
			return badForm()
		}
	}
	return nil
}

func badForm() *authcore.Error {
	return &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: "The form is not valid."}
}

// returnTo returns the return address of the request, or the default one.
func (h *Handler) returnTo(r *request) string {
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		values = r.PostForm
	}
	return h.checkedReturn(values.Get("return_to"))
}

// checkedReturn returns a path on this site, or the default one. Addresses of the
// pages that sign in and out are refused in every encoding.
func (h *Handler) checkedReturn(text string) string {
	checked, ok := gate.ReturnTo(text)
	if !ok {
		return h.ReturnTo
	}
	target, _, _ := strings.Cut(checked, "#")
	target, _, _ = strings.Cut(target, "?")
	decoded, err := url.PathUnescape(target)
	if err != nil {
		return h.ReturnTo
	}
	if rest, below := h.below(decoded); below && rest != "/account" && rest != keysPath && rest != "/sso" {
		return h.ReturnTo
	}
	return checked
}

// withReturn adds a return address to the address of a page.
func withReturn(address, returnTo string) string {
	return address + "?return_to=" + url.QueryEscape(returnTo)
}
