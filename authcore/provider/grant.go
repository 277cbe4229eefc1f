package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// grant is what a login gave: all that a spec's profile function works with.
type grant struct {
	provider *provider
	metadata metadata
	// token is the answer of the token endpoint; nil where an application came
	// with an ID token.
	token *oauth2.Token
	// claims of the verified ID token; nil where the provider issues none.
	claims object
	// user is what Apple posted beside the code. Nobody vouches for it.
	user string
}

// profile reads who logged in.
func (g *grant) profile(ctx context.Context) (authcore.Profile, error) {
	profile, err := g.provider.spec.profile(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	if profile.Issuer == "" {
		profile.Issuer = g.provider.accounts
	}
	return sanitize(profile)
}

// extra returns a further member of the token response, or "".
func (g *grant) extra(name string) string {
	text, _ := g.token.Extra(name).(string)
	return text
}

// get asks the provider's API with the access token: as a bearer token, unless
// the header has an Authorization of its own, or has that name without a value.
// header may be nil; what says in errors what was asked for.
func (g *grant) get(ctx context.Context, what, address string, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, failed("%s: %w", what, errBadURL)
	}
	if header != nil {
		request.Header = header
	}
	if _, decided := header["Authorization"]; !decided {
		request.Header.Set("Authorization", "Bearer "+g.token.AccessToken)
	}
	return g.provider.http.do(what, request)
}

// fetch is get where anything but status 200 is an error.
func (g *grant) fetch(ctx context.Context, what, address string, header http.Header) ([]byte, error) {
	answer, err := g.get(ctx, what, address, header)
	if err != nil {
		return nil, err
	}
	return answer.body, answer.ok(what)
}

// fetchUser is fetch for the JSON object at the user info endpoint, with
// parameters in the query.
func (g *grant) fetchUser(ctx context.Context, query url.Values, header http.Header) (object, error) {
	address, err := withQuery(g.metadata.userInfo, query)
	if err != nil {
		return nil, err
	}
	body, err := g.fetch(ctx, "user info", address, header)
	if err != nil {
		return nil, err
	}
	user, ok := parseObject(body)
	if !ok {
		return nil, failed("user info: is no JSON object")
	}
	return user, nil
}

// post sends a form to the provider's API, without the access token.
func (g *grant) post(ctx context.Context, what, address string, form url.Values) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, failed("%s: %w", what, errBadURL)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.provider.http.do(what, request)
}

// inQuery is the header of requests that have the access token in the query.
func inQuery() http.Header { return http.Header{"Authorization": nil} }

// withQuery adds parameters to an address.
func withQuery(address string, query url.Values) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", failed("user info: the URL cannot be parsed")
	}
	all := parsed.Query()
	for name, values := range query {
		all[name] = values
	}
	parsed.RawQuery = all.Encode()
	return parsed.String(), nil
}
