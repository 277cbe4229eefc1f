package gate

// Challenge is the value of WWW-Authenticate in every 401 (RFC 9110, section
// 11.6.1).
const Challenge = "Token"

// Bodies of the answers that a Decision asks for, as application/json.
const (
	BodyNoCredentials     = `{"detail":"Authentication credentials were not provided."}`
	BodyEmptyCredentials  = `{"detail":"Invalid token header. No credentials provided."}`
	BodySpaces            = `{"detail":"Invalid token header. Token string should not contain spaces."}`
	BodyInvalidCharacters = `{"detail":"Invalid token header. Token string should not contain invalid characters."}`
	BodyInvalidToken      = `{"detail":"Invalid token."}`
	BodyUserInactive      = `{"detail":"User inactive or deleted."}`
	BodyForbidden         = `{"detail":"You do not have permission to perform this action."}`
	BodyUnavailable       = `{"detail":"The service is temporarily unavailable.","code":"unavailable"}`
)

// RetryAfter is the value of Retry-After in every 503, in seconds.
const RetryAfter = "5"

// Refusal is the type of every error about a request in this package. A refusal
// holds nothing of the token.
type Refusal struct {
	// Status is the HTTP status, 401, 403 or 503.
	Status int
	// Body is the exact body of the answer.
	Body string
	// Reason is one of a few fixed words, for logs and metrics. The reason for
	// an invalid token says which check failed first; claims are checked before
	// the signature, so it is no statement about who made the token.
	Reason string

	parent error
}

// Error returns the reason.
func (r *Refusal) Error() string { return "gate: refused: " + r.Reason }

// Unwrap returns ErrInvalidToken for the ways in which a token is invalid.
func (r *Refusal) Unwrap() error { return r.parent }

// Refusals on account of the Authorization header alone.
var (
	ErrNoCredentials     error = unauthorized("no_credentials", BodyNoCredentials, nil)
	ErrEmptyCredentials  error = unauthorized("empty_credentials", BodyEmptyCredentials, nil)
	ErrSpaces            error = unauthorized("spaces", BodySpaces, nil)
	ErrInvalidCharacters error = unauthorized("invalid_characters", BodyInvalidCharacters, nil)
)

// Refusals on account of a token. All but ErrUserInactive match ErrInvalidToken.
var (
	ErrInvalidToken error = unauthorized("invalid_token", BodyInvalidToken, nil)
	// ErrUserInactive says that the user was disabled or deleted. It is only
	// said about a token with a good signature.
	ErrUserInactive error = unauthorized("user_inactive", BodyUserInactive, nil)

	// ErrMalformed is about length, shape, encoding and syntax.
	ErrMalformed = invalid("malformed")
	// ErrUnknownKey says that the header is none that the issuer writes: the
	// key is unknown or gone, or the algorithm or purpose is not the key's.
	ErrUnknownKey = invalid("unknown_key")
	// ErrSignature says that the key did not make this signature.
	ErrSignature = invalid("signature")
	// ErrExpired says that the token has ended by itself.
	ErrExpired = invalid("expired")
	// ErrRevoked says that the token or its session was ended.
	ErrRevoked = invalid("revoked")
	// ErrClaims says that a claim is missing, of the future, or names another
	// issuer or audience.
	ErrClaims = invalid("claims")
	// ErrTooOld says that the login is longer ago than Policy.MaxAge.
	ErrTooOld = invalid("too_old")
)

// ErrStale says that the copy of the revocations is too old to tell whether the
// token is among them. It says nothing about the token.
var ErrStale error = &Refusal{Status: 503, Body: BodyUnavailable, Reason: "stale"}

// ErrForbidden says that a requirement is not met.
var ErrForbidden error = &Refusal{Status: 403, Body: BodyForbidden, Reason: "forbidden"}

// The reasons of a Decision to pass a request on.
const (
	ReasonAuthenticated = "authenticated"
	ReasonAnonymous     = "anonymous"
	ReasonPreflight     = "preflight"
)

// ReasonUnavailable is the reason of Unavailable.
const ReasonUnavailable = "unavailable"

func unauthorized(reason, body string, parent error) *Refusal {
	return &Refusal{Status: 401, Body: body, Reason: reason, parent: parent}
}

func invalid(reason string) error {
	return unauthorized(reason, BodyInvalidToken, ErrInvalidToken)
}
