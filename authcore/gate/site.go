package gate

// Site is the configuration of one place that the gate protects, whatever the
// server. The server does four things in this order:
//
//  1. It calls Site.Clean with the header of the request, and Site.CleanTrailer.
//  2. It calls Decide.
//  3. If Status is not 0, it answers: Decision.Answer, the status, the body.
//  4. Otherwise it calls Forward, hands the request on, and calls
//     Decision.Complete with the header of the upstream's answer.
//
// A Site must not be changed while it is in use.
type Site struct {
	Policy Policy
	// Credentials selects what is accepted in Authorization.
	Credentials Credentials
	// Public lists the paths that need no token. A valid token identifies the
	// user there, too; an invalid one counts as absent.
	Public PublicPaths
	// Headers lists the identity headers to set; see ChosenHeaders.
	Headers []string
	// Managed lists identity headers under other names; see ChosenHeaders.
	Managed []ManagedHeader
	// ForwardToken keeps the token in the Authorization header.
	ForwardToken bool
	// Browser is the login page of the site, whose cookie identifies users. Without it
	// cookies are neither read nor changed.
	Browser *Browser
}

// Decide decides about a request. allow accepts the origins whose pages may call
// the site (RFC 6454, section 6.2): their preflights are answered here, others
// proceed without identity. A nil allow accepts none; a site without such origins
// passes nil, because otherwise all answers vary by Origin.
func (s *Site) Decide(v *Verifier, r Request, allow func(origin string) bool) Decision {
	if s.IsLoginPath(r.Path) {
		return Decision{Reason: ReasonAnonymous, forLogin: true}
	}
	origin := ""
	if r.Header["Origin"] != nil {
		if decision, answered := r.Preflight(allow); answered {
			return decision
		}
		origin = r.AllowedOrigin(allow)
	}
	var decision Decision
	if s.Browser == nil || s.Credentials.Keys == KeysOnly || s.Credentials.has(r.Header["Authorization"]) || r.isPreflight() {
		decision = s.decide(v, &r, allow)
	} else {
		decision = s.Browser.decide(s, v, &r, allow)
	}
	if decision.Status == 401 {
		decision.credentials, decision.basic = s.Credentials, s.asksForBasic(&r)
		if s.Browser != nil && s.Credentials.Keys != KeysOnly {
			decision.login = s.Browser.login + s.Browser.pageFor(&decision)
		}
	}
	decision.Origin, decision.varies = origin, allow != nil
	return decision
}

// Unavailable returns the decision about a request that cannot be judged, as the function
// Unavailable does. On a site with a login page, people get a page.
func (s *Site) Unavailable(r Request, err error) Decision {
	decision := Unavailable(err)
	if s.Browser == nil {
		return decision
	}
	return s.Browser.direct(decision, &r)
}

// decide decides by Authorization alone.
func (s *Site) decide(v *Verifier, r *Request, allow func(origin string) bool) Decision {
	policy, public := &s.Policy, s.isPublic(r)
	if public {
		policy = &Policy{Optional: true}
	}
	decision := policy.decide(v, s.Credentials, r)
	if decision.byBasic && s.isForgedBasic(r, allow) {
		decision = refuse(ErrCrossSite)
	}
	if public && decision.Status != 0 {
		return s.Credentials.anonymous(r.Header["Authorization"])
	}
	return decision
}

// isPublic reports whether a request needs no token.
func (s *Site) isPublic(r *Request) bool {
	return s.Public.Match(r.Path)
}

// Forward prepares the header of a request that proceeds for the upstream: it sets
// the identity headers and removes the token. Credentials of other schemes, on
// paths that need no token, stay, and so do the cookies of the application. A request for
// the login page keeps everything. The first two headers refer to d.
func (s *Site) Forward(d *Decision, header Header) {
	if d.forLogin {
		return
	}
	// The token goes first, so that the map has room for what is set.
	if !s.ForwardToken && !d.foreign {
		delete(header, "Authorization")
	}
	s.StripCookies(header)
	if d.Claims != nil {
		s.identify(d, header)
	}
	if d.Preflight {
		stripPreflight(header)
	}
}

// StripCookies removes the cookies of the login page from the header of a request to a
// site that has one.
func (s *Site) StripCookies(header Header) {
	if s.Browser != nil {
		stripCookies(header)
	}
}

func (s *Site) identify(d *Decision, header Header) {
	n := 0
	for _, name := range s.Headers {
		value := HeaderValue(d.Claims, name)
		switch {
		case value == "":
		case n == len(d.values):
			header.Set(name, value)
		default:
			d.values[n] = value
			header[name] = d.values[n : n+1 : n+1]
			n++
		}
	}
	for i := range s.Managed {
		if value, _ := Field(d.Claims, s.Managed[i].Field); value != "" {
			header.Set(s.Managed[i].Name, percentEncode(value))
		}
	}
}

// stripPreflight removes from a preflight what no browser sends with one. It
// passes without a token, so nothing in it may be taken for another request or for
// other credentials, or open another connection.
func stripPreflight(header Header) {
	for _, name := range preflightFields {
		delete(header, name)
	}
}
