package apikey_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestCreate(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	n.give(claims.Subject, "admin", "editor")
	created, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, apikey.Request{
		Name: " my\tkey ", Roles: []string{"editor", "editor"}, Lifetime: 30 * day,
	})
	if err != nil {
		t.Fatalf("Create() failed: %v", err)
	}
	if created.Name != "my key" || !slices.Equal(created.Roles, []string{"editor"}) || !created.LastUsed.IsZero() ||
		!created.Expires.Equal(created.Created.Add(30*day)) || !strings.HasPrefix(created.Secret, "eak_") {
		t.Errorf("Create() = %+v, want a key of 30 days with the role editor", created)
	}
	got, err := n.Verifier().VerifyKey(created.Secret, n.Now())
	if err != nil {
		t.Fatalf("VerifyKey() failed: %v", err)
	}
	if got.Subject != claims.Subject || got.Session != created.ID || got.Method != "key" || got.Client != "" || got.AuthTime != 0 ||
		got.Email != ann || !slices.Equal(got.AMR, []string{"key"}) || got.ACR != "" {
		t.Errorf("VerifyKey() = %+v, want the user with the method key and no login", got)
	}
	list, err := n.APIKeys.List(t.Context(), claims.Subject)
	if err != nil || len(list) != 1 || list[0].ID != created.ID {
		t.Errorf("List() = %+v, %v, want the key", list, err)
	}
	if last := n.mails[len(n.mails)-1]; last.Kind != authcore.MailKeyCreated || last.To != ann {
		t.Errorf("the last mail is %+v, want the notice about the key", last)
	}
	if !slices.Contains(n.events, authcore.EventKeyCreated) {
		t.Errorf("events = %v, want %s", n.events, authcore.EventKeyCreated)
	}
}

func TestCreateRefuses(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	n.give(claims.Subject, "editor")
	for name, change := range map[string]func(*apikey.Request){
		"no name":           func(r *apikey.Request) { r.Name = " \u200b" },
		"long name":         func(r *apikey.Request) { r.Name = strings.Repeat("é", 101) },
		"key as name":       func(r *apikey.Request) { r.Name = "eak_eyJ" },
		"no expiry":         func(r *apikey.Request) { r.Lifetime = 0 },
		"expiry in seconds": func(r *apikey.Request) { r.Lifetime = time.Second },
		"over a year":       func(r *apikey.Request) { r.Lifetime = apikey.MaxLifetime + time.Second },
		"other role":        func(r *apikey.Request) { r.Roles = []string{"editor", "admin"} },
	} {
		r := request()
		change(&r)
		_, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, r)
		wantError(t, "Create("+name+")", err, 400, authcore.CodeInvalidRequest)
	}
	if list, err := n.APIKeys.List(t.Context(), claims.Subject); err != nil || len(list) != 0 {
		t.Errorf("List() = %+v, %v, want no key", list, err)
	}
}

func TestUse(t *testing.T) {
	for use, want := range map[apikey.Use][2]bool{apikey.Off: {}, apikey.Operators: {false, true}, apikey.Users: {true, true}} {
		n := newNode(t, use)
		claims := n.login(ann)
		_, byUser := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
		_, byOperator := n.APIKeys.CreateFor(t.Context(), claims.Subject, request())
		_, service := n.APIKeys.CreateService(t.Context(), "bot", request())
		if got := [3]bool{byUser == nil, byOperator == nil, service == nil}; got != [3]bool{want[0], want[1], want[1]} {
			t.Errorf("api_keys %s: created by user, operator, for a service = %v, want %v", use, got, want)
		}
		if byUser != nil {
			wantError(t, "Create() with "+string(use), byUser, 403, authcore.CodeKeysClosed)
		}
	}
}

func TestRevoke(t *testing.T) {
	n := newNode(t, apikey.Users)
	other := nodeOn(t, n.store, n.clock, apikey.Users)
	claims, bob := n.login(ann), n.login("bob@example.com")
	key, second, third := n.create(claims), n.create(claims), n.create(claims)
	wantError(t, "Revoke() of another user's key", n.APIKeys.Revoke(t.Context(), bob.Subject, key.ID), 404, authcore.CodeNotFound)
	wantError(t, "Revoke() of a login", n.APIKeys.Revoke(t.Context(), claims.Subject, claims.Session), 404, authcore.CodeNotFound)
	if !n.accepted(key.Secret) || !other.accepted(key.Secret) {
		t.Fatal("a node refuses a key that was not revoked")
	}
	if err := n.APIKeys.Revoke(t.Context(), claims.Subject, key.ID); err != nil {
		t.Fatalf("Revoke() failed: %v", err)
	}
	if err := n.APIKeys.RevokeAny(t.Context(), second.ID); err != nil {
		t.Fatalf("RevokeAny() failed: %v", err)
	}
	for _, ended := range []apikey.Created{key, second} {
		if n.accepted(ended.Secret) || other.accepted(ended.Secret) {
			t.Error("a node accepts a revoked key")
		}
		wantError(t, "repeated Revoke()", n.APIKeys.Revoke(t.Context(), claims.Subject, ended.ID), 404, authcore.CodeNotFound)
		wantError(t, "repeated RevokeAny()", n.APIKeys.RevokeAny(t.Context(), ended.ID), 404, authcore.CodeNotFound)
	}
	if list, err := n.APIKeys.List(t.Context(), claims.Subject); err != nil || len(list) != 1 || list[0].ID != third.ID {
		t.Errorf("List() = %+v, %v, want the third key", list, err)
	}
	wantError(t, "RevokeAny() of an unknown key", n.APIKeys.RevokeAny(t.Context(), "unknown"), 404, authcore.CodeNotFound)
}

