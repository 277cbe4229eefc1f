package gate

import "slices"

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
	if d.Body != "" {
		header.Set("Content-Type", "application/json")
	}
}

// Demand writes the part of the header that the status demands whatever the body:
// the challenge of a 401 (RFC 9110, section 15.5.2), Retry-After of a 503, the
// answer to a preflight, and what lets a page read the answer. No cache may keep
// it. It serves hosts that leave the body to error pages.
func (d *Decision) Demand(header Header) {
	switch d.Status {
	case 204:
		answerPreflight(header, d.Origin, d.asked)
		return
	case 401:
		header.Set("Www-Authenticate", Challenge)
	case 503:
		header.Set("Retry-After", RetryAfter)
	}
	header.Set("Cache-Control", "no-store")
	d.AllowOrigin(header)
}

// AllowOrigin lets pages of the request's origin read an answer, if they may call
// the site and the upstream did not decide that itself (Fetch standard, section
// 3.3). For a request that proceeds, the host calls it when the upstream has
// answered.
func (d *Decision) AllowOrigin(header Header) {
	if d.Origin != "" && header["Access-Control-Allow-Origin"] == nil {
		AllowOrigin(header, d.Origin)
	}
}

// AllowOrigin lets pages of an origin read an answer. The origin is named, never
// "*", and credentials are never allowed: tokens travel in a header that pages set
// themselves, and cookies are not read.
func AllowOrigin(header Header, origin string) {
	if !slices.Contains(header["Vary"], "Origin") {
		header.Add("Vary", "Origin")
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
}
