package adminapi

import (
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/apikey"
)

// APIKeyRequest is the body of POST /api-keys. Exactly one of User and Service is set.
type APIKeyRequest struct {
	// User is the ID of the owner. Service is the name of a service account, which is
	// created if it does not exist.
	User    string   `json:"user,omitempty"`
	Service string   `json:"service,omitempty"`
	Name    string   `json:"name"`
	Roles   []string `json:"roles,omitempty"`
	// ExpiresIn is the lifetime in seconds.
	ExpiresIn int64 `json:"expires_in"`
}

// APIKey is an API key. Secret is set only in the answer to POST.
type APIKey struct {
	ID       string    `json:"id"`
	User     string    `json:"user"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires_at"`
	LastUsed time.Time `json:"last_used,omitzero"`
	Secret   string    `json:"secret,omitempty"`
}

// APIKeys is a page of API keys, the newest first. Next is the cursor of the next page, or
// "" at the end.
type APIKeys struct {
	Keys []APIKey `json:"keys"`
	Next string   `json:"next"`
}

func apiKeyOf(key apikey.Key, secret string) APIKey {
	return APIKey{
		ID: key.ID, User: key.UserID, Name: key.Name, Roles: append([]string{}, key.Roles...),
		Created: key.Created, Expires: key.Expires, LastUsed: key.LastUsed, Secret: secret,
	}
}

func apiKeysOf(keys []apikey.Key) []APIKey {
	shown := make([]APIKey, len(keys))
	for i, key := range keys {
		shown[i] = apiKeyOf(key, "")
	}
	return shown
}

func createAPIKey(c *call) (any, error) {
	var body APIKeyRequest
	if err := c.read(&body, `{"user": "…" or "service": "…", "name": "…", "roles": […], "expires_in": seconds}`); err != nil {
		return nil, err
	}
	switch {
	case (body.User == "") == (body.Service == ""):
		return nil, invalid("Use either user or service.")
	case body.ExpiresIn < 1 || body.ExpiresIn > int64(apikey.MaxLifetime/time.Second):
		return nil, invalid("expires_in: use a number of seconds up to 366 days.")
	}
	request := apikey.Request{Name: body.Name, Roles: body.Roles, Lifetime: time.Duration(body.ExpiresIn) * time.Second}
	create := c.realm.APIKeys.CreateFor
	owner := body.User
	if body.Service != "" {
		create, owner = c.realm.APIKeys.CreateService, body.Service
	}
	created, err := create(c.Context(), owner, request)
	if err != nil {
		return nil, err
	}
	c.status = http.StatusCreated
	return apiKeyOf(created.Key, created.Secret), nil
}

func listAPIKeys(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	query := c.URL.Query()
	keys, next, err := c.realm.APIKeys.ListAll(c.Context(), query.Get("user"), limit, query.Get("cursor"))
	return APIKeys{Keys: apiKeysOf(keys), Next: next}, err
}

func revokeAPIKey(c *call) (any, error) {
	return nil, c.realm.APIKeys.RevokeAny(c.Context(), c.PathValue("key"))
}
