package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// grant holds the result of a login; the profile function of a spec reads it.
type grant struct {
	provider *provider
	metadata metadata
	// token is the token response; nil for an ID token from an application.
	token *tokens
	// claims of the verified ID token; nil if the provider issues none.
	claims object
	// user is the field that Apple posts together with the code. It is not
	// authenticated.
	user string
}

// profile returns the checked profile of the user.
func (g *grant) profile(ctx context.Context) (authcore.Profile, error) {
	profile, err := g.provider.spec.profile(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	if profile.Issuer == "" {
		profile.Issuer = g.provider.accounts
	}
	profile.EmailVerified = profile.EmailVerified && g.provider.trusts(profile.Email)
	if profile, err = sanitize(profile); err != nil {
		return authcore.Profile{}, err
	}
	profile.Roles = g.provider.roles(g.claims)
	return profile, nil
}

// get requests the provider's API with the access token as a bearer token. A header
// with the key Authorization replaces that, also if it has no value. header may be
// nil; what names the document in errors.
func (g *grant) get(ctx context.Context, what, address string, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, failed("%s: %w", what, errBadURL)
	}
	if header != nil {
		request.Header = header
	}
	if _, decided := header["Authorization"]; !decided {
		request.Header.Set("Authorization", "Bearer "+g.token.access)
	}
	return send(g.provider.http.fetch, what, request)
}

// fetch is get with an error for every status but 200.
func (g *grant) fetch(ctx context.Context, what, address string, header http.Header) ([]byte, error) {
	answer, err := g.get(ctx, what, address, header)
	if err != nil {
		return nil, err
	}
	return answer.body, answer.ok(what)
}

// fetchUser requests the JSON object at the user info endpoint, with parameters in
// the query.
func (g *grant) fetchUser(ctx context.Context, query url.Values, header http.Header) (object, error) {
	address, err := withQuery(g.metadata.userInfo, query)
	if err != nil {
		return nil, err
	}
	body, err := g.fetch(ctx, "user info", address, header)
	if err != nil {
		return nil, err
	}
	if isCompactJWT(body) {
		return g.provider.readSignedUser(ctx, g.metadata, strings.TrimSpace(string(body)))
	}
	user, ok := parseObject(body)
	if !ok {
		return nil, failed("user info: the response is not a JSON object")
	}
	return user, nil
}

// fetchAccount is fetchUser, and returns also the id of the account: a member that is a
// string.
func (g *grant) fetchAccount(ctx context.Context, member string, query url.Values, header http.Header) (user object, id string, err error) {
	if user, err = g.fetchUser(ctx, query, header); err != nil {
		return nil, "", err
	}
	id, ok := user.text(member)
	if !ok {
		return nil, "", failed("user info: %s is not a string", member)
	}
	return user, id, nil
}

// fetchEmails requests a list of the user's addresses. It returns nil if the access token
// may not read them.
func (g *grant) fetchEmails(ctx context.Context, what, address string, header http.Header) ([]byte, error) {
	answer, err := g.get(ctx, what, address, header)
	if err != nil || mayNotReadEmails(answer) {
		return nil, err
	}
	return answer.body, answer.ok(what)
}

// mayNotReadEmails distinguishes a token without the scope (404 for an OAuth app,
// 403 for a GitHub app) from rate limiting, which is also a 403.
func mayNotReadEmails(answer answer) bool {
	switch answer.status {
	case http.StatusNotFound:
		return true
	case http.StatusForbidden:
		return answer.header.Get("Retry-After") == "" && answer.header.Get("X-Ratelimit-Remaining") != "0"
	default:
		return false
	}
}

// post sends a form to the provider's API, without the access token.
func (g *grant) post(ctx context.Context, what, address string, form url.Values) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, failed("%s: %w", what, errBadURL)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(g.provider.http.fetch, what, request)
}

// inQuery returns the header of requests that carry the access token in the query.
func inQuery() http.Header { return http.Header{"Authorization": nil} }

// withQuery adds parameters to an address.
func withQuery(address string, query url.Values) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", failed("user info: %w", errBadURL)
	}
	all := parsed.Query()
	for name, values := range query {
		all[name] = values
	}
	parsed.RawQuery = all.Encode()
	return parsed.String(), nil
}
