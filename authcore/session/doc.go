// Package session issues, refreshes and ends the tokens of sessions.
//
// A session is one login of one user. Its tokens are signed statements that the
// gate checks without the store. A refresh makes a successor of the newest token
// and invalidates none: every token is accepted until it expires or its session
// ends.
//
//	token presented to Refresh       answer
//	the newest                       a successor
//	superseded within the grace      the newest token again: two tabs, a lost answer
//	superseded before that           the session ends, 401 (RFC 9700, section 4.14.2)
//
// Clients that share a session, such as browser tabs with one storage, replace a
// stored token only by one that expires later. Otherwise a late answer could
// replace the newest token by a superseded one, whose next refresh would end the
// session. Within a session a newer token expires later, except at the maximum
// lifetime.
//
// A refresh applies the rules of a login again: the client is configured, the user
// is not disabled, and the account rules admit the identity that logged in. A
// session ends when one of its tokens is presented to Logout, when the user ends
// it, when the user is disabled, and at its maximum lifetime.
//
// Refresh, Logout and End are one step of the store each. The revocations of a
// step are in force on this node when the call returns.
package session
