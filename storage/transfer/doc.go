// Package transfer moves a realm from one engine to another: users, identities,
// sessions, records, revocations and signing keys. Every valid token stays valid,
// and every revoked one stays refused.
//
// It owns the order of the work and the comparison afterwards. It does not own a
// clock, an output or the stores: the caller opens them and makes sure that no
// server uses either meanwhile.
//
//	Select ──► Move, for each realm: CheckKeys ──► Copy ──► Take(from) ──► Compare(to)
//
// The target is the only state between two runs. After an interruption, run the
// move again: [Copy] reads everything once more and stores what is missing (see
// authcore.Transfer). A stored position would save that reading, and would miss
// items that were added before it.
//
// The comparison proves that the move is complete. It also shows that a source was
// in use: Copy adds missing items and never changes present ones, so that a user
// who was disabled between two runs would still be let in.
//
// A move that has nothing to move is an error.
package transfer
