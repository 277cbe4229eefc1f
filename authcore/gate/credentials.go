package gate

import (
	"errors"
	"fmt"
	"strings"
)

// KeyPrefix begins every API key, so that scanners for secrets find it. The rest is a
// token of PurposeKey.
const KeyPrefix = "eak_"

// Credentials selects what a site accepts in Authorization. The zero value accepts
// tokens of logins with the scheme Token.
type Credentials struct {
	// Keys selects whether API keys are accepted.
	Keys KeyUse
	// Schemes are those of login tokens. API keys are accepted with all of them.
	Schemes Schemes
	// Basic also accepts an API key as the password of HTTP Basic, with any user name,
	// and asks programs for it.
	Basic bool
}

// KeyUse selects whether a site accepts API keys.
type KeyUse uint8

// The values of KeyUse.
const (
	KeysOff KeyUse = iota
	KeysOn
	// KeysOnly refuses tokens of logins, in cookies too.
	KeysOnly
)

// ParseKeyUse reads a KeyUse: "off", "on" or "only". The default is "off".
func ParseKeyUse(text string) (KeyUse, error) {
	switch text {
	case "", "off":
		return KeysOff, nil
	case "on":
		return KeysOn, nil
	case "only":
		return KeysOnly, nil
	}
	return KeysOff, fmt.Errorf("keys: %q is not valid; use off, on or only", text)
}

// Schemes is a set of authentication schemes (RFC 9110, section 11.1). The zero value
// is SchemeToken.
type Schemes uint8

// The schemes.
const (
	SchemeToken Schemes = 1 << iota
	SchemeBearer
)

// The names of schemes. They are compared in any case.
const (
	schemeToken  = "Token"
	schemeBearer = "Bearer"
	basicScheme  = "Basic"
)

// ParseSchemes reads a list of schemes. The default is SchemeToken.
func ParseSchemes(names []string) (Schemes, error) {
	var set Schemes
	for _, name := range names {
		scheme := schemeNamed(name)
		if scheme == 0 {
			return 0, fmt.Errorf("schemes: %q is not valid; use Token, Bearer or both", name)
		}
		if set&scheme != 0 {
			return 0, fmt.Errorf("schemes: %q is listed twice; remove one", name)
		}
		set |= scheme
	}
	return set, nil
}

// schemeNamed returns the scheme with a name, or 0.
func schemeNamed(name string) Schemes {
	switch {
	case equalFold(name, schemeToken):
		return SchemeToken
	case equalFold(name, schemeBearer):
		return SchemeBearer
	}
	return 0
}

func (s Schemes) have(name string) bool {
	if s == 0 {
		s = SchemeToken
	}
	return s&schemeNamed(name) != 0
}

// Validate returns the faults of options that depend on each other, and those of the
// policy.
func (s *Site) Validate() error {
	return errors.Join(s.validateCredentials(), s.Policy.Validate())
}

func (s *Site) validateCredentials() error {
	switch c := s.Credentials; {
	case c.Basic && c.Keys == KeysOff:
		return errors.New("keys_basic: needs keys; set keys to on or only")
	case c.Basic && s.ForwardToken:
		return errors.New("keys_basic: excludes forward_token, because the upstream would see a user name that was not checked; remove one")
	}
	return nil
}

// challenges returns the values of WWW-Authenticate (RFC 9110, section 11.6.1). Each
// challenge has a field of its own, because some clients read one challenge of a field.
// Parameters state what a login lacks.
func (c Credentials) challenges(basic bool, parameters string) []string {
	var challenges []string
	if basic {
		challenges = append(challenges, challengeBasic)
	}
	for _, name := range [...]string{schemeToken, schemeBearer} {
		if c.Schemes.have(name) {
			challenges = append(challenges, name+parameters)
		}
	}
	return challenges
}

// asksForBasic reports whether a 401 asks for HTTP Basic. On a site with a login page,
// browsers are not asked: they would show a dialog of their own. Thunderbird has the
// user agent of a browser and shows no pages of the site.
func (s *Site) asksForBasic(r *Request) bool {
	if !s.Credentials.Basic || s.Browser == nil {
		return s.Credentials.Basic
	}
	agent, _ := single(r.Header["User-Agent"])
	if strings.Contains(agent, "Thunderbird/") {
		return true
	}
	for _, name := range [...]string{"Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Origin", "X-Requested-With"} {
		if r.Header[name] != nil {
			return false
		}
	}
	accept, _ := single(r.Header["Accept"])
	return !strings.HasPrefix(agent, "Mozilla/") && !strings.Contains(accept, "text/html")
}

// isForgedBasic reports whether a page of another site caused a request with HTTP
// Basic. Browsers store such credentials and send them with every request, as they do
// with cookies (CWE-352). Programs send neither Origin nor Sec-Fetch-Site.
func (s *Site) isForgedBasic(r *Request, allow func(origin string) bool) bool {
	if r.Header["Origin"] == nil && r.Header["Sec-Fetch-Site"] == nil {
		return false
	}
	if s.Browser != nil {
		return s.Browser.isCrossSite(r, allow)
	}
	return (&Browser{}).isCrossSite(r, allow)
}
