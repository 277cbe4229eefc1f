package authcore

import (
	"slices"
	"strings"
	"time"
)

// User is a person who can log in to a realm.
type User struct {
	// ID is a random UUID. It never changes and is not reused.
	ID string `json:"id"`
	// Email is the address in the form of Address.String, or "".
	Email string `json:"email,omitempty"`
	// EmailVerified reports that the user received mail at Email, or that a
	// trusted provider verified it. Only a verified address identifies a user.
	EmailVerified bool   `json:"email_verified,omitempty"`
	FirstName     string `json:"first_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	AvatarURL     string `json:"avatar_url,omitempty"`
	// Nickname is the user name at the provider of the first login, or "".
	Nickname string `json:"nickname,omitempty"`
	// Roles are the roles that the user has, in ascending order: those of Granted,
	// of the configuration and of the identities. Logins and refreshes compute them.
	Roles []string `json:"roles,omitempty"`
	// Granted are the roles that an operator or an import gave to the user, in
	// ascending order.
	Granted []string `json:"granted,omitempty"`
	// Factors lists the second factors of the user. It is authoritative: a record that
	// it does not name is not a factor.
	Factors []Factor `json:"factors,omitempty"`
	// Passkeys lists the keys of the records of the user's passkeys. It is authoritative:
	// a record that it does not name is not a passkey.
	Passkeys []string `json:"passkeys,omitempty"`
	// DeviceEpoch is incremented to forget all remembered devices of the user.
	DeviceEpoch int `json:"device_epoch,omitempty"`
	// Disabled users get no token and keep none.
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
	// LastLogin is the time of the last login; zero if there was none.
	LastLogin time.Time `json:"last_login,omitzero"`
}

// The kinds of a Factor, which are also those of its record.
const (
	FactorTOTP     = "totp"
	FactorRecovery = "recovery"
)

// Factor is a second factor of a user.
type Factor struct {
	// Kind is FactorTOTP or FactorRecovery.
	Kind string `json:"kind"`
	// ID is the key of the record that contains its secrets.
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// Factor returns the factor of a kind, or false.
func (u User) Factor(kind string) (Factor, bool) {
	i := slices.IndexFunc(u.Factors, func(f Factor) bool { return f.Kind == kind })
	if i < 0 {
		return Factor{}, false
	}
	return u.Factors[i], true
}

// Username returns a name for display. It is not unique.
func (u User) Username() string {
	if u.Nickname != "" {
		return u.Nickname
	}
	local, _, _ := strings.Cut(u.Email, "@")
	return local
}

// Name returns first and last name joined, or "".
func (u User) Name() string {
	return strings.TrimSpace(u.FirstName + " " + u.LastName)
}

// EmailKey returns the Address.Key of a verified address, otherwise "".
func (u User) EmailKey() string {
	if !u.EmailVerified || u.Email == "" {
		return ""
	}
	address, err := ParseAddress(u.Email)
	if err != nil {
		return ""
	}
	return address.Key()
}
