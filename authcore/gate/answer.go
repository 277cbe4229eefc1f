package gate

// Unavailable is the decision about requests while there is no way to judge
// them. It is never 401: nobody's credentials were judged.
func Unavailable(err error) Decision {
	return Decision{Status: 503, Body: BodyUnavailable, Reason: ReasonUnavailable, Err: err}
}

// ResponseHeader is the header of an answer; http.Header is one.
type ResponseHeader interface {
	// Set replaces all values of a header.
	Set(name, value string)
	// Add adds a value to a header.
	Add(name, value string)
}

// Header writes the header of the answer that a Decision with a Status asks for.
// No cache keeps such an answer.
func (d *Decision) Header(header ResponseHeader) {
	switch d.Status {
	case 204:
		preflightHeader(header, d.origin, d.asked)
		return
	case 401:
		header.Set("WWW-Authenticate", Challenge)
	case 503:
		header.Set("Retry-After", RetryAfter)
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
}
