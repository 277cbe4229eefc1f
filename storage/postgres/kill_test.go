package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// Variables that make a test process the victim.
const (
	victimDSN  = "EDGEAUTH_TEST_VICTIM_DSN"
	victimSeed = "EDGEAUTH_TEST_VICTIM_SEED"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimDSN); dsn != "" {
		if err := runVictim(dsn, os.Getenv(victimSeed)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

func runVictim(dsn, seedText string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, err := Open(ctx, dsn, WithMaxConnections(8))
	if err != nil {
		return err
	}
	store, err := db.Realm(ctx, "main")
	if err != nil {
		return err
	}
	return storagetest.RunVictim(ctx, store, seed, os.Stdout)
}

// TestKill kills a process that writes, repeatedly and at a random moment, and compares
// the steps that it acknowledged with the database.
func TestKill(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	journal, random := storagetest.NewJournal(), newRandom(t)
	for round := range 3 {
		killVictim(t, dsn, random.Uint64(), 20+random.IntN(400), journal)
		journal.Check(t, store, round)
	}
}

// killVictim starts a victim, kills it after a number of lines, and notes every
// complete line.
func killVictim(t *testing.T, dsn string, seed uint64, after int, journal *storagetest.Journal) {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimDSN+"="+dsn, victimSeed+"="+strconv.FormatUint(seed, 10))
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatalf("starting the victim: %v", err)
	}
	if err := victim.Start(); err != nil {
		t.Fatalf("starting the victim: %v", err)
	}
	note(journal, output, after, func() { _ = victim.Process.Kill() })
	var killed *exec.ExitError
	if err := victim.Wait(); !errors.As(err, &killed) || killed.Exited() {
		t.Fatalf("the victim ended without being killed: %v", err)
	}
}

// TestKilledServer kills the server while others write, and compares the steps that
// it acknowledged with what it has after a restart.
func TestKilledServer(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t), WithMaxConnections(8))
	store := realm(t, db, "main")
	journal, random := storagetest.NewJournal(), newRandom(t)
	for round := range 3 {
		seed := random.Uint64()
		output, lines := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := storagetest.RunVictim(t.Context(), store, seed, lines)
			lines.Close()
			ended <- err
		}()
		note(journal, output, 20+random.IntN(400), func() { server.Kill(t) })
		if err := <-ended; !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), "SQLSTATE 2") {
			t.Errorf("round %d: RunVictim = error %v, want %v", round, err, authcore.ErrUnavailable)
		}
		server.Start(t)
		servertest.Eventually(t, "the store continues", func() bool { return isUp(t, store) })
		journal.Check(t, store, round) // through the pool that saw the server die
	}
}

// note notes every complete line of a victim, and kills it after a number of lines.
func note(journal *storagetest.Journal, output io.Reader, after int, kill func()) {
	lines := bufio.NewReader(output)
	var killing sync.WaitGroup
	defer killing.Wait()
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil { // the end of the pipe, perhaps in the middle of a line
			return
		}
		journal.Note(line)
		if n == after {
			killing.Go(kill) // the victim may write more meanwhile
		}
	}
}

func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestDurability opens the database again between any two steps.
func TestDurability(t *testing.T) {
	server := pgtest.Start(t)
	storagetest.RunDurable(t, func(t *testing.T) func() authcore.Store {
		t.Helper()
		dsn := server.Database(t)
		var open *DB
		t.Cleanup(func() { _ = open.Close() })
		return func() authcore.Store {
			if open != nil {
				_ = open.Close()
			}
			open = openDSN(t, dsn)
			return realm(t, open, "main")
		}
	})
}
