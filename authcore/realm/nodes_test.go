package authcore_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// bound is what is promised from a logout at one node to the refusal at another.
const bound = time.Second

// A logout at one node is in force at the other within the bound: pushed at
// once, polled while notifications are lost, and polled also when the watch or
// maintenance waits for an engine that says nothing.
func TestLogoutReachesOtherNodes(t *testing.T) {
	for name, script := range map[string]struct {
		act   func(context.Context, string) error
		steps []string
	}{
		"pushed":                   {nil, nil},
		"notifications hang":       {hang, []string{"WatchRevocations"}},
		"and maintenance hangs":    {hang, []string{"WatchRevocations", "UpdateKeys"}},
		"notifications are broken": {down, []string{"WatchRevocations"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newScripted(memory.New())
				lags := make(chan time.Duration, 10)
				a := newNode(t, store.Store, nil)
				// What was revoked before a node started is none of its lags.
				if err := a.Logout(t.Context(), a.claims(a.loginAs("bob@example.com").Token), false); err != nil {
					t.Fatal(err)
				}
				b := newNode(t, store, func(c *authcore.Config) {
					c.ObserveLag = func(lag time.Duration) { lags <- lag }
				})
				store.do(script.act, script.steps...)
				stop := b.run()
				defer stop()
				login := a.loginAs("ann@example.com")
				pass(2*time.Minute + 10*time.Millisecond) // maintenance is under way
				claims := b.claims(login.Token)
				if err := a.Logout(t.Context(), claims, false); err != nil {
					t.Fatal(err)
				}
				if script.act == nil {
					synctest.Wait()
				} else {
					pass(bound)
				}
				if !b.refused(login.Token) {
					t.Errorf("the token is good after %s", bound)
				}
				if len(lags) != 1 {
					t.Fatalf("%d lags, want 1", len(lags))
				}
				if lag := <-lags; lag <= 0 || lag > bound {
					t.Errorf("lag %s", lag)
				}
				if age := b.RevocationAge(); age > bound {
					t.Errorf("age %s", age)
				}
			})
		})
	}
}

// Clocks of nodes agree to within seconds only. The one that is ahead must not
// forget a logout that the others still need: a node that starts then would let in
// who has logged out (CWE-613).
func TestClockAheadForgetsNoLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 30 * time.Second
		store := memory.New()
		a := newNode(t, store, nil)
		fast := newNode(t, store, func(c *authcore.Config) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
		login := a.loginAs("ann@example.com")
		claims := a.claims(login.Token)
		if err := a.Logout(t.Context(), claims, false); err != nil {
			t.Fatal(err)
		}
		pass(time.Until(time.Unix(claims.ExpiresAt, 0)) - ahead/2)
		if err := fast.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !newNode(t, store, nil).refused(login.Token) {
			t.Error("a node that starts lets in who has logged out")
		}
	})
}

// A read that waits on a dead connection is given up, and the next one finds a
// good one. Reads do not pile up behind it.
func TestPollingSurvivesADeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		a, b := newNode(t, store.Store, nil), newNode(t, store, nil)
		stop := b.run()
		defer stop()
		login := a.loginAs("ann@example.com")
		pass(time.Second)
		before := store.begun("RevocationsSince")
		store.do(func(ctx context.Context, step string) error {
			if store.begun(step) == before+1 {
				return hang(ctx, step)
			}
			return nil
		}, "RevocationsSince")
		pass(time.Second) // the read hangs now
		if n := store.begun("RevocationsSince") - before; n != 1 {
			t.Errorf("%d reads at once", n)
		}
		if err := a.Logout(t.Context(), a.claims(login.Token), false); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		if !b.refused(login.Token) {
			t.Error("the net did not close")
		}
	})
}

// A watch that breaks again and again is begun anew, but not all the time.
func TestWatchBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node := newNode(t, store, nil)
		store.do(down, "WatchRevocations")
		stop := node.run()
		pass(time.Minute)
		if n := store.begun("WatchRevocations"); n < 10 || n > 20 {
			t.Errorf("watched %d times in a minute", n)
		}
		store.do(nil)
		pass(5 * time.Second)
		before := store.begun("WatchRevocations")
		pass(time.Minute)
		if n := store.begun("WatchRevocations"); n != before {
			t.Errorf("watched again %d times while the watch stood", n-before)
		}
		stop()
	})
}

