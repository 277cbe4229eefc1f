package authcore

import (
	"strings"
	"time"
)

// User is a person in a realm.
type User struct {
	// ID is a random UUID that never changes and is never used again.
	ID string `json:"id"`
	// Email is the address in the form of Address.String, or "".
	Email string `json:"email,omitempty"`
	// EmailVerified says that this person has shown to receive mail at Email,
	// or that a provider whose word counts says so. Only a verified address
	// identifies a user.
	EmailVerified bool   `json:"email_verified,omitempty"`
	FirstName     string `json:"first_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	AvatarURL     string `json:"avatar_url,omitempty"`
	// Nickname is the user name at the provider of the first login, or "".
	Nickname string `json:"nickname,omitempty"`
	// Disabled users get no token and keep none.
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
}

// Username is a name to show, not a key: two users may share it.
func (u User) Username() string {
	if u.Nickname != "" {
		return u.Nickname
	}
	local, _, _ := strings.Cut(u.Email, "@")
	return local
}

// Name is first and last name joined, or "".
func (u User) Name() string {
	return strings.TrimSpace(u.FirstName + " " + u.LastName)
}

// EmailKey is the key under which the address identifies the user: its
// Address.Key when it is verified, otherwise "".
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

// Identity is a person's account at a social provider. Provider, Issuer and
// Subject together identify it; none of them is an e-mail address or anything
// else that can change hands (OpenID Connect Core 1.0, section 5.7); one that was
// imported under such a thing is kept apart until it has been replaced by a true
// one (see Profile.FormerSubject).
type Identity struct {
	// Provider is the configured name, for example "github".
	Provider string `json:"provider"`
	// Issuer tells tenants of one provider apart; "" where there is one only.
	Issuer string `json:"issuer,omitempty"`
	// Subject is the provider's immutable id of the account.
	Subject string    `json:"subject"`
	UserID  string    `json:"user_id"`
	Email   string    `json:"email,omitempty"`
	Created time.Time `json:"created"`
}
