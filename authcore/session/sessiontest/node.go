package sessiontest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// Issuer and audience of the tokens of a Node.
const Issuer = "sessiontest"

// Clock is a clock that tests move. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows the present, to the second.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Second)} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Node is one node of a realm. Several nodes may share a store.
type Node struct {
	*session.Service
	Store       authcore.Store
	Clock       *Clock
	Verifier    *gate.Verifier
	Revocations *gate.Revocations

	tb       testing.TB
	cfg      session.Config
	mu       sync.Mutex
	events   []authcore.Event
	followed string
}

// NewNode returns a node. Change may be nil.
func NewNode(tb testing.TB, store authcore.Store, clock *Clock, change func(*session.Config)) *Node {
	tb.Helper()
	rules := &account.Rules{}
	rules.SetDefaults()
	n := &Node{Store: store, Clock: clock, tb: tb, Revocations: gate.NewRevocations()}
	n.Verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer: Issuer, Audience: Issuer, Purpose: gate.PurposeLogin, Revocations: n.Revocations,
		Seen: func(claims *gate.Claims, now time.Time) { n.Seen()(claims, now) },
	})
	ring := keys.New(keys.Config{
		Store: store, Algorithm: gate.EdDSA, Rotation: 90 * 24 * time.Hour, Lifetime: session.DefaultMaxLifetime,
		Now: clock.Now, Changed: n.Verifier.SetKeys,
	})
	if err := ring.Maintain(tb.Context(), clock.Now()); err != nil {
		tb.Fatalf("Maintain() of the keys failed: %v", err)
	}
	n.cfg = session.Config{
		Store: store, Keys: ring, Revoked: n.Revocations, Rules: rules,
		Limiter: ratelimit.New(ratelimit.Config{Store: store, Now: clock.Now}),
		Clients: []authcore.Client{{Name: "web", Key: "web key"}, {Name: "app", Key: "app key", Lifetime: time.Hour}},
		Issuer:  Issuer, Audience: Issuer, Lifetime: 14 * 24 * time.Hour,
		Observe: n.observe, Now: clock.Now,
	}
	if change != nil {
		change(&n.cfg)
	}
	n.Service = session.New(n.cfg)
	return n
}

func (n *Node) observe(_ context.Context, event authcore.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, event)
}

// Events returns the names of the events since the last call.
func (n *Node) Events() []authcore.EventName {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []authcore.EventName
	for _, event := range n.events {
		names = append(names, event.Name)
	}
	n.events = nil
	return names
}

// Login logs in the user with this verified address, as package login does. Change
// may be nil; it changes the account in the step.
func (n *Node) Login(email string, change func(*authcore.Account, *authcore.Session)) session.Grant {
	n.tb.Helper()
	begun := n.Begin(&n.cfg.Clients[0], "link", authcore.Caller{})
	id := authcore.RandomID()
	stored, err := n.Store.Login(n.tb.Context(), authcore.LoginStep{
		Now: n.Clock.Now(), Refs: []authcore.UserRef{{EmailKey: email}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			a := found.Accounts[0]
			if a.User.ID == "" {
				a.User = authcore.User{ID: id, Email: email, EmailVerified: true, Created: n.Clock.Now()}
			}
			first := begun
			if change != nil {
				change(&a, &first)
			}
			a.Start(first, n.MaxSessions())
			return a, nil
		},
	})
	if err != nil {
		n.tb.Fatalf("Login(%s) failed: %v", email, err)
	}
	i := slices.IndexFunc(stored.Sessions, func(s authcore.Session) bool { return s.ID == begun.ID })
	grant, err := n.Grant(stored.User, stored.Sessions[i], false)
	if err != nil {
		n.tb.Fatalf("Grant() failed: %v", err)
	}
	n.Follow()
	return grant
}

// Verify checks a token as the gate does.
func (n *Node) Verify(token string) (*gate.Claims, error) {
	return n.Verifier.Verify(token, n.Clock.Now())
}

// Claims returns the claims of a token that the gate accepts.
func (n *Node) Claims(token string) *gate.Claims {
	n.tb.Helper()
	claims, err := n.Verify(token)
	if err != nil {
		n.tb.Fatalf("Verify() of a token failed: %v", err)
	}
	return claims
}

// Follow applies the revocations of other nodes.
func (n *Node) Follow() {
	n.tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		entries, cursor, err := n.Store.RevocationsSince(n.tb.Context(), n.followed)
		if err != nil {
			n.tb.Fatalf("RevocationsSince() failed: %v", err)
		}
		n.followed = cursor
		n.Revocations.Apply(entries...)
		if len(entries) == 0 {
			return
		}
	}
}

// Account returns the stored account of a user.
func (n *Node) Account(ctx context.Context, userID string) authcore.Account {
	n.tb.Helper()
	stored, err := n.Store.Account(ctx, authcore.UserRef{ID: userID}, n.Clock.Now())
	if err != nil {
		n.tb.Fatalf("Account(%s) failed: %v", userID, err)
	}
	return stored
}
