package redis

import (
	"bufio"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// TestKill kills the server repeatedly in the middle of writes, and compares what
// it acknowledged with what is there after the next start. With appendfsync always,
// a power failure has the same effect.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	server := redistest.Start(t)
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	journal := storagetest.NewJournal()
	for round := range rounds {
		said, saying := io.Pipe()
		ended, names := make(chan error, 1), random.Uint64()
		go func() {
			ended <- storagetest.RunVictim(t.Context(), store, names, saying)
			saying.Close()
		}()
		lines := bufio.NewScanner(said)
		for n, after := 1, 20+random.IntN(400); lines.Scan(); n++ {
			journal.Note(lines.Text())
			if n == after {
				server.Kill(t)
			}
		}
		t.Logf("round %d: %v", round, <-ended)
		server.Start(t)
		journal.Check(t, store, round)
	}
	if journal.Lines < rounds*20 {
		t.Errorf("%d acknowledgements in %d rounds, want %d", journal.Lines, rounds, rounds*20)
	}
}
