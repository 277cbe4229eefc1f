package gate

// Site is what one place asks of its requests, whatever server it runs in. The
// server does four things in this order, so that all of them do the same:
//
//  1. It deletes every header and trailer of the request that IsIdentityHeader
//     names, writes what KeptConnection says for the header Connection, and
//     deletes the header Upgrade when IsTunnel says so.
//  2. It calls Decide.
//  3. Where Status is not 0 it answers: Decision.Header, the status, the body.
//  4. Otherwise it calls Forward and hands the request on.
//
// A Site must not be changed while it is in use.
type Site struct {
	Policy Policy
	// Public are the paths that need no token. A good token is presented there
	// too; one that is not good counts as none.
	Public PublicPaths
	// Headers are the identity headers to set; see ChosenHeaders.
	Headers []string
	// ForwardToken leaves the Authorization header in the request.
	ForwardToken bool
}

// RequestHeader is the header of a request; http.Header is one.
type RequestHeader interface {
	// Set replaces all values of a header.
	Set(name, value string)
	// Del deletes all values of a header.
	Del(name string)
}

// Decide decides about a request. allow tells the origins whose pages may call
// the site (RFC 6454, section 6.2): their preflights are answered here, the
// others go on without identity. A nil allow knows none.
func (s *Site) Decide(v *Verifier, r Request, allow func(origin string) bool) Decision {
	if decision, answered := r.Preflight(allow); answered {
		return decision
	}
	if r.HasBody { // browsers send preflights without a body
		r.Origin = nil
	}
	if !s.Public.Match(r.Path) {
		return s.Policy.Decide(v, r)
	}
	public := Policy{Optional: true}
	decision := public.Decide(v, r)
	if decision.Status != 0 {
		return Decision{Reason: ReasonAnonymous}
	}
	return decision
}

// Forward makes the header of a request that goes on ready for the upstream: it
// sets who sent it and takes out what was only for the gate.
func (s *Site) Forward(d *Decision, header RequestHeader) {
	if !s.ForwardToken { // first, so that what is set finds its place in the map
		header.Del("Authorization")
	}
	if d.Claims != nil {
		for _, name := range s.Headers {
			if value := HeaderValue(d.Claims, name); value != "" {
				header.Set(name, value)
			}
		}
	}
	if d.Preflight {
		stripPreflight(header)
	}
}

// stripPreflight takes out of a preflight what no browser sends with one. It
// passes without a token, so nothing in it may be taken for another request or
// for another kind of credentials, or open a connection of its own.
func stripPreflight(header RequestHeader) {
	for _, name := range [...]string{
		"Authorization", "Cookie", "Upgrade", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method",
	} {
		header.Del(name)
	}
}
