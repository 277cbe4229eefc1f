package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxNeed limits the values of a parameter of the confirm page.
const maxNeed = 8

// needs describes what a page requires of the login: what the gate writes into the
// address of the confirm page. The values choose the forms only. The gate decides about
// the page again, so that a changed address grants nothing.
type needs struct {
	// levels and methods are the accepted values of the claims acr and amr; nil accepts
	// all.
	levels, methods []string
	// maxAge is the greatest age of the login; zero means no limit.
	maxAge time.Duration
}

// field is a value of an address or a hidden value of a form.
type field struct{ Name, Value string }

// readNeeds reads the parameters of an address or form. Unknown values are ignored.
func readNeeds(values url.Values) needs {
	known := func(name string, accepted ...string) []string {
		var found []string
		for _, value := range strings.Fields(values.Get(name)) {
			if slices.Contains(accepted, value) && len(found) < maxNeed {
				found = append(found, value)
			}
		}
		return found
	}
	n := needs{
		levels: known("acr", "1", "2"), methods: known("amr", "mail", "social", "passkey", authcore.FactorTOTP, authcore.FactorRecovery),
	}
	if seconds, err := strconv.ParseInt(values.Get("max_age"), 10, 32); err == nil && seconds > 0 {
		n.maxAge = time.Duration(seconds) * time.Second
	}
	return n
}

// fields returns the parameters that readNeeds reads.
func (n needs) fields() []field {
	var list []field
	if len(n.levels) > 0 {
		list = append(list, field{"acr", strings.Join(n.levels, " ")})
	}
	if len(n.methods) > 0 {
		list = append(list, field{"amr", strings.Join(n.methods, " ")})
	}
	if n.maxAge > 0 {
		list = append(list, field{"max_age", strconv.FormatInt(int64(n.maxAge/time.Second), 10)})
	}
	return list
}

func (n needs) isEmpty() bool { return len(n.fields()) == 0 }

// withNeeds adds parameters and a return address to the address of a page.
func withNeeds(address string, n needs, returnTo string) string {
	query := url.Values{"return_to": {returnTo}}
	for _, one := range n.fields() {
		query.Set(one.Name, one.Value)
	}
	return address + "?" + query.Encode()
}

// hasLevel and hasMethod report whether a login has an accepted level and method.
func (n needs) hasLevel(claims *gate.Claims) bool {
	return len(n.levels) == 0 || claims.ACR >= slices.Min(n.levels) // as the gate compares them
}

func (n needs) hasMethod(claims *gate.Claims) bool {
	return len(n.methods) == 0 || slices.ContainsFunc(n.methods, func(one string) bool { return slices.Contains(claims.AMR, one) })
}

func (n needs) hasFactor(claims *gate.Claims) bool { return n.hasLevel(claims) && n.hasMethod(claims) }

// isTooOld reports whether the user has to sign in again. A page without parameters
// requires it.
func (n needs) isTooOld(claims *gate.Claims, now time.Time) bool {
	if n.maxAge == 0 {
		return n.isEmpty()
	}
	return now.Sub(time.Unix(claims.AuthTime, 0)) > n.maxAge
}

// logins returns the methods of a new login that help: those that the page requires. If
// the login is too old and a second factor can follow a new one, all methods help.
func (n needs) logins(claims *gate.Claims, tooOld bool) []string {
	all := []string{"mail", "social", "passkey"}
	var wanted []string
	if !n.hasMethod(claims) {
		wanted = slices.DeleteFunc(slices.Clone(all), func(one string) bool { return !slices.Contains(n.methods, one) })
	}
	switch {
	case tooOld && (len(wanted) == 0 || len(n.factors(claims)) > 0):
		return all
	case n.hasMethod(claims) && !n.hasLevel(claims):
		return []string{"passkey"}
	}
	return wanted
}

// factors returns the second factors that help, if the login is recent enough.
func (n needs) factors(claims *gate.Claims) []string {
	all := []string{authcore.FactorTOTP, authcore.FactorRecovery}
	switch {
	case !n.hasMethod(claims):
		return slices.DeleteFunc(all, func(one string) bool { return !slices.Contains(n.methods, one) })
	case !n.hasLevel(claims):
		return all
	}
	return nil
}
