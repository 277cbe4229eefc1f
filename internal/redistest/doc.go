// Package redistest runs real redis-server processes for tests: a single server, a
// secured one (TLS, an ACL user), a group under Sentinels, a Cluster. All of them
// sync every write to disk before they answer, unless a test says otherwise.
//
// See package servertest for what becomes of a test without redis-server.
package redistest
