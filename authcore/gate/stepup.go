package gate

import (
	"strconv"
	"strings"
	"time"
)

// methods lists the values of the claim amr.
func methods() []string {
	return []string{"mail", "social", "passkey", "totp", "recovery", "key"}
}

// isFactor reports whether another login of the same user can meet the requirement.
func (r *Requirement) isFactor() bool { return r.Field == "amr" || r.Field == "acr" }

// stepUp returns the decision that the login has to be repeated (RFC 9470, section 3).
// WWW-Authenticate and the body state what is missing: the accepted methods, the level,
// the greatest age of the login. Of several requirements on one field, the first that
// does not hold is stated.
func (p *Policy) stepUp(claims *Claims, now time.Time, err error) Decision {
	d := refuse(err)
	var challenge, body strings.Builder
	challenge.WriteString(` error="insufficient_user_authentication"`)
	body.WriteString(strings.TrimSuffix(BodyStepUp, "}"))
	for _, field := range [...]string{"acr", "amr"} {
		values := p.missing(claims, field)
		if values == nil {
			continue
		}
		challenge.WriteString(", " + field + `_values="` + strings.Join(values, " ") + `"`)
		body.WriteString(`,"` + field + `":["` + strings.Join(values, `","`) + `"]`)
		if d.needs != "" {
			d.needs += "&"
		}
		d.needs += field + "=" + strings.Join(values, "+")
	}
	if p.isTooOld(claims, now) {
		seconds := strconv.FormatInt(int64(p.MaxAge/time.Second), 10)
		challenge.WriteString(`, max_age="` + seconds + `"`)
		body.WriteString(`,"max_age":` + seconds)
		if d.needs != "" {
			d.needs += "&max_age=" + seconds
		}
	}
	body.WriteString("}")
	d.missing, d.Body = challenge.String(), body.String()
	return d
}

// missing returns the values of the first requirement on a field that does not hold, or
// nil.
func (p *Policy) missing(claims *Claims, field string) []string {
	for i := range p.Require {
		if r := &p.Require[i]; r.Field == field && !r.holds(claims) {
			return r.Values
		}
	}
	return nil
}
