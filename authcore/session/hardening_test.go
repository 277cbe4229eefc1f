package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// An attacker who stole a token refreshes it and keeps the session alive after the
// owner has refreshed, or the other way round. The later one of the two presents a
// superseded token, which ends the session for both (RFC 9700, section 4.14.2).
func TestStolenTokenEndsTheSession(t *testing.T) {
	for name, first := range map[string]string{"the owner refreshes first": "owner", "the attacker refreshes first": "attacker"} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, nil)
			stolen := node.Login(ann, nil).Token
			other := node.Login(ann, nil).Token
			node.Clock.Advance(time.Hour)
			fresh := refresh(t, node, stolen).Token // by first
			node.Clock.Advance(time.Hour)
			_, err := node.Refresh(t.Context(), node.Claims(stolen))
			wantError(t, "Refresh() of the other party, after "+first, err, 401, authcore.CodeInvalidToken)
			if accepted(node, stolen) || accepted(node, fresh) {
				t.Error("the gate accepted a token of the session after its reuse")
			}
			if !accepted(node, other) {
				t.Error("the reuse ended another session of the user")
			}
			second := restart(t, node, nil)
			second.Follow()
			if accepted(second, fresh) {
				t.Error("another node accepted the token after its reuse")
			}
		})
	}
}

// An attacker refreshes a stolen token all the time, so that its grace never ends.
// The grace counts from the time at which the token was superseded.
func TestGraceIsNotExtended(t *testing.T) {
	node := newNode(t, nil)
	stolen := node.Login(ann, nil).Token
	refresh(t, node, stolen)
	for range 5 {
		node.Clock.Advance(5 * time.Second)
		refresh(t, node, stolen)
	}
	node.Clock.Advance(5 * time.Second)
	_, err := node.Refresh(t.Context(), node.Claims(stolen))
	wantError(t, "Refresh() after the grace", err, 401, authcore.CodeInvalidToken)
}

// A clock jumps 40 days forward, a token is superseded, and the clock returns. The
// grace must not last for 40 days.
func TestClockJumpDoesNotExtendTheGrace(t *testing.T) {
	node := newNode(t, func(c *session.Config) { c.Lifetime = days(60) })
	stolen := node.Login(ann, nil).Token
	node.Clock.Advance(days(40))
	refresh(t, node, stolen)
	node.Clock.Advance(-days(40))
	_, err := node.Refresh(t.Context(), node.Claims(stolen))
	wantError(t, "Refresh() after the clock returned", err, 401, authcore.CodeInvalidToken)
}

// A user presents claims that combine the own subject with the session of another
// user, as after a mistake in the code that reads tokens (CWE-639). Neither a
// refresh nor a logout reaches the other user's session.
func TestSessionOfAnotherUser(t *testing.T) {
	node := newNode(t, nil)
	eve, victim := node.Login("eve@example.com", nil), node.Login(ann, nil)
	mixed := *node.Claims(victim.Token)
	mixed.Subject = eve.User.ID
	_, err := node.Refresh(t.Context(), &mixed)
	wantError(t, "Refresh() of mixed claims", err, 401, authcore.CodeInvalidToken)
	if sessions := node.Account(t.Context(), victim.User.ID).Sessions; len(sessions) != 1 {
		t.Errorf("the other user has %d sessions, want 1", len(sessions))
	}
}

// A user chooses a name that makes the token larger than the gate accepts, so that
// every request is refused and no logout is possible (CWE-770).
func TestNoTokenIsTooLarge(t *testing.T) {
	for name, text := range map[string]string{
		"escaped in JSON": strings.Repeat("<", 150), "four bytes": strings.Repeat("\U0001f600", 150), "backslashes": strings.Repeat(`\`, 150),
	} {
		for _, algorithm := range []string{gate.EdDSA, gate.ES256} {
			t.Run(name+" "+algorithm, func(t *testing.T) {
				node := newNode(t, func(c *session.Config) {
					c.Keys = ringOf(t, c.Store.(authcore.Keys), algorithm)
					c.Audience = "https://" + strings.Repeat("x", 1200) + ".example"
				})
				email := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 3) + "example"
				login := node.Login(email, func(a *authcore.Account, _ *authcore.Session) { a.User.FirstName, a.User.LastName = text, text })
				if len(login.Token) > gate.MaxToken {
					t.Errorf("the token has %d bytes, the gate accepts %d", len(login.Token), gate.MaxToken)
				}
			})
		}
	}
	node := newNode(t, func(c *session.Config) { c.Audience = strings.Repeat("x", gate.MaxToken) })
	_, err := node.Grant(authcore.User{ID: "1"}, authcore.Session{ID: "2"}, false)
	wantError(t, "Grant() with a long audience", err, 503, authcore.CodeUnavailable)
}

func ringOf(t *testing.T, store authcore.Keys, algorithm string) *keys.Ring {
	t.Helper()
	ring := keys.New(keys.Config{Store: store, Algorithm: algorithm, Rotation: days(90), Lifetime: days(14)})
	if err := ring.Maintain(t.Context(), time.Now()); err != nil {
		t.Fatalf("Maintain() failed: %v", err)
	}
	return ring
}

// damagedStore leaves out all sessions, as an engine does that cannot decode them.
type damagedStore struct{ authcore.Store }

func (s damagedStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	return s.Store.UpdateAccount(ctx, id, now, func(a *authcore.Account) error {
		hidden := a.Sessions
		a.Sessions = nil
		err := change(a)
		a.Sessions = hidden
		return err
	})
}

// The stored session of a stolen token is damaged. The logout still ends its tokens
// on all nodes (CWE-613).
func TestLogoutOfADamagedSession(t *testing.T) {
	store := memory.New()
	clock := sessiontest.NewClock()
	node, other := sessiontest.NewNode(t, damagedStore{store}, clock, nil), sessiontest.NewNode(t, store, clock, nil)
	login := other.Login(ann, nil)
	fresh := refresh(t, other, login.Token)
	if err := node.Logout(t.Context(), node.Claims(login.Token), false); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	other.Follow()
	for _, token := range []string{login.Token, fresh.Token} {
		if accepted(node, token) || accepted(other, token) {
			t.Error("a node accepted a token after the logout")
		}
	}
}

// A caller opens sessions without end. The oldest ones end, also on other nodes,
// and the newest stays (CWE-770).
func TestSessionsAreBounded(t *testing.T) {
	node := newNode(t, nil)
	oldest := node.Login(ann, nil)
	node.Clock.Advance(time.Second)
	for range session.DefaultMaxSessions {
		node.Login(ann, nil)
	}
	if n := len(node.Account(t.Context(), oldest.User.ID).Sessions); n != session.DefaultMaxSessions {
		t.Errorf("the user has %d sessions, want %d", n, session.DefaultMaxSessions)
	}
	other := restart(t, node, nil)
	other.Follow()
	if accepted(other, oldest.Token) {
		t.Error("another node accepted the token of the oldest session")
	}
	_, err := node.Refresh(t.Context(), &gate.Claims{Subject: oldest.User.ID, Session: oldest.Session.ID, ID: oldest.Session.Token.ID})
	wantError(t, "Refresh() of the oldest session", err, 401, authcore.CodeInvalidToken)
}
