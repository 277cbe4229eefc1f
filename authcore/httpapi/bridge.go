package httpapi

import (
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// callback hands a browser that comes back from a provider on to the frontend.
// Providers that insist on form_post send it by a POST from their own site, which
// a page without a server cannot receive.
//
// That POST crosses sites and carries no cookie and no token, and none is needed:
// what binds it to a login is the state, 256 random bits that the frontend keeps
// and compares (RFC 6749, section 10.12). It logs nobody in and spends nothing;
// all that it changes is the name that goes with the login, once.
func (h *Handler) callback(r *request) (answer, error) {
	from := fromForm(r.URL.Query())
	if r.Method == http.MethodPost {
		var err error
		if from, err = r.body(); err != nil {
			return answer{}, err
		}
	}
	in, err := read(from, blank("state"), blank("code"), blank("error"), blank("iss"), blank("user"))
	if err != nil {
		return answer{}, err
	}
	back := authcore.Callback{
		Provider: r.param,
		State:    in["state"],
		Code:     in["code"],
		Error:    in["error"],
		Issuer:   in["iss"],
		Caller:   h.caller(r),
	}
	if r.Method == http.MethodPost {
		back.User = in["user"]
	}
	target, err := h.service.HandOn(r.Context(), back)
	if err != nil {
		return answer{}, err
	}
	// 303 makes a GET of the POST, without its body (RFC 9110, section 15.4.4).
	return answer{status: http.StatusSeeOther, header: http.Header{"Location": {target}}}, nil
}

// page is what a person sees where a browser is sent to the API and cannot be
// sent on.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Login</title>
<p>{{.}}</p>
</html>
`))

// forPeople makes a page of a failure where the request comes from a browser. It
// says what the answer for programs says, and nothing of the request.
func forPeople(r *http.Request, failure answer, err error) answer {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return failure
	}
	text := "The login did not work. Go back to the application and begin it again."
	if public, ok := errors.AsType[*authcore.Error](err); ok && len(public.Fields) == 0 {
		text = public.Detail
	}
	var body strings.Builder
	if err := page.Execute(&body, text); err != nil {
		return failure
	}
	if failure.header == nil {
		failure.header = http.Header{}
	}
	failure.header.Set("Content-Type", "text/html; charset=utf-8")
	failure.header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	failure.body = []byte(body.String())
	return failure
}
