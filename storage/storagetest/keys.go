package storagetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func keyChecks() []check {
	return []check{
		{"StartsEmptyAndStores", func(t *testing.T, store authcore.Store) {
			want := []authcore.SigningKey{newKey("a"), newKey("b")}
			want[1].Expires = at(2 * day)
			updateKeys(t, store, nil, want)
			updateKeys(t, store, want, want) // unchanged
			updateKeys(t, store, want, want[1:])
			updateKeys(t, store, want[1:], nil)
			updateKeys(t, store, nil, nil)
		}},
		{"ReturnsTheErrorOfChange", func(t *testing.T, store authcore.Store) {
			want := []authcore.SigningKey{newKey("a")}
			updateKeys(t, store, nil, want)
			wantRefused(t, "UpdateKeys", drop(store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
				return []authcore.SigningKey{newKey("b")}, errRefused
			})))
			updateKeys(t, store, want, want)
		}},
		{"RacingNodesAgree", keyRace},
		{"ConflictingUpdates", keyConflict},
		{"ChangeRunsOutsideOfTransactions", keyCallback},
	}
}

// updateKeys checks what change gets and what UpdateKeys returns.
func updateKeys(t *testing.T, store authcore.Store, want, next []authcore.SigningKey) {
	t.Helper()
	got, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		wantSame(t, "stored keys", keys, want)
		return next, nil
	})
	wantErr(t, "UpdateKeys", err, nil)
	wantSame(t, "UpdateKeys", got, next)
}

// addKey appends a key to the stored ones. It calls before first, once.
func addKey(ctx context.Context, store authcore.Store, id string, before func()) ([]authcore.SigningKey, error) {
	var once sync.Once
	return store.UpdateKeys(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		once.Do(before)
		return append(keys, newKey(id)), nil
	})
}

// keyRace: nodes that start together on an empty store and each keep a key of
// their own would refuse each other's tokens.
func keyRace(t *testing.T, store authcore.Store) {
	var ids sync.Map
	together(few, func(int) {
		own := newKey(uuid())
		keys, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
			if len(keys) == 0 {
				return []authcore.SigningKey{own}, nil
			}
			return keys, nil
		})
		wantErr(t, "UpdateKeys", err, nil)
		for _, key := range keys {
			if other, _ := ids.LoadOrStore("first", key.ID); other != key.ID {
				t.Errorf("nodes that started together have the keys %s and %s, want one", key.ID, other)
			}
		}
	})
	together(few, func(int) {
		_, err := addKey(t.Context(), store, uuid(), func() {})
		wantErr(t, "UpdateKeys", err, nil)
	})
	keys, err := store.UpdateKeys(t.Context(), unchanged)
	if err != nil || len(keys) != few+1 {
		t.Errorf("UpdateKeys = %d keys, error %v, want %d: an update was lost", len(keys), err, few+1)
	}
}

func unchanged(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil }

// keyConflict: of two nodes that rotate at the same time, the later one sees the
// key of the earlier one.
func keyConflict(t *testing.T, store authcore.Store) {
	updateKeys(t, store, nil, []authcore.SigningKey{newKey("a")})
	calls := 0
	keys, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		if calls++; calls == 1 {
			other := make(chan error, 1)
			go func() {
				_, err := addKey(t.Context(), store, "b", func() {})
				other <- err
			}()
			if err := receive(t, other); err != nil {
				return nil, err
			}
		}
		return append(keys, newKey("c")), nil
	})
	wantErr(t, "UpdateKeys", err, nil)
	wantSame(t, "UpdateKeys", keys, []authcore.SigningKey{newKey("a"), newKey("b"), newKey("c")})
	if calls < 2 {
		t.Errorf("change was called %d times, want again after the conflict", calls)
	}
}

// keyCallback: generating an RSA key takes seconds, in which logins must not wait.
func keyCallback(t *testing.T, store authcore.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), patience())
	defer cancel()
	account := signUpNamed(t, store, "ada")
	_, err := addKey(ctx, store, "a", func() {
		ended := make(chan error, 1)
		go func() {
			record := newRecord("key", account.User.ID)
			_, login := store.Login(ctx, authcore.LoginStep{Now: start, Decide: storing(newAccount("grace"))})
			_, read := store.User(ctx, byID(account.User.ID))
			ended <- errors.Join(login, read, store.PutRecord(ctx, record, authcore.PutOptions{Now: start}))
		}()
		wantErr(t, "calls during change", receive(t, ended), nil)
	})
	wantErr(t, "UpdateKeys", err, nil)
}
