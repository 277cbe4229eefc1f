// Package gate authenticates and authorizes proxied requests.
//
// It contains the cleaning of requests, the verification of tokens (keys,
// signature, claims, the cache of verified tokens), the copy of the revocations
// that tokens are checked against and its feed, the requirements and public paths
// of a site, the answers to refused requests and preflights, and the names and
// values of the identity headers. It does not issue tokens, store anything, use the
// network or log: a host passes the header of a request and the time, and acts on a
// Decision. Site lists the steps of a host.
//
//	request ─▶ Clean ─▶ Site.Decide ─▶ Credentials ─▶ Verifier.Verify ─▶ Decision
//	                                                   │  key of the header
//	                                                   │  cache of verified tokens
//	                                                   │  claims, signature
//	                                                   └─ Revocations
//	Decision ─▶ Decision.Answer, or Site.Forward ─▶ upstream ─▶ Decision.AllowOrigin
//
// The package is pure. It has no clock, network, file, goroutine or logger of its own, and
// no randomness but the seed of a hash table, so the same code runs in a proxy and as a
// small WebAssembly guest; a test checks its imports. Everything in it is safe for concurrent use
// unless its comment states otherwise. A request with a token that was verified before
// takes no lock and allocates nothing.
//
// # Ed25519
//
// Signatures of EdDSA keys, the default, are verified with tables of multiples of
// the key's point instead of crypto/ed25519: a first seen or forged token is the only
// expensive request, and an attacker can send any number of them. Processor time for
// one verification of a token of common length, median of 60 alternating slices of
// 1000 on one core of a busy AMD EPYC machine, with the fastest and slowest slice:
//
//	              tables                 crypto/ed25519         ratio
//	valid token   30 µs [23-46]          70 µs [61-108]         0.41 [0.31-0.56]
//	forged token  31 µs [23-43]          72 µs [61-108]         0.42 [0.28-0.57]
//
// A key takes 220 kB; the table of the base point, of the same size, is shared. The
// results are those of the standard library for every input, which a fuzz target
// checks. BenchmarkEd25519 repeats the comparison.
package gate
