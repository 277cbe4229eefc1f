package authcore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Failures of a provider; test with [errors.Is]. The wrapping errors may contain
// details for the log, which are never shown to users.
var (
	// ErrProviderDenied is returned if the provider refuses the code: it is wrong,
	// expired or used, or the user declined. The user may start a new login.
	ErrProviderDenied = errors.New("provider refused the login")
	// ErrProviderMismatch is returned if the response belongs to another login:
	// nonce, audience, issuer or signature are wrong.
	ErrProviderMismatch = errors.New("provider response belongs to another login")
	// ErrProviderFailed is returned if the provider is unreachable or its response
	// is not valid.
	ErrProviderFailed = errors.New("provider failed")
	// ErrProviderRedirectURI is wrapped in addition to ErrProviderFailed if the
	// redirect URI is not registered at the provider.
	ErrProviderRedirectURI = errors.New("redirect URI is not registered at the provider")
	// ErrProviderMisconfigured is wrapped in addition to ErrProviderFailed if the
	// provider rejects the client or what it is configured to request.
	ErrProviderMisconfigured = errors.New("provider rejects the configuration")
	// ErrIDTokenExpired is wrapped in addition to ErrProviderMismatch if the ID token
	// of an application is too old. The application gets a new one from the SDK.
	ErrIDTokenExpired = errors.New("ID token is too old")
	// ErrProviderTimeout is returned if the provider does not respond in time.
	ErrProviderTimeout = errors.New("provider timed out")
)

// Provider is a configured social provider. Implementations are in package provider
// and safe for concurrent use.
type Provider interface {
	// Name returns the configured name, which appears in URLs, sessions and
	// identities. It is case-sensitive.
	Name() string
	// Endpoint returns the parameters that a frontend needs to build an
	// authorization request. It may need discovery and then fails like Exchange.
	Endpoint(ctx context.Context) (Endpoint, error)
	// AuthorizeURL returns the URL of an authorization request.
	AuthorizeURL(ctx context.Context, request AuthorizeRequest) (string, error)
	// Exchange redeems a code with at most one request and returns the user's
	// profile. The profile's Subject is never empty, and its address is verified
	// only if the provider is trusted to verify addresses. Errors wrap one of the
	// errors above, or the error of the caller's context if that ended first.
	Exchange(ctx context.Context, request ExchangeRequest) (Profile, error)
}

// IDTokenVerifier is an optional interface of a Provider. It accepts ID tokens that
// an application received from the provider's SDK, as in native apps and one-tap
// login.
type IDTokenVerifier interface {
	// VerifyIDToken verifies an ID token and returns the user's profile, like
	// Exchange. The audience must be the provider's client id or one of its
	// additional audiences.
	VerifyIDToken(ctx context.Context, request IDTokenRequest) (Profile, error)
}

// IDTokenRequest contains an ID token of an application.
type IDTokenRequest struct {
	IDToken string
	// Nonce is the unhashed nonce of the application for this login. The token must
	// contain it, or its SHA-256 in hexadecimal, which some SDKs use. If it is "",
	// the token must not contain a nonce.
	Nonce string
	// User is the same as in ExchangeRequest.
	User string
}

// Poster is an optional interface of a Provider whose ResponseMode is known without
// a request, so that a missing APIURL is reported at the start and not at the first
// login.
type Poster interface {
	// PostsAnswers reports whether ResponseMode is "form_post".
	PostsAnswers() bool
}

// Checker is an optional interface of a Provider that can be tested without a
// login.
type Checker interface {
	// Check requests everything that a login needs except a valid code. It returns
	// the offset of the provider's clock, rounded to seconds, or 0 if the provider
	// does not send the time. Errors are the same as in Provider.Exchange.
	Check(ctx context.Context) (skew time.Duration, err error)
}

// Recognizer is an optional interface of a Provider that restricts the issuers of
// its accounts. Other providers accept any issuer.
type Recognizer interface {
	// Recognizes reports whether accounts of this issuer can log in with the
	// current configuration. Accounts of another server or of a tenant that is not
	// admitted cannot.
	Recognizes(issuer string) bool
}

