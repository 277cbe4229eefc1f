package postgres

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// How old a revocation is, is told by the clock of the server alone, and by the
// last time that it was made.
func TestRevocationsTellTheirAge(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	store := realm(t, db, "age")
	now := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC) // no clock of this machine
	user := authcore.User{ID: "u", Created: now}
	if _, _, err := store.EnsureUser(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	previous := time.Duration(0)
	for range 2 {
		if _, err := store.SetDisabled(t.Context(), "u", true, now.Add(time.Hour), now); err != nil {
			t.Fatal(err)
		}
		if _, err := db.pool.Exec(t.Context(), `SELECT pg_sleep(0.3)`); err != nil {
			t.Fatal(err)
		}
		entries, _, err := store.RevocationsSince(t.Context(), "")
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		age := entries[0].Age
		if age < 300*time.Millisecond || age > time.Minute || previous > 0 && age > previous+10*time.Second {
			t.Errorf("age %s, before %s", age, previous)
		}
		previous = age
	}
}
