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

// acknowledged records the steps that succeeded during a failover.
type acknowledged struct {
	mu                 sync.Mutex
	live, ended, taken map[string]bool
}

func (a *acknowledged) note(list map[string]bool, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list[id] = true
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.live) + len(a.ended) + len(a.taken)
}

// act starts a session, and every other time ends it and takes a record.
func (a *acknowledged) act(ctx context.Context, store *Store, userID, id string, more bool) {
	switch err := begin(ctx, store, userID, id); {
	case err != nil:
		return
	case !more:
		a.note(a.live, id)
		return
	}
	if end(ctx, store, userID, id) == nil {
		a.note(a.ended, id)
	}
	if store.PutRecord(ctx, record(id), authcore.PutOptions{Now: start}) != nil {
		return
	}
	if _, err := store.TakeRecord(ctx, record(id).RecordKey, start); err == nil {
		a.note(a.taken, id)
	}
}

// The primary is killed during logins and logouts. Calls fail for a while and then
// succeed again, and so does the watch. What was acknowledged with a replica is
// there, and happened once.
func TestFailover(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	db := open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName, WaitReplicas: 1})
	store := realm(t, db, "main")
	a := &acknowledged{live: map[string]bool{}, ended: map[string]bool{}, taken: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	for worker := range 4 {
		userID := fmt.Sprint("u", worker)
		signUp(t, store, authcore.Account{User: user(userID, userID+"@example.com")})
		loops.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				a.act(ctx, store, userID, fmt.Sprint(worker, "-", n), n%2 == 1)
			}
		})
	}
	servertest.Eventually(t, "some logins", func() bool { return a.count() > 200 })
	former := group.Primary(t)
	group.Failover(t)
	former.Start(t) // the replica that changes wait for from now on
	before := a.count()
	servertest.Eventually(t, "logins succeed again", func() bool { return a.count() > before+100 })
	stop()
	loops.Wait()

	stored := map[string]bool{}
	for worker := range 4 {
		maps.Copy(stored, sessions(t, store, fmt.Sprint("u", worker)))
	}
	revoked, _ := follow(t, store, "")
	for id := range a.live {
		if !stored[id] {
			t.Errorf("session %s was lost", id)
		}
	}
	for id := range a.ended {
		if stored[id] || !revoked[id] {
			t.Errorf("session %s returned: stored %v, revoked %v", id, stored[id], revoked[id])
		}
	}
	for id := range a.taken {
		if _, err := store.TakeRecord(t.Context(), record(id).RecordKey, start); !errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("TakeRecord(%s) again = error %v, want %v", id, err, authcore.ErrNotFound)
		}
	}
	t.Logf("%d live, %d ended, %d taken", len(a.live), len(a.ended), len(a.taken))
}

// The replica lacks the last revocations when it takes over, and uses their numbers
// again. A node that has the old ones must not mistake the new ones for them.
func TestFeedAfterLossyFailover(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	store := realm(t, open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName}), "main")
	signUp(t, store, authcore.Account{User: user("u", "ada@example.com")})
	revoke := func(name string) error {
		if err := begin(t.Context(), store, "u", name); err != nil {
			return err
		}
		return end(t.Context(), store, "u", name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	news, watched := watch(ctx, store)
	if err := revoke("early"); err != nil {
		t.Fatalf("revoking failed: %v", err)
	}
	group.Servers[0].Do(t, "wait", 1, 10000)
	_, cursor := follow(t, store, "")
	replica := group.Servers[1]
	replica.Do(t, "config", "set", "repl-timeout", "60")
	replica.Pause(t) // it receives nothing from here on
	for _, name := range []string{"lost1", "lost2", "lost3"} {
		if err := revoke(name); err != nil {
			t.Fatalf("revoking failed: %v", err)
		}
	}
	_, cursor = follow(t, store, cursor)
	group.Servers[0].Kill(t) // what it sent is in buffers that the replica may not see
	replica.Resume(t)
	group.AwaitFailover(t, group.Servers[0])
	for i := range 3 {
		name := fmt.Sprint("new", i)
		servertest.Succeeds(t, "a revocation at the new primary", func() error { return revoke(name) })
	}
	more, _ := follow(t, store, cursor)
	for _, name := range []string{"early", "new0", "new1", "new2"} {
		if !more[name] {
			t.Errorf("feed after the failover = %v, want %s in it", more, name)
		}
	}
	for len(news) > 0 {
		<-news
	}
	servertest.Eventually(t, "a notification of the new primary", func() bool {
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

// While the replica does not respond, nothing is acknowledged that a failover would
// lose.
func TestNothingIsAcknowledgedWithoutItsReplica(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	store := realm(t, open(t, Config{URL: group.URL(), Sentinel: redistest.PrimaryName, WaitReplicas: 1}), "main")
	signUp(t, store, authcore.Account{User: user("u", "ada@example.com")})
	store.db.replicaTimeout = replicaTimeout
	group.Servers[1].Pause(t)
	var calls sync.WaitGroup
	for i := range 8 { // they share pipelines with readers
		calls.Go(func() {
			if err := store.PutRecord(t.Context(), record(fmt.Sprint(i)), authcore.PutOptions{Now: start}); !errors.Is(err, authcore.ErrUnavailable) {
				t.Errorf("PutRecord without the replica = error %v, want %v", err, authcore.ErrUnavailable)
			}
		})
		calls.Go(func() {
			if _, err := store.User(t.Context(), authcore.UserRef{ID: "u"}); err != nil {
				t.Errorf("User without the replica = error %v", err)
			}
		})
	}
	calls.Wait()
	group.Servers[1].Resume(t)
	servertest.Eventually(t, "changes succeed again", func() bool {
		return store.PutRecord(t.Context(), record("a"), authcore.PutOptions{Now: start}) == nil
	})
}

// A replica that a client mistakes for the primary has old data. Its feed is
// refused.
func TestFeedOfAReplica(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	primary := realm(t, open(t, Config{URL: group.Servers[0].URL()}), "main")
	signUp(t, primary, authcore.Account{User: user("u", "ada@example.com")})
	group.Servers[0].Do(t, "wait", 1, 10000)
	replica := &Store{db: open(t, Config{URL: group.Servers[1].URL()}), prefix: primary.prefix}
	if _, _, err := replica.RevocationsSince(t.Context(), ""); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("RevocationsSince of a replica = error %v, want %v", err, authcore.ErrUnavailable)
	}
	if err := begin(t.Context(), replica, "u", "s"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("UpdateAccount at a replica = error %v, want %v", err, authcore.ErrUnavailable)
	}
}
