// Package migrate moves a realm from one store to another: users, identities,
// sessions, revocations and signing keys, so that every token that is valid stays
// valid and every one that was revoked stays refused.
//
// It owns the order of the work and the comparison afterwards. It does not own a
// clock, an output or the stores: who calls it opens them, and sees to it that
// neither is in use meanwhile.
//
//	CheckKeys ──► Copy ──► Take(from) ──► Compare(to)
//
// Nothing is kept between two runs but what is in the target. A run that was
// interrupted is done again: Copy reads everything once more and stores what is
// missing (authcore.Transfer.Import). A position that was written down would be
// faster by the reading, and would miss what came to be before it.
//
// Compare reads both stores and finds what differs. That is the proof of a
// migration, and how it comes out that a source was in use: Copy stores what is
// missing and never changes what is there, so that a user who was disabled
// between two runs would still be let in.
package migrate
