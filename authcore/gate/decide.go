package gate

import (
	"errors"
	"time"
)

// Request is what a Decision depends on. The values of headers are those of all
// headers of that name, in order.
type Request struct {
	Method        string
	Authorization []string
	// Origin and AccessControlRequestMethod mark a CORS preflight.
	Origin, AccessControlRequestMethod []string
	Now                                time.Time
}

// Decision says what to do with a request.
type Decision struct {
	// Status is 0 when the request goes on; otherwise it is the status of the
	// answer, 401 (with WWW-Authenticate: Token) or 403, and Body the exact
	// JSON to send.
	Status int
	Body   string
	// Claims tells who sends the request; nil means nobody known. They are
	// shared and must not be changed.
	Claims *Claims
	// Preflight says that the request goes on, without identity, because
	// browsers send preflights without credentials.
	Preflight bool
	// Reason is one of a few fixed words, for logs and metrics.
	Reason string
	// Err is the Refusal when the request does not go on.
	Err error
}

// Decide decides about a request. Whatever it says, the caller first deletes
// every header that IsIdentityHeader names.
func (p *Policy) Decide(v *Verifier, r Request) Decision {
	if r.isPreflight() {
		return Decision{Preflight: true, Reason: ReasonPreflight}
	}
	token, err := ParseAuthorization(r.Authorization)
	if errors.Is(err, ErrNoCredentials) && p.Optional && len(p.Require) == 0 {
		return Decision{Reason: ReasonAnonymous}
	}
	if err != nil {
		return refuse(err)
	}
	claims, err := v.Verify(token, r.Now)
	if err != nil {
		return refuse(err)
	}
	if p.MaxAge > 0 && !claims.isRecent(r.Now, p.MaxAge) {
		return refuse(ErrTooOld)
	}
	for i := range p.Require {
		if !p.Require[i].holds(claims) {
			return refuse(ErrForbidden)
		}
	}
	return Decision{Claims: claims, Reason: ReasonAuthenticated}
}

// isRecent reports whether the person logged in at most maxAge ago. A token that
// does not say when is not recent.
func (c *Claims) isRecent(now time.Time, maxAge time.Duration) bool {
	return c.AuthTime > 0 && now.Sub(time.Unix(c.AuthTime, 0)) <= maxAge
}

// isPreflight recognises a CORS preflight (Fetch standard, "CORS-preflight
// request"). No other OPTIONS request is exempt: frameworks answer OPTIONS with
// what only the signed-in may know, some run the handler of GET.
func (r *Request) isPreflight() bool {
	return r.Method == "OPTIONS" && isSingle(r.Origin) && isSingle(r.AccessControlRequestMethod)
}

func isSingle(values []string) bool { return len(values) == 1 && values[0] != "" }

func refuse(err error) Decision {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = unauthorized("invalid_token", BodyInvalidToken, err)
	}
	return Decision{Status: refusal.Status, Body: refusal.Body, Reason: refusal.Reason, Err: err}
}
