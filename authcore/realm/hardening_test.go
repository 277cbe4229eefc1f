package realm

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
)

// upstream verifies assertions for one application.
func (n *node) upstream() *gate.Verifier {
	n.t.Helper()
	jwks, _ := n.Keys.JWKS()
	set, err := gate.ParseJWKS(jwks)
	if err != nil {
		n.t.Fatalf("ParseJWKS: %v", err)
	}
	v := gate.NewVerifier(gate.VerifierConfig{Issuer: "edgeauth", Audience: "app", Purpose: gate.PurposeAssertion})
	v.SetKeys(set)
	return v
}

// An upstream cannot use an assertion as the user's token, and a token of another
// realm is not valid here (RFC 8725, sections 3.11 and 3.12).
func TestTokensOfAnotherPurposeOrRealm(t *testing.T) {
	n := newNode(t, newStore(), nil)
	grant := n.loginAs("ann@example.com")
	assertion, err := n.Sessions.Assert(n.claims(grant.Token), "app", time.Minute)
	if err != nil {
		t.Fatalf("Assert: %v", err)
	}
	if !n.refuses(assertion) {
		t.Error("an assertion is accepted as a login token")
	}
	upstream := n.upstream()
	if claims, err := upstream.Verify(assertion, n.Now()); err != nil || claims.Subject != grant.User.ID {
		t.Errorf("Verify(assertion) = %+v, %v", claims, err)
	}
	if _, err := upstream.Verify(grant.Token, n.Now()); err == nil {
		t.Error("a login token is accepted as an assertion")
	}
	if _, err := upstream.Verify(assertion, n.Now().Add(time.Minute)); err == nil {
		t.Error("an assertion is accepted after its lifetime")
	}
	for name, change := range map[string]func(*Config){
		"realm":    func(c *Config) { c.Realm = "staff" },
		"issuer":   func(c *Config) { c.Issuer = "other" },
		"audience": func(c *Config) { c.Audience = "other" },
	} {
		// The same store has the same keys.
		if other := newNode(t, n.store, change); !other.refuses(grant.Token) {
			t.Errorf("a token of another %s is accepted", name)
		}
	}
}

// An assertion does not outlive the token that it is about.
func TestAssertionEndsWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, newStore(), func(c *Config) { c.TokenLifetime = time.Hour })
		claims := n.claims(n.loginAs("ann@example.com").Token)
		pass(time.Hour - 30*time.Second)
		assertion, err := n.Sessions.Assert(claims, "app", time.Minute)
		if err != nil {
			t.Fatalf("Assert: %v", err)
		}
		upstream := n.upstream()
		if _, err := upstream.Verify(assertion, n.Now()); err != nil {
			t.Errorf("Verify(assertion): %v", err)
		}
		if _, err := upstream.Verify(assertion, n.Now().Add(30*time.Second)); err == nil {
			t.Error("an assertion is accepted after its token has expired")
		}
	})
}

// Many read logs, keep them long and forward them (CWE-532).
func TestNoSecretsInLogs(t *testing.T) {
	var logs bytes.Buffer
	var events strings.Builder
	store := &scripted{Store: newStore()}
	n := newNode(t, store, func(c *Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Observe = func(_ context.Context, event authcore.Event) { fmt.Fprintf(&events, "%+v", event) }
	})
	secret, err := n.requestLink("ann@example.com")
	if err != nil {
		t.Fatalf("RequestLink: %v", err)
	}
	grant, err := n.byLink(t.Context(), secret)
	if err != nil {
		t.Fatalf("ByLink: %v", err)
	}
	_, _ = n.byLink(t.Context(), secret)
	sealed, _ := n.Keys.Seal("test", []byte("x"))
	store.do(down)
	_, _ = n.byLink(t.Context(), secret)
	_ = n.Maintain(t.Context())
	for _, value := range []string{secret, n.mails.last.Code, grant.Token, clientKey, sealed, "ann@"} {
		if strings.Contains(logs.String(), value) || strings.Contains(events.String(), value) {
			t.Errorf("%q is in a log or an event", value)
		}
	}
}

// A restart forgets no revocation.
func TestRevocationsSurviveARestart(t *testing.T) {
	n := newNode(t, newStore(), nil)
	out, in := n.loginAs("ann@example.com").Token, n.loginAs("ann@example.com").Token
	refreshed := n.loginAs("ann@example.com").Token
	if _, err := n.Sessions.Refresh(t.Context(), n.claims(refreshed)); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	n.logout(out)
	disabled := n.loginAs("bob@example.com")
	if _, err := n.Accounts.Disable(t.Context(), disabled.User.ID); err != nil {
		t.Fatalf("Disable: %v", err)
	}
	again := newNode(t, n.store, nil)
	if !again.refuses(out) || !again.refuses(disabled.Token) || again.refuses(in) || again.refuses(refreshed) {
		t.Errorf("after a restart: logged out %t, disabled %t, other session %t, refreshed %t; want the first two refused",
			again.refuses(out), again.refuses(disabled.Token), again.refuses(in), again.refuses(refreshed))
	}
}

// The lifetime of tokens may have been longer when a token was signed.
func TestDeletedUserStaysDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := newNode(t, newStore(), func(c *Config) { c.TokenLifetime = 30 * day })
		grant := long.loginAs("ann@example.com")
		short := newNode(t, long.store, func(c *Config) { c.TokenLifetime = time.Hour })
		if err := short.Accounts.Delete(t.Context(), grant.User.ID); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		pass(3 * day)
		short.maintain()
		if !short.refuses(grant.Token) || !newNode(t, long.store, nil).refuses(grant.Token) {
			t.Error("the token of a deleted user is accepted again")
		}
	})
}

