package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// The codes of this package, in addition to those of authcore. Codes are listed in
// docs/errors.md and are never renamed.
const (
	CodeBodyTooLarge authcore.Code = "body_too_large"
	// CodeCrossSite refuses a POST from a page of a site that is not configured.
	CodeCrossSite authcore.Code = "cross_site"
	// CodeRequestTimeout reports that the body did not arrive in time.
	CodeRequestTimeout authcore.Code = "request_timeout"
	CodeInternal       authcore.Code = "internal"
)

// failureBody is the JSON body of an error response. Clients compare some of them
// with their exact text, which has no code.
type failureBody struct {
	Detail string        `json:"detail"`
	Code   authcore.Code `json:"code,omitempty"`
}

// detail is an error response without a code.
func detail(status int, text string) answer {
	a, _ := reply(status, failureBody{Detail: text}) // a string can be encoded
	return a
}

// badRequest is the error of a body that cannot be read.
func badRequest(text string) error {
	return &plainError{status: http.StatusBadRequest, detail: text}
}

// plainError becomes an error response without a code.
type plainError struct {
	status int
	detail string
}

func (e *plainError) Error() string { return e.detail }

// run calls an endpoint and turns every failure, a panic included, into an answer.
func (h *Handler) run(matched route, serve endpoint, r *request) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			a = h.panicked(r.Request, matched, fault)
		}
	}()
	a, err := serve(r)
	if err == nil {
		return a
	}
	a = h.failure(r.Request, matched, err)
	if matched.browser {
		return asPage(r.Request, a, err)
	}
	return a
}

// failure answers an error, and logs a failure of the server.
func (h *Handler) failure(r *http.Request, matched route, err error) answer {
	if plain, ok := errors.AsType[*plainError](err); ok {
		return detail(plain.status, plain.detail)
	}
	if denied, ok := errors.AsType[*realm.Unauthenticated](err); ok {
		return unauthorized(denied.Decision.Body)
	}
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok {
		h.report(r, matched, CodeInternal, slog.Any("error", err))
		return internal()
	}
	if public.Code == authcore.CodeUnavailable {
		h.report(r, matched, public.Code, slog.Any("error", err))
	}
	return publicFailure(public)
}

// publicFailure is the answer to a public error.
func publicFailure(e *authcore.Error) answer {
	body := failureBody{Detail: e.Detail, Code: e.Code}
	switch {
	case e.Status == http.StatusUnauthorized:
		text, _ := encode(failureBody{Detail: e.Detail})
		return unauthorized(string(text))
	case e.Missing != nil:
		return missingAnswer(e)
	case e.Code == authcore.CodeThrottled || e.Code == authcore.CodeNotFound:
		body.Code = ""
	}
	var a answer
	if len(e.Fields) > 0 {
		a, _ = reply(e.Status, e.Fields)
	} else {
		a, _ = reply(e.Status, body)
	}
	if e.RetryAfter > 0 {
		a.header = http.Header{"Retry-After": {seconds(e.RetryAfter)}}
	}
	return a
}

// unauthorized is a 401 with the exact body that clients compare.
func unauthorized(body string) answer {
	return answer{
		status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {gate.Challenge}},
		body:   []byte(body),
	}
}

// internal is the answer to a fault of the program. It has no details.
func internal() answer {
	a, _ := reply(http.StatusInternalServerError, failureBody{Detail: "Internal server error.", Code: CodeInternal})
	return a
}

// panicked answers a panic. Its value may contain secrets, so that only the type is
// logged, unless the panic is one of the runtime.
func (h *Handler) panicked(r *http.Request, matched route, fault any) answer {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	what := fmt.Sprintf("%T", fault)
	if broken, ok := fault.(runtime.Error); ok {
		what = broken.Error()
	}
	h.report(r, matched, CodeInternal, slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	return internal()
}

// report logs and counts a failure of the server. It names the route by its
// pattern, because a path may contain a secret by mistake. A request whose client
// disconnected is not a failure. CodeUnavailable is a warning: it ends without
// action of the operator, which a fault of the program does not.
func (h *Handler) report(r *http.Request, matched route, code authcore.Code, cause ...slog.Attr) {
	if code == authcore.CodeUnavailable && errors.Is(r.Context().Err(), context.Canceled) {
		return
	}
	h.failed(code)
	level := slog.LevelError
	if code == authcore.CodeUnavailable {
		level = slog.LevelWarn
	}
	attrs := append([]slog.Attr{
		slog.String("method", r.Method),
		slog.String("route", matched.pattern),
		slog.String("code", string(code)),
	}, cause...)
	h.log.LogAttrs(r.Context(), level, "request failed", attrs...)
}

// seconds returns whole seconds, rounded up (RFC 9110, section 10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)
}
