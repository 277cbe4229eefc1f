package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func clockChecks() []check {
	return []check{
		{"ZonesDoNotMatter", zones},
		{"ForwardAndBack", jumps},
		{"CountersDoNotForgetWhenTheClockJumpsBack", func(t *testing.T, store authcore.Store) {
			// Whoever can turn the clock back, or waits until it is corrected,
			// must not be given new guesses by it.
			counter := authcore.Counter{Party: "a", Window: time.Hour}
			for i, now := range []time.Duration{0, -time.Minute, -30 * 24 * time.Hour, -time.Minute} {
				got, err := store.Count(t.Context(), at(now), []authcore.Counter{counter})
				if err != nil || len(got) != 1 {
					t.Fatalf("Count: %v, error %v", got, err)
				}
				if i < 3 && got[0].N != i+1 {
					t.Errorf("count %d at %v gave %d", i+1, now, got[0].N)
				}
			}
		}},
		{"FarAwayTimes", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			session := newSession(user.ID, 0)
			session.Expires = time.Date(2300, time.January, 1, 0, 0, 0, 0, time.UTC)
			wantErr(t, "PutSession", store.PutSession(t.Context(), session), nil)
			wantErr(t, "Sweep", store.Sweep(t.Context(), session.Expires.Add(-time.Second)), nil)
			wantSessions(t, store, user.ID, session.Expires.Add(-time.Second), session)
			wantErr(t, "Sweep", store.Sweep(t.Context(), session.Expires.Add(time.Second)), nil)
			wantSessions(t, store, user.ID, start)
		}},
	}
}

// zones passes the same instants in clocks of other places: 12:00 in one is past
// 13:00 in another as text.
func zones(t *testing.T, store authcore.Store) {
	east, west := time.FixedZone("east", 13*3600+45*60), time.FixedZone("west", -11*3600)
	user := addUser(t, store, "ada@example.com")
	for i, zone := range [][2]*time.Location{{east, west}, {west, east}, {time.UTC, west}, {east, time.UTC}} {
		stored, asked := zone[0], zone[1]
		link := newLink(fmt.Sprintf("a%d@example.com", i), fmt.Sprint("s", i), "c")
		link.Created, link.Expires = link.Created.In(stored), link.Expires.In(stored)
		addLink(t, store, link)
		_, err := store.TakeLink(t.Context(), link.Secret, link.Expires.In(asked))
		wantErr(t, "TakeLink at the end", err, authcore.ErrNotFound)
		wantErr(t, "Sweep", store.Sweep(t.Context(), link.Expires.Add(-time.Second).In(asked)), nil)
		got, err := store.TakeLink(t.Context(), link.Secret, link.Expires.Add(-time.Second).In(asked))
		wantErr(t, "TakeLink before the end", err, nil)
		wantSame(t, "link", got, link)

		session := newSession(user.ID, time.Duration(i)*time.Second)
		session.Created, session.Expires = session.Created.In(stored), session.Expires.In(stored)
		session.LastSeen = session.LastSeen.In(stored)
		wantErr(t, "PutSession", store.PutSession(t.Context(), session), nil)
		seen := map[string]time.Time{session.ID: session.LastSeen.Add(-time.Second).In(asked)}
		wantErr(t, "MarkSeen", store.MarkSeen(t.Context(), seen), nil)
		wantSessions(t, store, user.ID, session.Expires.Add(-time.Second).In(asked), session)
		sessions, err := store.SessionsOf(t.Context(), user.ID, start.In(asked))
		wantErr(t, "SessionsOf", err, nil)
		wantSame(t, "sessions", sessions, []authcore.Session{session})
		_, err = store.EndSessions(t.Context(), user.ID, everySession, start.In(asked))
		wantErr(t, "EndSessions", err, nil)
		wantRevoked(t, store, "", authcore.RevokeSession, session.ID, session.Expires)

		counter := authcore.Counter{Party: fmt.Sprint("zone", i), Window: time.Hour}
		for n, now := range []time.Time{start.In(stored), start.Add(time.Hour - time.Second).In(asked)} {
			tallies, err := store.Count(t.Context(), now, []authcore.Counter{counter})
			wantErr(t, "Count", err, nil)
			wantTallies(t, tallies, []authcore.Tally{{N: n + 1, Reset: at(time.Hour)}})
		}
	}
}

// jumps turns the clock ahead and back without sweeping: nothing is forgotten by
// being looked at from a later moment.
func jumps(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	session := addSession(t, store, user.ID, 0)
	link, flow := newLink("ada@example.com", "s", "c"), newFlow("s")
	addLink(t, store, link)
	wantErr(t, "PutFlow", store.PutFlow(t.Context(), flow), nil)
	future := at(100 * 365 * 24 * time.Hour)
	_, err := store.TakeLink(t.Context(), link.Secret, future)
	wantErr(t, "TakeLink", err, authcore.ErrNotFound)
	_, err = store.TakeCode(t.Context(), link.EmailKey, secretOf("wrong"), future)
	wantErr(t, "TakeCode", err, authcore.ErrNotFound)
	_, err = store.TakeFlow(t.Context(), flow.State, future)
	wantErr(t, "TakeFlow", err, authcore.ErrNotFound)
	wantSessions(t, store, user.ID, future)
	ended, err := store.EndSessions(t.Context(), user.ID, everySession, future)
	wantErr(t, "EndSessions", err, nil)
	if len(ended) != 0 {
		t.Errorf("EndSessions ended what had expired: %s", plain(ended))
	}

	past := at(-100 * 365 * 24 * time.Hour)
	wantSessions(t, store, user.ID, past, session)
	got, err := store.TakeLink(t.Context(), link.Secret, past)
	wantErr(t, "TakeLink", err, nil)
	wantSame(t, "link", got, link) // the guess came when it had expired
	_, err = store.TakeFlow(t.Context(), flow.State, past)
	wantErr(t, "TakeFlow", err, nil)
}
