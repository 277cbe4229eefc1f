// Package provider speaks with the social providers: it sends people to them,
// redeems the code they come back with, and says who logged in.
//
// It owns the OAuth 2.0 code exchange (RFC 6749, RFC 7636), OpenID Connect
// discovery, the check of ID tokens, and the reading of each provider's user
// info. It does not own state, accounts or the decision what an e-mail address
// is good for: package authcore does, and sees this package only as
// authcore.Provider.
//
//	Config ──▶ New ──▶ provider ──▶ metadata   endpoints: fixed, or discovered
//	  spec ────▲          │                    (cached 24 h)
//	                      ├──▶ redeem          code → tokens, one request, ever
//	                      ├──▶ readIDToken     signature by the provider's keys
//	                      │                    (cached 1 h), then each claim; also
//	                      │                    of tokens that apps got themselves
//	                      └──▶ spec.profile    user info → Profile
//	                                 │
//	                                 └──▶ sanitize   the rules for every provider
//
// A kind of provider is a spec: data and, where its user info has a shape of
// its own, one function. It stands in a file of its own and in one line of
// specs. In the tests it is one row of rows, and its answers, in the shape that
// its documentation shows, are files in testdata.
//
// Nothing that a provider sends is trusted: every answer is bounded in time and
// size, read by exact member names and types, and no text of it gets into an
// error. All failures wrap one of authcore's ErrProvider sentinels, except that
// of a caller who gave up, which wraps its context's error.
//
// The package builds for wasip1 and js. There, and wherever the owner wants
// something else than SafeTransport, the HTTP transport is injected.
package provider
