// Package apikey creates, lists and revokes API keys.
//
// An API key is a session of a user without a person at the keyboard. It is stored
// among the sessions of its owner, so that it ends with them: when the owner is
// disabled or deleted, in the same step of the store. It has a name, an expiry, and
// some of the owner's roles, and no client, login or refresh.
//
//	Create ─▶ account of the owner ─▶ checks ─▶ signed ─▶ index, session ─▶ secret, once
//	Revoke ─▶ session and its revocation ─▶ index
//
// The secret is a token of gate.PurposeKey behind gate.KeyPrefix, which the gate verifies
// without the store. It is not stored. A record of the kind Kind finds the owner of a
// key for operators; without its session it has no effect.
//
// A service account is a user without an address, which an operator creates by name. It
// cannot log in.
package apikey
