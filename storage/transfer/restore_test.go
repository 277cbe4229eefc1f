package transfer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/postgres"
	"github.com/edgeauth/edgeauth/storage/redis"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// restorable is a store with some users and others that log in all the time.
type restorable struct {
	authcore.Store
	now    time.Time
	before Snapshot
	logins atomic.Int64
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// newRestorable fills a store and begins with logins.
func newRestorable(t *testing.T, store authcore.Store) *restorable {
	t.Helper()
	r := &restorable{Store: store, now: time.Now().Round(time.Millisecond).UTC()}
	var items []authcore.Item
	for i := range 50 {
		items = append(items, r.person(fmt.Sprint("before-", i))...)
	}
	items = append(items,
		authcore.Item{Revocation: &authcore.Revocation{Kind: authcore.RevokeSession, ID: "old", Until: r.now.Add(time.Hour)}},
		authcore.Item{Key: &authcore.SigningKey{ID: "key", Algorithm: "EdDSA", Private: []byte("private"), Created: r.now, Signs: r.now}})
	if _, err := store.Import(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.before, err = Take(t.Context(), store, r.now); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	r.done.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := store.Import(ctx, r.person(fmt.Sprint("during-", i))); err == nil {
				r.logins.Add(1)
			}
		}
	})
	t.Cleanup(r.end)
	r.more(t)
	return r
}

func (r *restorable) person(id string) []authcore.Item {
	items := person(0)
	items[0].User.ID, items[0].User.Email, items[0].User.Created = id, id+"@example.com", r.now
	items[1].Identity.Subject, items[1].Identity.UserID = id, id
	items[2].Session.ID, items[2].Session.UserID, items[2].Session.Expires = "session-"+id, id, r.now.Add(time.Hour)
	items[3].Record.Key, items[3].Record.Owner = id, id
	return items
}

// more waits for further logins.
func (r *restorable) more(t *testing.T) {
	t.Helper()
	seen := r.logins.Load()
	servertest.Eventually(t, "users log in", func() bool { return r.logins.Load() > seen+3 })
}

func (r *restorable) end() {
	r.stop()
	r.done.Wait()
}

// check compares what was there before the backup with the restored store, whose
// further contents have to be readable.
func (r *restorable) check(t *testing.T, restored authcore.Store) {
	t.Helper()
	compared, err := r.before.Compare(t.Context(), restored, r.now)
	if err != nil || compared.Missing.Total() != 0 || compared.Changed.Total() != 0 || compared.Same.Total() != len(r.before) {
		t.Errorf("Compare() of the restored store = %s, %v, want all %d items of the time before the backup", compared, err, len(r.before))
	}
	if _, err := restored.Import(t.Context(), r.person("after")); err != nil {
		t.Errorf("Import() into the restored store failed: %v", err)
	}
}

// A dump of the schema that pg_dump makes while users log in is restored into another
// database, as docs/backup.md describes it.
func TestRestoreFromDump(t *testing.T) {
	server := pgtest.Start(t)
	dump := servertest.Find(t, "pg_dump", "/usr/lib/postgresql/*/bin")
	psql := servertest.Find(t, "psql", "/usr/lib/postgresql/*/bin")
	open := func(dsn string) authcore.Store {
		db, err := postgres.Open(t.Context(), dsn)
		return storagetest.Realm(t, db, err)
	}
	from, to, file := server.Database(t), server.Database(t), filepath.Join(t.TempDir(), "edgeauth.sql")
	r := newRestorable(t, open(from))
	run(t, dump, "--schema=edgeauth", "--no-owner", "--file="+file, from)
	r.more(t)
	r.end()
	run(t, psql, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file="+file, to)
	r.check(t, open(to))
}

// A snapshot that Redis saves while users log in is the data of another server.
func TestRestoreFromSnapshot(t *testing.T) {
	server := redistest.Start(t)
	open := func(server *redistest.Server) authcore.Store {
		db, err := redis.Open(redis.Config{URL: server.URL()})
		return storagetest.Realm(t, db, err)
	}
	r := newRestorable(t, open(server))
	server.Do(t, "SAVE")
	r.more(t)
	dir, found := server.Do(t, "CONFIG", "GET", "dir").([]any)
	if !found || len(dir) != 2 {
		t.Fatalf("CONFIG GET dir = %v, want the folder", dir)
	}
	snapshot, err := os.ReadFile(filepath.Join(fmt.Sprint(dir[1]), "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "dump.rdb"), snapshot, 0o600); err != nil {
		t.Fatal(err)
	}
	r.check(t, open(redistest.Start(t, "appendonly no", "dir "+folder)))
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s failed: %v\n%s", filepath.Base(program), err, out)
	}
}
