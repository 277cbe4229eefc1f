// Package revocation keeps a node's copy of the revocations in force and publishes
// it for verifiers elsewhere.
//
//	this node ── Apply ─────────────┐
//	store ── watch, poll ── Refresh ┴▶ gate.Revocations ──▶ requests of this node
//	                                      └─▶ Feed.Document ──▶ edges
//
// Follower reads the feed of the store: when the store notifies it, and every
// half second in any case. Feed signs documents for verifiers that have no store:
// the full list, or what was added since the cursor of an earlier document.
//
// Horizon decides when an expired revocation may be forgotten. A clock that jumps
// forward and back revives no session.
package revocation
