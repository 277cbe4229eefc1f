package migrate

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/edgeauth/edgeauth/storage/bolt"
)

// victimFolder tells a test process that it is to copy from one file in this
// folder to the other.
const victimFolder = "EDGEAUTH_TEST_VICTIM_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(victimFolder); folder != "" {
		if err := copyFiles(context.Background(), folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func copyFiles(ctx context.Context, folder string) error {
	from, closeFrom, err := openRealm(ctx, filepath.Join(folder, "from.db"))
	if err != nil {
		return err
	}
	defer closeFrom()
	to, closeTo, err := openRealm(ctx, filepath.Join(folder, "to.db"))
	if err != nil {
		return err
	}
	defer closeTo()
	_, _, err = Copy(ctx, from, to, origin, func(read Counts) { fmt.Println(read.Total()) })
	return err
}

func openRealm(ctx context.Context, path string) (*bolt.Store, func(), error) {
	db, err := bolt.Open(path)
	if err != nil {
		return nil, nil, err
	}
	store, err := db.Realm(ctx, "main")
	return store, func() { _ = db.Close() }, err
}

// TestKill kills a copy in the middle, again and again, and does it once more to
// the end: nothing is missing, and nothing was stored twice.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	from, closeFrom, err := openRealm(t.Context(), filepath.Join(folder, "from.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Import(t.Context(), people(2000)); err != nil {
		t.Fatal(err)
	}
	closeFrom()
	killed := 0
	for lines := 1; killVictim(t, folder, lines); lines += 3 {
		killed++
	}
	if killed == 0 {
		t.Error("nobody was killed")
	}

	from, closeFrom, err = openRealm(t.Context(), filepath.Join(folder, "from.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeFrom()
	to, closeTo, err := openRealm(t.Context(), filepath.Join(folder, "to.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeTo()
	snapshot, err := Take(t.Context(), from, origin)
	if err != nil {
		t.Fatal(err)
	}
	got, err := snapshot.Compare(t.Context(), to, origin)
	if err != nil || !got.Equal() || got.Same.Total() != len(people(2000)) {
		t.Errorf("after %d kills: %+v, error %v", killed, got, err)
	}
}

// killVictim starts a copy and kills it after so many steps; false when it came to
// its end before.
func killVictim(t *testing.T, folder string, steps int) bool {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimFolder+"="+folder)
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for n := 1; lines.Scan(); n++ {
		if n == steps {
			if err := victim.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	err = victim.Wait()
	if err != nil && victim.ProcessState.Exited() {
		t.Fatalf("the victim ended by itself: %v", err)
	}
	return err != nil
}
