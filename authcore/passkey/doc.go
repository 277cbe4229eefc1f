// Package passkey registers passkeys (Web Authentication Level 3) and checks the
// assertions with which users log in.
//
//	RegistrationOptions ─▶ browser ─▶ Register ─▶ record "passkey"
//	LoginOptions        ─▶ browser ─▶ Verify   ─▶ login step ─▶ Used
//
// Options contain a challenge that is sealed with a key of the realm, so that asking
// for them stores nothing. A challenge is accepted once: the step that accepts it
// stores its digest until it expires. The response repeats the challenge, and the
// options are made again from it, so that every check of the library applies to what
// was sent.
//
// User.Passkeys lists the passkeys of a user. A registration adds the record and its key
// in one step, and a removal begins with the list, in the step that checks whether the user
// can still log in. So simultaneous removals leave a login method, and a login with a
// passkey that is being removed fails. A record that is not listed is not a passkey.
//
// A passkey is found by the digest of its credential ID, not by a name or an address
// of the user. All failures of an assertion have one error, except for a credential
// that is unknown: the browser needs to know that, to stop offering it.
//
// # Records
//
//	kind               key                          owner    lives
//	passkey            digest of the credential ID  user ID  until it is removed, 20 at most
//	passkey-challenge  digest of the challenge               until the challenge expires
//	passkey-domain     relying party ID             fixed    while passkeys exist for it
//
// The package depends on github.com/go-webauthn/webauthn, which no other package
// imports.
package passkey
