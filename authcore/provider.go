package authcore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
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

// IDTokenVerifier is a provider that also takes ID tokens which an application
// got from the provider by itself: native apps and one-tap login. A Provider
// implements it where its kind has such tokens; it is found by type assertion.
type IDTokenVerifier interface {
	// VerifyIDToken checks an ID token in full and returns whom it is about,
	// like Exchange. The token must be made out to the provider's client id or
	// to one of its further audiences.
	VerifyIDToken(ctx context.Context, request IDTokenRequest) (Profile, error)
}

// IDTokenRequest is an ID token as an application got it.
type IDTokenRequest struct {
	IDToken string
	// Nonce is what the application made up for this login, as it was before
	// any hashing. The token must carry it, or its SHA-256 in hexadecimal as
	// some SDKs have it. With "" the token must carry none.
	Nonce string
	// User is that of ExchangeRequest.
	User string
}

// Poster is a provider that knows without asking anybody how Endpoint's
// ResponseMode will be, so that a missing Config.APIURL is noticed at the start
// and not at the first login. It is found by type assertion.
type Poster interface {
	// PostsAnswers reports whether ResponseMode is "form_post".
	PostsAnswers() bool
}

// Checker is a provider that can be tried without a login. It is found by type
// assertion.
type Checker interface {
	// Check asks the provider for all that a login needs and that can be asked
	// for without a code. It returns how far the provider's clock is ahead of
	// ours, to the second; 0 where the provider does not tell the time. Errors
	// are those of Provider.Exchange.
	Check(ctx context.Context) (skew time.Duration, err error)
}

// Recognizer is a provider that knows whose accounts may come. It is found by type
// assertion; of another one any may.
type Recognizer interface {
	// Recognizes reports whether accounts with this issuer can log in as the
	// provider is configured now. Those of another server than the configured one
	// cannot, nor can those of a tenant that is not admitted.
	Recognizes(issuer string) bool
}

// Importer is a provider that knows what an id of another system's is here. It is
// found by type assertion.
type Importer interface {
	// ImportNames returns the names under which somebody will come whom the other
	// system, python-social-auth above all, knew by this uid; transferSub is
	// Apple's transfer identifier, and either may be "". The error says why that
	// cannot be, in words for the operator that cite neither.
	ImportNames(uid, transferSub string) (ImportedNames, error)
}

// ImportedNames is what Profile will say of somebody: at least one of the subjects
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
	// ResponseMode is "form_post" where the provider insists on sending people
	// back by a POST of the browser: the redirect URI is then one of ours, which
	// hands on what was posted. Otherwise it is "".
	ResponseMode string
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
	// Issuer is the parameter "iss" of the authorization response (RFC 9207),
	// "" when there was none.
	Issuer string
	// Device is the parameter "device_id" with which VK ID sends people back;
	// "" at all other providers.
	Device string
	// User is the field "user" of Apple's form post: JSON with the person's
	// name, sent at their first login only. It passed through the browser and
	// is good for display and nothing else.
	User string
}

// maxIdentityText bounds an issuer and an id at a provider, in bytes. Stores keep
// them as keys, whose length PostgreSQL bounds to 2.7 KB in all. No provider comes
// near it: OpenID Connect Core 1.0, section 2, allows 255.
const maxIdentityText = 1024

// Validate checks that a store can keep the account's identifiers.
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

// Profile is what a provider says about the person who logged in.
type Profile struct {
	// Issuer tells tenants apart; "" where the provider has none.
	Issuer string
	// Subject is the immutable id of the account at the provider. Neither it nor
	// Issuer has more than 1024 bytes or a NUL; a login with such an id fails.
	Subject string
	// FormerSubject is what an earlier system, or the earlier owner of the
	// application, knew the account by; "" unless the provider vouches in this
	// very answer that it means this account and no other. It is good once, and
	// only where somebody was imported under it; see Service.ImportUser. Its
	// bounds are those of Subject.
	FormerSubject string
	// UnprovenFormer is what the former subject of this account may have been
	// where the provider does not vouch for it, or "". It leads nobody to an
	// account: it ends the turn of that former subject where the user who comes by
	// Subject has it. Its bounds are those of Subject.
	UnprovenFormer string
	// Email is "" when the provider gave none.
	Email         string
	EmailVerified bool
	FirstName     string
	LastName      string
	// Nickname is the user name at the provider, for display.
	Nickname  string
	AvatarURL string
}
