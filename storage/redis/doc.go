// Package redis keeps realms in a Redis or Valkey that several edges share: one
// server, a group under Sentinels, or a Cluster. It is on
// github.com/redis/go-redis.
//
// It owns the layout of the keys, the scripts that change them (folder lua), and
// what is asked of the client: no command is sent twice by itself, every call ends
// within callTimeout. It does not own a clock: what has expired is decided by the
// time of the call, and no key is given a time to live, by which Redis would
// forget by its own clock, or drop what it may when its memory is full. Nor does
// it own durability, which is set in Redis; Warnings says what is amiss there.
//
// A call that changes something goes this way:
//
//	EnsureUser, TakeLink, … ──► one script: Redis runs it alone and writes it to its
//	                            log and to replicas as a whole
//	UpdateUser, UpdateKeys,     read ──► change, here ──► one script that compares
//	UpdateFlow, EndSessions ──► what was read with what is there ──► again, when
//	                            somebody else was faster
//
// Scripts are not undone when they fail, so each checks everything before its first
// write.
//
// A realm is the keys that begin with the key prefix and the realm's name in
// braces, for example "edgeauth:{_default}:users". The braces are a hash tag: in a
// Cluster the whole realm is on one node, because a script can be atomic on one
// node only, and logins change users, addresses, sessions and the feed in one step.
// A Cluster spreads realms and not the users of one.
//
//	users               hash        id                       -> flags, User
//	user_ids            sorted set  id, by its bytes
//	emails              hash        Address.Key              -> user id
//	identities          hash        provider,issuer,subject  -> user id, Identity
//	identities_by_user  sorted set  user id, identity key, by their bytes
//	links               hash        secret                   -> expires, guesses, code, secret, key, Link
//	links_by_email      hash        Address.Key              -> secret
//	flows               hash        state                    -> expires, Flow
//	sessions            hash        id                       -> expires, last seen, user id, token id, Session
//	sessions_by_user    sorted set  user id, session id, by their bytes
//	revocations         hash        kind, id                 -> until, when to forget it, when it was made
//	feed                sorted set  kind, id, by number; also the channel of news
//	keys                string      []SigningKey
//	meta                hash        format, epoch, the number of the last revocation
//	expiry              sorted set  class and key, by seconds: what Sweep looks at
//	counters            hash        limit, party, window     -> end of the window, value
//	limits              set         the names of the following
//	limits:<limit>      sorted set  counters of a limit, by the end of the window
//
// Values are JSON behind what scripts have to know. A time there is a stamp: 12
// digits of seconds since the year 1 and 9 of nanoseconds, because Lua's numbers
// hold neither in one, and because Redis compares texts by the locale it runs in.
// A part of a key is preceded by its length and ends with a comma.
//
// A number in the feed is given out and published in the script that makes the
// entry, so that none is missed. It says something within one history of the data
// only: with a replica that takes over, and with a server that starts, a new
// history begins, to which the last entries of the old one may have been lost.
// Redis itself names the history (master_replid), the cursor contains the name, and
// who comes with another one gets everything.
package redis