// RoleReporter is an optional interface of a Provider that reports roles of its
// accounts.
type RoleReporter interface {
	// ReportsRoles reports whether Profile.Roles is filled with the current
	// configuration.
	ReportsRoles() bool
}

// Importer is an optional interface of a Provider that maps the account ids of
// another system.
type Importer interface {
	// ImportNames returns the subjects of an account that another system, typically
	// python-social-auth, stored under this uid. transferSub is Apple's transfer
	// identifier. Either may be "". The error contains a reason for the operator
	// and neither value.
	ImportNames(uid, transferSub string) (ImportedNames, error)
}

// ImportedNames identifies an account as in Profile. At least one of the subjects
// is set.
type ImportedNames struct {
	Issuer, Subject, FormerSubject string
}

// Endpoint is the public part of a provider's configuration.
type Endpoint struct {
	ClientID     string
	AuthorizeURL string
	Scope        string
	ResponseType string
	// ResponseMode is "form_post" if the provider requires it: the redirect URI is
	// then a form_post callback of the login API, which forwards the response to
	// the frontend. Otherwise it is "".
	ResponseMode string
}

// AuthorizeRequest contains the parameters of an authorization request.
type AuthorizeRequest struct {
	RedirectURI string
	State       string
	Nonce       string
	// Challenge is the S256 code challenge (RFC 7636, section 4.2).
	Challenge string
}

// ExchangeRequest contains the parameters for redeeming a code.
type ExchangeRequest struct {
	Code        string
	RedirectURI string
	// Verifier is the PKCE code verifier, or "".
	Verifier string
	// Nonce that the ID token must contain, or "".
	Nonce string
	// Issuer is the parameter "iss" of the authorization response (RFC 9207), or
	// "".
	Issuer string
	// Device is the parameter "device_id" in the authorization response of VK ID,
	// or "".
	Device string
	// User is the field "user" of Apple's form_post callback: JSON with the user's
	// name, sent only at the first login. It passed through the browser and must be
	// used for display only.
	User string
}

// maxIdentityText limits an issuer and an id at a provider, in bytes. Stores use
// them as keys, and PostgreSQL limits an index entry to 2.7 KB. Real ids are much
// shorter: OpenID Connect Core 1.0, section 2, allows 255.
const maxIdentityText = 1024

// Validate checks that the identifiers can be stored: a non-empty Subject, and no
// identifier that is longer than 1024 bytes, not valid UTF-8 or contains a NUL.
func (p *Profile) Validate() error {
	if p.Subject == "" {
		return fmt.Errorf("%w: the account has no id", ErrProviderFailed)
	}
	for _, part := range []struct{ name, text string }{{"id", p.Subject}, {"former id", p.FormerSubject}, {"former id", p.UnprovenFormer}, {"issuer", p.Issuer}} {
		switch {
		case len(part.text) > maxIdentityText:
			return fmt.Errorf("%w: the %s of the account has more than %d bytes", ErrProviderFailed, part.name, maxIdentityText)
		case !utf8.ValidString(part.text) || strings.Contains(part.text, "\x00"):
			return fmt.Errorf("%w: the %s of the account is not valid text", ErrProviderFailed, part.name)
		}
	}
	return nil
}

// Profile describes the user who logged in, as reported by the provider.
type Profile struct {
	// Issuer distinguishes tenants; "" if the provider has none.
	Issuer string
	// Subject is the immutable id of the account at the provider; see Validate.
	Subject string
	// FormerSubject is the id under which an earlier system, or the earlier owner
	// of the application, knew the account. It is "" unless this response proves
	// that it belongs to this account. It activates a pending identity once; see
	// IdentityPending.
	FormerSubject string
	// UnprovenFormer is a possible former subject that this response does not
	// prove, or "". It leads to no account, but retires a pending identity of the
	// user with this Subject.
	UnprovenFormer string
	// Email is "" if the provider reported none.
	Email         string
	EmailVerified bool
	FirstName     string
	LastName      string
	// Nickname is the user name at the provider, for display.
	Nickname  string
	AvatarURL string
	// Roles are the roles that the provider reported, in ascending order, at most
	// MaxRoles names for which gate.IsRole holds.
	Roles []string
}
