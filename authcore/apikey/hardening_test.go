package apikey_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// A stolen login token that is older than 15 minutes creates no key, which would outlive
// it.
func TestOldLoginCreatesNoKey(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	n.clock.Advance(16 * time.Minute)
	_, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
	wantError(t, "Create() with an old login", err, 403, authcore.CodeReauthenticationRequired)
}

// A stolen key creates no further key, however new it is: it has no time of login.
func TestKeyCreatesNoKey(t *testing.T) {
	n := newNode(t, apikey.Users)
	key := n.create(n.login(ann))
	claims, err := n.Verifier().VerifyKey(key.Secret, n.Now())
	if err != nil {
		t.Fatalf("VerifyKey() failed: %v", err)
	}
	_, err = n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
	wantError(t, "Create() with a key", err, 403, authcore.CodeReauthenticationRequired)
	forged := *claims
	forged.AuthTime = n.Now().Unix()
	_, err = n.APIKeys.Create(t.Context(), &forged, authcore.Caller{}, request())
	wantError(t, "Create() with the session of a key", err, 401, authcore.CodeInvalidToken)
	_, err = n.Sessions.Refresh(t.Context(), claims)
	wantError(t, "Refresh() with a key", err, 401, authcore.CodeInvalidToken)
	_, err = n.Sessions.Renew(t.Context(), authcore.SessionRef{UserID: claims.Subject, ID: claims.Session})
	wantError(t, "Renew() with a key", err, 401, authcore.CodeInvalidToken)
}

// A login without the second factor that its user has creates no key, which would skip it.
func TestFirstFactorCreatesNoKey(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	n.APIKeys = apikey.New(apikey.Config{Store: n.store, Use: apikey.Users, Rules: &account.Rules{SecondFactor: account.SecondFactorOptional}, Now: n.Now})
	n.enrol(claims.Subject)
	_, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
	wantError(t, "Create() with the first factor only", err, 403, authcore.CodeSecondFactorRequired)
}

// A token that was revoked a moment ago on another node creates no key, even if this
// node does not know yet.
func TestEndedSessionCreatesNoKey(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	if err := n.Sessions.Logout(t.Context(), claims, false); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	_, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
	wantError(t, "Create() after the logout", err, 401, authcore.CodeInvalidToken)
}

// A key ends when its owner is disabled and does not come back when the owner is
// enabled, and it ends when the owner is deleted, to the end of its lifetime.
func TestKeyEndsWithItsOwner(t *testing.T) {
	for name, end := range map[string]func(*node, string) error{
		"disabled": func(n *node, id string) error {
			_, err := n.Accounts.Disable(n.t.Context(), id)
			return err
		},
		"disabled and enabled": func(n *node, id string) error {
			if _, err := n.Accounts.Disable(n.t.Context(), id); err != nil {
				return err
			}
			_, err := n.Accounts.Enable(n.t.Context(), id)
			return err
		},
		"deleted": func(n *node, id string) error { return n.Accounts.Delete(n.t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, apikey.Users)
			other := nodeOn(t, n.store, n.clock, apikey.Users)
			claims := n.login(ann)
			created, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, apikey.Request{Name: "ci", Lifetime: apikey.MaxLifetime})
			if err != nil || !other.accepted(created.Secret) {
				t.Fatalf("Create() = %v, or the other node refuses the key", err)
			}
			if err := end(n, claims.Subject); err != nil {
				t.Fatalf("ending the owner failed: %v", err)
			}
			for range 12 {
				if n.accepted(created.Secret) || other.accepted(created.Secret) {
					t.Fatalf("a node accepts the key after %s", n.Now().Sub(created.Created))
				}
				n.clock.Advance(30 * day)
				for _, node := range []*node{n, other} {
					if err := node.Maintain(t.Context()); err != nil {
						t.Fatalf("Maintain() failed: %v", err)
					}
				}
			}
		})
	}
}

