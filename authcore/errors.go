package authcore

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code is a stable name of a failure for programs to read. Codes are listed in
// docs/errors.md and are never renamed.
type Code string

// The codes of this package.
const (
	CodeInvalidRequest   Code = "invalid_request"
	CodeInvalidClient    Code = "invalid_client"
	CodeInvalidLink      Code = "invalid_link"
	CodeInvalidCode      Code = "invalid_code"
	CodeInvalidState     Code = "invalid_state"
	CodeInvalidToken     Code = "invalid_token"
	CodeUserInactive     Code = "user_inactive"
	CodeSignupClosed     Code = "signup_closed"
	CodeNotAdmitted      Code = "not_admitted"
	CodeEmailTaken       Code = "email_taken"
	CodeIdentityTaken    Code = "identity_taken"
	CodeIdentityUnlinked Code = "identity_unlinked"
	CodeNotFound         Code = "not_found"
	CodeNoPublicKey      Code = "no_public_key"
	CodeLastIdentity     Code = "last_identity"
	// CodeReauthenticationRequired refuses a change for which the login of the
	// session is too old.
	CodeReauthenticationRequired Code = "reauthentication_required"
	CodeIDTokenUnsupported       Code = "id_token_unsupported"
	CodeIDTokenUsed              Code = "id_token_used"
	CodeIDTokenExpired           Code = "id_token_expired"
	CodeProviderDenied           Code = "provider_denied"
	CodeProviderMismatch         Code = "provider_mismatch"
	CodeProviderUnavailable      Code = "provider_unavailable"
	CodeProviderTimeout          Code = "provider_timeout"
	CodeProviderMisconfigured    Code = "provider_misconfigured"
	CodeRedirectURIMismatch      Code = "redirect_uri_mismatch"
	CodeThrottled                Code = "throttled"
	CodeUnavailable              Code = "unavailable"
	// CodeKeysClosed refuses the creation of an API key in this realm, and
	// CodeTooManyKeys one beyond the limit.
	CodeKeysClosed  Code = "keys_closed"
	CodeTooManyKeys Code = "too_many_keys"
	// CodeInvalidPasskey refuses a response of an authenticator, CodeUnknownPasskey one
	// of a passkey that is not registered, which the browser can stop offering.
	CodeInvalidPasskey  Code = "invalid_passkey"
	CodeUnknownPasskey  Code = "unknown_passkey"
	CodePasskeyExists   Code = "passkey_exists"
	CodeTooManyPasskeys Code = "too_many_passkeys"
	// CodeSecondFactorRequired refuses a login or a call until a second factor is
	// proven; see Error.Missing.
	CodeSecondFactorRequired Code = "second_factor_required"
	CodeInvalidChallenge     Code = "invalid_challenge"
	// CodeCaptchaRequired refuses a request without the response of a captcha, and
	// CodeCaptchaFailed one whose response is not accepted.
	CodeCaptchaRequired Code = "captcha_required"
	CodeCaptchaFailed   Code = "captcha_failed"
	// CodeLastFactor refuses to remove a second factor that the realm requires.
	CodeLastFactor Code = "last_factor"
)

// Error is a failure with its public description.
type Error struct {
	// Status is the HTTP status.
	Status int
	Code   Code
	// Detail is one sentence for users, without secrets and without text of
	// another party.
	Detail string
	// Fields contains messages by field of the request. If it is set, it is the
	// whole body of the answer.
	Fields map[string][]string
	// Missing is set with CodeSecondFactorRequired.
	Missing *MissingFactor
	// RetryAfter is the time to wait before another attempt; zero if waiting does not
	// help.
	RetryAfter time.Duration
	// Err is the cause, for the log only.
	Err error
}

// MissingFactor describes the second factor that a login lacks.
type MissingFactor struct {
	// Challenge is sent with the proof of the factor and completes the login. It is ""
	// if a token identifies the user. It is a secret.
	Challenge string
	// Methods lists the accepted factors: values of the claim amr.
	Methods []string
	// Enrol reports that the user has none and must add one to log in.
	Enrol bool
	// ExpiresIn is the lifetime of the challenge.
	ExpiresIn time.Duration
	// RememberFor is the time for which a login can remember the device; zero without
	// this choice.
	RememberFor time.Duration
}

// Error returns code, detail and cause; it is for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NewError returns an error without further members.
func NewError(status int, code Code, detail string) *Error {
	return &Error{Status: status, Code: code, Detail: detail}
}

// FieldError is a 400 about one field of the request.
func FieldError(code Code, field, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Detail: message, Fields: map[string][]string{field: {message}}}
}

// FieldErrors returns the 400 with the messages of several fields, or nil if there are
// none.
func FieldErrors(messages map[string][]string) error {
	if len(messages) == 0 {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Code: CodeInvalidRequest, Detail: "Invalid input.", Fields: messages}
}

// retryAfter is sent while the store or the mail queue cannot take a request.
const retryAfter = 5 * time.Second

// Unavailable returns the 503 error for a dependency that cannot take a request.
// It is never a 401, because the caller's credentials were not checked. An *Error
// is returned unchanged.
func Unavailable(err error) *Error {
	var public *Error
	if errors.As(err, &public) {
		return public
	}
	return &Error{
		Status:     http.StatusServiceUnavailable,
		Code:       CodeUnavailable,
		Detail:     "The service is temporarily unavailable.",
		RetryAfter: retryAfter,
		Err:        err,
	}
}

// StoreError returns the public error of a failed step of the store: absent if the
// step found no record, otherwise that of Unavailable.
func StoreError(err error, absent *Error) *Error {
	if errors.Is(err, ErrNotFound) {
		return absent
	}
	return Unavailable(err)
}

// Inactive returns the 403 error for a disabled or deleted user.
func Inactive() *Error {
	return NewError(http.StatusForbidden, CodeUserInactive, "User inactive or deleted.")
}

// InvalidToken returns the 401 error for a token whose session has ended.
func InvalidToken() *Error {
	return NewError(http.StatusUnauthorized, CodeInvalidToken, "Invalid token.")
}

// NotFound returns the 404 error.
func NotFound() *Error {
	return NewError(http.StatusNotFound, CodeNotFound, "Not found.")
}