func TestService(t *testing.T) {
	n := newNode(t, apikey.Operators)
	first, err := n.APIKeys.CreateService(t.Context(), "deploy bot", request("deploy"))
	if err != nil {
		t.Fatalf("CreateService() failed: %v", err)
	}
	second, err := n.APIKeys.CreateService(t.Context(), "deploy  bot", request("deploy"))
	if err != nil || second.UserID != first.UserID {
		t.Errorf("CreateService() = %+v, %v, want a key of the same account", second, err)
	}
	_, err = n.APIKeys.CreateService(t.Context(), "deploy bot", request("admin"))
	wantError(t, "CreateService() with another role", err, 400, authcore.CodeInvalidRequest)
	user, err := n.store.User(t.Context(), authcore.UserRef{ID: first.UserID})
	if err != nil || user.Email != "" || user.Name() != "deploy bot" || !slices.Equal(user.Roles, []string{"deploy"}) {
		t.Errorf("the service account is %+v, %v, want a user without an address", user, err)
	}
	if !n.accepted(first.Secret) || !n.accepted(second.Secret) {
		t.Error("the gate refuses a key of the service account")
	}
	if _, err := n.Accounts.Disable(t.Context(), first.UserID); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	if n.accepted(first.Secret) {
		t.Error("the gate accepts a key of a disabled service account")
	}
	_, err = n.APIKeys.CreateService(t.Context(), "deploy bot", request())
	wantError(t, "CreateService() for a disabled account", err, 403, authcore.CodeUserInactive)
	for _, name := range []string{"", " ", strings.Repeat("x", 101)} {
		_, err := n.APIKeys.CreateService(t.Context(), name, request())
		wantError(t, fmt.Sprintf("CreateService(%.5q)", name), err, 400, authcore.CodeInvalidRequest)
	}
}

// The last use is recorded about once an hour, and not by the request.
func TestLastUsed(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	key := n.create(claims)
	lastUsed := func() time.Time {
		t.Helper()
		if err := n.Sessions.FlushSeen(t.Context()); err != nil {
			t.Fatalf("FlushSeen() failed: %v", err)
		}
		list, err := n.APIKeys.List(t.Context(), claims.Subject)
		if err != nil {
			t.Fatalf("List() failed: %v", err)
		}
		return list[0].LastUsed
	}
	use := func() {
		t.Helper()
		if !n.accepted(key.Secret) {
			t.Fatal("the gate refuses the key")
		}
	}
	if got := lastUsed(); !got.IsZero() {
		t.Errorf("the last use of a new key is %s, want none", got)
	}
	n.clock.Advance(time.Minute)
	use()
	first := n.Now()
	if got := lastUsed(); !got.Equal(first) {
		t.Errorf("the last use is %s, want %s", got, first)
	}
	for range 30 {
		n.clock.Advance(2 * time.Minute)
		if n.Now().Sub(first) < time.Hour {
			use()
		}
	}
	if got := lastUsed(); !got.Equal(first) {
		t.Errorf("the last use is %s within the hour, want %s", got, first)
	}
	n.clock.Advance(time.Minute)
	use()
	if got := lastUsed(); !got.Equal(n.Now()) {
		t.Errorf("the last use is %s after the hour, want %s", got, n.Now())
	}
}

// downStore fails one kind of call.
type downStore struct {
	authcore.Store
	failing string
}

func (s *downStore) err(call string) error {
	if s.failing == call {
		return fmt.Errorf("%w: no route", authcore.ErrUnavailable)
	}
	return nil
}

func (s *downStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	if err := s.err("account"); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.UpdateAccount(ctx, id, now, change)
}

func (s *downStore) UpdateKeys(ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) ([]authcore.SigningKey, error) {
	if err := s.err("keys"); err != nil {
		return nil, err
	}
	return s.Store.UpdateKeys(ctx, change)
}

func (s *downStore) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	if err := s.err("record"); err != nil {
		return err
	}
	return s.Store.PutRecord(ctx, record, options)
}

// A step that fails leaves no key, and the error is 503.
func TestStoreIsDown(t *testing.T) {
	store := &downStore{Store: memory.New()}
	n := newNode(t, apikey.Users)
	n = nodeOn(t, store, n.clock, apikey.Users)
	claims := n.login(ann)
	for _, step := range []string{"keys", "record", "account"} {
		store.failing = step
		_, err := n.APIKeys.Create(t.Context(), claims, authcore.Caller{}, request())
		wantError(t, "Create() without "+step, err, 503, authcore.CodeUnavailable)
		store.failing = ""
		if list, err := n.APIKeys.List(t.Context(), claims.Subject); err != nil || len(list) != 0 {
			t.Errorf("List() after a failure of %s = %+v, %v, want none", step, list, err)
		}
	}
	key := n.create(claims)
	store.failing = "account"
	wantError(t, "Revoke()", n.APIKeys.Revoke(t.Context(), claims.Subject, key.ID), 503, authcore.CodeUnavailable)
	if !n.accepted(key.Secret) {
		t.Error("the gate refuses a key whose revocation failed")
	}
}

func TestClaimsOfALongName(t *testing.T) {
	n := newNode(t, apikey.Users)
	claims := n.login(ann)
	_, err := n.store.UpdateAccount(t.Context(), claims.Subject, n.Now(), func(a *authcore.Account) error {
		a.User.FirstName, a.User.LastName = strings.Repeat("\u2028", 150), strings.Repeat("<", 400)
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	if key := n.create(claims); len(key.Secret) > gate.MaxToken || !n.accepted(key.Secret) {
		t.Errorf("Create() gave a key of %d bytes that the gate refuses", len(key.Secret))
	}
}
