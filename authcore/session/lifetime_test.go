package session_test

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/session"
)

func TestMaxLifetime(t *testing.T) {
	node := newNode(t, func(c *session.Config) { c.MaxLifetime = days(30) })
	login := node.Login(ann, nil)
	end := node.Clock.Now().Add(days(30))
	token := login.Token
	for day := 10; day < 30; day += 10 {
		node.Clock.Advance(days(10))
		fresh := refresh(t, node, token)
		want := node.Clock.Now().Add(days(14))
		if want.After(end) {
			want = end
		}
		if !fresh.ExpiresAt().Equal(want) {
			t.Errorf("day %d: token expires %s, want %s", day, fresh.ExpiresAt(), want)
		}
		token = fresh.Token
	}
	shortened := restart(t, node, func(c *session.Config) { c.MaxLifetime = days(15) })
	_, err := shortened.Refresh(t.Context(), shortened.Claims(token))
	wantError(t, "Refresh() past the maximum lifetime", err, 401, authcore.CodeInvalidToken)
	node.Clock.Advance(days(10) - time.Second)
	refresh(t, node, token)
	node.Clock.Advance(time.Second)
	if accepted(node, token) {
		t.Error("the gate accepted a token at the maximum lifetime")
	}
	if short := newNode(t, func(c *session.Config) { c.MaxLifetime = time.Hour }); short.Login(ann, nil).ExpiresAt().After(short.Clock.Now().Add(time.Hour)) {
		t.Error("the first token expires after the maximum lifetime")
	}
}

// After the lifetime was shortened, a logout still covers the tokens of before.
func TestSessionExpiryNeverMovesBack(t *testing.T) {
	node := newNode(t, nil)
	login := node.Login(ann, nil)
	short := restart(t, node, func(c *session.Config) { c.Lifetime = 10 * time.Second })
	fresh := refresh(t, short, login.Token)
	if want := node.Clock.Now().Add(10 * time.Second); !fresh.ExpiresAt().Equal(want) {
		t.Errorf("token expires %s, want %s", fresh.ExpiresAt(), want)
	}
	if !fresh.Session.Expires.Equal(login.ExpiresAt()) {
		t.Errorf("session expires %s, want %s", fresh.Session.Expires, login.ExpiresAt())
	}
	node.Clock.Advance(20 * time.Second) // the successor has expired first
	again := refresh(t, short, login.Token)
	if !accepted(short, again.Token) {
		t.Error("Refresh() of a token that outlives its successor returned an expired token")
	}
}

// Of two tokens of a session the newer one expires later, also if both were issued
// in one second or by nodes whose clocks differ. The maximum lifetime still holds.
func TestNewerTokensExpireLater(t *testing.T) {
	for name, step := range map[string]time.Duration{"in one second": 0, "by a slow clock": -2 * time.Second, "later": time.Second} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, nil)
			last := node.Login(ann, nil)
			for range 10 {
				node.Clock.Advance(step)
				next := refresh(t, node, last.Token)
				if !next.ExpiresAt().After(last.ExpiresAt()) {
					t.Errorf("the successor expires %s, its predecessor %s, want it later", next.ExpiresAt(), last.ExpiresAt())
				}
				last = next
			}
			if most := node.Clock.Now().Add(days(14) + 30*time.Second); last.ExpiresAt().After(most) {
				t.Errorf("the last token expires %s, want %s at most", last.ExpiresAt(), most)
			}
		})
	}
	node := newNode(t, func(c *session.Config) { c.MaxLifetime = days(14) + 3*time.Second })
	login := node.Login(ann, nil)
	token := login.Token
	for range 10 {
		grant := refresh(t, node, token)
		if want := login.Session.Created.Add(days(14) + 3*time.Second); grant.ExpiresAt().After(want) {
			t.Errorf("token expires %s, want %s at most", grant.ExpiresAt(), want)
		}
		token = grant.Token
	}
}
