package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func sweepChecks() []check {
	return []check{
		{"EmptyStore", func(t *testing.T, store authcore.Store) {
			wantErr(t, "Sweep", store.Sweep(t.Context(), start), nil)
		}},
		{"KeepsWhatIsLive", sweepKeeps},
		{"ForgetsForGood", sweepForgets},
		{"DoesNotDisturbWriters", sweepRace},
		{"ManyAtOnce", sweepMany},
	}
}

func sweepKeeps(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity("1", user.ID)), nil)
	session := addSession(t, store, user.ID, 0)
	link, coded, flow := newLink("a@example.com", "a", "1"), newLink("b@example.com", "b", "2"), newFlow("s")
	addLink(t, store, link)
	addLink(t, store, coded)
	wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
	key := []authcore.SigningKey{newKey("a")}
	updateKeys(t, store, nil, key)
	counter := authcore.Counter{Party: "a", Window: time.Hour}
	count(t, store, 0, counter, 1, time.Hour)

	for _, now := range []time.Time{at(-time.Hour), start, flow.Expires.Add(-time.Millisecond)} {
		wantErr(t, "Sweep", store.Sweep(t.Context(), now), nil)
	}
	_, err := store.TakeFlow(t.Context(), flow.State, start)
	wantErr(t, "TakeFlow", err, nil)
	_, err = store.TakeLink(t.Context(), link.Secret, start)
	wantErr(t, "TakeLink", err, nil)
	_, err = store.TakeCode(t.Context(), coded.EmailKey, coded.Code, start)
	wantErr(t, "TakeCode", err, nil)
	count(t, store, time.Minute, counter, 2, time.Hour)
	wantErr(t, "Sweep", store.Sweep(t.Context(), session.Expires.Add(-time.Millisecond)), nil)
	wantSessions(t, store, user.ID, start, session)
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(10*365*24*time.Hour)), nil)
	_, err = store.UserByEmail(t.Context(), user.Email)
	wantErr(t, "UserByEmail", err, nil)
	got, err := store.UserByIdentity(t.Context(), newIdentity("1", ""))
	wantErr(t, "UserByIdentity", err, nil)
	wantSame(t, "user", got, user)
	updateKeys(t, store, key, key) // keys are retired by who rotates them
}

// sweepForgets: what was swept stays gone when the clock jumps back, and the
// address may get a new link.
func sweepForgets(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	session := addSession(t, store, user.ID, 0)
	link, flow := newLink("ada@example.com", "a", "1"), newFlow("s")
	addLink(t, store, link)
	wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
	for range 2 {
		wantErr(t, "Sweep", store.Sweep(t.Context(), session.Expires.Add(time.Hour)), nil)
	}
	_, err := store.TakeLink(t.Context(), link.Secret, start)
	wantErr(t, "TakeLink", err, authcore.ErrNotFound)
	_, err = store.TakeCode(t.Context(), link.EmailKey, link.Code, start)
	wantErr(t, "TakeCode", err, authcore.ErrNotFound)
	_, err = store.TakeFlow(t.Context(), flow.State, start)
	wantErr(t, "TakeFlow", err, authcore.ErrNotFound)
	wantSessions(t, store, user.ID, start)
	_, err = store.RenewSession(t.Context(), session.ID, session.TokenID, uuid(), session.Expires, start)
	wantErr(t, "RenewSession", err, authcore.ErrNotFound)

	addLink(t, store, newLink("ada@example.com", "b", "2"))
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(time.Minute)), nil)
	_, err = store.TakeLink(t.Context(), secretOf("b"), at(time.Minute))
	wantErr(t, "TakeLink of a newer link", err, nil)
}

// sweepRace: a session that is renewed while it expires is either renewed or
// gone, never both.
func sweepRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	for range 10 {
		session := addSession(t, store, user.ID, 0)
		var renewed error
		together(2, func(i int) {
			if i == 0 {
				wantErr(t, "Sweep", store.Sweep(t.Context(), session.Expires.Add(time.Second)), nil)
				return
			}
			_, renewed = store.RenewSession(
				t.Context(), session.ID, session.TokenID, uuid(),
				session.Expires.Add(24*time.Hour), session.Expires.Add(-time.Second),
			)
		})
		live, err := store.SessionsOf(t.Context(), user.ID, session.Expires.Add(2*time.Second))
		wantErr(t, "SessionsOf", err, nil)
		if (renewed == nil) != (len(live) == 1) {
			t.Errorf("RenewSession said %v, and %d sessions are live", renewed, len(live))
		}
		_, err = store.EndSessions(t.Context(), user.ID, everySession, start)
		wantErr(t, "EndSessions", err, nil)
	}
}

// sweepMany sweeps more than an engine should do in one step.
func sweepMany(t *testing.T, store authcore.Store) {
	const n, atOnce = 2500, 250
	everyFlow := func(do func(i int)) {
		for from := 0; from < n; from += atOnce {
			together(atOnce, func(i int) { do(from + i) })
		}
	}
	everyFlow(func(i int) {
		flow := newFlow(fmt.Sprint(i))
		if i%10 == 0 {
			flow.Expires = at(time.Hour)
		}
		wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
	})
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(30*time.Minute)), nil)
	taken := make([]error, n)
	everyFlow(func(i int) {
		_, taken[i] = store.TakeFlow(t.Context(), secretOf(fmt.Sprint(i)), start)
	})
	for i, err := range taken {
		want := authcore.ErrNotFound
		if i%10 == 0 {
			want = nil
		}
		wantErr(t, fmt.Sprintf("TakeFlow %d", i), err, want)
	}
}
