package gate

import (
	"slices"
	"time"
)

// HoldsUntil returns the time, in seconds since 1970, at which a decision of Decide ends
// to hold for requests like r, or 0 if each of them has to be decided. Until then every
// request with the same method and header before Clean gets the same decision, as long as
// keys and revocations stay the same and the clock is not set back. Path and query may
// differ, except that IsLoginPath has to be false. Forward must not have been called.
//
// It only covers requests of identified users that proceed, so that requests without a
// token cannot fill the memory of a host.
func (s *Site) HoldsUntil(d *Decision, r *Request) int64 {
	switch {
	case d.Status != 0 || d.Claims == nil:
		return 0
	case r.Method == "OPTIONS":
		return 0 // whether it is a preflight depends on the body
	case s.isPublic(r) && s.Policy.judge(d.Claims, r.Now).Status != 0:
		return 0 // other paths need more
	case d.byCookie && s.Browser.countSessions(r) != 1:
		return 0 // another one may become valid
	}
	until := d.Claims.ExpiresAt
	if s.Policy.MaxAge > 0 {
		until = min(until, d.Claims.AuthTime+int64(s.Policy.MaxAge/time.Second))
	}
	if d.byCookie {
		if half := d.Claims.halfLife(); r.Now.Unix() <= half {
			until = min(until, half+1)
		}
	}
	return until
}

// countSessions returns the number of session cookies.
func (b *Browser) countSessions(r *Request) int {
	return len(slices.Collect(cookies(r.Header["Cookie"], b.session)))
}

// halfLife returns the last second of the first half of the token's life.
func (c *Claims) halfLife() int64 { return c.IssuedAt + (c.ExpiresAt-c.IssuedAt)/2 }

// HasLoginPaths reports whether IsLoginPath is true for some paths.
func (s *Site) HasLoginPaths() bool { return s.Browser != nil && s.Browser.below != nil }

// IsLoginPath reports whether a path, percent-encoded and without the query, belongs to
// the login page of the site, whose requests proceed unchanged.
func (s *Site) IsLoginPath(path string) bool { return s.Browser != nil && s.Browser.owns(path) }
