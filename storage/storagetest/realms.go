package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// realmsApart fills one realm and finds nothing of it in the other, under the
// same ids, addresses and secrets.
func realmsApart(t *testing.T, one, two authcore.Store) {
	user := addUser(t, one, "ada@example.com")
	wantErr(t, "LinkIdentity", one.LinkIdentity(t.Context(), newIdentity("1", user.ID)), nil)
	session := addSession(t, one, user.ID, 0)
	link, flow := newLink("ada@example.com", "s", "c"), newFlow("s")
	addLink(t, one, link)
	wantErr(t, "PutFlow", one.PutFlow(t.Context(), flow), nil)
	updateKeys(t, one, nil, []authcore.SigningKey{newKey("a")})
	counter := authcore.Counter{Party: "a", Window: time.Hour}
	count(t, one, 0, counter, 1, time.Hour)
	count(t, two, 0, counter, 1, time.Hour)

	_, err := two.User(t.Context(), user.ID)
	wantErr(t, "User", err, authcore.ErrNotFound)
	_, err = two.UserByEmail(t.Context(), user.Email)
	wantErr(t, "UserByEmail", err, authcore.ErrNotFound)
	_, err = two.UserByIdentity(t.Context(), newIdentity("1", ""))
	wantErr(t, "UserByIdentity", err, authcore.ErrNotFound)
	err = two.DeleteUser(t.Context(), user.ID, at(time.Hour), start)
	wantErr(t, "DeleteUser", err, authcore.ErrNotFound)
	err = two.PutSession(t.Context(), newSession(user.ID, 0))
	wantErr(t, "PutSession", err, authcore.ErrUserInactive)
	wantSessions(t, two, user.ID, start)
	ended, err := two.EndSessions(t.Context(), user.ID, everySession, start)
	wantErr(t, "EndSessions", err, nil)
	if len(ended) != 0 {
		t.Errorf("sessions of another realm were ended: %s", plain(ended))
	}
	_, err = two.RenewSession(t.Context(), session.ID, session.TokenID, uuid(), session.Expires, start)
	wantErr(t, "RenewSession", err, authcore.ErrNotFound)
	seen := map[string]time.Time{session.ID: at(time.Hour)}
	wantErr(t, "MarkSeen", two.MarkSeen(t.Context(), seen), nil)
	_, err = two.TakeLink(t.Context(), link.Secret, start)
	wantErr(t, "TakeLink", err, authcore.ErrNotFound)
	_, err = two.TakeCode(t.Context(), link.EmailKey, link.Code, start)
	wantErr(t, "TakeCode", err, authcore.ErrNotFound)
	_, err = two.TakeFlow(t.Context(), flow.State, start)
	wantErr(t, "TakeFlow", err, authcore.ErrNotFound)
	_, err = two.UpdateFlow(t.Context(), flow.State, start, func(*authcore.Flow) error { return nil })
	wantErr(t, "UpdateFlow", err, authcore.ErrNotFound)
	err = two.UnlinkIdentity(t.Context(), newIdentity("1", user.ID))
	wantErr(t, "UnlinkIdentity", err, authcore.ErrNotFound)
	wantErr(t, "ReplaceIdentity", replace(t, two, newIdentity("1", user.ID)), authcore.ErrNotFound)
	wantIdentities(t, two, user.ID)
	wantRecords(t, two, start, nil)
	updateKeys(t, two, nil, nil)
	addUser(t, two, "ada@example.com")
	disable(t, one, addUser(t, one, "grace@example.com").ID, at(time.Hour))
	wantFeed(t, two, "", nil)
	addLink(t, two, newLink("ada@example.com", "other", "c"))
	wantErr(t, "Sweep", two.Sweep(t.Context(), at(30*24*time.Hour)), nil)

	_, err = one.TakeLink(t.Context(), link.Secret, start)
	wantErr(t, "TakeLink in its own realm", err, nil)
	_, err = one.TakeFlow(t.Context(), flow.State, start)
	wantErr(t, "TakeFlow in its own realm", err, nil)
	sessions, err := one.SessionsOf(t.Context(), user.ID, start)
	wantErr(t, "SessionsOf", err, nil)
	wantSame(t, "sessions of its own realm", sessions, []authcore.Session{session})
}
