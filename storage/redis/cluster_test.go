package redis

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// slotOf returns the slot of a realm, its node, and another node.
func slotOf(t *testing.T, cluster *redistest.Cluster, store *Store) (slot int64, owner, other *redistest.Server) {
	t.Helper()
	slot, _ = cluster.Servers[0].Do(t, "cluster", "keyslot", store.key("meta")).(int64)
	return slot, cluster.Servers[slot*3/16384], cluster.Servers[(slot*3/16384+1)%3]
}

// The node with the realm dies and returns: calls fail, then succeed.
func TestClusterNode(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	store := realm(t, open(t, Config{URL: cluster.URL(), Cluster: true}), "main")
	signUp(t, store, authcore.Account{User: user("u", "")})
	_, owner, _ := slotOf(t, cluster, store)
	owner.Kill(t)
	if err := begin(t.Context(), store, "u", "down"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("UpdateAccount without the node = error %v, want %v", err, authcore.ErrUnavailable)
	}
	owner.Start(t)
	servertest.Succeeds(t, "the store is usable again", func() error { return begin(t.Context(), store, "u", "up") })
}

// The slot of a realm moves to another node key by key. A step that meets keys on
// both nodes fails completely. Afterwards calls follow the slot.
func TestClusterSlotMoves(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "appendonly no")
	db := open(t, Config{URL: cluster.URL(), Cluster: true})
	store := realm(t, db, "main")
	signUp(t, store, authcore.Account{User: user("u", "ada@example.com")})
	for i := range 3 {
		link := record(fmt.Sprint(i))
		link.Owner = "owner"
		put(t, store, link)
	}
	slot, owner, next := slotOf(t, cluster, store)
	ownerID, nextID := owner.Do(t, "cluster", "myid"), next.Do(t, "cluster", "myid")
	next.Do(t, "cluster", "setslot", slot, "importing", ownerID)
	owner.Do(t, "cluster", "setslot", slot, "migrating", nextID)
	migrate := func(keys ...any) {
		owner.Do(t, append([]any{"migrate", "127.0.0.1", strconv.Itoa(next.Port), "", 0, 5000, "keys"}, keys...)...)
	}
	migrate(store.recordKey(record("1").RecordKey))
	_, err := store.Login(t.Context(), authcore.LoginStep{
		Now: start, Proof: record("0").RecordKey, Refs: []authcore.UserRef{{EmailKey: "ada@example.com"}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Accounts[0].Start(session("halfway"), 0)
			return found.Accounts[0], nil
		},
	})
	if !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Login that needs a moved record = error %v, want %v", err, authcore.ErrUnavailable)
	}
	replaced := record("0")
	replaced.Owner, replaced.Data = "owner", []byte("replaced")
	if err := store.PutRecord(t.Context(), replaced, authcore.PutOptions{Now: start, Keep: 1}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutRecord that deletes a moved record = error %v, want %v", err, authcore.ErrUnavailable)
	}
	if got, err := store.Record(t.Context(), replaced.RecordKey, start); err != nil || string(got.Data) != "data" {
		t.Errorf("Record after the failed PutRecord = %q, error %v, want it unchanged", got.Data, err)
	}
	for { // a scan of the slot, as a tool for Clusters does
		keys, _ := owner.Do(t, "cluster", "getkeysinslot", slot, 100).([]any)
		if len(keys) == 0 {
			break
		}
		migrate(keys...)
	}
	for _, server := range []*redistest.Server{next, owner} {
		server.Do(t, "cluster", "setslot", slot, "node", nextID)
	}
	servertest.Succeeds(t, "calls follow the slot", func() error { return begin(t.Context(), store, "u", "moved") })
	if ids := sessions(t, store, "u"); ids["halfway"] || !ids["moved"] {
		t.Errorf("sessions after the move = %v, want only the one started afterwards", ids)
	}
	records, err := authcore.AllRecords(t.Context(), store, authcore.RecordFilter{Kind: "link", Owner: "owner"}, start)
	if err != nil || len(records) != 3 {
		t.Errorf("ListRecords after the move = %d records, error %v, want 3", len(records), err)
	}
}

// All nodes hang. A client that tries them one after the other must not keep its
// caller for the sum of the timeouts.
func TestFrozenCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	config := Config{URL: cluster.URL(), Cluster: true}
	known := realm(t, openBounded(t, config), "main")
	unknown := &Store{db: openBounded(t, config), prefix: known.prefix}
	for _, server := range cluster.Servers {
		server.Pause(t)
	}
	for name, store := range map[string]*Store{"known": known, "unknown": unknown} {
		began := time.Now()
		if _, err := store.User(t.Context(), authcore.UserRef{ID: "u"}); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("User with %s slots = error %v, want %v", name, err, authcore.ErrUnavailable)
		}
		if took := time.Since(began); took > 2*callTimeout {
			t.Errorf("User with %s slots took %s, want at most %s", name, took, 2*callTimeout)
		}
	}
	for _, server := range cluster.Servers {
		server.Resume(t)
	}
	servertest.Eventually(t, "the store is usable again", func() bool {
		options := authcore.PutOptions{Now: start}
		return known.PutRecord(t.Context(), record("a"), options) == nil && unknown.PutRecord(t.Context(), record("a"), options) == nil
	})
}

// The node with the realm dies, and its replica takes over with everything that was
// acknowledged. The watch continues.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "cluster-node-timeout 5000")
	config := Config{URL: cluster.URL(), Cluster: true, WaitReplicas: 1}
	db := open(t, config)
	db.replicas = 0 // the replica follows
	store := realm(t, db, "main")
	signUp(t, store, authcore.Account{User: user("u", "")})
	_, owner, _ := slotOf(t, cluster, store)
	cluster.AddReplica(t, owner, "cluster-node-timeout 5000")
	store = realm(t, open(t, config), "main")
	news, ended := watch(t.Context(), store)
	for i := range 50 {
		if err := begin(t.Context(), store, "u", strconv.Itoa(i)); err != nil {
			t.Fatalf("session %d failed: %v", i, err)
		}
	}
	_, cursor := follow(t, store, "")
	owner.Kill(t)
	if err := begin(t.Context(), store, "u", "down"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("UpdateAccount without the node = error %v, want %v", err, authcore.ErrUnavailable)
	}
	store.db.replicas = 0 // the one that took over has none
	servertest.Succeeds(t, "the replica takes over", func() error { return begin(t.Context(), store, "u", "up") })
	if ids := sessions(t, store, "u"); len(ids) < 51 {
		t.Errorf("%d sessions after the failover, want 51 or 52", len(ids))
	}
	for len(news) > 0 {
		<-news
	}
	if err := end(t.Context(), store, "u", ""); err != nil {
		t.Fatalf("ending the sessions failed: %v", err)
	}
	if entries, _ := follow(t, store, cursor); len(entries) < 51 {
		t.Errorf("%d revocations after the failover, want 51 or 52", len(entries))
	}
	servertest.Eventually(t, "a notification", func() bool {
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
