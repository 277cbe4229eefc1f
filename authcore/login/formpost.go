package authcore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// responseFormPost is the Endpoint.ResponseMode of a provider whose answer needs
// the bridge (OAuth 2.0 Form Post Response Mode, section 2).
const responseFormPost = "form_post"

// Bounds of what a browser brings from a provider, in bytes. All but the user
// goes on in the address of the frontend's page.
const (
	maxCallbackCode   = 4 << 10
	maxCallbackIssuer = 1 << 10
	maxCallbackUser   = 4 << 10
)

// errorName is the form in which an error of a provider is passed on. RFC 6749,
// section 4.1.2.1, allows more, such as blanks and angle brackets; names of
// errors have none.
var errorName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// CallbackURI returns the redirect URI of the bridge for a provider, or "" when
// there is no bridge because APIURL is not set.
func (c *Config) CallbackURI(provider string) string {
	if c.APIURL == "" {
		return ""
	}
	return c.APIURL + "/social/callback/" + url.PathEscape(provider) + "/"
}

// bridge returns the redirect URI of the bridge where the provider needs it,
// otherwise "".
func (s *Service) bridge(ctx context.Context, provider Provider) (string, error) {
	endpoint, err := provider.Endpoint(ctx)
	if err != nil {
		return "", s.providerError(provider.Name(), err)
	}
	if endpoint.ResponseMode != responseFormPost {
		return "", nil
	}
	uri := s.cfg.CallbackURI(provider.Name())
	if uri == "" {
		s.log.Error("this provider posts its answer, which needs the option api_url", "provider", provider.Name())
		return "", s.providerError(provider.Name(), ErrProviderFailed)
	}
	return uri, nil
}

// returnTo is the redirect URI that the provider was given.
func (f *Flow) returnTo() string {
	if f.CallbackURI != "" {
		return f.CallbackURI
	}
	return f.RedirectURI
}

// Callback is what a browser brings from a provider to the bridge.
type Callback struct {
	Provider string
	State    string
	// Code, or Error where the provider refused (RFC 6749, section 4.1.2).
	Code  string
	Error string
	// Issuer is the parameter "iss" (RFC 9207).
	Issuer string
	// User is kept for the login call. It must be empty for a request that may
	// change nothing.
	User   string
	Caller Caller
}

// HandOn returns the address of the frontend to which a browser goes on from the
// bridge. The login goes on waiting for its login call: nothing is spent.
//
// Which address that is was decided when the login was begun, and is checked
// against the client's list again. The request says only which login it belongs
// to (CWE-601).
func (s *Service) HandOn(ctx context.Context, c Callback) (string, error) {
	if err := s.throttle(ctx, limit{"callback-ip", party(c.Caller.IP), s.cfg.Limits.AuthorizePerIP}); err != nil {
		return "", err
	}
	if c.Code == "" && c.Error == "" || len(c.Code) > maxCallbackCode || len(c.Issuer) > maxCallbackIssuer {
		return "", &Error{
			Status: http.StatusBadRequest, Code: CodeInvalidRequest,
			Detail: "The provider's answer is not complete. Begin the login again.",
		}
	}
	flow, err := s.waitingFlow(ctx, c)
	if err != nil {
		return "", err
	}
	query := url.Values{"state": {c.State}}
	switch {
	case c.Error == "":
		query.Set("code", c.Code)
	case errorName.MatchString(c.Error):
		query.Set("error", c.Error)
	default:
		query.Set("error", "server_error")
	}
	if c.Issuer != "" {
		query.Set("iss", c.Issuer)
	}
	return withQuery(flow.RedirectURI, query), nil
}

// waitingFlow returns the flow of a callback and keeps what must not go on
// through an address.
func (s *Service) waitingFlow(ctx context.Context, c Callback) (Flow, error) {
	var found Flow
	fits := func(flow *Flow) error {
		found = *flow
		client := s.clientNamed(flow.Client)
		if flow.CallbackURI == "" || flow.Provider != c.Provider || s.providers[c.Provider] == nil ||
			!client.allowsProvider(c.Provider) || !slices.Contains(client.RedirectURIs, flow.RedirectURI) {
			return ErrNotFound
		}
		if c.Code == "" || c.User == "" || len(c.User) > maxCallbackUser || flow.User != "" {
			return errUnchanged
		}
		flow.User = c.User
		return nil
	}
	if !strings.HasPrefix(c.State, statePrefix) {
		return Flow{}, invalidState()
	}
	_, err := s.store.UpdateFlow(ctx, DigestOf(statePurpose, c.State), s.now(), fits)
	switch {
	case err == nil || errors.Is(err, errUnchanged):
		return found, nil
	case errors.Is(err, ErrNotFound):
		return Flow{}, invalidState()
	default:
		return Flow{}, unavailable(err)
	}
}

// errUnchanged ends an update of which nothing is to be stored.
var errUnchanged = errors.New("authcore: nothing to change")

// withQuery adds parameters to a redirect URI, which may have some of its own
// (RFC 6749, section 3.1.2).
func withQuery(uri string, query url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + query.Encode()
}

// validateAPIURL finds a provider that needs it, and refuses what a provider
// would not take as a redirect URI or what a code must not be sent to in the
// clear (RFC 9700, section 2.6).
func (c *Config) validateAPIURL() []error {
	if c.APIURL != "" {
		return []error{checkAPIURL(c.APIURL)}
	}
	var faults []error
	for _, p := range c.Providers {
		if poster, ok := p.(Poster); ok && poster.PostsAnswers() {
			faults = append(faults, fmt.Errorf("provider %s: posts its answers, which a page without a server cannot receive; "+
				"set api_url to the address of the login API, for example https://api.example.com/v1/auth", p.Name()))
		}
	}
	return faults
}

func checkAPIURL(text string) error {
	parsed, err := url.Parse(text)
	if err == nil {
		err = validateRedirectURI(text)
	}
	switch {
	case err != nil:
		return fmt.Errorf("api_url: %q %w", text, err)
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !isLoopback(parsed.Hostname())):
		return fmt.Errorf("api_url: %q must begin with https://; http is for the loopback interface", text)
	case strings.Contains(text, "?"):
		return fmt.Errorf("api_url: %q has a query; give the prefix of login_api, for example https://api.example.com/v1/auth", text)
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
