package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// The primary is killed while people log in and out. Calls fail for a while and
// then go on by themselves; the watch goes on too; and what was acknowledged with
// a replica is there, none of it twice.
func TestFailover(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	db := open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName, WaitReplicas: 1})
	store := realm(t, db, "main")
	mustEnsure(t, store, user("u", "ada@example.com"))
	var mu sync.Mutex
	live, ended, taken := map[string]bool{}, map[string]bool{}, map[string]bool{}
	note := func(list map[string]bool, id string) {
		mu.Lock()
		defer mu.Unlock()
		list[id] = true
	}
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	for worker := range 4 {
		loops.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint(worker, "-", n)
				switch err := store.PutSession(ctx, session(id, "u")); {
				case err != nil:
					continue
				case n%2 == 0:
					note(live, id)
					continue
				}
				_, err := store.EndSessions(ctx, "u", func(s authcore.Session) bool { return s.ID == id }, origin)
				if err == nil {
					note(ended, id)
				}
				if store.PutLink(ctx, link(id)) != nil {
					continue
				}
				if _, err := store.TakeLink(ctx, link(id).Secret, origin); err == nil {
					note(taken, id)
				}
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(live) + len(ended) + len(taken)
	}
	servertest.Eventually(t, "some logins", func() bool { return count() > 200 })
	former := group.Primary(t)
	group.Failover(t)
	former.Start(t) // the replica that changes wait for from now on
	before := count()
	servertest.Eventually(t, "logins go on", func() bool { return count() > before+100 })
	stop()
	loops.Wait()

	sessions, err := store.SessionsOf(t.Context(), "u", origin)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, s := range sessions {
		stored[s.ID] = true
	}
	revoked := map[string]bool{}
	for cursor := ""; ; {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			revoked[entry.ID] = true
		}
		if cursor = next; len(entries) == 0 {
			break
		}
	}
	for id := range live {
		if !stored[id] {
			t.Errorf("session %s was lost", id)
		}
	}
	for id := range ended {
		if stored[id] || !revoked[id] {
			t.Errorf("session %s came back: stored %v, revoked %v", id, stored[id], revoked[id])
		}
	}
	for id := range taken {
		if _, err := store.TakeLink(t.Context(), link(id).Secret, origin); !errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("link %s was taken twice: %v", id, err)
		}
	}
	t.Logf("%d live, %d ended, %d links", len(live), len(ended), len(taken))
}

// The replica has not heard of the last revocations when it takes over, and gives
// their numbers out again. A node that has seen the old ones must not take the new
// ones for them.
func TestFeedAfterLossyFailover(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	store := realm(t, open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName}), "main")
	mustEnsure(t, store, user("u", "ada@example.com"))
	revoke := func(name string) error {
		if err := store.PutSession(t.Context(), session(name, "u")); err != nil {
			return err
		}
		_, err := store.EndSessions(t.Context(), "u", everySession, origin)
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	news, watched := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		watched <- store.WatchRevocations(ctx, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	if err := revoke("early"); err != nil {
		t.Fatal(err)
	}
	group.Servers[0].Do(t, "wait", 1, 10000)
	seen, cursor := follow(t, store, "")
	replica := group.Servers[1]
	replica.Do(t, "config", "set", "repl-timeout", "60")
	replica.Pause(t) // deaf from here on
	for _, name := range []string{"lost1", "lost2", "lost3"} {
		if err := revoke(name); err != nil {
			t.Fatal(err)
		}
	}
	more, cursor := follow(t, store, cursor)
	maps.Copy(seen, more)
	group.Servers[0].Kill(t) // what it sent is in buffers that the replica may not see
	replica.Resume(t)
	group.AwaitFailover(t, group.Servers[0])
	for i := range 3 {
		name := fmt.Sprint("new", i)
		servertest.Eventually(t, "a revocation at the new primary", func() bool { return revoke(name) == nil })
	}
	more, _ = follow(t, store, cursor)
	for _, name := range []string{"early", "new0", "new1", "new2"} {
		if !more[name] {
			t.Errorf("after the failover: %v, without %s", more, name)
		}
	}
	// The watch is on the new primary.
	for len(news) > 0 {
		<-news
	}
	servertest.Eventually(t, "news from the new primary", func() bool {
		if revoke("late") != nil {
			return false
		}
		select {
		case <-news:
			return true
		case err := <-watched:
			t.Fatalf("the watch ended: %v", err)
			return false
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
}

// follow reads the feed to its end, as a node does.
func follow(t *testing.T, store *Store, cursor string) (map[string]bool, string) {
	t.Helper()
	ids := map[string]bool{}
	for {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			ids[entry.ID] = true
		}
		if cursor = next; len(entries) == 0 {
			return ids, next
		}
	}
}

// With a replica that does not answer, nothing is acknowledged that a failover
// would lose.
func TestNothingIsAcknowledgedWithoutItsReplica(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	store := realm(t, open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName, WaitReplicas: 1}), "main")
	mustEnsure(t, store, user("u", "ada@example.com"))
	group.Servers[1].Pause(t)
	if err := store.PutSession(t.Context(), session("s", "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutSession: error %v", err)
	}
	if _, err := store.User(t.Context(), "u"); err != nil {
		t.Errorf("reading: error %v", err)
	}
	group.Servers[1].Resume(t)
	servertest.Eventually(t, "changes go on", func() bool { return store.PutLink(t.Context(), link("a")) == nil })
}

// A replica that a client still takes for the primary answers with what it knew
// once. Its feed is no news.
func TestFeedOfAReplica(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	primary := realm(t, open(t, Config{URL: group.Servers[0].URL()}), "main")
	mustEnsure(t, primary, user("u", "ada@example.com"))
	group.Servers[0].Do(t, "wait", 1, 10000)
	replica := &Store{db: open(t, Config{URL: group.Servers[1].URL()}), prefix: primary.prefix, tables: primary.tables}
	if _, _, err := replica.RevocationsSince(t.Context(), ""); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("RevocationsSince: error %v", err)
	}
	if err := replica.PutSession(t.Context(), session("s", "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutSession: error %v", err)
	}
}
