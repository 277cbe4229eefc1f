// Package authcore declares the types and contracts of the domain: users, their
// identities and sessions, clients, records, revocations, signing keys and events.
//
//	httpapi ──▶ realm ──▶ login, session, account ──▶ Store      facts, each step atomic
//	                        │                    ├──▶ Provider   code in, Profile out
//	                        │                    └──▶ Mailer     a queue; never waited for
//	                        └──▶ keys, revocation, ratelimit ──▶ Store
//
// It imports package gate only, and its sub-packages import it: account, session and
// login contain the rules, package provider the social providers, package httpapi the
// HTTP interface. Engines, mailers and providers implement the interfaces Store,
// Mailer and Provider. [Format] numbers the layout of the stored types.
//
// The package depends neither on a web server nor on an engine, and builds for wasip1
// and js.
package authcore
