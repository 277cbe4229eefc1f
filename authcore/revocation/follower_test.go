package revocation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func newFollower(store authcore.Revocations, c *clocks) *Follower {
	return New(Config{Store: store, Now: c.now, Horizon: c.horizon()})
}

func refresh(t *testing.T, f *Follower) {
	t.Helper()
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
}

// wantInForce checks which of the sessions a to z are revoked.
func wantInForce(t *testing.T, when string, f *Follower, want string) {
	t.Helper()
	var got []byte
	for id := byte('a'); id <= 'z'; id++ {
		if f.Copy().Has(session(string(id), start)) {
			got = append(got, id)
		}
	}
	if string(got) != want {
		t.Errorf("%s: revoked sessions are %q, want %q", when, got, want)
	}
}

func TestRefresh(t *testing.T) {
	store, c := &feedStore{}, newClocks()
	f := newFollower(store, c)
	refresh(t, f)
	wantInForce(t, "empty feed", f, "")
	for _, id := range "abcdefgh" {
		store.add(session(string(id), start.Add(14*day)))
	}
	refresh(t, f)
	wantInForce(t, "three pages", f, "abcdefgh")
	store.add(session("b", time.Time{}), session("i", start.Add(-time.Second)))
	f.Apply(session("z", start.Add(day)))
	refresh(t, f)
	wantInForce(t, "one lifted, one expired, one of this node", f, "acdefghz")
	if !slices.Contains(store.cursors, "8") {
		t.Errorf("cursors of the reads are %q, want 8 among them", store.cursors)
	}
	c.advance(3 * time.Second)
	if age := f.Age(); age != 3*time.Second {
		t.Errorf("Age = %s, want 3s", age)
	}
	store.set(down, nil)
	if err := f.Refresh(t.Context()); err == nil || f.Age() != 3*time.Second {
		t.Errorf("Refresh without the store: error is %v, age %s", err, f.Age())
	}
}

func TestSweep(t *testing.T) {
	store, c := &feedStore{}, newClocks()
	f := newFollower(store, c)
	store.add(session("a", start.Add(day)), session("b", start.Add(14*day)))
	refresh(t, f)
	c.advance(2 * day)
	f.Sweep()
	wantInForce(t, "after two days", f, "b")
}

// A clock that jumps forward and back revives no logout (CWE-613): neither by what
// is deleted from the copy during the jump, nor by what is read then.
func TestClockThatJumpsRevivesNothing(t *testing.T) {
	for _, jump := range []time.Duration{40 * day, -40 * day, 10 * 365 * day} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			store, c := &feedStore{}, newClocks()
			f := newFollower(store, c)
			store.add(session("a", start.Add(14*day)))
			refresh(t, f)
			c.jump(jump)
			f.Sweep()
			store.add(session("b", start.Add(14*day)))
			refresh(t, f)
			f.Sweep()
			wantInForce(t, "during the jump", f, "ab")
			c.advance(time.Minute)
			c.jump(-jump)
			store.add(session("c", start.Add(14*day)))
			refresh(t, f)
			f.Sweep()
			wantInForce(t, "after the jump", f, "abc")
		})
	}
}

// A clock that was wrong for longer than a day deletes revocations. When it is set
// back they are read again.
func TestFeedIsReadAgainAfterALongJump(t *testing.T) {
	store, c := &feedStore{}, newClocks()
	f := newFollower(store, c)
	store.add(session("a", start.Add(14*day)), session("b", start.Add(60*day)))
	refresh(t, f)
	c.jump(40 * day)
	f.Sweep()
	c.advance(25 * time.Hour)
	f.Sweep()
	wantInForce(t, "after a day in the future", f, "b")
	c.jump(-40 * day)
	refresh(t, f)
	wantInForce(t, "after the clock was set back", f, "ab")
}

// A revocation counts as late only if another node made it, after the start.
func TestLag(t *testing.T) {
	store, c := &feedStore{}, newClocks()
	var lags []time.Duration
	f := New(Config{Store: store, Now: c.now, Horizon: c.horizon(), Lag: func(lag time.Duration) { lags = append(lags, lag) }})
	store.add(session("a", start.Add(day)))
	refresh(t, f)
	own := session("b", start.Add(day))
	f.Apply(own)
	store.add(own, session("a", time.Time{}))
	refresh(t, f)
	if len(lags) != 0 {
		t.Errorf("lags are %v, want none", lags)
	}
	store.add(session("c", start.Add(day)))
	refresh(t, f)
	if len(lags) != 1 || lags[0] < 10*time.Millisecond || lags[0] > time.Minute {
		t.Errorf("lags are %v, want one of at least 10ms", lags)
	}
}
