package redis

import (
	"errors"
	"strconv"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// The node with the realm dies and comes back: calls fail and go on. Then the slot
// is moved to another node, and calls follow it, those that wait for replicas (of
// which there are none) with an error first.
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
