package gate

import (
	"strings"
)

// Unavailable returns the decision about requests that cannot be judged. It is
// never 401, because the credentials were not checked.
func Unavailable(err error) Decision {
	return Decision{Status: 503, Body: BodyUnavailable, Reason: ReasonUnavailable, Err: err}
}

// Answer writes the header of the answer to a request that does not proceed: all
// of it but the length of the body. The answer has the status Status and the body
// Body.
func (d *Decision) Answer(header Header) {
	d.Demand(header)
	switch {
	case d.policy != "":
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", d.policy)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
	case d.Body != "":
		header.Set("Content-Type", "application/json")
	}
}

// Demand writes the part of the header that the status demands whatever the body:
// the challenge of a 401 (RFC 9110, section 15.5.2) and the address of the login page,
// the target of a redirect, Retry-After of a 503, the answer to a preflight, and what
// lets a page read the answer. No cache may keep it. It serves hosts that leave the body
// to error pages.
func (d *Decision) Demand(header Header) {
	switch d.Status {
	case 204:
		answerPreflight(header, d.Origin, d.asked, d.method)
		return
	case 303:
		header.Set("Location", d.location)
	case 401:
		header["Www-Authenticate"] = d.credentials.challenges(d.basic, d.missing)
		if d.login != "" {
			header.Set(HeaderLogin, d.login)
		}
	case 503:
		header.Set("Retry-After", RetryAfter)
	}
	header.Set("Cache-Control", "no-store")
	d.AllowOrigin(header)
}

// Complete writes what an upstream's answer lacks. Pages of the request's origin may read
// it, if they may call the site and the upstream did not decide that itself (Fetch
// standard, section 3.3). If a cookie identified the user, only the browser may keep an
// answer without Cache-Control: shared caches know of Authorization, but not of cookies
// (RFC 9111, section 3.5). One that the upstream declares public varies by Cookie.
func (d *Decision) Complete(header Header) {
	d.AllowOrigin(header)
	if !d.byCookie {
		return
	}
	addVary(header, "Cookie")
	if header["Cache-Control"] == nil {
		header.Set("Cache-Control", "private")
	}
}

// Completes reports whether Complete changes some answers.
func (d *Decision) Completes() bool { return d.varies || d.Origin != "" || d.byCookie }

// AllowOrigin lets pages of the request's origin read an answer; see Complete. On a site
// that pages of other origins may call, every answer varies by Origin: the browser would
// otherwise take one that it stored for an image for the answer to a script.
func (d *Decision) AllowOrigin(header Header) {
	if d.varies {
		addVary(header, "Origin")
	}
	if d.Origin == "" || header["Access-Control-Allow-Origin"] != nil {
		return
	}
	AllowOrigin(header, d.Origin)
	if d.login != "" {
		header.Add("Access-Control-Expose-Headers", HeaderLogin)
	}
}

// AllowOrigin lets pages of an origin read an answer. The origin is named, never
// "*", and credentials are never allowed: tokens travel in a header that pages set
// themselves, and the cookie is for pages of the site itself. Headers that the upstream
// exposes stay exposed.
func AllowOrigin(header Header, origin string) {
	addVary(header, "Origin")
	header.Set("Access-Control-Allow-Origin", origin)
	header.Add("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
}

// addVary adds the name of a field to Vary, unless that contains it.
func addVary(header Header, name string) {
	for _, value := range header["Vary"] {
		for listed := range strings.SplitSeq(value, ",") {
			if listed = strings.Trim(listed, blanks); listed == "*" || equalFold(listed, name) {
				return
			}
		}
	}
	header.Add("Vary", name)
}
