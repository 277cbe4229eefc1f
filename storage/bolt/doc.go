// Package bolt keeps realms in one file of go.etcd.io/bbolt: durable, embedded,
// for one process. It is the default back end.
//
// It owns the file, its format and its lock; the one goroutine that writes; and
// the order of commits. It does not own a clock (time is passed in), and it
// shares no file with another process: who needs more than one node uses another
// back end. Counters and the watch on revocations live in memory (package
// memory), which is as far as one process needs them.
//
// A call that writes goes this way:
//
//	UpdateUser, TakeLink, … ──► step ──► queue ──► writer ──► one commit, one fsync
//	                              ▲                  │
//	                              └──── answer ◄─────┘
//
// The writer takes everything that waits, runs each step in one transaction and
// commits once: a lone caller waits for its own fsync and nothing else, and under
// load one fsync serves all who came while the one before was under way. What a
// step answers is sent after the commit, a plain "not found" too, because it may
// rest on what another step of the same transaction did. A transaction in which
// nothing was written is rolled back without touching the disk.
//
// Reading calls use bbolt's read transactions, many at a time, and never wait for
// the writer.
//
// The file holds a bucket "edgeauth" with the version of the format and one
// bucket for each realm. In a realm:
//
//	users               id                       -> User
//	users_by_email      Address.Key              -> user id
//	identities          provider,issuer,subject  -> Identity
//	identities_by_user  user id,identity key     -> ""
//	links               secret                   -> Link
//	links_by_email      Address.Key              -> secret
//	flows               state                    -> Flow
//	sessions            id                       -> Session
//	sessions_by_user    user id,session id       -> ""
//	revocations         number                   -> Revocation and when to forget it
//	revocations_by_id   kind,id                  -> number
//	keys                "keys"                   -> []SigningKey
//	expiry              time,class,key           -> ""
//
// Values are JSON, except those of revocations, see type revocation. Parts of a
// key are preceded by their lengths. The expiry bucket says what Sweep may look
// at; an entry stays when its item goes or is prolonged, and Sweep asks the item
// before it removes anything.
package bolt
