package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func codeChecks() []check {
	return []check{
		{"RightCodeTakesTheLink", func(t *testing.T, store authcore.Store) {
			want := newLink("ada@example.com", "s", "right")
			addLink(t, store, want)
			_, err := store.TakeCode(t.Context(), "grace@example.com", want.Code, start)
			wantErr(t, "TakeCode of another address", err, authcore.ErrNotFound)
			got, err := store.TakeCode(t.Context(), want.EmailKey, want.Code, start)
			wantErr(t, "TakeCode", err, nil)
			if got.Secret != want.Secret || got.Email != want.Email || got.EmailKey != want.EmailKey {
				t.Errorf("link %s, want %s", plain(got), plain(want))
			}
			_, err = store.TakeCode(t.Context(), want.EmailKey, want.Code, start)
			wantErr(t, "TakeCode again", err, authcore.ErrNotFound)
			_, err = store.TakeLink(t.Context(), want.Secret, start)
			wantErr(t, "TakeLink after the code was used", err, authcore.ErrNotFound)
		}},
		{"UsedLinkEndsTheCode", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			_, err := store.TakeLink(t.Context(), link.Secret, start)
			wantErr(t, "TakeLink", err, nil)
			_, err = store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
			wantErr(t, "TakeCode after the link was used", err, authcore.ErrNotFound)
		}},
		{"LastGuessMayBeRight", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			guessWrong(t, store, link, authcore.MaxGuesses-1)
			_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
			wantErr(t, "TakeCode at the last guess", err, nil)
		}},
		{"DeadAfterMaxGuessesWhileTheLinkWorks", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			guessWrong(t, store, link, authcore.MaxGuesses)
			_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
			wantErr(t, "TakeCode with the right code, too late", err, authcore.ErrNotFound)
			wantGuesses(t, store, link)
		}},
		{"ParallelGuessersGetNoMore", func(t *testing.T, store authcore.Store) {
			// The guesses are all in flight before one is answered: a count
			// that is read, compared and written in steps lets them all
			// through (CWE-362, CWE-307).
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			together(crowd, func(i int) {
				_, err := store.TakeCode(t.Context(), link.EmailKey, secretOf(fmt.Sprint(i)), start)
				wantErr(t, "wrong guess", err, authcore.ErrNotFound)
			})
			_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
			wantErr(t, "TakeCode with the right code, too late", err, authcore.ErrNotFound)
			wantGuesses(t, store, link)
		}},
		{"ParallelGuessesAreNotLost", func(t *testing.T, store authcore.Store) {
			for round := range 20 {
				link := newLink("ada@example.com", uuid(), "right")
				addLink(t, store, link)
				together(authcore.MaxGuesses, func(i int) {
					_, err := store.TakeCode(t.Context(), link.EmailKey, secretOf(fmt.Sprint(i)), start)
					wantErr(t, "wrong guess", err, authcore.ErrNotFound)
				})
				_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
				wantErr(t, fmt.Sprintf("round %d: right code, too late", round), err, authcore.ErrNotFound)
			}
		}},
		{"OneWinnerOfMany", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			won := winners(t, authcore.ErrNotFound, func(int) error {
				_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
				return err
			})
			if won != 1 {
				t.Errorf("%d of %d callers took one link by its code", won, crowd)
			}
		}},
		{"ExpiresWithTheLink", func(t *testing.T, store authcore.Store) {
			link := newLink("ada@example.com", "s", "right")
			addLink(t, store, link)
			for _, late := range []time.Duration{0, time.Hour} {
				_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, link.Expires.Add(late))
				wantErr(t, "TakeCode "+late.String()+" late", err, authcore.ErrNotFound)
			}
			_, err := store.TakeCode(t.Context(), link.EmailKey, link.Code, link.Expires.Add(-time.Millisecond))
			wantErr(t, "TakeCode in time", err, nil)
		}},
		{"NewLinkHasFreshGuesses", func(t *testing.T, store authcore.Store) {
			older := newLink("ada@example.com", "older", "1")
			addLink(t, store, older)
			guessWrong(t, store, older, authcore.MaxGuesses)
			newer := newLink("ada@example.com", "newer", "2")
			addLink(t, store, newer)
			_, err := store.TakeCode(t.Context(), newer.EmailKey, newer.Code, start)
			wantErr(t, "TakeCode of the newer link", err, nil)
		}},
	}
}

func guessWrong(t *testing.T, store authcore.Store, link authcore.Link, times int) {
	t.Helper()
	for i := range times {
		_, err := store.TakeCode(t.Context(), link.EmailKey, secretOf(fmt.Sprint("wrong", i)), start)
		wantErr(t, "wrong guess", err, authcore.ErrNotFound)
	}
}

// wantGuesses takes the link, whose code is dead, and checks the count.
func wantGuesses(t *testing.T, store authcore.Store, link authcore.Link) {
	t.Helper()
	got, err := store.TakeLink(t.Context(), link.Secret, start)
	wantErr(t, "TakeLink after the code died", err, nil)
	if got.Guesses != authcore.MaxGuesses {
		t.Errorf("%d guesses were evaluated, want exactly %d", got.Guesses, authcore.MaxGuesses)
	}
}
