package revocation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
)

const issuer = "https://auth.example.com"

// keyStore is an authcore.Keys in memory.
type keyStore struct {
	mu   sync.Mutex
	keys []authcore.SigningKey
}

func (k *keyStore) UpdateKeys(_ context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) ([]authcore.SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := change(k.keys)
	if err == nil {
		k.keys = next
	}
	return k.keys, err
}

// countingSigner counts signatures.
type countingSigner struct {
	Signer
	n int
}

func (s *countingSigner) SignPublic(purpose gate.Purpose, payload []byte, now time.Time) (string, error) {
	s.n++
	return s.Signer.SignPublic(purpose, payload, now)
}

// edge verifies what nodes publish.
type edge struct {
	t      *testing.T
	keys   *gate.KeySet
	copy   *gate.Revocations
	cursor string
}

// load loads a document and returns the number of its entries, or the first error.
func (e *edge) load(document Document, now time.Time) (entries int, err error) {
	e.t.Helper()
	for line := range strings.SplitSeq(string(document.Text), "\n") {
		part, err := e.keys.RevocationFeed(line, issuer, now)
		if err != nil {
			e.t.Fatalf("RevocationFeed: %v", err)
		}
		if _, err := e.copy.Load(part); err != nil {
			return entries, err
		}
		entries += part.Len()
	}
	state, _ := e.copy.Feed()
	e.cursor = state.Cursor
	return entries, nil
}

func (e *edge) refuses(id string) bool { return e.copy.Check(&gate.Claims{Session: id}) != nil }

// publisher is a node that publishes its revocations.
type publisher struct {
	*Feed
	t      *testing.T
	clocks *clocks
	store  *feedStore
	keys   *keys.Ring
	signer *countingSigner
}

// newPublishers returns nodes with the same keys and revocations.
func newPublishers(t *testing.T, n int) []*publisher {
	t.Helper()
	ringStore, store := &keyStore{}, &feedStore{}
	nodes := make([]*publisher, n)
	for i := range nodes {
		c := newClocks()
		ring := keys.New(keys.Config{Store: ringStore, Algorithm: gate.EdDSA, Rotation: 90 * day, Lifetime: 14 * day})
		if err := ring.Maintain(t.Context(), start); err != nil {
			t.Fatalf("Maintain: %v", err)
		}
		signer := &countingSigner{Signer: ring}
		nodes[i] = &publisher{t: t, clocks: c, store: store, keys: ring, signer: signer}
		nodes[i].Feed = NewFeed(newFollower(store, c), signer, issuer, c.now)
		refresh(t, nodes[i].follower)
	}
	return nodes
}

func (p *publisher) edge() *edge {
	p.t.Helper()
	jwks, _ := p.keys.JWKS()
	set, err := gate.ParseJWKS(jwks)
	if err != nil {
		p.t.Fatalf("ParseJWKS: %v", err)
	}
	return &edge{t: p.t, keys: set, copy: gate.NewRevocations()}
}

// pass lets time pass and refreshes the copy.
func (p *publisher) pass(d time.Duration) {
	p.t.Helper()
	p.clocks.advance(d)
	refresh(p.t, p.follower)
}

func (p *publisher) document(since string) Document {
	p.t.Helper()
	document, err := p.Document(since)
	if err != nil {
		p.t.Fatalf("Document(%q): %v", since, err)
	}
	return document
}

// poll loads the document that the edge asks for.
func (p *publisher) poll(e *edge) (entries int, err error) {
	p.t.Helper()
	return e.load(p.document(e.cursor), p.clocks.now())
}

func wantEntries(t *testing.T, what string, got int, err error, want int) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: document has %d entries (%v), want %d", what, got, err, want)
	}
}

func TestFeed(t *testing.T) {
	p := newPublishers(t, 1)[0]
	e := p.edge()
	p.store.add(session("a", start.Add(day)), session("b", start.Add(day)))
	p.pass(time.Second)
	n, err := p.poll(e)
	wantEntries(t, "full list", n, err, 2)

	// Within a second there is no other document.
	first := p.document("")
	p.store.add(session("c", start.Add(day)))
	p.pass(500 * time.Millisecond)
	if p.document("").ETag != first.ETag {
		t.Error("the document changed within a second")
	}
	p.pass(500 * time.Millisecond)
	n, err = p.poll(e)
	// A delta overlaps with what the edge has.
	wantEntries(t, "delta", n, err, 3)
	if !e.refuses("a") || !e.refuses("c") || e.refuses("d") {
		t.Error("the edge does not refuse the revoked sessions alone")
	}

	// Without changes the feed is signed again after 30 seconds.
	p.pass(time.Second)
	same := p.document(e.cursor)
	p.pass(20 * time.Second)
	if p.document(e.cursor).ETag != same.ETag {
		t.Error("an unchanged document was signed again within 30 seconds")
	}
	p.pass(10 * time.Second)
	if _, err := p.poll(e); err != nil {
		t.Errorf("the feed is not renewed: %v", err)
	}
	p.pass(10 * time.Minute)
	_, _ = p.poll(e)
	p.store.add(session("b", time.Time{}), user("u", start.Add(day)))
	p.pass(2 * time.Minute)
	n, err = p.poll(e)
	wantEntries(t, "delta with one entry lifted", n, err, 2)
	if e.refuses("b") || e.copy.Check(&gate.Claims{Subject: "u", Session: "x"}) == nil {
		t.Error("the edge did not apply the delta")
	}
	p.pass(2 * day)
	n, err = p.poll(e)
	wantEntries(t, "after all have expired", n, err, 0)
}

