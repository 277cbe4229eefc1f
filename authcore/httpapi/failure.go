package httpapi

import (
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
)

// The codes of this package, beside those of authcore. Codes are listed in
// docs/errors.md and are never renamed.
const (
	CodeBodyTooLarge authcore.Code = "body_too_large"
	// CodeRequestTimeout says that the body did not arrive in time.
	CodeRequestTimeout authcore.Code = "request_timeout"
	CodeInternal       authcore.Code = "internal"
)

// failureBody is an answer that is no success. Clients in the field know some of
// them by their exact text, without a code.
type failureBody struct {
	Detail string        `json:"detail"`
	Code   authcore.Code `json:"code,omitempty"`
}

// detail answers with a sentence alone.
func detail(status int, text string) answer {
	a, _ := reply(status, failureBody{Detail: text}) // a string can be encoded
	return a
}

// badRequest is a body that cannot be read.
func badRequest(text string) error {
	return &plainError{status: http.StatusBadRequest, detail: text}
}

// plainError is answered with a sentence alone.
type plainError struct {
	status int
	detail string
}

func (e *plainError) Error() string { return e.detail }

// run calls an endpoint and turns whatever goes wrong into an answer.
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
	if matched.people {
		return forPeople(r.Request, a, err)
	}
	return a
}

// failure answers an error and logs it when it is the server's own.
func (h *Handler) failure(r *http.Request, matched route, err error) answer {
	if plain, ok := errors.AsType[*plainError](err); ok {
		return detail(plain.status, plain.detail)
	}
	if denied, ok := errors.AsType[*authcore.Unauthenticated](err); ok {
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

// publicFailure is the answer to an error of the domain.
func publicFailure(e *authcore.Error) answer {
	body := failureBody{Detail: e.Detail, Code: e.Code}
	switch {
	case e.Status == http.StatusUnauthorized:
		text, _ := encode(failureBody{Detail: e.Detail})
		return unauthorized(string(text))
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

// unauthorized is a 401 with the exact body that clients know.
func unauthorized(body string) answer {
	return answer{
		status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {gate.Challenge}},
		body:   []byte(body),
	}
}

// internal says nothing about what happened.
func internal() answer {
	a, _ := reply(http.StatusInternalServerError, failureBody{Detail: "Internal server error.", Code: CodeInternal})
	return a
}

// panicked answers a fault of the program. What was thrown may hold anything,
// so that only its type is logged unless the runtime itself threw it.
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

// report logs and counts a failure of the server's own. It names the route by its
// pattern: a path may hold what somebody put there by mistake. A client that went
// away is no failure of the server. What is unavailable comes back without
// anybody's doing, which a fault of the program does not.
func (h *Handler) report(r *http.Request, matched route, code authcore.Code, cause ...slog.Attr) {
	if code == authcore.CodeUnavailable && r.Context().Err() != nil {
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
