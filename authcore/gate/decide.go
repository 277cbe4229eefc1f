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
	// Origin and AccessControlRequestMethod mark a CORS preflight, which asks
	// for AccessControlRequestHeaders.
	Origin, AccessControlRequestMethod, AccessControlRequestHeaders []string
	// HasBody tells that a body comes with the request, as far as the server
	// knows. Only Site.Decide looks at it, and at Path: what the upstream will
	// see, percent-encoded and without the query.
	HasBody bool
	Path    string
	Now     time.Time
}

// Decision says what to do with a request.
type Decision struct {
	// Status is 0 when the request goes on; otherwise it is the status of the
	// answer, 401, 403 or 503, and Body the exact JSON to send; or 204, without
	// a body, to a preflight. Header writes the rest of the answer.
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

	// origin and asked are of a preflight that is answered.
	origin string
	asked  []string
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

func refuse(err error) Decision {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = unauthorized("invalid_token", BodyInvalidToken, err)
	}
	return Decision{Status: refusal.Status, Body: refusal.Body, Reason: refusal.Reason, Err: err}
}
