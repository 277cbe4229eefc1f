package apikey_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	ann = "ann@example.com"
	day = 24 * time.Hour
)

// node is a realm on a store.
type node struct {
	*realm.Realm
	t     *testing.T
	store authcore.Store
	clock *sessiontest.Clock

	mu     sync.Mutex
	mails  []authcore.Mail
	events []authcore.EventName
}

// Enqueue keeps a mail.
func (n *node) Enqueue(_ context.Context, mail authcore.Mail) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mails = append(n.mails, mail)
	return nil
}

func newNode(t *testing.T, use apikey.Use) *node {
	t.Helper()
	return nodeOn(t, memory.New(), sessiontest.NewClock(), use)
}

func nodeOn(t *testing.T, store authcore.Store, clock *sessiontest.Clock, use apikey.Use) *node {
	t.Helper()
	n := &node{t: t, store: store, clock: clock}
	var err error
	n.Realm, err = realm.New(t.Context(), realm.Config{
		EmailLink: "https://frontend.app/auth/link/{token}", Clients: []authcore.Client{{Name: "web", Key: "web"}},
		Store: store, Mailer: n, Now: clock.Now, Elapsed: func() time.Duration { return 0 }, APIKeys: use,
		Observe: func(_ context.Context, e authcore.Event) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events = append(n.events, e.Name)
		},
	})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	return n
}

// login returns the claims of a login by link.
func (n *node) login(email string) *gate.Claims {
	n.t.Helper()
	if _, err := n.Logins.RequestLink(n.t.Context(), login.LinkRequest{Email: email}); err != nil {
		n.t.Fatalf("RequestLink() failed: %v", err)
	}
	n.mu.Lock()
	link := n.mails[len(n.mails)-1].Link
	n.mu.Unlock()
	grant, err := n.Logins.ByLink(n.t.Context(), login.LinkLogin{
		ClientKey: "web", Token: strings.TrimPrefix(link, "https://frontend.app/auth/link/"),
	})
	if err != nil {
		n.t.Fatalf("ByLink() failed: %v", err)
	}
	claims, err := n.Verifier().Verify(grant.Token, n.Now())
	if err != nil {
		n.t.Fatalf("Verify() of the login failed: %v", err)
	}
	return claims
}

// give gives roles to a user.
func (n *node) give(userID string, roles ...string) {
	n.t.Helper()
	_, err := n.store.UpdateAccount(n.t.Context(), userID, n.Now(), func(a *authcore.Account) error {
		a.User.Roles = roles
		return nil
	})
	if err != nil {
		n.t.Fatalf("UpdateAccount() failed: %v", err)
	}
}

// enrol gives an authenticator app to a user.
func (n *node) enrol(userID string) {
	n.t.Helper()
	_, err := n.store.UpdateAccount(n.t.Context(), userID, n.Now(), func(a *authcore.Account) error {
		a.User.Factors = []authcore.Factor{{Kind: authcore.FactorTOTP}}
		return nil
	})
	if err != nil {
		n.t.Fatalf("UpdateAccount() failed: %v", err)
	}
}

// create creates a key for 30 days.
func (n *node) create(claims *gate.Claims, roles ...string) apikey.Created {
	n.t.Helper()
	created, err := n.APIKeys.Create(n.t.Context(), claims, authcore.Caller{}, request(roles...))
	if err != nil {
		n.t.Fatalf("Create() failed: %v", err)
	}
	return created
}

func request(roles ...string) apikey.Request {
	return apikey.Request{Name: "ci", Roles: roles, Lifetime: 30 * day}
}

// accepted reports whether the gate of a node accepts a key.
func (n *node) accepted(secret string) bool {
	n.t.Helper()
	if err := n.Revocations.Refresh(n.t.Context()); err != nil {
		n.t.Fatalf("Refresh() failed: %v", err)
	}
	_, err := n.Verifier().VerifyKey(secret, n.Now())
	return err == nil
}

// wantError checks status and code of a public error.
func wantError(t *testing.T, call string, err error, status int, code authcore.Code) {
	t.Helper()
	var public *authcore.Error
	if !errors.As(err, &public) || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", call, err, status, code)
	}
}

// cutLast cuts a token at its last dot.
func cutLast(token string) (before, after string, found bool) {
	at := strings.LastIndexByte(token, '.')
	return token[:max(at, 0)], token[at+1:], at >= 0
}

func dump(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("json.Marshal() failed: %v", err)
	}
	return string(text)
}

func contains(text, part string) bool { return part != "" && strings.Contains(text, part) }
