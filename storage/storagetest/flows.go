package storagetest

import (
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func flowChecks() []check {
	return []check{
		{"TakenOnceAndWhole", func(t *testing.T, store authcore.Store) {
			want := newFlow("s")
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), want), nil)
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), newFlow("other")), nil)
			_, err := store.TakeFlow(t.Context(), secretOf("unknown"), start)
			wantErr(t, "TakeFlow of an unknown state", err, authcore.ErrNotFound)
			got, err := store.TakeFlow(t.Context(), want.State, start)
			wantErr(t, "TakeFlow", err, nil)
			wantSame(t, "flow", got, want)
			_, err = store.TakeFlow(t.Context(), want.State, start)
			wantErr(t, "TakeFlow again", err, authcore.ErrNotFound)
			_, err = store.TakeFlow(t.Context(), secretOf("other"), start)
			wantErr(t, "TakeFlow of the other", err, nil)
		}},
		{"OneWinnerOfMany", func(t *testing.T, store authcore.Store) {
			flow := newFlow("s")
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
			won := winners(t, authcore.ErrNotFound, func(int) error {
				_, err := store.TakeFlow(t.Context(), flow.State, start)
				return err
			})
			if won != 1 {
				t.Errorf("%d of %d callers took one flow", won, crowd)
			}
		}},
		{"ExpiresByTheTimePassedIn", func(t *testing.T, store authcore.Store) {
			flow := newFlow("s")
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
			for _, late := range []time.Duration{0, time.Millisecond, time.Hour} {
				_, err := store.TakeFlow(t.Context(), flow.State, flow.Expires.Add(late))
				wantErr(t, "TakeFlow "+late.String()+" late", err, authcore.ErrNotFound)
			}
			_, err := store.TakeFlow(t.Context(), flow.State, flow.Expires.Add(-time.Millisecond))
			wantErr(t, "TakeFlow in time", err, nil)
		}},
		{"UpdatedAndStillThere", updateFlow},
		{"UpdateReturnsTheErrorOfChange", func(t *testing.T, store authcore.Store) {
			want := newFlow("s")
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), want), nil)
			_, err := store.UpdateFlow(t.Context(), want.State, start, func(f *authcore.Flow) error {
				f.Nonce = "changed"
				return errChange
			})
			if err != errChange { //nolint:errorlint // unchanged means unwrapped
				t.Errorf("error %v, want the one of change itself", err)
			}
			got, err := store.TakeFlow(t.Context(), want.State, start)
			wantErr(t, "TakeFlow", err, nil)
			wantSame(t, "flow", got, want)
		}},
		{"UpdatesLoseNothing", func(t *testing.T, store authcore.Store) {
			flow := newFlow("s")
			flow.Nonce = ""
			wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
			together(crowd, func(int) {
				_, err := store.UpdateFlow(t.Context(), flow.State, start, func(f *authcore.Flow) error {
					f.Nonce += "x"
					return nil
				})
				wantErr(t, "UpdateFlow", err, nil)
			})
			got, err := store.TakeFlow(t.Context(), flow.State, start)
			wantErr(t, "TakeFlow", err, nil)
			if len(got.Nonce) != crowd {
				t.Errorf("%d of %d updates are there", len(got.Nonce), crowd)
			}
		}},
		{"UpdatedWhileTaken", updateTakenFlow},
	}
}

func updateFlow(t *testing.T, store authcore.Store) {
	want := newFlow("s")
	change := func(f *authcore.Flow) error {
		f.Nonce, f.Verifier = "changed", ""
		f.State, f.Expires = secretOf("elsewhere"), at(time.Hour) // without effect
		return nil
	}
	_, err := store.UpdateFlow(t.Context(), want.State, start, change)
	wantErr(t, "UpdateFlow of an unknown state", err, authcore.ErrNotFound)
	wantErr(t, "PutFlow", store.PutFlow(t.Context(), want), nil)
	for _, late := range []time.Duration{0, time.Millisecond, time.Hour} {
		_, err := store.UpdateFlow(t.Context(), want.State, want.Expires.Add(late), change)
		wantErr(t, "UpdateFlow "+late.String()+" late", err, authcore.ErrNotFound)
	}
	want.Nonce, want.Verifier = "changed", ""
	for range 2 {
		got, err := store.UpdateFlow(t.Context(), want.State, want.Expires.Add(-time.Millisecond), change)
		wantErr(t, "UpdateFlow", err, nil)
		wantSame(t, "returned", got, want)
	}
	_, err = store.TakeFlow(t.Context(), secretOf("elsewhere"), start)
	wantErr(t, "TakeFlow of a state that change chose", err, authcore.ErrNotFound)
	got, err := store.TakeFlow(t.Context(), want.State, want.Expires.Add(-time.Millisecond))
	wantErr(t, "TakeFlow", err, nil)
	wantSame(t, "stored", got, want)
	_, err = store.UpdateFlow(t.Context(), want.State, start, change)
	wantErr(t, "UpdateFlow of a taken one", err, authcore.ErrNotFound)
	_, err = store.TakeFlow(t.Context(), want.State, start)
	wantErr(t, "TakeFlow again", err, authcore.ErrNotFound)
}

// updateTakenFlow: an update must not bring back a flow that somebody took
// meanwhile.
func updateTakenFlow(t *testing.T, store authcore.Store) {
	for range 20 {
		flow := newFlow(uuid())
		wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
		var mu sync.Mutex
		taken := 0
		together(8, func(i int) {
			if i%2 == 0 {
				_, err := store.UpdateFlow(t.Context(), flow.State, start, func(f *authcore.Flow) error {
					f.Nonce = uuid()
					return nil
				})
				if err != nil {
					wantErr(t, "UpdateFlow", err, authcore.ErrNotFound)
				}
				return
			}
			if _, err := store.TakeFlow(t.Context(), flow.State, start); err == nil {
				mu.Lock()
				defer mu.Unlock()
				taken++
			}
		})
		_, err := store.TakeFlow(t.Context(), flow.State, start)
		wantErr(t, "TakeFlow after all", err, authcore.ErrNotFound)
		if taken != 1 {
			t.Errorf("%d callers took one flow", taken)
		}
	}
}