// A clock that is 40 days ahead for one maintenance pass and then set back revives
// no logout and no disabled user, here or on a node that starts later, and costs no
// session, key or link (CWE-613).
func TestClockThatJumpsForwardAndBack(t *testing.T) {
	for _, jump := range []time.Duration{40 * day, 400 * day, -40 * day} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var offset time.Duration
				n := newNode(t, newStore(), func(c *Config) { c.Now = func() time.Time { return time.Now().Add(offset) } })
				out, in := n.loginAs("ann@example.com").Token, n.loginAs("ann@example.com").Token
				disabled := n.loginAs("bob@example.com")
				n.logout(out)
				if _, err := n.Accounts.Disable(t.Context(), disabled.User.ID); err != nil {
					t.Fatalf("Disable: %v", err)
				}
				link, err := n.requestLink("eve@example.com")
				if err != nil {
					t.Fatalf("RequestLink: %v", err)
				}
				keys := n.keyIDs()

				offset = jump
				n.maintain()
				if err := n.Revocations.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				offset = 0
				pass(time.Second)
				if err := n.Revocations.Refresh(t.Context()); err != nil {
					t.Fatalf("Refresh: %v", err)
				}
				n.maintain()

				for name, node := range map[string]*node{"the node": n, "a node that starts": newNode(t, n.store, nil)} {
					if !node.refuses(out) || !node.refuses(disabled.Token) {
						t.Errorf("%s accepts a token of a session that ended (%t) or of a disabled user (%t)",
							name, !node.refuses(out), !node.refuses(disabled.Token))
					}
					if node.refuses(in) {
						t.Errorf("%s refuses a valid token", name)
					}
					list, err := node.Sessions.List(t.Context(), n.claims(in))
					if err != nil || len(list) != 1 {
						t.Errorf("%s lists sessions %v (%v), want 1", name, list, err)
					}
					if ids := node.keyIDs(); fmt.Sprint(ids) != fmt.Sprint(keys) {
						t.Errorf("%s has keys %v, want %v", name, ids, keys)
					}
				}
				if _, err := n.byLink(t.Context(), link); err != nil {
					t.Errorf("the link is gone: %v", err)
				}
			})
		})
	}
}

// The clocks of nodes differ by seconds. A node whose clock is ahead must not delete
// a logout that others need: a node that starts then would accept the token
// (CWE-613).
func TestClockAheadForgetsNoLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 30 * time.Second
		store := newStore()
		n := newNode(t, store, nil)
		fast := newNode(t, store, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
		token := n.loginAs("ann@example.com").Token
		expires := time.Unix(n.claims(token).ExpiresAt, 0)
		n.logout(token)
		pass(time.Until(expires) - ahead/2)
		fast.maintain()
		if !newNode(t, store, nil).refuses(token) {
			t.Error("a node that starts accepts the token of a session that ended")
		}
	})
}

// What has expired is deleted in the end.
func TestMaintainDeletesWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, newStore(), nil)
		n.logout(n.loginAs("ann@example.com").Token)
		pass(15 * day)
		n.maintain()
		if length := n.Revocations.Copy().Len(); length != 0 {
			t.Errorf("the copy has %d revocations, want 0", length)
		}
		fresh := newNode(t, n.store, nil)
		if length := fresh.Revocations.Copy().Len(); length != 0 {
			t.Errorf("the store has %d revocations, want 0", length)
		}
	})
}

// A failure of one part of the maintenance does not stop the others, and nothing
// recorded is lost.
func TestMaintainContinuesAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &scripted{Store: newStore()}
		n := newNode(t, store, nil)
		token := n.loginAs("ann@example.com").Token
		pass(time.Hour)
		used, claims := n.Now(), n.claims(token)
		for _, step := range []string{"MarkSeen", "UpdateKeys", "Sweep"} {
			store.do(down, step)
			if err := n.Maintain(t.Context()); err == nil {
				t.Errorf("Maintain does not report that %s failed", step)
			}
		}
		list, err := n.Sessions.List(t.Context(), claims)
		if err != nil || len(list) != 1 || !list[0].LastSeen.Equal(used) {
			t.Errorf("sessions are %+v (%v), want one that was used at %s", list, err, used)
		}
	})
}

// A configuration with the longest names that Validate accepts, and a user with the
// longest address and name, get tokens that the gate accepts, of every algorithm
// (CWE-770).
func TestHardeningLongestNamesMakeValidTokens(t *testing.T) {
	for _, algorithm := range keys.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			n := newNode(t, newStore(), func(c *Config) {
				c.Algorithm = algorithm
				c.Issuer, c.Audience = strings.Repeat("<", 42), strings.Repeat("x", MaxNameBytes)
				c.Clients[0].Name = strings.Repeat("<", 64)
			})
			email := strings.Repeat("&", 64) + "@" + strings.Repeat(strings.Repeat("b", 59)+".", 3) + "example"
			grant := n.loginAs(email)
			name := strings.Repeat("<", 150)
			grant.User.FirstName, grant.User.LastName = name, name
			grant.Session.Method = strings.Repeat("m", 64)
			long, err := n.Sessions.Grant(grant.User, grant.Session, false)
			if err != nil || len(long.Token) > gate.MaxToken {
				t.Fatalf("Grant() = %d bytes, %v, want %d at most", len(long.Token), err, gate.MaxToken)
			}
			if n.refuses(long.Token) {
				t.Error("the gate refuses the token")
			}
		})
	}
}
