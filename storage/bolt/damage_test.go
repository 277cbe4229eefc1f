package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/authcore"
)

// filledFile returns a closed file of some hundred pages, with overflow pages and
// two realms.
func filledFile(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "auth.db")
	db := openFile(tb, path)
	fill(tb, realm(tb, db, "main"), 0, 500)
	fill(tb, realm(tb, db, "other"), 0, 20)
	closeDB(tb, db)
	return path
}

// fill imports records.
func fill(tb testing.TB, store *Store, from, to int) {
	tb.Helper()
	var items []authcore.Item
	for i := from; i < to; i++ {
		record := numbered(i)
		items = append(items, authcore.Item{Record: &record})
	}
	if _, err := store.Import(tb.Context(), items); err != nil {
		tb.Fatalf("Import = %v", err)
	}
}

func numbered(i int) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: fmt.Sprint(i)}, Owner: "ada",
		Created: origin, Data: []byte(strings.Repeat("d", 10+i%7*900)),
	}
}

// A file with any damaged page must end no process (CWE-248): bbolt panics, faults
// or recurses without end on it, partly in goroutines of its own.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	t.Run("all pages are checked", func(t *testing.T) { testDamagedFiles(t, wholeFile, 50) })
	t.Run("leaves are not checked", func(t *testing.T) { testDamagedFiles(t, 0, 15) })
}

// testDamagedFiles damages files and requires that open refuses a number of them.
func testDamagedFiles(t *testing.T, limit int64, least int) {
	t.Parallel()
	intact, err := os.ReadFile(filledFile(t))
	if err != nil {
		t.Fatal("ReadFile:", err)
	}
	pageSize := os.Getpagesize()
	random := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "auth.db")
	refused := 0
	for round := range 150 {
		text := bytes.Clone(intact)
		page := text[(2+random.IntN(len(text)/pageSize-2))*pageSize:][:pageSize]
		switch round % 5 {
		case 0: // a page that was lost
			clear(page)
		case 1: // a page of another place: reads of it may run in circles
			copy(page, text[(2+random.IntN(len(text)/pageSize-2))*pageSize:][:pageSize])
		case 2: // flipped bits in a header
			page[random.IntN(64)] ^= 1 << random.IntN(8)
		case 3: // garbage
			for i := range page[16:] {
				page[16+i] = byte(random.Uint32())
			}
		case 4:
			text = text[:random.IntN(len(text))]
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal("WriteFile:", err)
		}
		_, checkErr := Check(t.Context(), path)
		db, err := open(path, limit, WithLockTimeout(time.Millisecond))
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), ";") {
				t.Errorf("round %d: Open = %v, want the file and a remedy", round, err)
			}
			if checkErr == nil && len(text) > 0 {
				t.Errorf("round %d: Check = nil, but Open = %v", round, err)
			}
			continue
		}
		if checkErr != nil && limit == wholeFile {
			t.Errorf("round %d: Open = nil, but Check = %v", round, checkErr)
		}
		use(t, db)
		closeDB(t, db)
	}
	if refused < least {
		t.Errorf("open refused %d of 150 damaged files, want at least %d", refused, least)
	}
}

// Open of a large file reads the leaves only after a crash, when bbolt has to derive
// the free pages.
func TestOpenReadsLeavesAfterCrash(t *testing.T) {
	path := filledFile(t)
	if got := openedPages(t, path); got > 40 {
		t.Errorf("verify after Close read %d pages, want those above the leaves", got)
	}
	db := openFile(t, path)
	fill(t, realm(t, db, "main"), 1000, 1001)
	text, err := os.ReadFile(path) // as after kill -9
	if err != nil {
		t.Fatal("ReadFile:", err)
	}
	closeDB(t, db)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal("WriteFile:", err)
	}
	if got := openedPages(t, path); got < 100 {
		t.Errorf("verify after a crash read %d pages, want all", got)
	}
}

// openedPages returns the number of pages that verify reads if no file is small.
func openedPages(t *testing.T, path string) int {
	t.Helper()
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatalf("bbolt.Open = %v", err)
	}
	handle, err := os.Open(path)
	if err != nil {
		t.Fatal("Open:", err)
	}
	counter := &countingReader{file: handle}
	err = file.View(func(tx *bbolt.Tx) error {
		v := verifier{ended: t.Context().Err, file: counter, pageSize: int64(file.Info().PageSize)}
		return v.run(tx, 0)
	})
	if err := errors.Join(err, file.Close(), handle.Close()); err != nil {
		t.Fatalf("run = %v", err)
	}
	return counter.reads
}

// countingReader counts reads of a file.
type countingReader struct {
	file  io.ReaderAt
	reads int
}

func (c *countingReader) ReadAt(text []byte, at int64) (int, error) {
	c.reads++
	return c.file.ReadAt(text, at)
}

