package session_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestLogout(t *testing.T) {
	node := newNode(t, nil)
	here, there := node.Login(ann, nil), node.Login(ann, nil)
	if err := node.Logout(t.Context(), node.Claims(here.Token), false); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	if accepted(node, here.Token) || !accepted(node, there.Token) {
		t.Error("Logout() did not end its own session only")
	}
	third, bob := node.Login(ann, nil), node.Login("bob@example.com", nil)
	if err := node.Logout(t.Context(), node.Claims(third.Token), true); err != nil {
		t.Fatalf("Logout(everywhere) failed: %v", err)
	}
	if accepted(node, there.Token) || accepted(node, third.Token) {
		t.Error("Logout(everywhere) left a session of the user")
	}
	if !accepted(node, bob.Token) || !accepted(node, node.Login(ann, nil).Token) {
		t.Error("Logout(everywhere) ended a session of another user or a later one")
	}
	want := []authcore.EventName{authcore.EventLogout, authcore.EventLogout, authcore.EventLogout}
	if got := node.Events(); !slices.Equal(got, want) {
		t.Errorf("events = %v, want %v", got, want)
	}
}

// Each token of a session ends it, on all nodes.
func TestLogoutWithAnyToken(t *testing.T) {
	for name, presented := range map[string]int{"newest": 2, "predecessor": 1, "first": 0} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, nil)
			other := restart(t, node, nil)
			tokens := []string{node.Login(ann, nil).Token}
			for range 2 {
				node.Clock.Advance(time.Hour)
				tokens = append(tokens, refresh(t, node, tokens[len(tokens)-1]).Token)
			}
			claims := node.Claims(tokens[presented])
			if err := node.Logout(t.Context(), claims, false); err != nil {
				t.Fatalf("Logout() failed: %v", err)
			}
			other.Follow()
			for i, token := range tokens {
				if accepted(node, token) || accepted(other, token) {
					t.Errorf("a node accepted token %d after the logout", i)
				}
			}
			_, err := node.Refresh(t.Context(), claims)
			wantError(t, "Refresh() after the logout", err, 401, authcore.CodeInvalidToken)
			if err := node.Logout(t.Context(), claims, false); err != nil {
				t.Errorf("repeated Logout() = %v, want nil", err)
			}
		})
	}
}

func TestList(t *testing.T) {
	node := newNode(t, nil)
	first := node.Login(ann, nil)
	node.Clock.Advance(time.Minute)
	second, bob := node.Login(ann, nil), node.Login("bob@example.com", nil)
	claims := node.Claims(second.Token)
	list, err := node.List(t.Context(), claims)
	if err != nil || len(list) != 2 || list[0].ID != second.Session.ID || list[1].ID != first.Session.ID {
		t.Fatalf("List() = %+v, %v, want the second and the first session", list, err)
	}
	if err := node.End(t.Context(), claims, first.Session.ID); err != nil {
		t.Fatalf("End() failed: %v", err)
	}
	if accepted(node, first.Token) {
		t.Error("the gate accepted the token of the ended session")
	}
	for _, id := range []string{first.Session.ID, bob.Session.ID, "", "unknown"} {
		wantError(t, fmt.Sprintf("End(%q)", id), node.End(t.Context(), claims, id), 404, authcore.CodeNotFound)
	}
	if !accepted(node, bob.Token) {
		t.Error("a user ended the session of another user")
	}
}

func TestSessionLimit(t *testing.T) {
	for name, c := range map[string]struct {
		configured, want int
	}{"default": {0, 100}, "configured": {3, 3}} {
		t.Run(name, func(t *testing.T) {
			node := newNode(t, func(cfg *session.Config) { cfg.MaxSessions = c.configured })
			var grants []session.Grant
			for range c.want + 5 {
				grants = append(grants, node.Login(ann, nil))
				node.Clock.Advance(time.Second)
			}
			list, err := node.List(t.Context(), node.Claims(grants[len(grants)-1].Token))
			if err != nil || len(list) != c.want {
				t.Fatalf("List() = %d sessions, %v, want %d", len(list), err, c.want)
			}
			for i, grant := range grants {
				if got, want := accepted(node, grant.Token), i >= 5; got != want {
					t.Errorf("the gate accepts the token of session %d: %t, want %t", i, got, want)
				}
			}
		})
	}
}

func TestBegin(t *testing.T) {
	node := newNode(t, nil)
	client := &authcore.Client{Name: "app", Lifetime: time.Hour}
	begun := node.Begin(client, "github", authcore.Caller{UserAgent: "a\x00b\n" + string(make([]byte, 300)) + "\xff"})
	if begun.UserAgent != "ab" || begun.IP != "" || begun.Client != "app" || begun.Method != "github" {
		t.Errorf("Begin() = %+v, want the user agent ab", begun)
	}
	if want := node.Clock.Now().Add(time.Hour); !begun.Expires.Equal(want) || !begun.Token.Expires.Equal(want) {
		t.Errorf("Begin() expires %s and %s, want %s", begun.Expires, begun.Token.Expires, want)
	}
}

func TestSeen(t *testing.T) {
	store := &failingStore{Store: memory.New()}
	node := sessiontest.NewNode(t, store, sessiontest.NewClock(), nil)
	login := node.Login(ann, nil)
	node.Clock.Advance(time.Hour)
	node.Claims(login.Token) // the gate reports the use
	node.Seen()(&gate.Claims{Subject: "unknown", Session: "unknown"}, node.Clock.Now())
	store.failing = true
	if err := node.FlushSeen(t.Context()); err == nil {
		t.Error("FlushSeen() = nil while the store is down, want an error")
	}
	store.failing = false
	at := node.Clock.Now()
	node.Clock.Advance(time.Minute)
	for range 2 { // the second has nothing to write
		if err := node.FlushSeen(t.Context()); err != nil {
			t.Errorf("FlushSeen() failed: %v", err)
		}
	}
	if got := node.Account(t.Context(), login.User.ID).Sessions[0].LastSeen; !got.Equal(at) {
		t.Errorf("last seen = %s, want %s", got, at)
	}
}

// failingStore fails all calls of Accounts while failing is set.
type failingStore struct {
	authcore.Store
	failing bool
}

func (s *failingStore) err() error {
	if s.failing {
		return fmt.Errorf("%w: no route", authcore.ErrUnavailable)
	}
	return nil
}

func (s *failingStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	if err := s.err(); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.Account(ctx, ref, now)
}

func (s *failingStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	if err := s.err(); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.UpdateAccount(ctx, id, now, change)
}

func (s *failingStore) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.MarkSeen(ctx, seen)
}

// A store that is down is 503, and the token stays valid.
func TestStoreIsDown(t *testing.T) {
	store := &failingStore{Store: memory.New()}
	node := sessiontest.NewNode(t, store, sessiontest.NewClock(), nil)
	token := node.Login(ann, nil).Token
	claims := node.Claims(token)
	store.failing = true
	_, refreshErr := node.Refresh(t.Context(), claims)
	_, listErr := node.List(t.Context(), claims)
	for call, err := range map[string]error{
		"Refresh()": refreshErr, "List()": listErr, "Logout()": node.Logout(t.Context(), claims, false),
		"Logout(everywhere)": node.Logout(t.Context(), claims, true), "End()": node.End(t.Context(), claims, claims.Session),
	} {
		wantError(t, call, err, 503, authcore.CodeUnavailable)
	}
	if !accepted(node, token) {
		t.Error("the gate refused the token after failures of the store")
	}
}
