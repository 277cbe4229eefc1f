package httpapi

import (
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// callback redirects a browser that returns from a provider to the frontend. A
// form_post provider sends it by a POST from its own site, which a page without a
// server cannot receive.
//
// That POST is cross-site and has no cookie and no token. It needs none: it is bound
// to a login by the sealed state, which the frontend keeps and compares (RFC 6749,
// section 10.12). It completes no login and uses nothing up; it only keeps the name
// that Apple posts, once.
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
	back := login.Callback{
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
	target, err := h.realm.Logins.FormPost(r.Context(), back)
	if err != nil {
		return answer{}, err
	}
	// 303 makes a GET of the POST, without its body (RFC 9110, section 15.4.4).
	return answer{status: http.StatusSeeOther, header: http.Header{"Location": {target}}}, nil
}

// page is the error page of a route that browsers navigate to.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Login</title>
<p>{{.}}</p>
</html>
`))

// asPage returns a failure as a page if the client accepts HTML. The page contains
// the detail of the answer, and nothing of the request.
func asPage(r *http.Request, failure answer, err error) answer {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return failure
	}
	text := "The login did not work. Go back to the application and try again."
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
