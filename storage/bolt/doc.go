// Package bolt keeps realms in one file of go.etcd.io/bbolt: durable, embedded,
// for one process. It is the default engine.
//
// The package owns the file, its format and its lock, the goroutine that writes,
// and the order of commits. Package kv implements the steps and the layout of the
// entries; package memory provides counters and the watch on revocations, which
// one process can keep in memory. The package has no clock for items. Deployments
// with several nodes use another engine.
//
// A call that writes proceeds as follows:
//
//	Login, PutRecord, … ──▶ step ──▶ queue ──▶ writer ──▶ one commit, one fsync
//	                         ▲                   │
//	                         └───── answer ◀─────┘
//
// The writer takes all waiting steps, runs them in one transaction and commits
// once. A single caller waits for one commit only; under load one commit serves
// all callers that arrived during the previous one. Each answer is sent after the
// commit, also an answer such as "not found", because it may depend on another
// step of the same transaction. A transaction without a write is rolled back.
//
// Calls that read use bbolt's read transactions. They run in parallel and do not
// wait for the writer.
//
// # Damage
//
// bbolt panics on damaged pages, and reading a truncated file faults. Open
// therefore checks the pages that bbolt reads during Open: all of them, or in a large
// file that was closed in order those above the leaves. Later panics and faults
// become errors of the call. If bbolt's own state is unknown after one, every call
// fails until the file is opened again; Close then returns in bounded time and
// releases the file.
//
// # Format
//
// The file contains a bucket "edgeauth" with the numbers of the format and a
// bucket "realm:NAME" for each realm, with the entries of package kv. Only Close
// stores the list of free pages, because writing it made each commit slower with
// every free page. After a crash Open derives it from the pages in use.
package bolt
