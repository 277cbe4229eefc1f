// Package provider implements the clients of social login providers: it builds
// authorization requests, redeems codes and returns the profile of the user.
//
// It owns the OAuth 2.0 code exchange (RFC 6749, RFC 7636), OpenID Connect
// discovery, the verification of ID tokens, and the mapping of each provider's user
// info. It owns neither state nor accounts, nor the decision what an e-mail address
// proves: package login does, through [authcore.Provider].
//
//	Config ──▶ New ──▶ provider ──▶ metadata   endpoints: fixed, or discovered
//	  spec ────▲          │                    (cached 24 h)
//	                      ├──▶ redeem          code → tokens, at most one request
//	                      ├──▶ readIDToken     signature by the provider's keys
//	                      │                    (cached 1 h), then each claim; also
//	                      │                    for tokens from the SDKs of apps
//	                      └──▶ spec.profile    user info → Profile
//	                                 │
//	                                 └──▶ sanitize   the rules for every provider
//
// A kind of provider is a spec: data and, if its user info has a special format,
// one function. Each kind has a file and one line in specs. In the tests it has one
// entry in rows and its documented responses in testdata.
//
// Responses of providers are not trusted: each is limited in time and size, members
// are read by exact name and type, and no text of a response appears in an error.
// All failures wrap one of the ErrProvider errors of package authcore, except
// cancellation by the caller, which wraps the error of the context.
//
// The package builds for wasip1 and js. There, and wherever SafeTransport does not
// fit, the HTTP transport is injected.
package provider
