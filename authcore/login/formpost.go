package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// responseFormPost is the Endpoint.ResponseMode of a provider that posts its
// response (OAuth 2.0 Form Post Response Mode, section 2).
const responseFormPost = "form_post"

// callbackUserKind is the kind of the records of posted user fields.
const callbackUserKind = "callback-user"

// Limits of the parameters of a callback, in bytes. All but the user continue in
// the address of the frontend's page.
const (
	maxCallbackCode   = 4 << 10
	maxCallbackIssuer = 1 << 10
	maxCallbackUser   = 4 << 10
)

// errorName matches the error codes of a provider that are passed on. RFC 6749,
// section 4.1.2.1, allows blanks and angle brackets too; no known code has them.
var errorName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// CallbackURI returns our redirect URI for a provider that posts its response, or
// "" if apiURL is not set.
func CallbackURI(apiURL, provider string) string {
	if apiURL == "" {
		return ""
	}
	return strings.TrimSuffix(apiURL, "/") + "/social/callback/" + url.PathEscape(provider) + "/"
}

func (s *Service) callbackURI(provider string) string { return CallbackURI(s.cfg.APIURL, provider) }

// formPostURI returns our redirect URI if the provider posts its response,
// otherwise "".
func (s *Service) formPostURI(ctx context.Context, provider authcore.Provider) (string, error) {
	endpoint, err := provider.Endpoint(ctx)
	if err != nil {
		return "", s.providerError(provider.Name(), err)
	}
	if endpoint.ResponseMode != responseFormPost {
		return "", nil
	}
	uri := s.callbackURI(provider.Name())
	if uri == "" {
		s.log.Error("form_post provider needs api_url", "provider", provider.Name())
		return "", s.providerError(provider.Name(), authcore.ErrProviderFailed)
	}
	return uri, nil
}

// FormPost returns the address of the frontend's page to which a form_post callback
// redirects the browser, with the parameters of the response in its query. The
// login is completed by a call of Social as usual; nothing is used up here.
//
// The page was chosen when the login began. The sealed state names it, and it must
// still be on the client's list: the callback is not an open redirect (CWE-601).
func (s *Service) FormPost(ctx context.Context, c Callback) (string, error) {
	var target string
	checks := ratelimit.Parties("callback-ip", c.Caller.IP, s.cfg.Limits.AuthorizePerIP)
	err := s.cfg.Limiter.Do(ctx, checks, func() (err error) {
		target, err = s.formPost(ctx, c)
		return err
	})
	if err != nil {
		return "", authcore.Unavailable(err)
	}
	return target, nil
}

func (s *Service) formPost(ctx context.Context, c Callback) (string, error) {
	if c.Code == "" && c.Error == "" || len(c.Code) > maxCallbackCode || len(c.Issuer) > maxCallbackIssuer {
		return "", authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidRequest,
			"The provider's response is not complete. Please try again.")
	}
	opened, err := s.unseal(c.State)
	if err != nil {
		return "", err
	}
	redirectURI, ok := s.pageOf(&opened, c.Provider)
	if !ok {
		return "", invalidState()
	}
	if err := s.checkUnused(ctx, &opened); err != nil {
		return "", err
	}
	if err := s.keepUser(ctx, &opened, c); err != nil {
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
	return withQuery(redirectURI, query), nil
}

// pageOf finds the redirect URI of a state among those that the configuration
// allows for its client and this provider.
func (s *Service) pageOf(t *state, provider string) (string, bool) {
	if !t.formPost || t.provider != providerDigest(provider) || s.cfg.Providers[provider] == nil {
		return "", false
	}
	for i := range s.cfg.Clients {
		client := &s.cfg.Clients[i]
		if t.client != clientDigest(client.Name) || !client.AllowsProvider(provider) {
			continue
		}
		for _, uri := range client.RedirectURIs {
			for _, uri := range []string{uri, authcore.WithLoopbackPort(uri, t.port)} {
				if t.redirectURI == redirectDigest(uri) {
					return uri, true
				}
			}
		}
	}
	return "", false
}

// keepUser keeps the field "user" for the login call: Apple posts the user's name
// once, at the first login, and it must not continue in an address. The first value
// counts.
func (s *Service) keepUser(ctx context.Context, t *state, c Callback) error {
	if c.User == "" || len(c.User) > maxCallbackUser || c.Error != "" {
		return nil
	}
	now := s.cfg.Now()
	record := authcore.Record{RecordKey: t.userKey(), Created: now, Expires: t.expires, Data: []byte(c.User)}
	err := s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, IfAbsent: true})
	if errors.Is(err, authcore.ErrExists) {
		return nil
	}
	return err
}

// postedUser returns the field that keepUser kept, or "".
func (s *Service) postedUser(ctx context.Context, t *state) (string, error) {
	record, err := s.store.Record(ctx, t.userKey(), s.cfg.Now())
	if errors.Is(err, authcore.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", authcore.Unavailable(err)
	}
	return string(record.Data), nil
}

func (t *state) userKey() authcore.RecordKey {
	return authcore.RecordKey{Kind: callbackUserKind, Key: t.derive("callback user")}
}

// withQuery adds parameters to a redirect URI, which may have a query of its own
// (RFC 6749, section 3.1.2).
func withQuery(uri string, query url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + query.Encode()
}

// ValidateAPIURL returns the faults of the option api_url, joined: providers that
// post their responses need it, and it must be an address to which a code may be
// sent (RFC 9700, section 2.6).
func ValidateAPIURL(apiURL string, providers []authcore.Provider) error {
	if apiURL != "" {
		return checkAPIURL(apiURL)
	}
	var faults []error
	for _, provider := range providers {
		if poster, ok := provider.(authcore.Poster); ok && poster.PostsAnswers() {
			faults = append(faults, fmt.Errorf("provider %s: posts its response, which a page without a server cannot receive; "+
				"set api_url to the address of the login API, for example https://api.example.com/v1/auth", provider.Name()))
		}
	}
	return errors.Join(faults...)
}

func checkAPIURL(text string) error {
	parsed, err := url.Parse(text)
	if err == nil {
		err = authcore.ValidateRedirectURI(text)
	}
	switch {
	case err != nil:
		return fmt.Errorf("api_url: %q %w", text, err)
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !authcore.IsLoopback(parsed.Hostname())):
		return fmt.Errorf("api_url: %q must begin with https://; http is for the loopback interface", text)
	case strings.Contains(text, "?"):
		return fmt.Errorf("api_url: %q has a query; give the prefix of login_api, for example https://api.example.com/v1/auth", text)
	}
	return nil
}
