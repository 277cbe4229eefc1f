package realm

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// bound is the documented time from a logout at one node to its effect at another.
const bound = time.Second

// A logout at one node is in force at the other within the bound: immediately after
// a notification, and by polling while notifications are lost, the watch hangs or
// maintenance waits for an engine that does not respond.
func TestLogoutReachesOtherNodes(t *testing.T) {
	for name, script := range map[string]struct {
		act   func(context.Context) error
		steps []string
	}{
		"notified":               {nil, nil},
		"watch hangs":            {hang, []string{"WatchRevocations"}},
		"maintenance hangs, too": {hang, []string{"WatchRevocations", "UpdateKeys", "Sweep", "MarkSeen"}},
		"watch breaks":           {down, []string{"WatchRevocations"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &scripted{Store: newStore()}
				lags := make(chan time.Duration, 10)
				a := newNode(t, store.Store, nil)
				// A revocation from before the start does not count as late.
				a.logout(a.loginAs("bob@example.com").Token)
				b := newNode(t, store, func(c *Config) { c.ObserveLag = func(lag time.Duration) { lags <- lag } })
				store.do(script.act, script.steps...)
				defer b.run()()
				token := a.loginAs("ann@example.com").Token
				pass(2*time.Minute + 10*time.Millisecond) // Maintenance is running.
				b.claims(token)
				a.logout(token)
				if script.act == nil {
					synctest.Wait()
				} else {
					pass(bound)
				}
				if !b.refuses(token) {
					t.Errorf("the token is accepted %s after the logout", bound)
				}
				if len(lags) != 1 {
					t.Fatalf("%d lags were observed, want 1", len(lags))
				}
				if lag := <-lags; lag <= 0 || lag > bound {
					t.Errorf("observed lag is %s, want %s at most", lag, bound)
				}
				if age := b.RevocationAge(); age > bound {
					t.Errorf("RevocationAge = %s, want %s at most", age, bound)
				}
			})
		})
	}
}

// A revoked key is removed from all nodes within 10 seconds, and each of them
// continues with the successor. No valid token of the successor is refused.
func TestKeyRevocationReachesOtherNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		a, b := newNode(t, store, nil), newNode(t, store, nil)
		defer a.run()()
		defer b.run()()
		pass(time.Second)
		old := a.loginAs("ann@example.com").Token
		b.claims(old)
		if err := a.Keys.Revoke(t.Context(), a.Keys.List()[0].ID, a.Now()); err != nil {
			t.Fatalf("Revoke: %v", err)
		}
		fresh := a.loginAs("ann@example.com").Token
		if !a.refuses(old) || b.refuses(fresh) {
			t.Errorf("immediately after the revocation: old token refused %t, fresh token refused by the other node %t", a.refuses(old), b.refuses(fresh))
		}
		pass(7 * time.Second)
		if !b.refuses(old) {
			t.Error("the other node accepts a token of a revoked key after 7 seconds")
		}
		if b.refuses(b.loginAs("bob@example.com").Token) || !slices.Equal(a.keyIDs(), b.keyIDs()) {
			t.Errorf("the nodes have keys %v and %v", a.keyIDs(), b.keyIDs())
		}
	})
}

// Nodes that start simultaneously on an empty store have the same keys, and of
// nodes that find a rotation due one performs it.
func TestNodesShareKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		nodes := make([]*node, 8)
		var starting sync.WaitGroup
		for i := range nodes {
			starting.Go(func() { nodes[i] = newNode(t, store, nil) })
		}
		starting.Wait()
		same := func(when string, keys int) {
			t.Helper()
			for _, node := range nodes {
				if ids := node.keyIDs(); len(ids) != keys || !slices.Equal(ids, nodes[0].keyIDs()) {
					t.Errorf("%s: a node has keys %v, another %v; want the same %d", when, ids, nodes[0].keyIDs(), keys)
				}
			}
		}
		for _, node := range nodes { // Each may have read before the last one wrote.
			if err := node.Keys.Reload(t.Context()); err != nil {
				t.Fatalf("Reload: %v", err)
			}
		}
		same("empty store", 2)
		nodes[7].claims(nodes[0].loginAs("ann@example.com").Token)
		pass(DefaultKeyRotation)
		var maintaining sync.WaitGroup
		for _, node := range nodes {
			maintaining.Go(node.maintain)
		}
		maintaining.Wait()
		for _, node := range nodes {
			node.maintain()
		}
		same("after a rotation", 3)
		nodes[7].claims(nodes[0].loginAs("ann@example.com").Token)
	})
}

