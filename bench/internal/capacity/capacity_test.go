package capacity

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/bolt"
	"github.com/edgeauth/edgeauth/storage/postgres"
	"github.com/edgeauth/edgeauth/storage/redis"
)

// The files of the page.
const (
	constants = "../../../docs/capacity.json"
	page      = "../../../docs/capacity.md"
	script    = "../../../docs/capacity.js"
)

// The flags of the test.
var (
	items = flag.Int("capacity.items", 4000, "items of each kind that are written to each engine")
	write = flag.Bool("capacity.write", false, "write the measured constants to docs")
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// target returns an engine that is empty.
func target(t *testing.T, name string) Target {
	t.Helper()
	ctx, realm := t.Context(), "capacity"
	switch name {
	case "bolt":
		return boltTarget(t)
	case "postgres":
		dsn := pgtest.Start(t).Database(t)
		db, err := postgres.Open(ctx, dsn)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return Target{
			Store: func(ctx context.Context) (authcore.Store, error) { return db.Realm(ctx, realm) },
			Size: func(ctx context.Context) (size int64, err error) {
				conn, err := pgx.Connect(ctx, dsn)
				if err != nil {
					return 0, err
				}
				defer conn.Close(ctx)
				err = conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
				return size, err
			},
		}
	default:
		url := redistest.Start(t).URL()
		db, err := redis.Open(redis.Config{URL: url})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		t.Cleanup(func() { _ = db.Close() })
		options, err := goredis.ParseURL(url)
		if err != nil {
			t.Fatalf("ParseURL: %v", err)
		}
		client := goredis.NewClient(options)
		t.Cleanup(func() { _ = client.Close() })
		return Target{
			Store: func(ctx context.Context) (authcore.Store, error) { return db.Realm(ctx, realm) },
			Size: func(ctx context.Context) (size int64, err error) {
				info, err := client.Info(ctx, "memory").Result()
				_, rest, _ := strings.Cut(info, "used_memory_dataset:")
				_, _ = fmt.Sscan(rest, &size)
				return size, err
			},
		}
	}
}

// boltTarget opens the file for each call: the pages in use are counted while it is
// closed.
func boltTarget(t *testing.T) Target {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capacity.db")
	var open *bolt.DB
	end := func() error {
		if open == nil {
			return nil
		}
		db := open
		open = nil
		return db.Close()
	}
	t.Cleanup(func() { _ = end() })
	return Target{
		Store: func(ctx context.Context) (_ authcore.Store, err error) {
			if open == nil {
				if open, err = bolt.Open(path); err != nil {
					return nil, err
				}
			}
			return open.Realm(ctx, "capacity")
		},
		Size: func(context.Context) (int64, error) {
			if err := end(); err != nil {
				return 0, err
			}
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return 0, err
			}
			defer db.Close()
			var size int64
			err = db.Update(func(tx *bbolt.Tx) error {
				size = tx.Size() - int64(db.Stats().FreePageN)*int64(db.Info().PageSize)
				return nil
			})
			return size, err
		},
	}
}

// near reports whether a measurement agrees with a constant: pages, hash tables and the
// allocators of the engines make small runs differ.
func near(got, want float64) bool { return got > want/1.6 && got < want*1.6 }

// The constants of the page are those that a small run measures. With -capacity.write
// the run replaces them.
func TestConstants(t *testing.T) {
	want, err := Read(constants)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	for _, name := range []string{"bolt", "postgres", "redis"} {
		t.Run(name, func(t *testing.T) {
			got, err := Measure(t.Context(), target(t, name), *items)
			if err != nil {
				t.Fatalf("Measure: %v", err)
			}
			t.Logf("%d items: %+v", *items, got)
			known := want.Engines[name]
			if *write {
				got.Logins, got.MaxBytes, got.MaxNodes = known.Logins, known.MaxBytes, known.MaxNodes
				want.Engines[name] = rounded(got)
				return
			}
			for what, pair := range map[string][2]float64{
				"user": {got.User, known.User}, "identity": {got.Identity, known.Identity}, "session": {got.Session, known.Session},
				"record": {got.Record, known.Record}, "revocation": {got.Revocation, known.Revocation},
			} {
				if !near(pair[0], pair[1]) {
					t.Errorf("a %s takes %.0f bytes, docs/capacity.json has %.0f", what, pair[0], pair[1])
				}
			}
		})
	}
	memory, feed, err := MeasureRevocations(max(*items, 20_000))
	if err != nil {
		t.Fatalf("MeasureRevocations: %v", err)
	}
	t.Logf("a revocation: %.0f bytes of memory, %.0f of the feed", memory, feed)
	if *write {
		want.RevocationMemory, want.FeedBytes = math.Round(memory), math.Round(feed)
		text, err := json.MarshalIndent(want, "", "  ")
		if err == nil {
			err = os.WriteFile(constants, append(text, '\n'), 0o600)
		}
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		return
	}
	if !near(memory, want.RevocationMemory) || !near(feed, want.FeedBytes) {
		t.Errorf("a revocation takes %.0f bytes of memory and %.0f of the feed, docs/capacity.json has %.0f and %.0f",
			memory, feed, want.RevocationMemory, want.FeedBytes)
	}
}

