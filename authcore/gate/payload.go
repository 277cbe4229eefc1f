package gate

import "strings"

// payload contains the claims of a token that was read.
type payload struct {
	Statement
	// notBefore is "nbf" (RFC 7519, section 4.1.5). Our issuer does not write it, but
	// a verifier must not ignore it.
	notBefore int64
}

// parsePayload reads the JSON of a token. Times are integers, "aud" is one string,
// unknown members are skipped (RFC 7519, section 4).
func parsePayload(text string) (p payload, ok bool) {
	s := scanner{text: text}
	ok = s.object(func(name string) bool {
		switch name {
		case "iss":
			return s.string(&p.Issuer)
		case "aud":
			return s.string(&p.Audience)
		case "sub":
			return s.string(&p.Subject)
		case "jti":
			return s.string(&p.ID)
		case "sid":
			return s.string(&p.Session)
		case "iat":
			return s.integer(&p.IssuedAt)
		case "exp":
			return s.integer(&p.ExpiresAt)
		case "nbf":
			return s.integer(&p.notBefore)
		case "auth_time":
			return s.integer(&p.AuthTime)
		case "client_id":
			return s.string(&p.Client)
		case "method":
			return s.string(&p.Method)
		case "amr":
			return s.strings(&p.AMR)
		case "acr":
			return s.string(&p.ACR)
		case "email":
			return s.string(&p.Email)
		case "email_verified":
			return s.boolean(&p.EmailVerified)
		case "name":
			return s.string(&p.Name)
		case "roles":
			return s.roles(&p.Roles)
		}
		return s.skip(maxDepth)
	})
	return p, ok && s.pos == len(text)
}

// roles reads a list of roles in ascending order.
func (s *scanner) roles(roles *[]string) bool {
	return s.array(func() bool {
		var role string
		if len(*roles) == MaxRoles || !s.string(&role) {
			return false
		}
		*roles = append(*roles, role)
		return true
	}) && validRoles(*roles)
}

// checkClaims performs the checks that need neither key nor revocations.
func (v *Verifier) checkClaims(p *payload, now int64) error {
	if p.Issuer == "" || p.Issuer != v.cfg.Issuer || p.Audience == "" || p.Audience != v.cfg.Audience {
		return ErrClaims
	}
	c := &p.Claims
	if c.Subject == "" || c.ID == "" || c.Session == "" || c.IssuedAt == 0 || c.ExpiresAt <= c.IssuedAt {
		return ErrClaims
	}
	if p.notBefore > now+v.leeway {
		return ErrClaims
	}
	return v.checkTimes(c, now)
}

// checkTimes performs the checks whose result changes while a token is in the cache.
// Expiry is exact; the leeway is for an issuer whose clock is ahead.
func (v *Verifier) checkTimes(c *Claims, now int64) error {
	if now >= c.ExpiresAt {
		return ErrExpired
	}
	if c.IssuedAt > now+v.leeway || c.AuthTime > now+v.leeway {
		return ErrClaims
	}
	return nil
}

// compact copies the texts of c to one allocation, so that a token in the cache does
// not retain its whole payload.
func (c *Claims) compact() {
	var b strings.Builder
	length := 0
	for field := range c.texts {
		length += len(*field)
	}
	for _, role := range c.Roles {
		length += len(role) + len(roleSeparator)
	}
	b.Grow(length)
	for field := range c.texts {
		b.WriteString(*field)
	}
	for i, role := range c.Roles {
		if i > 0 {
			b.WriteString(roleSeparator)
		}
		b.WriteString(role)
	}
	rest := b.String()
	for field := range c.texts {
		*field, rest = rest[:len(*field)], rest[len(*field):]
	}
	c.setRoles(rest)
}

// texts calls yield for each text of c. It is an iterator.
func (c *Claims) texts(yield func(*string) bool) {
	for _, field := range [...]*string{&c.Subject, &c.ID, &c.Session, &c.Client, &c.Method, &c.ACR, &c.Email, &c.Name} {
		if !yield(field) {
			return
		}
	}
	for _, list := range [...][]string{c.AMR} {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}
