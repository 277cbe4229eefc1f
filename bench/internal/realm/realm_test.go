package realm

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// What is measured as a good or a forged token has to be one.
func TestTokens(t *testing.T) {
	for _, algorithm := range authcore.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			r, err := Prepare(t.Context(), filepath.Join(t.TempDir(), "realm.db"), Spec{Algorithm: algorithm, Sessions: 2})
			if err != nil {
				t.Fatal(err)
			}
			verifier, err := r.Verifier(gate.VerifierConfig{})
			if err != nil {
				t.Fatal(err)
			}
			good, err := r.Tokens(t.Context(), 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range good {
				check(t, verifier, token, nil)
			}
			if good[0] == good[1] {
				t.Error("two tokens are the same")
			}
			for _, test := range []struct {
				make func() (string, error)
				want error
			}{{r.UnknownKey, gate.ErrUnknownKey}, {r.Expired, gate.ErrExpired}} {
				token, err := test.make()
				if err != nil {
					t.Fatal(err)
				}
				check(t, verifier, token, test.want)
			}
			if algorithm != gate.EdDSA {
				return
			}
			forged, err := r.Forged(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			check(t, verifier, forged[0], gate.ErrSignature)
			confused, err := r.WrongAlgorithm()
			if err != nil {
				t.Fatal(err)
			}
			check(t, verifier, confused, gate.ErrUnknownKey)
		})
	}
}

func check(t *testing.T, verifier *gate.Verifier, token string, want error) {
	t.Helper()
	if _, err := verifier.Verify(token, time.Now()); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// A realm with revocations has as many live sessions, whose tokens are good.
func TestRevoked(t *testing.T) {
	const n = 25
	path := filepath.Join(t.TempDir(), "realm.db")
	r, err := Prepare(t.Context(), path, Spec{Algorithm: gate.EdDSA, Sessions: n, Revoked: true})
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := db.Realm(t.Context(), defaultRealm)
	if err != nil {
		t.Fatal(err)
	}
	entries, _, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	revoked := map[string]bool{}
	for _, entry := range entries {
		revoked[entry.ID] = true
	}
	for i := range n {
		if !revoked[r.RevokedID(i)] || revoked[r.claims(i).ID] {
			t.Fatalf("session %d: the wrong token is revoked", i)
		}
	}
	sessions, err := store.SessionsOf(t.Context(), userID(0), r.now)
	if err != nil || len(sessions) != sessionsPerUser {
		t.Errorf("%d sessions of the first user, want %d; error %v", len(sessions), sessionsPerUser, err)
	}
}

func TestIDsAscend(t *testing.T) {
	for i := range 1000 {
		if id(sessionKind, i) >= id(sessionKind, i+1) {
			t.Fatalf("the id of %d does not come before the next", i)
		}
	}
	if id(sessionKind, 7) == id(tokenKind, 7) {
		t.Error("two kinds share an id")
	}
}
