package authcore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// follower verifies by itself what a service publishes.
type follower struct {
	t           *testing.T
	service     *authcore.Service
	revocations *gate.Revocations
	verifier    *gate.Verifier
	keys        *gate.KeySet
}

func follow(t *testing.T, service *authcore.Service) *follower {
	t.Helper()
	f := &follower{t: t, service: service, revocations: gate.NewRevocations()}
	f.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer: "edgeauth", Audience: "edgeauth", Purpose: gate.PurposeLogin, Revocations: f.revocations,
	})
	text, _ := service.JWKS()
	keys, err := gate.ParseJWKS(text)
	if err != nil {
		t.Fatal(err)
	}
	f.keys = keys
	f.verifier.SetKeys(keys)
	return f
}

// poll takes the feed over and returns it.
func (f *follower) poll() (authcore.Feed, error) {
	f.t.Helper()
	published, err := f.service.RevocationFeed()
	if err != nil {
		f.t.Fatal(err)
	}
	feed, err := f.keys.RevocationFeed(string(published.Text), "edgeauth", time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return published, f.revocations.Load(feed)
}

func (f *follower) refuses(token string) bool {
	_, err := f.verifier.Verify(token, time.Now())
	return err != nil
}

// deafStore hears nothing of other nodes while it is cut off.
type deafStore struct {
	authcore.Store
	mu     sync.Mutex
	cutOff bool
}

func (s *deafStore) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutOff {
		return nil, "", authcore.ErrUnavailable
	}
	return s.Store.RevocationsSince(ctx, cursor)
}

func TestRevocationFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &deafStore{Store: memory.New()}
		f := newFixture(t, func(c *authcore.Config) { c.Now, c.Store, c.TokenLifetime = nil, store, time.Hour })
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Run(ctx) })
		defer running.Wait()
		defer stop()
		upstream := follow(t, f.Service)
		user, other := f.loginAs("ann@example.com"), f.loginAs("bob@example.com")

		first, err := upstream.poll()
		if err != nil || upstream.refuses(user.Token) {
			t.Fatal("nothing was revoked", err)
		}
		// Within a second there is no other, whatever happens.
		if err := f.Logout(t.Context(), f.claims(user.Token), false); err != nil {
			t.Fatal(err)
		}
		if feed, err := upstream.poll(); !errors.Is(err, gate.ErrFeedOlder) || feed.ETag != first.ETag {
			t.Errorf("a second feed at once: %v", err)
		}
		<-time.After(1500 * time.Millisecond) // in the bubble, where time is virtual
		second, err := upstream.poll()
		if err != nil || !upstream.refuses(user.Token) || upstream.refuses(other.Token) || second.ETag == first.ETag {
			t.Errorf("after the logout: %v", err)
		}
		// Nothing new is not signed anew, until verifiers would wonder.
		<-time.After(20 * time.Second)
		if same, _ := upstream.poll(); same.ETag != second.ETag {
			t.Error("nothing was revoked, but the feed is another one")
		}
		<-time.After(15 * time.Second)
		if _, err := upstream.poll(); err != nil {
			t.Errorf("the feed is not renewed: %v", err)
		}
		if age, _ := upstream.revocations.FeedAge(time.Now()); age > 2*time.Second {
			t.Errorf("the renewed feed is %v old", age)
		}
		// A node that hears nothing must not vouch for what it cannot know.
		store.mu.Lock()
		store.cutOff = true
		store.mu.Unlock()
		<-time.After(10 * time.Minute)
		_, _ = upstream.poll()
		if age, _ := upstream.revocations.FeedAge(time.Now()); age < 9*time.Minute {
			t.Errorf("the feed of a node that is cut off is %v old", age)
		}
		// What has expired needs no revocation.
		store.mu.Lock()
		store.cutOff = false
		store.mu.Unlock()
		<-time.After(2 * time.Hour)
		if _, err := upstream.poll(); err != nil || upstream.revocations.Len() != 0 {
			t.Errorf("%d are left, %v", upstream.revocations.Len(), err)
		}
	})
}

func TestRevocationFeedByAlgorithm(t *testing.T) {
	for _, algorithm := range authcore.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			f := newFixture(t, func(c *authcore.Config) { c.Algorithm, c.Now = algorithm, nil })
			if algorithm == gate.HS256 {
				_, err := f.RevocationFeed()
				wantCode(t, err, 404, authcore.CodeNoPublicKey)
				return
			}
			if _, err := follow(t, f.Service).poll(); err != nil {
				t.Error(err)
			}
		})
	}
}