// The signed statement of a key contains the address of its owner. When that changes,
// the key ends: another person may own the former address, and rules may name it.
func TestKeyEndsWithTheAddress(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	key := n.create(claims)
	receipt, err := n.Logins.RequestEmailChange(t.Context(), login.EmailChangeRequest{Claims: claims, Email: "new@example.com"})
	if err != nil {
		t.Fatalf("RequestEmailChange() failed: %v", err)
	}
	_, err = n.Logins.ConfirmEmailChange(t.Context(), login.EmailChangeProof{
		Claims: claims, RequestID: receipt.RequestID, Code: n.mails[len(n.mails)-1].Code,
	})
	if err != nil {
		t.Fatalf("ConfirmEmailChange() failed: %v", err)
	}
	if n.accepted(key.Secret) {
		t.Error("the gate accepts a key with the former address")
	}
}

// A logout everywhere, and more logins than a user may have, end no key: a script must
// not fail because a person signs in and out.
func TestLoginsEndNoKey(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	key := n.create(claims)
	for range 3 {
		claims = n.login(ann)
	}
	list, err := n.Sessions.List(t.Context(), claims)
	if err != nil || len(list) != 4 {
		t.Errorf("List() = %d sessions, %v, want 4 without the key", len(list), err)
	}
	wantError(t, "End() of a key", n.Sessions.End(t.Context(), claims, key.ID), 404, authcore.CodeNotFound)
	if err := n.Sessions.Logout(t.Context(), claims, true); err != nil {
		t.Fatalf("Logout(everywhere) failed: %v", err)
	}
	if !n.accepted(key.Secret) {
		t.Error("the gate refuses the key after a logout everywhere")
	}
}

// Keys and their revocations are bounded: a user has 50 keys and creates 30 a day,
// whatever the number of nodes and of calls at once (CWE-770).
func TestKeysAreBounded(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	var wait sync.WaitGroup
	var made atomic.Int32
	for range 60 {
		wait.Go(func() {
			if _, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request()); err == nil {
				made.Add(1)
			}
		})
	}
	wait.Wait()
	if made.Load() > 30 {
		t.Errorf("a user created %d keys at once, want 30 at most", made.Load())
	}
	for range 60 {
		_, _ = n.APIKeys.CreateFor(t.Context(), claims.Subject, request()) // as an operator
	}
	_, err := n.APIKeys.CreateFor(t.Context(), claims.Subject, request())
	wantError(t, "CreateFor() beyond the limit", err, 409, authcore.CodeTooManyKeys)
	if list, err := n.APIKeys.List(t.Context(), claims.Subject); err != nil || len(list) != 50 {
		t.Errorf("List() = %d keys, %v, want 50", len(list), err)
	}
}

// A rotation of the signing keys ends no key before its expiry, and its expiry does.
func TestKeyOutlivesRotations(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	created, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, apikey.Request{Name: "ci", Lifetime: 365 * day})
	if err != nil {
		t.Fatalf("Create() failed: %v", err)
	}
	for range 36 {
		n.clock.Advance(10 * day)
		if err := n.Maintain(t.Context()); err != nil {
			t.Fatalf("Maintain() failed: %v", err)
		}
		if !n.accepted(created.Secret) {
			t.Fatalf("the gate refuses the key after %s", n.Now().Sub(created.Created))
		}
	}
	n.clock.Advance(5 * day)
	if n.accepted(created.Secret) {
		t.Error("the gate accepts an expired key")
	}
	if list, err := n.APIKeys.List(t.Context(), claims.Subject); err != nil || len(list) != 0 {
		t.Errorf("List() = %+v, %v, want no expired key", list, err)
	}
}

// The secret of a key is neither stored, nor in a notice or an event.
func TestKeyIsNotStored(t *testing.T) {
	n := newNode(t, apikey.Users)
	created := n.create(n.login(ann))
	_, signature, _ := cutLast(created.Secret)
	for cursor := ""; ; {
		items, next, err := n.store.Export(t.Context(), cursor, n.Now())
		if err != nil {
			t.Fatalf("Export() failed: %v", err)
		}
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			if text := dump(t, item); contains(text, signature) || contains(text, gate.KeyPrefix) {
				t.Errorf("the store contains the key: %s", text)
			}
		}
		cursor = next
	}
	for _, mail := range n.mails {
		if text := fmt.Sprintf("%+v", mail); contains(text, signature) || contains(text, gate.KeyPrefix) {
			t.Errorf("a mail contains the key: %s", text)
		}
	}
}
