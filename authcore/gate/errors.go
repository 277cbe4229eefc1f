package gate

import "strings"

// Challenge is the value of WWW-Authenticate in a 401 (RFC 9110, section 11.6.1), unless
// a site accepts other credentials or the login has to be repeated: then parameters
// follow that state what is missing.
const Challenge = schemeToken

// challengeBasic asks for HTTP Basic (RFC 7617, section 2). Some programs show the
// realm to the user.
const challengeBasic = `Basic realm="API key", charset="UTF-8"`

// Bodies of answers, of the type application/json.
const (
	BodyNoCredentials     = `{"detail":"Authentication credentials were not provided."}`
	BodyEmptyCredentials  = `{"detail":"Invalid token header. No credentials provided."}`
	BodySpaces            = `{"detail":"Invalid token header. Token string should not contain spaces."}`
	BodyInvalidCharacters = `{"detail":"Invalid token header. Token string should not contain invalid characters."}`
	BodyInvalidToken      = `{"detail":"Invalid token."}`
	BodyUserInactive      = `{"detail":"User inactive or deleted."}`
	BodyStepUp            = `{"detail":"This request requires another login.","code":"insufficient_user_authentication"}`
	BodyKeyNotAccepted    = `{"detail":"API keys are not accepted here.","code":"key_not_accepted"}`
	BodyKeyRequired       = `{"detail":"An API key is required here.","code":"key_required"}`
	BodyForbidden         = `{"detail":"You do not have permission to perform this action."}`
	BodyCrossSite         = `{"detail":"Requests from this site are not allowed.","code":"cross_site"}`
	BodyUnavailable       = `{"detail":"The service is temporarily unavailable.","code":"unavailable"}`
)

// RetryAfter is the value of Retry-After in every 503, in seconds.
const RetryAfter = "5"

// Refusal is the type of every error about a request in this package. It contains no
// part of the token.
type Refusal struct {
	// Status is the HTTP status, 401, 403 or 503.
	Status int
	// Body is the exact body of the answer.
	Body string
	// Reason is one of a few fixed words, for logs and metrics. For an invalid token
	// it names the first check that failed. Claims are checked before the signature,
	// so a reason does not imply that the issuer made the token.
	Reason string

	parent error
	// roles are the roles one of which is required.
	roles []string
}

// Error returns the reason.
func (r *Refusal) Error() string { return "gate: refused: " + r.Reason }

// Unwrap returns ErrInvalidToken if the token is not valid, and ErrForbidden if the user
// lacks a role.
func (r *Refusal) Unwrap() error { return r.parent }

// Refusals because of the Authorization header.
var (
	ErrNoCredentials     error = unauthorized("no_credentials", BodyNoCredentials, nil)
	ErrEmptyCredentials  error = unauthorized("empty_credentials", BodyEmptyCredentials, nil)
	ErrSpaces            error = unauthorized("spaces", BodySpaces, nil)
	ErrInvalidCharacters error = unauthorized("invalid_characters", BodyInvalidCharacters, nil)
)

// Refusals because of the token. All but ErrUserInactive match ErrInvalidToken.
var (
	ErrInvalidToken error = unauthorized("invalid_token", BodyInvalidToken, nil)
	// ErrUserInactive means that the user was disabled or deleted. It is returned only
	// for a token with a valid signature.
	ErrUserInactive error = unauthorized("user_inactive", BodyUserInactive, nil)

	// ErrMalformed concerns length, shape, encoding and syntax.
	ErrMalformed = invalid("malformed")
	// ErrUnknownKey means that no key of the issuer has this header: the key is
	// unknown or was removed, or the algorithm or purpose is not the key's.
	ErrUnknownKey = invalid("unknown_key")
	// ErrSignature means that the key did not make this signature.
	ErrSignature = invalid("signature")
	// ErrExpired means that the token has expired.
	ErrExpired = invalid("expired")
	// ErrRevoked means that the session of the token was ended.
	ErrRevoked = invalid("revoked")
	// ErrClaims means that a claim is missing, is a time in the future, or names
	// another issuer or audience.
	ErrClaims = invalid("claims")
	// ErrKeyNotAccepted means that an API key was sent where none is accepted, and
	// ErrKeyRequired that a login token was sent where only keys are.
	ErrKeyNotAccepted error = unauthorized("key_not_accepted", BodyKeyNotAccepted, ErrInvalidToken)
	ErrKeyRequired    error = unauthorized("key_required", BodyKeyRequired, ErrInvalidToken)
)

// Refusals of a valid token, because the login has to be repeated (RFC 9470). The answer
// states what is missing.
var (
	// ErrTooOld means that the login is older than Policy.MaxAge.
	ErrTooOld error = unauthorized("too_old", BodyStepUp, nil)
	// ErrFactorMissing means that the login lacks a method or level that Policy.Require
	// names.
	ErrFactorMissing error = unauthorized("factor_missing", BodyStepUp, nil)
)

// ErrStale means that the copy of the revocations is too old to check the token.
var ErrStale error = &Refusal{Status: 503, Body: BodyUnavailable, Reason: "stale"}

// ErrForbidden means that a requirement is not met.
var ErrForbidden error = &Refusal{Status: 403, Body: BodyForbidden, Reason: "forbidden"}

// refusal returns the error of a request that does not meet the requirement. It matches
// ErrForbidden.
func (r *Requirement) refusal() error {
	if r.Field != fieldRole {
		return ErrForbidden
	}
	// The names of roles need no escapes.
	body := `{"detail":"You need one of these roles: ` + strings.Join(r.Values, ", ") + `.","code":"role_required","roles":["` +
		strings.Join(r.Values, `","`) + `"]}`
	if len(r.Values) == 1 {
		body = `{"detail":"You need the role ` + r.Values[0] + `.","code":"role_required","roles":["` + r.Values[0] + `"]}`
	}
	return &Refusal{Status: 403, Body: body, Reason: "role", parent: ErrForbidden, roles: r.Values}
}

// ErrCrossSite means that a page of another site sent a request that a cookie identifies.
var ErrCrossSite error = &Refusal{Status: 403, Body: BodyCrossSite, Reason: "cross_site"}

// The reasons of a Decision for a request that proceeds.
const (
	ReasonAuthenticated = "authenticated"
	ReasonAnonymous     = "anonymous"
	ReasonPreflight     = "preflight"
)

// ReasonRenewal is the reason of a redirect to get a new token.
const ReasonRenewal = "renewal"

// ReasonUnavailable is the reason of Unavailable.
const ReasonUnavailable = "unavailable"

func unauthorized(reason, body string, parent error) *Refusal {
	return &Refusal{Status: 401, Body: body, Reason: reason, parent: parent}
}

func invalid(reason string) error {
	return unauthorized(reason, BodyInvalidToken, ErrInvalidToken)
}
