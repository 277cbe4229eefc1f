// Package gate decides about a proxied request: who sends it, and may it go on.
//
// It owns the verification of tokens (keys, signature, claims, the cache of
// tokens that were verified before), the copy of the revocations that a request
// is checked against, the requirements and public paths of a site, the answers
// to preflights, names and values of the identity headers, and the order in
// which a server puts all of this to use (Site). It does not issue tokens, store
// anything, speak HTTP or log: a caller hands it header values and the time, and
// acts on a Decision.
//
//	Request ─▶ Policy.Decide ─▶ ParseAuthorization ─▶ Verifier.Verify ─▶ Decision
//	                                                   │  key of the header
//	                                                   │  cache of verified tokens
//	                                                   │  claims, signature
//	                                                   └─ Revocations
//
// The package is pure. It has no clock, randomness, network, file, goroutine or
// logger of its own, so the same code runs in a proxy and as a small WebAssembly
// guest; a test on its dependencies keeps it so. Everything in it is safe for
// concurrent use unless its comment says otherwise. A request with a token that
// was seen before takes no lock and allocates nothing.
package gate
