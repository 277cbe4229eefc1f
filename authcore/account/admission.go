package account

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
)

// Email is an address of a user or of a login. Address may be empty, and need not
// be valid: a provider reported it.
type Email struct {
	Address  string
	Verified bool
}

// Admits reports whether the allow and deny lists admit a login with these
// addresses: none of them is denied, and a verified one is allowed if there is an
// allow list.
func (r *Rules) Admits(emails ...Email) bool {
	if len(r.Allow) > 0 && r.allowed == nil || len(r.Deny) > 0 && r.denied == nil {
		return false // Validate was not called
	}
	admitted := len(r.Allow) == 0
	for _, email := range emails {
		if r.denied.denies(email.Address) {
			return false
		}
		admitted = admitted || email.Verified && r.allowed.allows(email.Address)
	}
	return admitted
}

// AdmitsUser reports whether the allow and deny lists admit a login of the user
// with one of the user's identities, or by mail if identity is nil. Login, refresh
// and the rule for the last login method use it.
func (r *Rules) AdmitsUser(user authcore.User, identity *authcore.Identity) bool {
	own := Email{Address: user.Email, Verified: user.EmailVerified}
	if identity == nil {
		return r.Admits(own)
	}
	return r.Admits(own, Email{Address: identity.Email, Verified: identity.EmailVerified})
}

// NotAdmitted returns the 403 error for a login that the lists do not admit.
func NotAdmitted() *authcore.Error {
	return authcore.NewError(http.StatusForbidden, authcore.CodeNotAdmitted, "This account may not log in here.")
}
