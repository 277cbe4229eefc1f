package adminapi

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// User is a user in the form of the API.
type User struct {
	ID            string `json:"id"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`
	// Roles are in force. GrantedRoles are those of them that an operator granted, and
	// which PUT /users/{id}/roles replaces.
	Roles        []string   `json:"roles"`
	GrantedRoles []string   `json:"granted_roles"`
	Disabled     bool       `json:"disabled"`
	Created      time.Time  `json:"created"`
	LastLogin    *time.Time `json:"last_login"`
}

// UserDetails is a user with everything that belongs to it.
type UserDetails struct {
	User
	Identities []Identity `json:"identities"`
	Sessions   []Session  `json:"sessions"`
	// Factors are the passkeys and the second factors.
	Factors []Factor `json:"factors"`
	// Keys are the API keys that have not ended, the newest first.
	Keys []APIKey `json:"keys"`
}

// Identity is an account at a provider. State is "active", "pending", "unlinked" or
// "retired".
type Identity struct {
	ID            string    `json:"id"`
	Provider      string    `json:"provider"`
	Issuer        string    `json:"issuer,omitempty"`
	Subject       string    `json:"subject"`
	State         string    `json:"state"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Created       time.Time `json:"created"`
}

// Session is a login.
type Session struct {
	ID        string    `json:"id"`
	Client    string    `json:"client"`
	Method    string    `json:"method"`
	Created   time.Time `json:"created"`
	LastSeen  time.Time `json:"last_seen"`
	Expires   time.Time `json:"expires"`
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
}

// Search selects users. Empty fields select all.
type Search struct {
	EmailPrefix   string    `json:"email_prefix,omitempty"`
	Domain        string    `json:"domain,omitempty"`
	Role          string    `json:"role,omitempty"`
	Disabled      *bool     `json:"disabled,omitempty"`
	CreatedFrom   time.Time `json:"created_from,omitzero"`
	CreatedTo     time.Time `json:"created_to,omitzero"`
	LastLoginFrom time.Time `json:"last_login_from,omitzero"`
	LastLoginTo   time.Time `json:"last_login_to,omitzero"`
	Limit         int       `json:"limit,omitempty"`
	Cursor        string    `json:"cursor,omitempty"`
}

// Users is a page of users. Next is the cursor of the next page, or "" at the end.
type Users struct {
	Users []User `json:"users"`
	Next  string `json:"next"`
}

// Roles is the body of PUT /users/{id}/roles.
type Roles struct {
	Roles []string `json:"roles"`
}

func lookUp(c *call) (any, error) {
	var body struct {
		Email string `json:"email"`
	}
	if err := c.read(&body, `{"email": "…"}`); err != nil {
		return nil, err
	}
	user, err := c.realm.Accounts.Find(c.Context(), body.Email)
	return userOf(user), err
}

func search(c *call) (any, error) {
	var body Search
	if err := c.read(&body, "a filter; see the documentation"); err != nil {
		return nil, err
	}
	filter, err := body.filter()
	if err != nil {
		return nil, err
	}
	page, next, err := c.realm.Accounts.List(c.Context(), filter, body.Cursor)
	if err != nil {
		return nil, err
	}
	users := make([]User, len(page))
	for i := range page {
		users[i] = userOf(page[i])
	}
	return Users{Users: users, Next: next}, nil
}

func create(c *call) (any, error) {
	var body account.NewUser
	if err := c.read(&body, `{"email": "…", "first_name": "…", "last_name": "…", "roles": […]}`); err != nil {
		return nil, err
	}
	user, err := c.realm.Accounts.Create(c.Context(), body)
	c.status = http.StatusCreated
	return userOf(user), err
}

// onUser adds the user of the path to an operation. A user whose data is damaged can
// be disabled and deleted by its ID.
func onUser(perform func(c *call, id string) (any, error)) operation {
	return func(c *call) (any, error) {
		id := c.PathValue("user")
		if strings.Contains(id, "@") { // servers log URLs
			return nil, invalid("Addresses must not be in a URL; use the ID of the user, which POST /lookup returns.")
		}
		user, err := c.realm.Accounts.Find(c.Context(), id)
		if err == nil {
			id = user.ID
		} else if !errors.Is(err, authcore.ErrDamaged) {
			return nil, err
		}
		return perform(c, id)
	}
}

func show(c *call, id string) (any, error) {
	account, err := c.realm.Accounts.Account(c.Context(), id)
	if err != nil {
		return nil, err
	}
	found, err := c.realm.APIKeys.List(c.Context(), id)
	if err != nil {
		return nil, err
	}
	factors, err := c.realm.factorsOf(c.Context(), account.User)
	if err != nil {
		return nil, err
	}
	return UserDetails{
		Factors: factors,
		User:    userOf(account.User), Identities: identitiesOf(account.Identities), Sessions: sessionsOf(account.Sessions), Keys: apiKeysOf(found),
	}, nil
}

func setRoles(c *call, id string) (any, error) {
	var body Roles
	if err := c.read(&body, `{"roles": […]}`); err != nil {
		return nil, err
	}
	if body.Roles == nil {
		return nil, invalid(`Expected {"roles": […]}.`)
	}
	user, err := c.realm.Accounts.SetRoles(c.Context(), id, body.Roles)
	return userOf(user), err
}

func disable(c *call, id string) (any, error) {
	user, err := c.realm.Accounts.Disable(c.Context(), id)
	return userOf(user), err
}

func enable(c *call, id string) (any, error) {
	user, err := c.realm.Accounts.Enable(c.Context(), id)
	return userOf(user), err
}

func remove(c *call, id string) (any, error) {
	return nil, c.realm.Accounts.Delete(c.Context(), id)
}

func showSessions(c *call, id string) (any, error) {
	account, err := c.realm.Accounts.Account(c.Context(), id)
	return map[string]any{"sessions": sessionsOf(account.Sessions)}, err
}

func endSessions(c *call, id string) (any, error) {
	return nil, c.realm.Accounts.EndSessions(c.Context(), id, c.PathValue("session"))
}

// filter returns the search in the form of the store.
func (s Search) filter() (authcore.UserFilter, error) {
	domain := ""
	switch {
	case s.Limit < 0:
		return authcore.UserFilter{}, invalid("limit: use a positive number.")
	case s.Role != "":
		if _, err := authcore.ParseRoles([]string{s.Role}); err != nil {
			return authcore.UserFilter{}, invalid("role: " + err.Error() + ".")
		}
	}
	if s.Domain != "" {
		parsed, err := authcore.ParseDomain(s.Domain)
		if err != nil {
			return authcore.UserFilter{}, invalid("The domain is not valid.")
		}
		domain = parsed
	}
	return authcore.UserFilter{
		EmailPrefix: authcore.AddressPrefix(s.EmailPrefix), Domain: domain, Role: s.Role, Disabled: s.Disabled,
		CreatedFrom: s.CreatedFrom, CreatedTo: s.CreatedTo,
		LastLoginFrom: s.LastLoginFrom, LastLoginTo: s.LastLoginTo, Limit: s.Limit,
	}, nil
}

func userOf(user authcore.User) User {
	shown := User{
		ID: user.ID, Email: user.Email, EmailVerified: user.EmailVerified,
		FirstName: user.FirstName, LastName: user.LastName, Roles: append([]string{}, user.Roles...), GrantedRoles: append([]string{}, user.Granted...),
		Disabled: user.Disabled, Created: user.Created,
	}
	if !user.LastLogin.IsZero() {
		shown.LastLogin = &user.LastLogin
	}
	return shown
}

func identitiesOf(identities []authcore.Identity) []Identity {
	shown := make([]Identity, len(identities))
	for i, identity := range identities {
		shown[i] = Identity{
			ID: identity.PublicID, Provider: identity.Provider, Issuer: identity.Issuer, Subject: identity.Subject, State: identity.State.String(),
			Email: identity.Email, EmailVerified: identity.EmailVerified, Created: identity.Created,
		}
	}
	return shown
}

// sessionsOf returns the logins among sessions: API keys have a list of their own.
func sessionsOf(sessions []authcore.Session) []Session {
	shown := []Session{}
	for _, session := range sessions {
		if session.IsKey() {
			continue
		}
		shown = append(shown, Session{
			ID: session.ID, Client: session.Client, Method: session.Method, Created: session.Created,
			LastSeen: session.LastSeen, Expires: session.Expires, IP: session.IP, UserAgent: session.UserAgent,
		})
	}
	return shown
}
