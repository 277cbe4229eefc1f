// Package redis keeps realms in a Redis or Valkey (6.2 or later) that several nodes
// share: one server, a group under Sentinels, or a Cluster. It uses
// github.com/redis/go-redis.
//
// A step takes two round trips: the script read returns what the step needs, as of
// one moment; Go decides; the script commit checks that nothing of it has changed
// and performs the writes, which Redis logs and replicates as one. If a check fails,
// the step is computed again, up to maxTries times. No command is sent twice after
// its outcome became unknown. A step that takes nothing into account that is stored
// is a single script.
//
// All keys of a realm begin with the key prefix and the name of the realm in braces,
// for example "edgeauth:{_default}:meta". The braces are a hash tag: a script runs on
// one node of a Cluster, so a realm is in one slot. Each entry has a key of its own.
// None grows with the number of users except the indexes of kinds, which take about
// 100 bytes for each record, so that a slot can be moved. While it moves, steps that
// need keys of both nodes fail completely.
//
//	meta                hash        format, epoch, number of the last revocation, first chunk of the feed
//	u:<user ID>         hash        user, version, key of the address, identities, sessions; see load.go
//	e:<Address.Key>     string      user ID
//	i:<digest>          string      user ID; digest of the IdentityKey
//	ids:<0 to 4095>     sorted set  user IDs with the time at which their first item expires
//	r:<kind>:<key>      string      Record, with a time to live
//	o:<owner>           sorted set  kind, creation and key of the records of an owner, by their end
//	n:<kind>            sorted set  kind, creation and key of all records of a kind, in the order of creation
//	v:<kind>:<ID>       string      number and time of a revocation, Revocation, with a time to live
//	f:<number / 128>    sorted set  kind and ID of revocations, by number, with a time to live
//	feed                channel     a message after new revocations
//	keys                string      []SigningKey
//	c:<0 to 1023>:<limit>  hash     digest of a counter -> end of its window, value, with a time to live
//
// Values are JSON, which scripts do not decode. A time to live ends when an item has
// expired by the clock of Redis and by that of the node that stored it. Go compares
// the expiry with the time of the call. The clock of Redis decides where a call has
// no time, and ends the windows of counters.
//
// The number of a revocation has a meaning within one history of the data only. When
// a server starts or a replica takes over, a new history begins, and the last entries
// of the old one may be lost. Redis names the history (master_replid); the cursor of
// the feed contains the name, and a cursor of another history returns everything.
//
// Durability is set in Redis; [DB.Warnings] reports settings that lose data.
package redis