// A cursor from another node works, an unusable one gets the full list.
func TestFeedCursors(t *testing.T) {
	nodes := newPublishers(t, 2)
	a, b := nodes[0], nodes[1]
	for i := range 100 {
		a.store.add(session(fmt.Sprint(i), start.Add(day)))
	}
	for _, node := range nodes {
		node.pass(time.Second)
		node.pass(10 * time.Minute)
	}
	e := a.edge()
	n, err := a.poll(e)
	wantEntries(t, "first document", n, err, 100)
	a.store.add(session("a", start.Add(day)))
	b.pass(10 * time.Second)
	n, err = b.poll(e)
	wantEntries(t, "delta of the other node", n, err, 1)
	if !e.refuses("a") || !e.refuses("7") {
		t.Error("the edge does not refuse the revoked sessions")
	}
	full := b.document("")
	for _, cursor := range []string{"x", "0", "-1", "99999999999999999999", e.cursor + "0", e.cursor + " ", fmt.Sprint(start.Unix() - 7200), strings.Repeat("9", 1<<16)} {
		if b.document(cursor).ETag != full.ETag {
			t.Errorf("Document(%.30q) is not the full list", cursor)
		}
	}
}

// Requests for many cursors cost a bounded number of signatures, and repeated ones
// none (CWE-770).
func TestFeedIsCached(t *testing.T) {
	p := newPublishers(t, 1)[0]
	p.pass(2 * time.Hour)
	for range 3 {
		for since := range 2 * 3600 {
			p.document(fmt.Sprint(p.clocks.now().Unix() - int64(since)))
		}
	}
	if p.signer.n > 32 {
		t.Errorf("the node signed %d documents, want 32 at most", p.signer.n)
	}
}

// A large list is served like a small one: without it verifiers would refuse all
// requests.
func TestLargeFeed(t *testing.T) {
	p := newPublishers(t, 1)[0]
	const n = 200_000
	entries := make([]authcore.Revocation, n)
	for i := range entries {
		entries[i] = session(fmt.Sprint("session ", i), start.Add(day))
	}
	p.follower.Apply(entries...)
	p.pass(time.Second)
	e := p.edge()
	got, err := p.poll(e)
	wantEntries(t, "large list", got, err, n)
	document := p.document("")
	t.Logf("%d entries in %d bytes", n, len(document.Text))
	if !e.refuses("session 0") || !e.refuses(fmt.Sprint("session ", n-1)) {
		t.Error("the edge does not refuse the revoked sessions")
	}
	p.pass(5 * time.Minute)
	_, _ = p.poll(e)
	p.store.add(session("one more", start.Add(day)))
	p.pass(time.Minute)
	if delta := p.document(e.cursor); len(delta.Text) > 1000 {
		t.Errorf("the delta of one entry has %d bytes, want less than 1000", len(delta.Text))
	}
	if _, err := p.poll(e); err != nil || !e.refuses("one more") || !e.refuses("session 0") {
		t.Errorf("the edge does not apply the delta: %v", err)
	}
}

// A node that is cut off from the store must not vouch for what it cannot know.
func TestFeedOfANodeThatIsCutOff(t *testing.T) {
	p := newPublishers(t, 1)[0]
	p.pass(time.Second)
	e := p.edge()
	_, _ = p.poll(e)
	issued, _ := e.copy.Feed()
	p.store.set(down, nil)
	for range 10 {
		p.clocks.advance(time.Minute)
		_ = p.follower.Refresh(t.Context())
		if _, err := p.poll(e); !errors.Is(err, gate.ErrFeedOlder) {
			t.Fatalf("the feed is renewed without the store: %v", err)
		}
	}
	if state, _ := e.copy.Feed(); !state.IssuedAt.Equal(issued.IssuedAt) {
		t.Errorf("the feed is dated %s, want %s", state.IssuedAt, issued.IssuedAt)
	}
}

// When a clock that was ahead is set back, the feed is signed anew and contains all
// revocations (CWE-613).
func TestFeedAfterAClockJump(t *testing.T) {
	p := newPublishers(t, 1)[0]
	p.store.add(session("a", start.Add(14*day)))
	p.pass(time.Second)
	e := p.edge()
	_, _ = p.poll(e)
	p.clocks.jump(40 * day)
	p.pass(time.Second)
	p.follower.Sweep()
	future := p.document("")
	p.clocks.jump(-40 * day)
	p.store.add(session("b", start.Add(14*day)))
	p.pass(time.Minute)
	if p.document("").ETag == future.ETag {
		t.Error("the feed is still that of the future")
	}
	if _, err := p.poll(e); err != nil {
		t.Fatalf("the edge refuses the feed: %v", err)
	}
	if !e.refuses("a") || !e.refuses("b") {
		t.Error("a revocation is missing at the edge")
	}
	if n, err := p.edge().load(p.document(""), p.clocks.now()); err != nil || n != 2 {
		t.Errorf("the full list has %d entries (%v), want 2", n, err)
	}
}

func TestFeedWithoutPublicKey(t *testing.T) {
	ring := keys.New(keys.Config{Store: &keyStore{}, Algorithm: gate.HS256, Rotation: 90 * day, Lifetime: 14 * day})
	if err := ring.Maintain(t.Context(), start); err != nil {
		t.Fatalf("Maintain: %v", err)
	}
	c := newClocks()
	f := newFollower(&feedStore{}, c)
	refresh(t, f)
	_, err := NewFeed(f, ring, issuer, c.now).Document("")
	if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Code != authcore.CodeNoPublicKey {
		t.Errorf("Document: error is %v, want %s", err, authcore.CodeNoPublicKey)
	}
}
