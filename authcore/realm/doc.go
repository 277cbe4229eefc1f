// Package realm wires the parts of a realm together: one user base with its keys,
// clients, providers and rules.
//
//	Config ── Validate ── New ──▶ Realm
//	                               ├─ Logins ──▶ Sessions, Accounts ──▶ Store
//	                               ├─ Keys ────▶ Verifier ◀── Revocations
//	                               └─ Feed
//
//	proxied request ──▶ Decide ──▶ gate.Site, from memory
//	API request     ──▶ Authenticate, Logins, Sessions, Accounts
//	Run             ──▶ follow revocations   notified, or every 0.5 s
//	                    reload keys          every 5 s
//	                    Maintain             every minute
//
// New loads keys and revocations, so that a Realm decides requests from the start.
// Without Run it would not learn what other nodes do.
package realm
