package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// engine is an engine of the store. All but memory are durable.
type engine struct {
	name string
	// clients are the numbers of concurrent clients that are measured.
	clients []int
	// start starts the engine's server, if it has one, and returns its address.
	start func(*bench) string
	// option returns the storage option for an empty store at an address. The part
	// is a name that no other store has.
	option func(address, part string) string
}

// Settings with which a committed transaction is on disk. With slowCommits, each flush
// takes 5 ms longer and serves all transactions that wait for it, like a slow disk.
const (
	postgresSettings = "fsync=on synchronous_commit=on full_page_writes=on autovacuum=on shared_buffers=128MB"
	slowCommits      = "commit_delay=5000 commit_siblings=0"
	redisSettings    = "appendonly yes, appendfsync always"
)

func engines() []engine {
	both := []int{1, manyClients}
	none := func(*bench) string { return "" }
	memory := func(string, string) string { return "storage memory" }
	bolt := func(_, part string) string { return "storage bolt " + filepath.Join(part, "edgeauth.db") }
	postgres := func(dsn, part string) string {
		return fmt.Sprintf("storage postgres %q {\nschema %q\n}", dsn, filepath.Base(part))
	}
	redis := func(url, part string) string {
		return fmt.Sprintf("storage redis %q {\nkey_prefix %q\n}", url, filepath.Base(part)+":")
	}
	return []engine{
		{"memory", both, none, memory},
		{"bolt", both, none, bolt},
		{"postgres", both, startPostgres(""), postgres},
		{"postgres with commits of 5 ms", []int{manyClients}, startPostgres(slowCommits), postgres},
		{"redis", both, startRedis, redis},
	}
}

func startPostgres(more string) func(*bench) string {
	return func(b *bench) string {
		return pgtest.Start(b, strings.Fields(postgresSettings+" "+more)...).Database(b)
	}
}

func startRedis(b *bench) string {
	return redistest.Start(b, strings.Split(redisSettings, ", ")...).URL()
}