// While the copy cannot be refreshed, requests go on or get 503 as configured,
// never 401, and all heals by itself.
func TestStaleRevocations(t *testing.T) {
	for _, mode := range []string{authcore.OnStaleServe, authcore.OnStaleReject} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				store := newScripted(memory.New())
				node := newNode(t, store, func(c *authcore.Config) {
					c.RevocationMaxStaleness, c.OnStale = 10*time.Second, mode
					c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				stop := node.run()
				login := node.loginAs("ann@example.com")
				pass(time.Second)
				store.do(down, "RevocationsSince")
				pass(9 * time.Second)
				node.claims(login.Token)
				pass(2 * time.Second)
				if age := node.RevocationAge(); age < 10*time.Second || age > 12*time.Second {
					t.Errorf("age %s", age)
				}
				_, err := node.Authenticate(t.Context(), []string{"Token " + login.Token})
				if mode == authcore.OnStaleServe && err != nil {
					t.Error(err)
				}
				if mode == authcore.OnStaleReject {
					wantCode(t, err, 503, authcore.CodeUnavailable)
				}
				_, err = node.Authenticate(t.Context(), []string{"Token x"})
				if _, ok := err.(*authcore.Unauthenticated); !ok { //nolint:errorlint // as it is returned
					t.Errorf("a bad token: %v", err)
				}
				pass(time.Minute)
				store.do(nil)
				pass(time.Second)
				node.claims(login.Token)
				stop()
				if n := bytes.Count(log.Bytes(), []byte("revocations are stale")); n < 2 || n > 4 {
					t.Errorf("said %d times:\n%s", n, log.String())
				}
				if !bytes.Contains(log.Bytes(), []byte("followed again")) {
					t.Error("the end was not said")
				}
			})
		})
	}
}

// Nodes that start at once on an empty store sign with one key, and of nodes
// that find a rotation due one does it.
func TestNodesShareKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		nodes := make([]*fixture, 8)
		var starting sync.WaitGroup
		for i := range nodes {
			starting.Go(func() { nodes[i] = newNode(t, store, nil) })
		}
		starting.Wait()
		same := func(keys int) {
			t.Helper()
			want, _ := nodes[0].JWKS()
			for _, node := range nodes[1:] {
				if got, _ := node.JWKS(); !bytes.Equal(got, want) {
					t.Errorf("one has %s, another %s", got, want)
				}
			}
			if n := bytes.Count(want, []byte(`"kid"`)); n != keys {
				t.Errorf("%d keys, want %d", n, keys)
			}
		}
		same(1)
		login := nodes[0].loginAs("ann@example.com")
		nodes[7].claims(login.Token)
		pass(authcore.DefaultKeyRotation)
		var maintaining sync.WaitGroup
		for _, node := range nodes {
			maintaining.Go(func() {
				if err := node.Maintain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		maintaining.Wait()
		for _, node := range nodes {
			if err := node.Maintain(t.Context()); err != nil {
				t.Error(err)
			}
		}
		same(2)
	})
}

// During a change of the algorithm, node by node, those that were not reached yet
// leave the new key alone: otherwise each would replace the other's every minute.
func TestNodesWithTwoAlgorithms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		old := newNode(t, store, nil)
		changed := newNode(t, store, func(c *authcore.Config) { c.Algorithm = "ES256" })
		maintain := func() int {
			for range 5 {
				for _, node := range []*fixture{old, changed} {
					if err := node.Maintain(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				pass(time.Minute)
			}
			keys, _ := changed.JWKS()
			return bytes.Count(keys, []byte(`"kid"`))
		}
		if n := maintain(); n != 2 {
			t.Errorf("%d keys, want one of each algorithm", n)
		}
		for _, node := range []*fixture{old, changed} {
			token := node.loginAs("ann@example.com").Token
			old.claims(token)
			changed.claims(token)
		}
		pass(authcore.DefaultKeyRotation)
		if n := maintain(); n != 2 {
			t.Errorf("%d keys after the rotation, want the new one and the one before", n)
		}
	})
}

// With a store that says nothing, a login is answered within a bounded time.
func TestHangingStoreIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node := newNode(t, store, func(c *authcore.Config) { c.LocalCounters = memory.NewCounters() })
		login := node.loginAs("ann@example.com")
		claims := node.claims(login.Token)
		store.do(hang)
		for name, call := range map[string]func() error{
			"link": func() error {
				_, err := node.RequestLink(t.Context(), authcore.LinkRequest{Email: "ann@example.com"})
				return err
			},
			"login":  func() error { _, err := node.spend("x"); return err },
			"logout": func() error { return node.Logout(t.Context(), claims, false) },
		} {
			began := time.Now()
			wantCode(t, call(), 503, authcore.CodeUnavailable)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s: after %s", name, took)
			}
		}
		node.claims(login.Token)
	})
}
