// Package socialauth imports the users of another system, above all
// python-social-auth, with their logins at social providers, so that they find
// their accounts here when they log in.
//
//	CSV file ──▶ File ──▶ Request ──▶ Importer ──▶ authcore.Store
//	(operator's machine)  (admin API)  (server)
//
// An [Importer] stores one user after the other. The user is the holder of one of
// the identities, otherwise the holder of the verified address, otherwise a new
// one. Items that are present stay as they are, so that the same import can be
// repeated.
//
// A provider may identify an account by another subject than the earlier system
// did: a login is then imported as a pending identity with that former subject.
// It becomes active at the first login for which the provider vouches for the
// former subject (package login), or expires at a deadline. Afterwards it is
// retired: the former subject may be an address that belongs to another person by
// then, and neither a login nor a repeated import restores it.
//
// The package does not know Caddy.
package socialauth