func rounded(e Engine) Engine {
	for _, field := range []*float64{&e.User, &e.Identity, &e.Session, &e.Record, &e.Revocation} {
		*field = math.Round(*field)
	}
	return e
}

// loads are the installations of the table of the page.
func loads() []Load {
	load := func(users, perDay, nodes float64) Load {
		return Load{
			Users: users, PerDay: perDay, Nodes: nodes, MailShare: 0.5,
			SessionDays: 30, TokenDays: 14, LogoutShare: 0.2, Peak: 5,
		}
	}
	return []Load{load(1e4, 1e3, 1), load(1e6, 5e4, 2), load(1e7, 1e6, 4), load(1e8, 1e7, 8)}
}

// The table of the page follows from the constants.
func TestTable(t *testing.T) {
	c, err := Read(constants)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	table := "| users | logins a day | nodes | engine | store | revocations, per node | feed a day, per verifier | mails per second | writes per second | first limit | of it in use |\n" +
		"|---:|---:|---:|---|---:|---:|---:|---:|---:|---|---:|\n"
	for _, load := range loads() {
		for _, name := range []string{"bolt", "postgres", "redis"} {
			e := c.Estimate(name, load)
			table += fmt.Sprintf("| %s | %s | %.0f | %s | %s | %s | %s | %.1f | %.1f | %s | %.0f %% |\n", count(load.Users), count(load.PerDay), load.Nodes,
				name, size(e.Store), size(e.Memory), size(e.FeedPerDay), e.Mails, e.Writes, e.First, 100*e.Used)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("ReadFile: %v", err)
	}
	const begin, end = "<!-- table -->\n", "<!-- end -->"
	before, rest, found := strings.Cut(string(text), begin)
	now, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	table = "\n" + table + "\n"
	if now == table {
		return
	}
	if !*write {
		t.Fatalf("the table of %s is out of date: run make capacity", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o600); err != nil {
		t.Fatalf("WriteFile: %v", err)
	}
}

func count(n float64) string {
	if n >= 1e6 {
		return fmt.Sprintf("%.0f million", n/1e6)
	}
	return fmt.Sprintf("%.0f", n)
}

func size(bytes float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; bytes >= 999.5 && i < len(units)-1; i++ {
		bytes /= 1000
	}
	return fmt.Sprintf("%.3g %s", bytes, units[i])
}

// The script of the page computes the same estimates.
func TestScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: node is not installed")
	}
	c, err := Read(constants)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	for _, name := range []string{"bolt", "postgres", "redis"} {
		for _, load := range loads() {
			argument, err := json.Marshal([]any{c, name, load})
			if err != nil {
				t.Fatalf("Marshal: %v", err)
			}
			program := "const { estimate } = require(process.argv[1]); console.log(JSON.stringify(estimate(...JSON.parse(process.argv[2]))))"
			path, err := filepath.Abs(script)
			if err != nil {
				t.Fatalf("Abs: %v", err)
			}
			output, err := exec.CommandContext(t.Context(), node, "-e", program, path, string(argument)).Output()
			var got Estimate
			if err == nil {
				err = json.Unmarshal(output, &got)
			}
			if err != nil {
				t.Fatalf("node: %v: %s", err, output)
			}
			want := c.Estimate(name, load)
			pairs := [][2]float64{
				{got.Store, want.Store},
				{got.Memory, want.Memory},
				{got.Feed, want.Feed},
				{got.FeedPerDay, want.FeedPerDay},
				{got.Mails, want.Mails},
				{got.Logins, want.Logins},
				{got.Writes, want.Writes},
				{got.Reads, want.Reads},
				{got.Used, want.Used},
				{got.Links, want.Links},
			}
			differs := func(p [2]float64) bool { return math.Abs(p[0]-p[1]) > 1e-9*math.Abs(p[1]) }
			if got.First != want.First || slices.ContainsFunc(pairs, differs) {
				t.Errorf("estimate(%s, %+v) in the page = %+v, want %+v", name, load, got, want)
			}
		}
	}
}
