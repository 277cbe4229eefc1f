package storagetest

import (
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
	}
}
