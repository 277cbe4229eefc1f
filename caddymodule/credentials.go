package caddymodule

import (
	"errors"

	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// CredentialOptions select what is accepted in the Authorization header. Those of
// `login_api` and `login_page` are for `/verify/`.
type CredentialOptions struct {
	// Whether API keys are accepted, as `Authorization: Token eak_…` or `Bearer eak_…`:
	// `off`, `on`, or `only` (and no tokens of logins). The realm needs `api_keys`.
	// Default: `off`.
	Keys string `json:"keys,omitempty" oneof:"off on only"`
	// Accept an API key as the password of HTTP Basic, with any user name, for clients
	// such as git, and ask programs for it. Needs `keys`. Default: false.
	KeysBasic bool `json:"keys_basic,omitempty"`
	// The authentication schemes of login tokens: `Token`, `Bearer` or both. Credentials
	// of other schemes count as absent. Default: `Token`.
	Schemes []string `json:"schemes,omitempty"`
}

// accepted returns the credentials that are accepted.
func (o *CredentialOptions) accepted(realm *Realm) (credentials gate.Credentials, err error) {
	credentials.Basic = o.KeysBasic
	if credentials.Keys, err = gate.ParseKeyUse(o.Keys); err != nil {
		return credentials, err
	}
	if credentials.Schemes, err = gate.ParseSchemes(o.Schemes); err != nil {
		return credentials, err
	}
	if credentials.Keys != gate.KeysOff && realm.config.APIKeys == apikey.Off {
		return credentials, errors.New("keys: the realm has no API keys; set api_keys there to operators or users")
	}
	return credentials, nil
}

// ofVerify returns the credentials that `/verify/` accepts.
func (o *CredentialOptions) ofVerify(realm *Realm) (gate.Credentials, error) {
	credentials, err := o.accepted(realm)
	if err != nil {
		return credentials, err
	}
	if credentials.Schemes == gate.SchemeToken {
		credentials.Schemes = 0 // the default
	}
	site := gate.Site{Credentials: credentials}
	return credentials, site.Validate()
}
