// Package redistest runs real redis-server processes for tests: a single server, a
// secured one (TLS, an ACL user), a group under Sentinels, a Cluster. All of them
// sync every write to disk before they respond, unless a test configures otherwise.
//
// Without redis-server, tests are skipped, or fail in CI; see package servertest.
package redistest
