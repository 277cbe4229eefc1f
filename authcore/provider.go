package authcore

import (
	"context"
	"errors"
)

// Failures of a provider, tested with errors.Is. What the provider itself said
// stays in the wrapped error for the log and is never shown to anybody else.
var (
	// ErrProviderDenied says that the provider refused this code: it is wrong,
	// expired, was used, or the person said no. The login may be begun anew.
	ErrProviderDenied = errors.New("authcore: provider refused the login")
	// ErrProviderMismatch says that the answer was not made for this login:
	// nonce, audience, issuer or signature are wrong.
	ErrProviderMismatch = errors.New("authcore: provider's answer is not for this login")
	// ErrProviderFailed says that the provider could not be reached or
	// answered with something that is no answer.
	ErrProviderFailed = errors.New("authcore: provider failed")
	// ErrProviderTimeout says that the provider did not answer in time.
	ErrProviderTimeout = errors.New("authcore: provider timed out")
)

// Provider is one configured social provider. Implementations live in package
// provider and are safe for concurrent use.
type Provider interface {
	// Name is the configured name: it stands in URLs, sessions and identities,
	// and is case-sensitive.
	Name() string
	// Endpoint returns what a frontend must know to send people to the
	// provider itself. It may need discovery, and then fails like Exchange.
	Endpoint(ctx context.Context) (Endpoint, error)
	// AuthorizeURL returns the address to which a browser is sent.
	AuthorizeURL(ctx context.Context, request AuthorizeRequest) (string, error)
	// Exchange redeems a code, once, and returns who logged in. The profile's
	// Subject is never empty and its e-mail is verified only where the
	// provider's word on it counts. Errors wrap one of the sentinels above, or
	// the context's error when the caller's context ended first.
	Exchange(ctx context.Context, request ExchangeRequest) (Profile, error)
}

// Endpoint is the public part of a provider's configuration.
type Endpoint struct {
	ClientID     string
	AuthorizeURL string
	Scope        string
	ResponseType string
}

// AuthorizeRequest is what goes into an authorize URL.
type AuthorizeRequest struct {
	RedirectURI string
	State       string
	Nonce       string
	// Challenge is the S256 code challenge (RFC 7636, section 4.2).
	Challenge string
}

// ExchangeRequest is what is needed to redeem a code.
type ExchangeRequest struct {
	Code        string
	RedirectURI string
	// Verifier is the PKCE code verifier; "" when none was used.
	Verifier string
	// Nonce that the ID token must carry; "" when none was used.
	Nonce string
}

// Profile is what a provider says about the person who logged in.
type Profile struct {
	// Issuer tells tenants apart; "" where the provider has none.
	Issuer string
	// Subject is the immutable id of the account at the provider.
	Subject string
	// Email is "" when the provider gave none.
	Email         string
	EmailVerified bool
	FirstName     string
	LastName      string
	// Nickname is the user name at the provider, for display.
	Nickname  string
	AvatarURL string
}
