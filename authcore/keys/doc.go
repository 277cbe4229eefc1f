// Package keys keeps the signing keys of a realm: it generates and rotates them,
// signs tokens, publishes the public keys, and seals values that only the realm
// reads.
//
// The store holds the keys in the order in which they begin to sign, and all nodes
// share them:
//
//	former keys      expire after the last token that they signed
//	current key      signs: the newest key whose time to sign has come
//	successor        published, signs a rotation later
//
//	empty store      ──▶ current + successor
//	rotation due     ──▶ successor becomes current, a new successor is published
//	other algorithm  ──▶ a successor of that algorithm, which signs after a lead
//	Rotate           ──▶ the successor signs now, a new one is published
//	Revoke           ──▶ the key is removed on all nodes; if it was the current
//	                     one, the successor signs immediately
//
// A key is published for a whole rotation before it signs, or at least for a lead
// that is longer than all caches of the public keys together. So no request needs
// to look for an unknown key: a token with an unknown key is not valid.
//
//	store ──▶ Maintain (each minute) ──▶ ring ──▶ Sign, Seal, Open, JWKS
//	      ──▶ Reload   (each 5 s)    ──▶      └─▶ Changed: the verifier's key set
package keys
