package adminapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/storage/bolt"
	"github.com/edgeauth/edgeauth/storage/postgres"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// slowest limits the median of each request, largest the growth of the heap during an
// export.
const (
	slowest = 50 * time.Millisecond
	largest = 32 << 20
)

// TestManyPeople measures the API over many users: PEOPLE is their number. Without it
// the number is small, and no time is checked.
func TestManyPeople(t *testing.T) {
	n, measured := 3000, false
	if text := os.Getenv("PEOPLE"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		measured = true
	}
	t.Run("bolt", func(t *testing.T) {
		db, err := bolt.Open(filepath.Join(t.TempDir(), "edgeauth.db"))
		store := storagetest.Realm(t, db, err)
		people(t, store, n, measured)
	})
	t.Run("postgres", func(t *testing.T) {
		server := pgtest.Start(t)
		dsn := server.Database(t)
		db, err := postgres.Open(t.Context(), dsn)
		store := storagetest.Realm(t, db, err)
		fill(t, store, n)
		pgtest.Exec(t, dsn, "ANALYZE")
		measure(t, store, n, measured)
	})
}

func people(t *testing.T, store authcore.Store, n int, measured bool) {
	fill(t, store, n)
	measure(t, store, n, measured)
}

// fill imports users. A third has an address of gmail.com, and each other domain has 40
// users.
func fill(t *testing.T, store authcore.Store, n int) {
	t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		var items []authcore.Item
		for i := from; i < min(n, from+batch); i++ {
			items = append(items, authcore.Item{User: &authcore.User{
				ID: userID(i), Email: email(i), EmailVerified: true, FirstName: "Ann", LastName: "Lee", Created: time.Unix(int64(i), 0).UTC(),
			}})
		}
		if _, err := store.Import(t.Context(), items); err != nil {
			t.Fatal(err)
		}
	}
}

// userID returns an ID that is not in the order of the addresses.
func userID(i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i)*2654435761, i)
}

func email(i int) string {
	domain := "gmail.com"
	if i%3 > 0 {
		domain = fmt.Sprintf("d%d.example", i/60)
	}
	return fmt.Sprintf("%c%c.%d@%s", 'a'+i%26, 'a'+i/26%26, i, domain)
}

// measure sends each kind of request many times.
func measure(t *testing.T, store authcore.Store, n int, measured bool) {
	t.Helper()
	made, err := realm.New(t.Context(), realm.Config{
		Store: store, EmailLink: "https://app.example/{token}", DebugLinks: true, Clients: []authcore.Client{{Name: "web", Key: "key"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: made}, func() {}, nil
	})
	random := rand.New(rand.NewPCG(1, 2))
	some := func() int { return random.IntN(n) }
	for _, c := range []struct {
		name    string
		request func() (method, path, body string)
	}{
		{"list", func() (string, string, string) { return search(`"cursor":%q`, userID(some())) }},
		{"prefix of one user", func() (string, string, string) {
			user, _, _ := strings.Cut(email(some()), "@")
			return search(`"email_prefix":%q`, user)
		}},
		{"prefix of many users", func() (string, string, string) { return search(`"email_prefix":%q`, email(some())[:2]) }},
		{"small domain", func() (string, string, string) { return search(`"domain":"d%d.example"`, some()/60) }},
		{"large domain", func() (string, string, string) { return search(`"domain":"gmail.com","cursor":%q`, userID(some())) }},
		{"show", func() (string, string, string) { return http.MethodGet, "/users/" + userID(some()), "" }},
	} {
		took := make([]time.Duration, 200)
		for i := range took {
			method, path, body := c.request()
			began := time.Now()
			ask(t, handler, method, path, body, nil)
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		median := took[len(took)/2]
		t.Logf("%d users, %s: median %.1f ms, 99 %% %.1f ms", n, c.name, millis(median), millis(took[len(took)*99/100]))
		if measured && median > slowest {
			t.Errorf("%s took %s, want %s at most", c.name, median, slowest)
		}
	}
	export(t, handler, n)
}

// export reads all users page by page, with flat memory.
func export(t *testing.T, handler http.Handler, n int) {
	t.Helper()
	before, highest, seen, began := heap(), uint64(0), 0, time.Now()
	for page, cursor := 0, ""; ; page++ {
		method, path, body := search(`"limit":1000,"cursor":%q`, cursor)
		var users adminapi.Users
		ask(t, handler, method, path, body, &users)
		seen += len(users.Users)
		if page%100 == 0 {
			highest = max(highest, heap())
		}
		if cursor = users.Next; cursor == "" {
			break
		}
	}
	growth := int64(highest) - int64(before)
	t.Logf("%d users, export: %.1f s, heap grew by %.1f MB", n, time.Since(began).Seconds(), float64(growth)/(1<<20))
	if seen != n || growth > largest {
		t.Errorf("the export returned %d users and the heap grew by %d bytes, want %d users and %d bytes at most", seen, growth, n, largest)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func search(format string, args ...any) (method, path, body string) {
	return http.MethodPost, "/users/search", "{" + fmt.Sprintf(format, args...) + "}"
}

func ask(t *testing.T, handler http.Handler, method, path, body string, into any) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	if recorder.Code != http.StatusOK {
		t.Fatalf("%s %s with %s = %d %s, want 200", method, path, body, recorder.Code, recorder.Body)
	}
	if into != nil {
		if err := json.Unmarshal(recorder.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
