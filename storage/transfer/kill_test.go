package transfer

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

// victimFolder names the folder with the two files between which a test process
// copies.
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

// TestKill kills a copy repeatedly and then completes it: nothing is missing, and
// nothing was stored twice.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	from, closeFrom, err := openRealm(t.Context(), filepath.Join(folder, "from.db"))
	if err != nil {
		t.Fatalf("error %v, want none", err)
	}
	if _, err := from.Import(t.Context(), people(1500)); err != nil {
		t.Fatalf("Import: error %v", err)
	}
	closeFrom()
	killed := 0
	for lines := 1; killVictim(t, folder, lines); lines += 3 {
		killed++
	}
	if killed == 0 {
		t.Error("no copy was killed")
	}

	from, closeFrom, err = openRealm(t.Context(), filepath.Join(folder, "from.db"))
	if err != nil {
		t.Fatalf("error %v, want none", err)
	}
	defer closeFrom()
	to, closeTo, err := openRealm(t.Context(), filepath.Join(folder, "to.db"))
	if err != nil {
		t.Fatalf("error %v, want none", err)
	}
	defer closeTo()
	snapshot, err := Take(t.Context(), from, origin)
	if err != nil {
		t.Fatalf("error %v, want none", err)
	}
	got, err := snapshot.Compare(t.Context(), to, origin)
	if err != nil || !got.Equal() || got.Same.Total() != len(people(1500)) {
		t.Errorf("Compare after %d kills = %+v, error %v, want equal", killed, got, err)
	}
}

// killVictim starts a copy and kills it after some steps. It returns false if the
// copy completed before.
func killVictim(t *testing.T, folder string, steps int) bool {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimFolder+"="+folder)
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatalf("error %v, want none", err)
	}
	if err := victim.Start(); err != nil {
		t.Fatalf("error %v, want none", err)
	}
	lines := bufio.NewScanner(output)
	for n := 1; lines.Scan(); n++ {
		if n == steps {
			if err := victim.Process.Kill(); err != nil { // SIGKILL
				t.Fatalf("error %v, want none", err)
			}
		}
	}
	err = victim.Wait()
	if err != nil && victim.ProcessState.Exited() {
		t.Fatalf("the victim failed: %v", err)
	}
	return err != nil
}
