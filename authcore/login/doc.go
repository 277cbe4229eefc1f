// Package login logs users in: by a mailed link, by the code of the same mail, with a
// passkey, and through providers. It also begins what a login needs: it mails links and makes
// the authorization requests for providers.
//
// All methods share one pipeline:
//
//	admit    client key, provider, redirect URI           400 404
//	count    login-ip, wrong codes                        429
//	prove    find the link, check the state,              400 502 504
//	         redeem the code or ID token,
//	step     Store.Login: use up the proof, find or       400 403 409
//	         create the account, apply the rules,
//	         start the session, all or nothing
//	grant    sign the token, apply revocations
//
// The step is the only write, and one commit; a wrong code is counted in its link, or in
// a decoy if there is no link. If the store fails before or in it,
// link, code and state stay usable, so that the client can repeat the request after
// a 503. Every failure passes through Service.login, which reports it as an event.
//
// # Records
//
//	kind           key                         owner    lives
//	link           digest of the request ID    address  LinkLifetime, newest 3; a few decoys for guesses: 30 d
//	invitation     digest of the address                InvitationLifetime
//	spent-link     digest of link, client, IP           10 s, for repeated requests of pages
//	state          digest of the seed                   until the state expires
//	id-token       digest of the nonce or signed part   24 h
//	callback-user  digest of the seed                   until the state expires
//
// A login that was begun with Authorize is not recorded: its state is sealed with a
// key of the realm and carries everything. Only used states are recorded.
package login
