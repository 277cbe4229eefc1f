package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const ann = "ann@example.com"

// newNode returns a node with an empty store. Change may be nil.
func newNode(t *testing.T, change func(*session.Config)) *sessiontest.Node {
	t.Helper()
	return sessiontest.NewNode(t, memory.New(), sessiontest.NewClock(), change)
}

// restart returns a node with the store and clock of another one.
func restart(t *testing.T, node *sessiontest.Node, change func(*session.Config)) *sessiontest.Node {
	t.Helper()
	return sessiontest.NewNode(t, node.Store, node.Clock, change)
}

// wantError checks status and code of a public error.
func wantError(t *testing.T, call string, err error, status int, code authcore.Code) {
	t.Helper()
	var public *authcore.Error
	if !errors.As(err, &public) || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", call, err, status, code)
	}
}

// refresh refreshes a token that has to be accepted.
func refresh(t *testing.T, node *sessiontest.Node, token string) session.Grant {
	t.Helper()
	grant, err := node.Refresh(t.Context(), node.Claims(token))
	if err != nil {
		t.Fatalf("Refresh() failed: %v", err)
	}
	return grant
}

// accepted reports whether the gate accepts a token.
func accepted(node *sessiontest.Node, token string) bool {
	_, err := node.Verify(token)
	return err == nil
}

func TestSharedToken(t *testing.T) { sessiontest.SharedToken(t, memory.New()) }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
