package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/edgeauth/edgeauth/storage/storagetest"
	"go.etcd.io/bbolt"
)

// The names under which a test process finds out that it is the victim.
const (
	victimFile = "EDGEAUTH_TEST_VICTIM_FILE"
	victimSeed = "EDGEAUTH_TEST_VICTIM_SEED"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimFile); path != "" {
		if err := runVictim(path, os.Getenv(victimSeed)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestKill kills a process that writes, again and again, at a random moment, and
// holds what it had acknowledged against what is in the file. This is the promise
// that a login that was answered is still one after a crash, and that a used link
// stays used.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "auth.db")
	journal := storagetest.NewJournal()
	for round := range rounds {
		killVictim(t, path, random.Uint64(), 20+random.IntN(400), journal)
		db := openFile(t, path)
		journal.Check(t, realm(t, db, "main"), round)
		checkFile(t, db, round)
		closeDB(t, db)
	}
	if journal.Lines < rounds*20 {
		t.Errorf("only %d acknowledgements in %d rounds", journal.Lines, rounds)
	}
}

// killVictim starts a victim, kills it after so many lines, and takes down every
// line that came out whole.
func killVictim(t *testing.T, path string, seed uint64, after int, journal *storagetest.Journal) {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimFile+"="+path, victimSeed+"="+strconv.FormatUint(seed, 10))
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil { // the end of the pipe, perhaps in the middle of a line
			break
		}
		journal.Note(line)
		if n == after {
			if err := victim.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	var killed *exec.ExitError
	if err := victim.Wait(); !errors.As(err, &killed) || killed.Exited() {
		t.Fatalf("the victim ended by itself: %v", err)
	}
}

// runVictim writes to the file until it is killed.
func runVictim(path, seedText string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	db, err := Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := db.Realm(ctx, "main")
	if err != nil {
		return err
	}
	return storagetest.RunVictim(ctx, store, seed, os.Stdout)
}

func checkFile(t *testing.T, db *DB, round int) {
	t.Helper()
	err := db.bolt.View(func(engine *bbolt.Tx) error {
		var errs []error
		for err := range engine.Check() {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Errorf("round %d: the file is inconsistent: %v", round, err)
	}
}
