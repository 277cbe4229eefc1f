package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Place makes an empty place for a realm and returns a function that opens the
// store there, after it has closed the one that it opened before. The last one
// is closed with t.Cleanup.
type Place func(t *testing.T) (reopen func() authcore.Store)

// RunDurable checks that everything a store acknowledged is there after it was
// closed and opened again. Counters are left out: the contract lets them go.
func RunDurable(t *testing.T, place Place) {
	checks := []struct {
		name string
		run  func(t *testing.T, reopen func() authcore.Store)
	}{
		{"Users", durableUsers},
		{"Links", durableLinks},
		{"Flows", durableFlows},
		{"Sessions", durableSessions},
		{"Revocations", durableRevocations},
		{"Keys", func(t *testing.T, reopen func() authcore.Store) {
			want := []authcore.SigningKey{newKey("a"), newKey("b")}
			updateKeys(t, reopen(), nil, want)
			updateKeys(t, reopen(), want, want)
		}},
		{"Sweep", func(t *testing.T, reopen func() authcore.Store) {
			link := newLink("ada@example.com", "s", "c")
			addLink(t, reopen(), link)
			wantErr(t, "Sweep", reopen().Sweep(t.Context(), at(24*time.Hour)), nil)
			_, err := reopen().TakeLink(t.Context(), link.Secret, start)
			wantErr(t, "TakeLink of a swept link", err, authcore.ErrNotFound)
		}},
	}
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) { check.run(t, place(t)) })
	}
	t.Run("Transfer", func(t *testing.T) { durableTransfer(t, place(t), place(t)) })
}

// durableTransfer moves a realm in a process that is killed after every page and
// begins again, and once through to the end.
func durableTransfer(t *testing.T, from, to func() authcore.Store) {
	want := settle(t, from())
	for part := range slices.Chunk(inhabitants(1500), 500) {
		wantImported(t, from(), part, len(part))
		want = append(want, part...)
	}
	now := at(2 * time.Hour)
	for pages, moved := 1, false; !moved; pages++ {
		source, target := from(), to()
		cursor := ""
		for range pages {
			records, next, err := source.Export(t.Context(), cursor, now)
			wantErr(t, "Export", err, nil)
			_, err = target.Import(t.Context(), records)
			wantErr(t, "Import", err, nil)
			cursor, moved = next, len(records) == 0 || err != nil
		}
	}
	wantRecords(t, to(), now, want)
	wantRecords(t, from(), now, want)
}

func durableUsers(t *testing.T, reopen func() authcore.Store) {
	store := reopen()
	user := addUser(t, store, "ada@example.com")
	gone := addUser(t, store, "gone@example.com")
	for _, subject := range []string{"1", "unlinked"} {
		wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity(subject, user.ID)), nil)
	}
	wantErr(t, "UnlinkIdentity", store.UnlinkIdentity(t.Context(), newIdentity("unlinked", user.ID)), nil)
	next := newIdentity("next", user.ID)
	next.Created = at(time.Minute)
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity("old", user.ID)), nil)
	wantErr(t, "ReplaceIdentity", replace(t, store, newIdentity("old", ""), next), nil)
	social := newUser("grace@example.com", true)
	_, _, err := store.EnsureIdentity(t.Context(), newIdentity("2", ""), social, false)
	wantErr(t, "EnsureIdentity", err, nil)
	user, err = store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
		u.Email = "countess@example.com"
		return nil
	})
	wantErr(t, "UpdateUser", err, nil)
	social, err = store.SetDisabled(t.Context(), social.ID, true, at(time.Hour), start)
	wantErr(t, "SetDisabled", err, nil)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), gone.ID, at(time.Hour), start), nil)

	store = reopen()
	for _, want := range []authcore.User{user, social} {
		got, err := store.User(t.Context(), want.ID)
		wantErr(t, "User", err, nil)
		wantSame(t, "user", got, want)
		got, err = store.UserByEmail(t.Context(), want.EmailKey())
		wantErr(t, "UserByEmail", err, nil)
		wantSame(t, "user of the address", got, want)
	}
	wantIdentities(t, store, user.ID, newIdentity("1", user.ID), next)
	wantErr(t, "ReplaceIdentity of what was replaced", replace(t, store, newIdentity("old", "")), authcore.ErrNotFound)
	for subject, want := range map[string]authcore.User{"1": user, next.Subject: user, "2": social} {
		got, err := store.UserByIdentity(t.Context(), newIdentity(subject, ""))
		wantErr(t, "UserByIdentity", err, nil)
		wantSame(t, "user of the identity", got, want)
	}
	for _, email := range []string{"ada@example.com", "gone@example.com"} {
		_, err = store.UserByEmail(t.Context(), email)
		wantErr(t, "UserByEmail "+email, err, authcore.ErrNotFound)
	}
	_, err = store.User(t.Context(), gone.ID)
	wantErr(t, "User that was deleted", err, authcore.ErrNotFound)
}

