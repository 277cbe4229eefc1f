package gate

import (
	"errors"
	"time"
)

// Request contains what a Decision depends on.
type Request struct {
	Method string
	// Header is the header of the request after Clean. Credentials are read from
	// it when the decision is made.
	Header Header
	// Path is the path that the upstream will see, percent-encoded and without
	// the query. It is needed if the site has public paths or a login page.
	Path string
	// Query is that of the request. It is needed if the site has a login page, from
	// which the browser returns to the request.
	Query string
	// Target is the path and query that the browser has sent, if the server has changed
	// them.
	Target string
	// HasBody reports whether a body comes with the request, as far as the server
	// knows.
	HasBody bool
	Now     time.Time
}

// Decision is the result for one request. A host keeps it as long as the request,
// because the header of the request may refer to it after Forward.
type Decision struct {
	// Status is 0 if the request proceeds. Otherwise it is the status of the
	// answer: 401, 403 or 503 with Body, 303 to a login page, or 204 without a body
	// to a preflight. Answer writes its header.
	Status int
	// Body is the exact body to send: JSON, or a page for people.
	Body string
	// Claims identify the user. They are nil for an anonymous request, and are
	// shared and must not be changed.
	Claims *Claims
	// Preflight reports that the request proceeds without identity because it is
	// a preflight, which browsers send without credentials.
	Preflight bool
	// Origin is the origin of the request if its pages may call the site,
	// otherwise "".
	Origin string
	// Reason is one of a few fixed words, for logs and metrics.
	Reason string
	// Err is the Refusal if the request does not proceed.
	Err error

	// asked lists the headers that a preflight asks for, and method is its method.
	asked  []string
	method string
	// foreign reports that Authorization has credentials of other schemes only.
	foreign bool
	// byCookie reports that a cookie identified the user, byBasic that HTTP Basic did,
	// and forLogin that the request is for the login page.
	byCookie, byBasic, forLogin bool
	// credentials and basic select the challenges of a 401.
	credentials Credentials
	basic       bool
	// varies reports that pages of other origins may call the site.
	varies bool
	// location is the target of a redirect, login the address of the login page.
	location, login string
	// missing contains the parameters of the challenge, and needs is the query of the page
	// that confirms the user, if the login is too old or lacks a factor.
	missing, needs string
	// policy is the Content-Security-Policy of a page, or "" for JSON.
	policy string
	// values holds the first identity headers, so that setting them does not
	// allocate.
	values [2]string
}

// decide decides about a request whose header was cleaned.
func (p *Policy) decide(v *Verifier, c Credentials, r *Request) Decision {
	if r.isPreflight() {
		return Decision{Preflight: true, Reason: ReasonPreflight}
	}
	authorization := r.Header["Authorization"]
	found, err := c.parse(authorization)
	if errors.Is(err, ErrNoCredentials) && p.Optional && len(p.Require) == 0 {
		return c.anonymous(authorization)
	}
	if err != nil {
		return refuse(err)
	}
	claims, err := v.verify(found.token, found.isKey, r.Now)
	if err != nil {
		return refuse(err)
	}
	decision := p.judge(claims, r.Now)
	decision.byBasic = found.isBasic
	return decision
}

// judge decides about a user.
func (p *Policy) judge(claims *Claims, now time.Time) Decision {
	needsFactor := false
	for i := range p.Require {
		switch {
		case p.Require[i].holds(claims):
		case p.Require[i].isFactor():
			needsFactor = true
		default:
			return refuse(p.Require[i].refusal())
		}
	}
	switch {
	case claims.Method == MethodKey && (needsFactor || p.isTooOld(claims, now)):
		return refuse(ErrForbidden) // no login makes a key acceptable
	case needsFactor:
		return p.stepUp(claims, now, ErrFactorMissing)
	case p.isTooOld(claims, now):
		return p.stepUp(claims, now, ErrTooOld)
	}
	return Decision{Claims: claims, Reason: ReasonAuthenticated}
}

// anonymous returns the decision to let a request proceed without identity.
func (c Credentials) anonymous(authorization []string) Decision {
	return Decision{Reason: ReasonAnonymous, foreign: !c.has(authorization)}
}

// isTooOld reports whether the login is older than MaxAge.
func (p *Policy) isTooOld(claims *Claims, now time.Time) bool {
	return p.MaxAge > 0 && !claims.isRecent(now, p.MaxAge)
}

// isRecent reports whether the user logged in at most maxAge ago. A token without
// this time is not recent.
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
