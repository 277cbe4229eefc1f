package redis

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// The node with the realm dies and comes back: calls fail and go on. Then the slot
// is moved to another node, and calls follow it.
func TestClusterNodeAndSlot(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	db := open(t, Config{URL: cluster.URL(), Cluster: true})
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	slot, _ := cluster.Servers[0].Do(t, "cluster", "keyslot", store.tables[usersTable]).(int64)
	owner := cluster.Servers[slot*3/16384]
	owner.Kill(t)
	if err := store.PutSession(t.Context(), session("down", "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("while its node is down: %v", err)
	}
	owner.Start(t)
	servertest.Eventually(t, "the store goes on", func() bool {
		err := store.PutSession(t.Context(), session("up", "u"))
		return err == nil || errors.Is(err, authcore.ErrTaken)
	})

	next := cluster.Servers[(slot*3/16384+1)%3]
	ownerID, nextID := owner.Do(t, "cluster", "myid"), next.Do(t, "cluster", "myid")
	next.Do(t, "cluster", "setslot", slot, "importing", ownerID)
	owner.Do(t, "cluster", "setslot", slot, "migrating", nextID)
	// Half of the tables are there and half here.
	owner.Do(t, "migrate", "127.0.0.1", strconv.Itoa(next.Port), store.tables[usersTable], 0, 5000)
	if err := store.PutSession(t.Context(), session("halfway", "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("while the slot is moved: %v", err)
	}
	keys, _ := owner.Do(t, "cluster", "getkeysinslot", slot, 100).([]any)
	owner.Do(t, append([]any{"migrate", "127.0.0.1", strconv.Itoa(next.Port), "", 0, 5000, "keys"}, keys...)...)
	for _, server := range []*redistest.Server{next, owner} {
		server.Do(t, "cluster", "setslot", slot, "node", nextID)
	}
	if err := store.PutSession(t.Context(), session("moved", "u")); err != nil {
		t.Errorf("after the slot was moved: %v", err)
	}
	sessions, err := store.SessionsOf(t.Context(), "u", origin)
	if err != nil || len(sessions) != 3 { // renew, up, moved
		t.Errorf("sessions %v, error %v", sessions, err)
	}
}

// All nodes hang. A client that tries one node after the other, and each of them
// again, must not keep its caller for the sum of it.
func TestFrozenCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	config := Config{URL: cluster.URL(), Cluster: true}
	known := realm(t, open(t, config), "main")
	unknown := &Store{db: open(t, config), prefix: known.prefix, tables: known.tables}
	for _, server := range cluster.Servers {
		server.Pause(t)
	}
	for name, store := range map[string]*Store{"known": known, "unknown": unknown} {
		begin := time.Now()
		if _, err := store.User(t.Context(), "u"); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
		took := time.Since(begin)
		t.Logf("%s: %s", name, took)
		if took > 2*callTimeout {
			t.Errorf("%s: it took %s", name, took)
		}
	}
	for _, server := range cluster.Servers {
		server.Resume(t)
	}
	servertest.Eventually(t, "the store goes on", func() bool {
		return known.PutLink(t.Context(), link("a")) == nil && unknown.PutLink(t.Context(), link("a")) == nil
	})
}

// The node with the realm dies, and its replica takes over with all that was
// acknowledged. The watch goes on.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	config := Config{URL: cluster.URL(), Cluster: true, WaitReplicas: 1}
	db := open(t, config)
	db.replicas = 0 // there is none yet
	store := realm(t, db, "main")
	mustEnsure(t, store, user("u", ""))
	slot, _ := cluster.Servers[0].Do(t, "cluster", "keyslot", store.tables[usersTable]).(int64)
	owner := cluster.Servers[slot*3/16384]
	cluster.AddReplica(t, owner)
	store = realm(t, open(t, config), "main")
	news, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- store.WatchRevocations(t.Context(), func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	put := func(id string) error {
		err := store.PutSession(t.Context(), session(id, "u"))
		if errors.Is(err, authcore.ErrTaken) {
			return nil // it had happened
		}
		return err
	}
	for i := range 50 {
		if err := put(strconv.Itoa(i)); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	_, cursor := follow(t, store, "")
	owner.Kill(t)
	if err := put("down"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("while its node is down: %v", err)
	}
	store.db.replicas = 0 // the one that took over has none
	servertest.Eventually(t, "the replica takes over", func() bool { return put("up") == nil })
	sessions, err := store.SessionsOf(t.Context(), "u", origin)
	if err != nil || len(sessions) < 51 {
		t.Errorf("%d sessions, error %v, want 51 or 52", len(sessions), err)
	}
	for len(news) > 0 {
		<-news
	}
	if _, err := store.EndSessions(t.Context(), "u", everySession, origin); err != nil {
		t.Fatal(err)
	}
	if entries, _ := follow(t, store, cursor); len(entries) < 51 {
		t.Errorf("%d revocations, want 51 or 52", len(entries))
	}
	servertest.Eventually(t, "news", func() bool {
		select {
		case <-news:
			return true
		case err := <-ended:
			t.Fatalf("the watch ended: %v", err)
			return false
		default:
			return false
		}
	})
}