// use reads and writes everything that may be there; errors are expected.
func use(t *testing.T, db *DB) {
	t.Helper()
	store, err := db.Realm(t.Context(), "main")
	if err != nil {
		return
	}
	_, _ = authcore.AllRecords(t.Context(), store, authcore.RecordFilter{Kind: "link", Owner: "ada"}, origin)
	for i := range 5 {
		_ = store.PutRecord(t.Context(), numbered(i*99), authcore.PutOptions{Now: origin})
	}
	_, _ = store.Sweep(t.Context(), origin)
}

// The file is replaced or cut while the server runs: `cp backup auth.db`. Reads of
// the memory map fault then.
func TestFileTruncatedWhileOpen(t *testing.T) {
	path := filledFile(t)
	db := openFile(t, path)
	store := realm(t, db, "main")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal("Truncate:", err)
	}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for i := range 20 {
				_, readErr := authcore.AllRecords(t.Context(), store, authcore.RecordFilter{Kind: "link", Owner: "ada"}, origin)
				writeErr := store.PutRecord(t.Context(), numbered(i), authcore.PutOptions{Now: origin})
				_, exportErr := db.Backup(t.Context(), io.Discard)
				for name, err := range map[string]error{"ListRecords": readErr, "PutRecord": writeErr, "Backup": exportErr} {
					if err != nil && !errors.Is(err, authcore.ErrUnavailable) {
						t.Errorf("%s = %v, want ErrUnavailable", name, err)
					}
				}
				if readErr == nil {
					t.Error("ListRecords of a truncated file = nil, want an error")
				}
			}
		})
	}
	running.Wait()
	_ = db.Close() // it returns
	if err := os.Remove(path); err != nil {
		t.Fatal("Remove:", err)
	}
	closeDB(t, openFile(t, path, WithLockTimeout(time.Millisecond)))
}

// A file that verify accepts is one that bbolt reads without a panic.
func FuzzVerify(f *testing.F) {
	intact, err := os.ReadFile(filledFile(f))
	if err != nil {
		f.Fatal("ReadFile:", err)
	}
	f.Add(uint16(0), []byte{})
	f.Add(uint16(2*4096+8), []byte{1, 0})
	f.Add(uint16(3*4096+12), []byte{0xff, 0xff, 0xff, 0x7f})
	f.Add(uint16(4*4096+16), []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		text := bytes.Clone(intact)
		copy(text[min(int(at), len(text)):], patch)
		path := filepath.Join(t.TempDir(), "auth.db")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal("WriteFile:", err)
		}
		db, err := Open(path)
		if err != nil {
			return
		}
		use(t, db)
		_ = db.Close()
	})
}

// A backup that is written while users log in contains what was acknowledged
// before it began, and is intact.
func TestBackupUnderLoad(t *testing.T) {
	db := openTemp(t)
	store := realm(t, db, "main")
	fill(t, store, 0, 300)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i := range 4 {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				record := numbered(1000 + i + 4*n)
				if err := store.PutRecord(ctx, record, authcore.PutOptions{Now: origin}); err != nil && ctx.Err() == nil {
					t.Errorf("PutRecord during a backup = %v, want nil", err)
				}
			}
		})
	}
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "copy.db")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal("Create:", err)
		}
		fill(t, store, 300+round, 301+round)
		written, err := db.Backup(t.Context(), file)
		info, statErr := file.Stat()
		if err := errors.Join(err, statErr, file.Close()); err != nil || written != info.Size() {
			t.Fatalf("Backup = %d, error %v, want the length of the file", written, err)
		}
		if state, err := Check(t.Context(), path); err != nil || !strings.Contains(state, "intact") {
			t.Errorf("Check of a backup = %q, error %v, want an intact file", state, err)
		}
		copied := openFile(t, path)
		for i := range 301 + round {
			if _, err := realm(t, copied, "main").Record(t.Context(), numbered(i).RecordKey, origin); err != nil {
				t.Errorf("round %d: Record %d of the backup = %v, want nil", round, i, err)
			}
		}
		closeDB(t, copied)
	}
	cancel()
	running.Wait()
}

func TestBackupFails(t *testing.T) {
	db := openTemp(t)
	failing := writerFunc(func([]byte) (int, error) { return 0, errRefused })
	if n, err := db.Backup(t.Context(), failing); n != 0 || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Backup to a writer that fails = %d, error %v, want ErrUnavailable", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := writerFunc(func(text []byte) (int, error) {
		cancel()
		return len(text), nil
	})
	if _, err := db.Backup(ctx, slow); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup with a context that ends = %v, want context.Canceled", err)
	}
	if err := do(t.Context(), db.writer, putStep("a")); err != nil {
		t.Errorf("step after a failed backup = %v, want nil", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }
