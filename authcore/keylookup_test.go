package authcore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// decide judges a token as a proxied request is judged.
func (f *fixture) decide(token string) gate.Decision {
	var site gate.Site
	return f.Decide(f.t.Context(), &site, gate.Request{Authorization: []string{"Token " + token}, Now: f.Now()})
}

// stranger makes tokens with a key that no store has, in all else good.
func stranger(t *testing.T) string {
	t.Helper()
	return newNode(t, memory.New(), nil).loginAs("eve@example.com").Token
}

// A token of a key that was made at another node a moment ago is good here at
// once, though maintenance is a minute away.
func TestKeysOfOtherNodesAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		b := newNode(t, store, nil)
		token := newNode(t, store.Store, func(c *authcore.Config) { c.Algorithm = "ES256" }).loginAs("ann@example.com").Token
		before := store.begun("UpdateKeys")
		var crowd sync.WaitGroup
		for range 50 {
			crowd.Go(func() {
				if d := b.decide(token); d.Claims == nil {
					t.Errorf("refused: %s", d.Reason)
				}
			})
		}
		crowd.Wait()
		if n := store.begun("UpdateKeys") - before; n != 1 {
			t.Errorf("%d looks, want 1", n)
		}
	})
}

// Whoever sends tokens with key ids of his own making must not make the edge ask
// its store for each of them, nor fill its memory (CWE-400, CWE-770), nor keep
// it from finding a key that there is.
func TestFloodOfUnknownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node := newNode(t, store, nil)
		const strangers, duration = 20, 10 * time.Second
		tokens := make([]string, strangers)
		for i := range tokens {
			tokens[i] = stranger(t)
		}
		before, began := store.begun("UpdateKeys"), time.Now()
		var crowd sync.WaitGroup
		refused := make([]int, strangers)
		for i, token := range tokens {
			crowd.Go(func() {
				for time.Since(began) < duration {
					d := node.decide(token)
					if d.Status != 401 {
						t.Errorf("status %d %s", d.Status, d.Reason)
					}
					refused[i]++
					pass(100 * time.Millisecond)
				}
			})
		}
		pass(time.Second)
		genuine := newNode(t, store.Store, func(c *authcore.Config) { c.Algorithm = "ES256" }).loginAs("ann@example.com").Token
		asked := time.Now()
		if d := node.decide(genuine); d.Claims == nil {
			t.Errorf("a genuine token was refused: %s", d.Reason)
		}
		if took := time.Since(asked); took > 600*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		crowd.Wait()
		if n := store.begun("UpdateKeys") - before; n > 5 {
			t.Errorf("%d looks for %d keys", n, strangers+1)
		}
	})
}

// made returns a token like the one given of a key that nobody has: whoever asks
// for a key may make up as many as he likes.
func made(token string, number int) string {
	_, rest, _ := strings.Cut(token, ".")
	key := gate.Key{ID: fmt.Sprintf("made-up-%d", number), Algorithm: gate.EdDSA}
	return gate.HeaderSegment(key, gate.PurposeLogin) + "." + rest
}

// Whoever sends very many tokens with key ids of his own making, each of which
// waits for a look, must not fill the edge with waiting requests (CWE-400,
// CWE-770). Whom there is no room for was not judged and hears so at once. A
// token of a key that another node makes during the flood is good as soon as the
// next look ends, and waits for nobody from then on.
func TestFloodIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node := newNode(t, store, nil)
		known := node.loginAs("ann@example.com").Token
		pattern := stranger(t)
		release := make(chan struct{})
		store.do(func(context.Context, string) error { <-release; return nil }, "UpdateKeys")
		const most, surplus = 2048, 500
		var held sync.WaitGroup
		for i := range most {
			held.Go(func() {
				if d := node.decide(made(pattern, i)); d.Status != 401 {
					t.Errorf("one of those who waited: %d %s", d.Status, d.Reason)
				}
			})
		}
		synctest.Wait()
		genuine := newNode(t, store.Store, func(c *authcore.Config) { c.Algorithm = "ES256" }).loginAs("ann@example.com").Token
		began := time.Now()
		for i := range surplus {
			if d := node.decide(made(pattern, most+i)); d.Status != 503 || d.Body != gate.BodyUnavailable {
				t.Fatalf("one too many: %d %s", d.Status, d.Reason)
			}
		}
		if d := node.decide(genuine); d.Status != 503 {
			t.Errorf("a key that is not known yet: %d %s", d.Status, d.Reason)
		}
		node.claims(known)
		if took := time.Since(began); took != 0 {
			t.Errorf("those who found no room were held for %s", took)
		}
		close(release)
		held.Wait()
		for i := range most { // the flood goes on
			held.Go(func() { node.decide(made(pattern, 10_000+i)) })
		}
		synctest.Wait()
		pass(501 * time.Millisecond)
		for i := range most {
			held.Go(func() { node.decide(made(pattern, 20_000+i)) })
		}
		synctest.Wait()
		began = time.Now()
		node.claims(genuine)
		if took := time.Since(began); took != 0 {
			t.Errorf("the genuine token waited for %s", took)
		}
		held.Wait()
	})
}

// A key that is nowhere is not asked for again until a minute has passed.
func TestAbsentKeysAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node, token := newNode(t, store, nil), stranger(t)
		before := store.begun("UpdateKeys")
		for range 59 {
			if d := node.decide(token); d.Status != 401 || !errors.Is(d.Err, gate.ErrUnknownKey) {
				t.Errorf("%d %s", d.Status, d.Reason)
			}
			pass(time.Second)
		}
		if n := store.begun("UpdateKeys") - before; n != 1 {
			t.Errorf("%d looks, want 1", n)
		}
		pass(2 * time.Second)
		node.decide(token)
		if n := store.begun("UpdateKeys") - before; n != 2 {
			t.Errorf("%d looks after a minute, want 2", n)
		}
	})
}

// While the store is down a token with an unknown key was not judged, so that it
// is 503; with known keys all goes on. A hanging store holds nobody for long.
func TestUnknownKeyWhileTheStoreIsDown(t *testing.T) {
	for name, act := range map[string]func(context.Context, string) error{"down": down, "hanging": hang} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newScripted(memory.New())
				node := newNode(t, store, nil)
				known := node.loginAs("ann@example.com").Token
				token := newNode(t, store.Store, func(c *authcore.Config) { c.Algorithm = "ES256" }).loginAs("ann@example.com").Token
				store.do(act)
				before, began := store.begun("UpdateKeys"), time.Now()
				var crowd sync.WaitGroup
				for range 10 {
					crowd.Go(func() {
						for time.Since(began) < 10*time.Second {
							asked := time.Now()
							d := node.decide(token)
							if d.Status != 503 || d.Body != gate.BodyUnavailable || d.Claims != nil {
								t.Errorf("%d %s", d.Status, d.Reason)
							}
							if took := time.Since(asked); took > 3*time.Second {
								t.Errorf("answered after %s", took)
							}
							_, err := node.Authenticate(t.Context(), []string{"Token " + token})
							wantCode(t, err, 503, authcore.CodeUnavailable)
							pass(50 * time.Millisecond)
						}
					})
				}
				crowd.Wait()
				if n := store.begun("UpdateKeys") - before; n > 25 {
					t.Errorf("%d looks in %s", n, time.Since(began))
				}
				node.claims(known)
				store.do(nil)
				pass(time.Second)
				node.claims(token)
			})
		})
	}
}

// Somebody who leaves while a look is under way spoils it for nobody.
func TestLookSurvivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newScripted(memory.New())
		node := newNode(t, store, nil)
		token := newNode(t, store.Store, func(c *authcore.Config) { c.Algorithm = "ES256" }).loginAs("ann@example.com").Token
		store.do(func(ctx context.Context, _ string) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", authcore.ErrUnavailable, ctx.Err())
			}
		}, "UpdateKeys")
		leaving, leave := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() { _, _ = node.Authenticate(leaving, []string{"Token " + token}) })
		synctest.Wait()
		callers.Go(func() { node.claims(token) })
		synctest.Wait()
		leave()
		callers.Wait()
	})
}
