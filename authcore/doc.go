// Package authcore is the domain of edgeauth: people log in by a mailed link or
// through a social provider, get a signed token, and own the sessions behind it.
//
// It owns users, identities, links, flows, sessions, revocations, signing keys
// and limits, and every rule about them. It does not own HTTP (package
// httpapi), the check of a proxied request (package gate), what a provider
// answers (package provider), storage or mail: for those it declares the
// interfaces Store, Provider and Mailer and is given implementations.
//
//	httpapi ──▶ Service ──▶ Store      facts, each step atomic
//	               │  ├───▶ Provider   code in, Profile out
//	               │  └───▶ Mailer     a queue; never waited for
//	               └──────▶ gate       keys and revocations that requests are
//	                                   checked against, from memory
//
// The package knows no web server and no back end, and builds for wasip1 and
// js.
package authcore
