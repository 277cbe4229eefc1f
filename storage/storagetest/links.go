package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func linkChecks() []check {
	return []check{
		{"TakenOnceAndWhole", func(t *testing.T, store authcore.Store) {
			want := newLink("ada@example.com", "s", "c")
			addLink(t, store, want)
			_, err := store.TakeLink(t.Context(), secretOf("other"), start)
			wantErr(t, "TakeLink of an unknown secret", err, authcore.ErrNotFound)
			got, err := store.TakeLink(t.Context(), want.Secret, start)
			wantErr(t, "TakeLink", err, nil)
			wantSame(t, "link", got, want)
			_, err = store.TakeLink(t.Context(), want.Secret, start)
			wantErr(t, "TakeLink again", err, authcore.ErrNotFound)
		}},
		{"OneWinnerOfMany", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "c")
			addLink(t, store, link)
			won := winners(t, authcore.ErrNotFound, func(int) error {
				_, err := store.TakeLink(t.Context(), link.Secret, start)
				return err
			})
			if won != 1 {
				t.Errorf("%d of %d callers took one link", won, crowd)
			}
		}},
		{"OneWinnerOfLinkAndCode", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "c")
			addLink(t, store, link)
			won := winners(t, authcore.ErrNotFound, func(i int) error {
				if i%2 == 0 {
					_, err := store.TakeLink(t.Context(), link.Secret, start)
					return err
				}
				_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
				return err
			})
			if won != 1 {
				t.Errorf("%d of %d callers took one link by link or code", won, crowd)
			}
		}},
		{"NewerEndsOlder", newerLink},
		{"OneLiveLinkOfMany", putLinkRace},
		{"ExpiresByTheTimePassedIn", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "c")
			addLink(t, store, link)
			for _, late := range []time.Duration{0, time.Millisecond, time.Hour} {
				_, err := store.TakeLink(t.Context(), link.Secret, link.Expires.Add(late))
				wantErr(t, "TakeLink "+late.String()+" late", err, authcore.ErrNotFound)
			}
			_, err := store.TakeLink(t.Context(), link.Secret, link.Expires.Add(-time.Millisecond))
			wantErr(t, "TakeLink in time", err, nil)
		}},
	}
}

func newerLink(t *testing.T, store authcore.Store) {
	older := newLink("ada@example.com", "older", "1")
	newer := newLink("ada@example.com", "newer", "2")
	other := newLink("grace@example.com", "other", "3")
	newer.Created, newer.Expires = at(time.Minute), at(16*time.Minute)
	for _, link := range []authcore.Link{older, other, newer} {
		addLink(t, store, link)
	}
	_, err := store.TakeLink(t.Context(), older.Secret, at(time.Minute))
	wantErr(t, "TakeLink of the older link", err, authcore.ErrNotFound)
	_, err = store.TakeCode(t.Context(), older.EmailKey, older.Code, at(time.Minute))
	wantErr(t, "TakeCode of the older link", err, authcore.ErrNotFound)
	got, err := store.TakeLink(t.Context(), newer.Secret, at(time.Minute))
	wantErr(t, "TakeLink of the newer link", err, nil)
	if got.Guesses != 1 {
		t.Errorf("the guess with the older code was counted %d times at the newer link, want 1", got.Guesses)
	}
	_, err = store.TakeLink(t.Context(), older.Secret, at(time.Minute))
	wantErr(t, "TakeLink of the older link, the newer used", err, authcore.ErrNotFound)
	_, err = store.TakeLink(t.Context(), other.Secret, at(time.Minute))
	wantErr(t, "TakeLink of another address", err, nil)
}

func putLinkRace(t *testing.T, store authcore.Store) {
	links := make([]authcore.Link, crowd)
	for i := range links {
		links[i] = newLink("ada@example.com", uuid(), "c")
	}
	together(crowd, func(i int) {
		wantErr(t, "PutLink", store.PutLink(t.Context(), links[i]), nil)
	})
	live := 0
	for _, link := range links {
		if _, err := store.TakeLink(t.Context(), link.Secret, start); err == nil {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d links of one address were live at once, want 1", live)
	}
}
