package storagetest

import (
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func keyChecks() []check {
	return []check{
		{"StartsEmptyAndStores", func(t *testing.T, store authcore.Store) {
			want := []authcore.SigningKey{newKey("a"), newKey("b")}
			want[1].Expires = want[1].Expires.AddDate(0, 0, 1)
			updateKeys(t, store, nil, want)
			updateKeys(t, store, want, want) // unchanged
			updateKeys(t, store, want, want[1:])
			updateKeys(t, store, want[1:], nil)
			updateKeys(t, store, nil, nil)
		}},
		{"ReturnsTheErrorOfChange", func(t *testing.T, store authcore.Store) {
			want := []authcore.SigningKey{newKey("a")}
			updateKeys(t, store, nil, want)
			_, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
				return []authcore.SigningKey{newKey("b")}, errChange
			})
			if err != errChange { //nolint:errorlint // unchanged means unwrapped
				t.Errorf("error %v, want the one of change itself", err)
			}
			updateKeys(t, store, want, want)
		}},
		{"RacingInitialisersAgree", keyRace},
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
	wantSame(t, "returned keys", got, next)
}

// keyRace: nodes that start at once on an empty store and each keep their own
// key would refuse each other's tokens.
func keyRace(t *testing.T, store authcore.Store) {
	var mu sync.Mutex
	ids := make(map[string]bool)
	together(crowd, func(int) {
		own := newKey(uuid())
		keys, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
			if len(keys) == 0 {
				return []authcore.SigningKey{own}, nil
			}
			return keys, nil
		})
		wantErr(t, "UpdateKeys", err, nil)
		mu.Lock()
		defer mu.Unlock()
		for _, key := range keys {
			ids[key.ID] = true
		}
	})
	if len(ids) != 1 {
		t.Errorf("%d nodes that started at once ended with %d keys, want one", crowd, len(ids))
	}
}
