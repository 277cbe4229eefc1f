package bolt

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestRevocationBytes(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, want := range []revocation{
		{authcore.Revocation{Kind: gate.RevokeToken, ID: "a", Until: at}, at},
		{authcore.Revocation{Kind: gate.RevokeUser, ID: "0190f5fe-0000-7000-8000-000000000001"}, at},
		{authcore.Revocation{Kind: "other", ID: ""}, time.Time{}},
	} {
		if got, err := parseRevocation(want.bytes()); err != nil || got != want {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	}
	if _, err := parseRevocation(nil); err == nil {
		t.Error("an empty entry was read")
	}
}

func FuzzRevocationBytes(f *testing.F) {
	f.Add(revocation{Revocation: authcore.Revocation{Kind: gate.RevokeSession, ID: "a"}}.bytes())
	f.Add([]byte{200, 1})
	f.Fuzz(func(t *testing.T, text []byte) {
		entry, err := parseRevocation(text)
		if err == nil && !bytes.Equal(entry.bytes(), text) {
			t.Fatalf("%x was read as %+v", text, entry)
		}
	})
}

// A node that starts reads the feed in pages and must miss nothing between them.
func TestRevocationsArePaged(t *testing.T) {
	store, err := openTemp(t).Realm(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	user := authcore.User{ID: "u", Created: time.Unix(0, 0)}
	if _, _, err := store.EnsureUser(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	const count = revocationPage + 10
	if err := change(t.Context(), store, func(t *tx) error {
		for i := range count {
			if err := t.revoke(gate.RevokeSession, fmt.Sprint(i), now.Add(time.Hour)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	seen, cursor := map[string]bool{}, ""
	for calls := 1; ; calls++ {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		if cursor = next; len(entries) == 0 {
			if calls != 3 || len(seen) != count {
				t.Errorf("%d entries in %d calls", len(seen), calls)
			}
			return
		}
		for _, entry := range entries {
			seen[entry.ID] = true
		}
	}
}
