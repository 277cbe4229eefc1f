package bolt

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
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
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "auth.db")
	journal := newJournal()
	for round := range rounds {
		killVictim(t, path, random.Uint64(), 20+random.IntN(400), journal)
		db := openFile(t, path)
		journal.check(t, db, round)
		closeDB(t, db)
	}
	if journal.lines < rounds*20 {
		t.Errorf("only %d acknowledgements in %d rounds", journal.lines, rounds)
	}
}

// killVictim starts a victim, kills it after so many lines, and takes down every
// line that came out whole.
func killVictim(t *testing.T, path string, seed uint64, after int, journal *journal) {
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
		journal.note(strings.Fields(line))
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

// journal is what a parent knows of its victims.
type journal struct {
	lines    int
	users    map[string]string       // address -> id
	sessions map[string]string       // live session -> user
	ended    map[string]bool         // revoked sessions
	links    map[string]expectedLink // secret -> what is known of it
	keys     string
}

type expectedLink struct {
	// guesses that were acknowledged
	guesses int
	// taking says that somebody was about to take it, taken that it was taken
	taking, taken bool
}

func newJournal() *journal {
	return &journal{
		users:    make(map[string]string),
		sessions: make(map[string]string),
		ended:    make(map[string]bool),
		links:    make(map[string]expectedLink),
	}
}

func (j *journal) note(words []string) {
	j.lines++
	switch subject := words[1]; words[0] {
	case "user":
		j.users[subject] = words[2]
	case "session":
		j.sessions[subject] = words[2]
	case "ending":
		delete(j.sessions, subject)
	case "ended":
		j.ended[subject] = true
	case "link":
		j.links[subject] = expectedLink{}
	case "guess":
		link := j.links[subject]
		link.guesses++
		j.links[subject] = link
	case "taking":
		link := j.links[subject]
		link.taking = true
		j.links[subject] = link
	case "taken":
		j.links[subject] = expectedLink{taken: true}
	case "keys":
		if number(subject) > number(j.keys) { // loops speak out of order
			j.keys = subject
		}
	}
}

func (j *journal) check(t *testing.T, db *DB, round int) {
	t.Helper()
	store := realm(t, db, "main")
	for email, id := range j.users {
		if got, err := store.UserByEmail(t.Context(), email); err != nil || got.ID != id {
			t.Errorf("round %d: user %s: %+v, error %v", round, email, got, err)
		}
	}
	j.checkSessions(t, store, round)
	j.checkLinks(t, store, round)
	keys, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		return keys, nil
	})
	if err != nil || j.keys != "" && (len(keys) != 1 || number(keys[0].ID) < number(j.keys)) {
		t.Errorf("round %d: keys %v, error %v, want %s or a later one", round, keys, err, j.keys)
	}
	err = db.bolt.View(func(engine *bbolt.Tx) error {
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

func (j *journal) checkSessions(t *testing.T, store *Store, round int) {
	t.Helper()
	live := make(map[string]bool)
	for _, id := range j.users {
		sessions, err := store.SessionsOf(t.Context(), id, origin)
		if err != nil {
			t.Errorf("round %d: SessionsOf: %v", round, err)
		}
		for _, session := range sessions {
			live[session.ID] = true
		}
	}
	revocations, _, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Errorf("round %d: RevocationsSince: %v", round, err)
	}
	revoked := make(map[string]bool)
	for _, r := range revocations {
		revoked[r.ID] = true
	}
	for id := range j.sessions {
		if !live[id] || revoked[id] {
			t.Errorf("round %d: session %s was lost: live %v, revoked %v", round, id, live[id], revoked[id])
		}
	}
	for id := range j.ended {
		if live[id] || !revoked[id] {
			t.Errorf("round %d: session %s came back: live %v, revoked %v", round, id, live[id], revoked[id])
		}
	}
}

// checkLinks takes every link, and notes that, so that the next rounds see
// whether it stays taken.
func (j *journal) checkLinks(t *testing.T, store *Store, round int) {
	t.Helper()
	for secret, want := range j.links {
		got, err := store.TakeLink(t.Context(), authcore.DigestOf("link", secret), origin)
		switch {
		case err != nil && !errors.Is(err, authcore.ErrNotFound):
			t.Errorf("round %d: TakeLink: %v", round, err)
		case want.taken && err == nil:
			t.Errorf("round %d: link %s was taken twice", round, secret)
		case !want.taken && !want.taking && err != nil:
			t.Errorf("round %d: link %s was lost", round, secret)
		case err == nil && got.Guesses < want.guesses:
			t.Errorf("round %d: link %s forgot guesses: %d, want %d", round, secret, got.Guesses, want.guesses)
		}
		j.links[secret] = expectedLink{taken: true}
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // 0 for no number, which no check passes
	return n
}
