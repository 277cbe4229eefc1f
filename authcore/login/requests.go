package login

import (
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// LinkRequest requests a mail with a login link and a code.
type LinkRequest struct {
	Email string
	// ClientKey is optional. It selects the client's link template and limits.
	ClientKey string
	// Locale is the preferred language of the mail as a BCP 47 tag; optional.
	Locale string
	// Page is set for requests of a login page.
	Page *PageStart
	// Captcha is the response of the captcha's widget, if the realm requires one.
	Captcha string
	Caller  authcore.Caller
}

// LinkReceipt is the result of a LinkRequest, the same for every address.
type LinkReceipt struct {
	// RequestID names the request in a CodeLogin.
	RequestID string
	ExpiresIn time.Duration
	// DebugLink is the link, if Config.DebugLinks is set.
	DebugLink string
}

// LinkLogin is a login with the token of a mailed link.
type LinkLogin struct {
	Token     string
	ClientKey string
	Caller    authcore.Caller
}

// CodeLogin is a login with a mailed code.
type CodeLogin struct {
	// RequestID is that of the receipt.
	RequestID string
	// Code as the user typed it.
	Code      string
	ClientKey string
	Caller    authcore.Caller
}

// AuthorizeStart begins a social login.
type AuthorizeStart struct {
	Provider    string
	ClientKey   string
	RedirectURI string
	// LinkTo is the signed-in user who adds a login to the account, or nil.
	LinkTo *gate.Claims
	// Page is set for requests of a login page.
	Page   *PageStart
	Caller authcore.Caller
}

// Authorization is a begun social login: the address for the browser, and the
// state that the login call has to repeat.
type Authorization struct {
	URL   string
	State string
}

// SocialLogin is a login with the code of a provider, or with an ID token that an
// application got from the provider by itself.
type SocialLogin struct {
	Provider string
	// Code is used unless IDToken is set.
	Code        string
	IDToken     string
	ClientKey   string
	RedirectURI string
	// State from Authorize. A state that a frontend made itself is ignored. With an
	// ID token it is used for linking only.
	State string
	// Verifier and Nonce of a frontend that began the login by itself.
	Verifier string
	Nonce    string
	// Issuer and Device are parameters of the authorization response; see
	// authcore.ExchangeRequest.
	Issuer string
	Device string
	// User is the field of authcore.IDTokenRequest.
	User string
	// LinkTo is the signed-in user who adds this login to the account, or nil. It
	// requires a State for this user.
	LinkTo *gate.Claims
	Caller authcore.Caller
}

// Callback holds the parameters of an authorization response that a browser
// brings to our redirect URI (OAuth 2.0 Form Post Response Mode, section 2).
type Callback struct {
	Provider string
	State    string
	// Code or Error (RFC 6749, section 4.1.2).
	Code  string
	Error string
	// Issuer is the parameter "iss" (RFC 9207).
	Issuer string
	// User is kept for the login call. It must be empty for a safe request.
	User   string
	Caller authcore.Caller
}

// ProviderInfo describes a provider to a frontend.
type ProviderInfo struct {
	Name string
	authcore.Endpoint
}