// durableLinks: a restart must give nobody new guesses, and must not make a used
// link usable again.
func durableLinks(t *testing.T, reopen func() authcore.Store) {
	guessed := newLink("guessed@example.com", "guessed", "c")
	used := newLink("used@example.com", "used", "c")
	replaced := newLink("kept@example.com", "replaced", "c")
	kept := newLink("kept@example.com", "kept", "c")
	for _, link := range []authcore.Link{guessed, used, replaced, kept} {
		addLink(t, reopen(), link)
	}
	for range authcore.MaxGuesses {
		guessWrong(t, reopen(), guessed, 1)
	}
	_, err := reopen().TakeCode(t.Context(), guessed.EmailKey, guessed.Code, start)
	wantErr(t, "TakeCode with the right code, too late", err, authcore.ErrNotFound)
	wantGuesses(t, reopen(), guessed)
	_, err = reopen().TakeLink(t.Context(), used.Secret, start)
	wantErr(t, "TakeLink", err, nil)
	for _, link := range []authcore.Link{guessed, used, replaced} {
		_, err = reopen().TakeLink(t.Context(), link.Secret, start)
		wantErr(t, "TakeLink of an ended link", err, authcore.ErrNotFound)
	}
	got, err := reopen().TakeCode(t.Context(), kept.EmailKey, kept.Code, start)
	wantErr(t, "TakeCode", err, nil)
	if got.Secret != kept.Secret || !got.Expires.Equal(kept.Expires) {
		t.Errorf("link %s, want %s", plain(got), plain(kept))
	}
}

func durableFlows(t *testing.T, reopen func() authcore.Store) {
	want := newFlow("s")
	wantErr(t, "PutFlow", reopen().PutFlow(t.Context(), want), nil)
	want.Nonce = "changed"
	_, err := reopen().UpdateFlow(t.Context(), want.State, start, func(f *authcore.Flow) error {
		f.Nonce = want.Nonce
		return nil
	})
	wantErr(t, "UpdateFlow", err, nil)
	got, err := reopen().TakeFlow(t.Context(), want.State, start)
	wantErr(t, "TakeFlow", err, nil)
	wantSame(t, "flow", got, want)
	_, err = reopen().TakeFlow(t.Context(), want.State, start)
	wantErr(t, "TakeFlow again", err, authcore.ErrNotFound)
}

func durableSessions(t *testing.T, reopen func() authcore.Store) {
	store := reopen()
	user := addUser(t, store, "ada@example.com")
	kept, ended := addSession(t, store, user.ID, 0), addSession(t, store, user.ID, time.Minute)
	_, err := reopen().EndSessions(t.Context(), user.ID, func(s authcore.Session) bool {
		return s.ID == ended.ID
	}, at(time.Hour))
	wantErr(t, "EndSessions", err, nil)
	former := kept.TokenID
	kept.TokenID, kept.Expires, kept.LastSeen = uuid(), at(15*24*time.Hour), at(2*time.Hour)
	_, err = reopen().RenewSession(t.Context(), kept.ID, former, kept.TokenID, kept.Expires, at(time.Hour))
	wantErr(t, "RenewSession", err, nil)
	seen := map[string]time.Time{kept.ID: kept.LastSeen}
	wantErr(t, "MarkSeen", reopen().MarkSeen(t.Context(), seen), nil)
	got, err := reopen().SessionsOf(t.Context(), user.ID, at(time.Hour))
	wantErr(t, "SessionsOf", err, nil)
	wantSame(t, "sessions", got, []authcore.Session{kept})
	wantRevoked(t, reopen(), "", authcore.RevokeSession, ended.ID, ended.Expires)
	wantRevoked(t, reopen(), "", authcore.RevokeToken, former, at(14*24*time.Hour))
}

// durableRevocations: a node keeps its cursor while the store restarts.
func durableRevocations(t *testing.T, reopen func() authcore.Store) {
	store := reopen()
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	disable(t, store, user.ID, at(14*24*time.Hour))
	_, cursor := feedSince(t, reopen(), "")
	disable(t, reopen(), other.ID, at(time.Hour))
	wantRevoked(t, reopen(), cursor, authcore.RevokeUser, other.ID, at(time.Hour))
	wantErr(t, "Sweep", reopen().Sweep(t.Context(), at(2*time.Hour)), nil)
	_, cursor = feedSince(t, reopen(), "")
	_, err := reopen().SetDisabled(t.Context(), user.ID, false, time.Time{}, at(2*time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	wantErr(t, "Sweep", reopen().Sweep(t.Context(), at(3*time.Hour)), nil)
	wantRevoked(t, reopen(), cursor, authcore.RevokeUser, user.ID, time.Time{})
}