// While the copy cannot be refreshed, requests are served or get 503 as configured,
// never 401. It recovers by itself.
func TestStaleRevocations(t *testing.T) {
	for _, mode := range []string{OnStaleServe, OnStaleReject} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				store := &scripted{Store: newStore()}
				n := newNode(t, store, func(c *Config) {
					c.RevocationMaxStaleness, c.OnStale = 10*time.Second, mode
					c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				stop := n.run()
				token := n.loginAs("ann@example.com").Token
				pass(time.Second)
				store.do(down, "RevocationsSince")
				pass(9 * time.Second)
				n.claims(token)
				pass(2 * time.Second)
				_, err := n.Authenticate([]string{"Token " + token})
				if mode == OnStaleReject {
					wantCode(t, err, 503, authcore.CodeUnavailable)
				} else if err != nil {
					t.Errorf("Authenticate with a stale copy: %v", err)
				}
				_, err = n.Authenticate([]string{"Token x"})
				if refused, ok := err.(*Unauthenticated); !ok || refused.Decision.Status != 401 { //nolint:errorlint // As it is returned.
					t.Errorf("Authenticate(bad token) with a stale copy: error is %v, want 401", err)
				}
				pass(time.Minute)
				store.do(nil)
				pass(time.Second)
				n.claims(token)
				stop()
				if !bytes.Contains(log.Bytes(), []byte("on_stale="+mode)) {
					t.Errorf("the log does not report the stale copy:\n%s", log.String())
				}
			})
		})
	}
}

// The store, hanging, is the caller's to give up: every call ends with its context,
// as a 503, and requests are decided from memory.
func TestHangingStoreIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &scripted{Store: newStore()}
		n := newNode(t, store, func(c *Config) {
			c.LocalCounters = memory.NewCounters()
			c.Limits.LoginPerIP.N, c.Limits.LoginPerIP.Window = 100, time.Minute
		})
		token := n.loginAs("ann@example.com").Token
		claims := n.claims(token)
		secret, err := n.requestLink("ann@example.com")
		if err != nil {
			t.Fatalf("RequestLink: %v", err)
		}
		store.do(hang)
		for name, call := range map[string]func(context.Context) error{
			"login":  func(ctx context.Context) error { _, err := n.byLink(ctx, secret); return err },
			"logout": func(ctx context.Context) error { return n.Sessions.Logout(ctx, claims, false) },
			"refresh": func(ctx context.Context) error {
				_, err := n.Sessions.Refresh(ctx, claims)
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			began := time.Now()
			wantCode(t, call(ctx), 503, authcore.CodeUnavailable)
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("%s took %s, want 6s at most", name, took)
			}
			cancel()
		}
		n.claims(token)
	})
}

// Run ends with its context, also while the store hangs, and leaves no goroutine.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &scripted{Store: newStore()}
		n := newNode(t, store, nil)
		n.claims(n.loginAs("ann@example.com").Token)
		store.do(hang)
		stop := n.run()
		pass(3 * time.Minute)
		began := time.Now()
		stop()
		if took := time.Since(began); took > lastTimeout {
			t.Errorf("Run took %s to end, want %s at most", took, lastTimeout)
		}
	})
}

// Before it ends, Run records when sessions were last used.
func TestRunRecordsLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, newStore(), nil)
		grant := n.loginAs("ann@example.com")
		stop := n.run()
		pass(10 * time.Second)
		used := n.Now()
		claims := n.claims(grant.Token)
		stop()
		list, err := n.Sessions.List(t.Context(), claims)
		if err != nil || len(list) != 1 || !list[0].LastSeen.Equal(used) {
			t.Errorf("sessions are %+v (%v), want one that was used at %s", list, err, used)
		}
	})
}

func preflight(origin string) gate.Request {
	return gate.Request{Method: "OPTIONS", Path: "/x", Header: gate.Header{
		"Origin": {origin}, "Access-Control-Request-Method": {"GET"},
	}}
}

func TestDecide(t *testing.T) {
	n := newNode(t, newStore(), nil)
	token := n.loginAs("ann@example.com").Token
	site := &gate.Site{Public: gate.PublicPaths{"/health"}}
	for name, test := range map[string]struct {
		request gate.Request
		status  int
		known   bool
	}{
		"valid token":         {gate.Request{Header: gate.Header{"Authorization": {"Token " + token}}, Path: "/x"}, 0, true},
		"no token":            {gate.Request{Path: "/x"}, 401, false},
		"public path":         {gate.Request{Path: "/health"}, 0, false},
		"preflight":           {preflight("https://frontend.app"), 204, false},
		"preflight of others": {preflight("https://evil.example"), 0, false},
	} {
		test.request.Now = n.Now()
		if d := n.Decide(site, test.request); d.Status != test.status || (d.Claims != nil) != test.known {
			t.Errorf("%s: Decide = status %d, claims %v; want %d, known %t", name, d.Status, d.Claims, test.status, test.known)
		}
	}
}
