package gate

import "errors"

// decide decides about a request without credentials in Authorization.
func (b *Browser) decide(s *Site, v *Verifier, r *Request, allow func(origin string) bool) Decision {
	public := s.isPublic(r)
	mayBeAnonymous := public || s.Policy.Optional && len(s.Policy.Require) == 0
	claims, err := b.identify(v, r)
	switch {
	case claims != nil && b.isCrossSite(r, allow):
		claims, err = nil, ErrCrossSite
	case claims == nil && !mayBeAnonymous && r.isUpgrade() && b.isCrossSite(r, allow):
		err = ErrCrossSite
	}
	if err != nil {
		if mayBeAnonymous && (public || !errors.Is(err, ErrStale)) {
			return s.Credentials.anonymous(r.Header["Authorization"])
		}
		return b.direct(refuse(err), r)
	}
	decision := Decision{Claims: claims, Reason: ReasonAuthenticated}
	if !public {
		decision = s.Policy.judge(claims, r.Now)
	}
	if decision.Status != 0 {
		return b.direct(decision, r)
	}
	if b.needsRenewal(claims, r) {
		return Decision{Status: 303, Reason: ReasonRenewal, location: b.page(renewPath, r)}
	}
	decision.byCookie = true
	decision.foreign = r.Header["Authorization"] != nil
	return decision
}

// direct turns a refusal into what a browser can use: a redirect for a page that can be
// loaded again, a page for a form, a frame, a service worker or a download, of which a
// redirect would be saved as the file. Everything else gets the answer for programs.
func (b *Browser) direct(d Decision, r *Request) Decision {
	kind := r.navigation()
	if kind == notNavigation {
		return d
	}
	page := b.pageFor(&d)
	if d.Status == 401 && kind == documentNavigation && (r.Method == "GET" || r.Method == "HEAD") {
		return Decision{Status: 303, Reason: d.Reason, Err: d.Err, location: b.page(page, r)}
	}
	texts := textsFor(r.Header["Accept-Language"])
	content := pageContent{language: texts.language, title: texts.signIn, link: texts.signIn}
	d.policy = pagePolicy
	switch {
	case d.Status == 403:
		content.title, content.text, content.link = texts.noAccess, texts.forbidden, texts.account
		if refusal, ok := errors.AsType[*Refusal](d.Err); ok && len(refusal.roles) > 0 {
			content.text, content.roles = texts.role, refusal.roles
		}
		if errors.Is(d.Err, ErrCrossSite) {
			content.title, content.text = texts.notAccepted, texts.crossSite
		}
		d.Body = pageText(content, b.login+accountPath, "")
	case d.Status == 503:
		content.title, content.text = texts.again, texts.unavailable
		d.Body = pageText(content, "", "")
	case kind == frameNavigation:
		content.text = texts.frame
		d.Body, d.policy = pageText(content, b.login+page, "_top"), framePolicy
	case kind == opaqueNavigation && r.isSafe():
		content.text = texts.page
		d.Body = pageText(content, b.page(page, r), "")
	default:
		content.title, content.text = texts.ended, texts.form
		d.Body = pageText(content, b.login+page, "_blank")
	}
	return d
}
