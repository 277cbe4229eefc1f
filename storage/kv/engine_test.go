package kv

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// testEngine keeps entries in a map and records the size of each step.
type testEngine struct {
	entries map[string][]byte
	sorted  []string // nil after a write
	writes  int      // of the current step
	// largest is the largest number of writes in one step, steps the number of
	// steps that wrote.
	largest, steps int
	// before, if not nil, is called before each Update.
	before func()
}

func newTestStore() (*Store, *testEngine) {
	engine := &testEngine{entries: map[string][]byte{}}
	return New(engine, func() {}), engine
}

func (e *testEngine) View(ctx context.Context, run func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	return run(e)
}

func (e *testEngine) Update(ctx context.Context, run func(Tx) error) error {
	if e.before != nil {
		e.before()
	}
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	former := maps.Clone(e.entries)
	e.writes = 0
	if err := run(e); err != nil {
		e.entries, e.sorted = former, nil
		return err
	}
	e.largest = max(e.largest, e.writes)
	if e.writes > 0 {
		e.steps++
	}
	return nil
}

func (e *testEngine) Get(key []byte) []byte { return e.entries[string(key)] }

func (e *testEngine) From(key []byte) iter.Seq2[[]byte, []byte] {
	if e.sorted == nil {
		e.sorted = slices.Sorted(maps.Keys(e.entries))
	}
	return func(yield func(key, value []byte) bool) {
		at, _ := slices.BinarySearch(e.sorted, string(key))
		for _, found := range e.sorted[at:] {
			if !yield([]byte(found), e.entries[found]) {
				return
			}
		}
	}
}

func (e *testEngine) Put(key, value []byte) error {
	if e.entries[string(key)] == nil {
		e.sorted = nil
	}
	e.entries[string(key)] = slices.Concat(value) // never nil
	if value == nil {
		e.entries[string(key)] = []byte{}
	}
	e.writes++
	return nil
}

func (e *testEngine) Delete(key []byte) error {
	if _, found := e.entries[string(key)]; found {
		delete(e.entries, string(key))
		e.sorted = nil
		e.writes++
	}
	return nil
}

func (e *testEngine) Call(callback func()) error {
	callback()
	return nil
}

// damage overwrites an entry.
func (e *testEngine) damage(t *testing.T, key []byte) {
	t.Helper()
	if e.entries[string(key)] == nil {
		t.Fatalf("the entry %q is not stored", key)
	}
	e.entries[string(key)] = []byte(`{"expires":"x`)
}

// count returns the number of entries of a table.
func (e *testEngine) count(table byte) int {
	n := 0
	for key := range e.entries {
		if key[0] == table {
			n++
		}
	}
	return n
}

func newAccount(id string, sessions int) authcore.Account {
	a := authcore.Account{
		User: authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Created: origin},
		Identities: []authcore.Identity{
			{Provider: "github", Subject: id, PublicID: "public-" + id, Created: origin},
		},
	}
	for i := range sessions {
		a.Sessions = append(a.Sessions, authcore.Session{
			ID: fmt.Sprintf("session%06d", i), Created: origin, Expires: origin.Add(time.Hour),
		})
	}
	return a
}

func signUp(t *testing.T, store *Store, account authcore.Account) {
	t.Helper()
	_, err := store.Login(t.Context(), authcore.LoginStep{
		Now:    origin,
		Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
	})
	if err != nil {
		t.Fatalf("Login of %s = %v", account.User.ID, err)
	}
}

func putRecord(t *testing.T, store *Store, key, owner string, expires time.Duration) {
	t.Helper()
	record := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: key}, Owner: owner, Created: origin, Expires: origin.Add(expires),
	}
	if err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: origin}); err != nil {
		t.Fatalf("PutRecord(%s) = %v", key, err)
	}
}

func revokeUser(id string) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: origin.Add(time.Hour)}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !isError(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func wantEntries(t *testing.T, e *testEngine, table byte, want int) {
	t.Helper()
	if got := e.count(table); got != want {
		var keys []string
		for key := range e.entries {
			if key[0] == table {
				keys = append(keys, key)
			}
		}
		t.Errorf("table %c has %d entries, want %d: %.500q", table, got, want, strings.Join(keys, " "))
	}
}
