package authcore

import "time"

// IdentityState describes whether an identity can log in.
type IdentityState string

// The states of an Identity.
const (
	// IdentityActive logs in its user.
	IdentityActive IdentityState = ""
	// IdentityPending was imported under a former subject: the one under which an
	// earlier system or the earlier owner of an application knew the account.
	// The first login of the account replaces it by an active identity.
	IdentityPending IdentityState = "pending"
	// IdentityUnlinked was removed by its user. It cannot log in and does not
	// rejoin by address; only linking it explicitly makes it active again. It
	// belongs to no user in the sense of ErrTaken: another user may link it.
	IdentityUnlinked IdentityState = "unlinked"
	// IdentityRetired was pending: the account has logged in, or its user removed
	// the login. It cannot log in and is not shown. It keeps the former subject,
	// which another person may own by now, from being imported once more.
	IdentityRetired IdentityState = "retired"
)

// String returns the name of the state, "active" for IdentityActive.
func (s IdentityState) String() string {
	if s == IdentityActive {
		return "active"
	}
	return string(s)
}

// Identity is a user's account at a social provider. None of its key's parts is an
// e-mail address or anything else that can be reassigned (OpenID Connect Core 1.0,
// section 5.7), except in a pending identity.
type Identity struct {
	// Provider is the configured name, for example "github".
	Provider string `json:"provider"`
	// Issuer distinguishes tenants of one provider; "" if there is only one.
	Issuer string `json:"issuer,omitempty"`
	// Subject is the provider's immutable identifier of the account; for a
	// pending identity, the former subject.
	Subject string        `json:"subject"`
	State   IdentityState `json:"state,omitempty"`
	UserID  string        `json:"user_id"`
	// PublicID names the identity in the API. It is random.
	PublicID string `json:"public_id"`
	// Email is the address that the provider reported at the last login, and
	// EmailVerified whether it vouched for it. Email need not be a valid address.
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	// Roles are the roles that the provider reported at the last login, in ascending
	// order, and RolesAt is the time of that login; zero without roles.
	Roles   []string  `json:"roles,omitempty"`
	RolesAt time.Time `json:"roles_at,omitzero"`
	Created time.Time `json:"created"`
	// Expires ends a pending identity; zero means never.
	Expires time.Time `json:"expires,omitzero"`
}

// IdentityKey identifies an identity within a realm. A pending or retired identity
// has a key of its own, so that a former subject never matches a subject. Issuer
// and Subject have up to 1024 bytes of UTF-8 without NUL, Provider up to 64.
type IdentityKey struct {
	Provider, Issuer, Subject string
	Pending                   bool
}

// Key returns the key of the identity.
func (i Identity) Key() IdentityKey {
	return IdentityKey{
		Provider: i.Provider, Issuer: i.Issuer, Subject: i.Subject,
		Pending: i.State == IdentityPending || i.State == IdentityRetired,
	}
}

// Live reports whether the identity has not expired. An expired identity is
// treated as absent.
func (i Identity) Live(now time.Time) bool { return i.Expires.IsZero() || now.Before(i.Expires) }
