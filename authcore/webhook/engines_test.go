package webhook_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/bolt"
	"github.com/edgeauth/edgeauth/storage/postgres"
	"github.com/edgeauth/edgeauth/storage/redis"
)

// All engines list messages oldest first, and keep them while the node is replaced.
func TestOrderOfEngines(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (authcore.Store, error){
		"bolt": func(t *testing.T) (authcore.Store, error) {
			db, err := bolt.Open(filepath.Join(t.TempDir(), "edgeauth.db"))
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = db.Close() })
			return db.Realm(t.Context(), "main")
		},
		"postgres": func(t *testing.T) (authcore.Store, error) {
			db, err := postgres.Open(t.Context(), pgtest.Start(t).Database(t))
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = db.Close() })
			return db.Realm(t.Context(), "main")
		},
		"redis": func(t *testing.T) (authcore.Store, error) {
			db, err := redis.Open(redis.Config{URL: redistest.Start(t).URL()})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = db.Close() })
			return db.Realm(t.Context(), "main")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			store, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			f.store, f.now = store, time.Now() // engines have clocks of their own
			s := f.sender()
			trail := f.trail(s)
			for i := range 130 {
				f.record(trail, user(i%2))
				if i%2 == 0 {
					f.advance(37 * time.Millisecond)
				}
			}
			f.respond = func(m received) int { return 503 }
			f.advance(2 * time.Second)
			s.Pass(t.Context())
			f.respond = func(m received) int { return 200 }
			f.advance(time.Minute)
			next := f.sender()
			next.Pass(t.Context())
			if len(f.accepted) != 130 {
				t.Fatalf("the receiver has %d messages, want 130", len(f.accepted))
			}
			for i, m := range f.accepted {
				if m.Data.User != user(i%2) || i > 0 && !m.Timestamp.After(f.accepted[i-1].Timestamp) {
					t.Fatalf("message %d = %+v after %s, want the order of the entries", i, m.Body, f.accepted[max(i-1, 0)].Timestamp)
				}
			}
			if state := f.status(next); state.Waiting != 0 || state.Dead != 0 || state.LastSuccess.Sub(f.clock()).Abs() > time.Millisecond {
				t.Errorf("Status() = %+v, want no message and a success at %s", state, f.clock())
			}
		})
	}
}
