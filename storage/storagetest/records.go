package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// inhabitants returns n users, each with an identity and a session.
func inhabitants(n int) []authcore.Record {
	records := make([]authcore.Record, 0, 3*n)
	for range n {
		user := newUser("", true)
		user.Email = user.ID + "@example.com"
		identity, session := newIdentity(user.ID, user.ID), newSession(user.ID, 0)
		records = append(records,
			authcore.Record{User: &user}, authcore.Record{Identity: &identity}, authcore.Record{Session: &session})
	}
	return records
}

// export reads everything as a migration does, and checks that each user comes
// before the records that name it.
func export(t *testing.T, store authcore.Store, now time.Time, page func([]authcore.Record)) {
	t.Helper()
	users := make(map[string]bool)
	for cursor := ""; ; {
		records, next, err := store.Export(t.Context(), cursor, now)
		if err != nil {
			t.Fatalf("Export after %q: %v", cursor, err)
		}
		if len(records) == 0 {
			return
		}
		for _, record := range records {
			switch {
			case record.User != nil:
				users[record.User.ID] = true
			case record.Identity != nil && !users[record.Identity.UserID]:
				t.Errorf("an identity comes before its user: %s", plainRecord(record))
			case record.Session != nil && !users[record.Session.UserID]:
				t.Errorf("a session comes before its user: %s", plainRecord(record))
			}
		}
		if next == cursor {
			t.Fatalf("Export after %q returned the same cursor", cursor)
		}
		page(records)
		cursor = next
	}
}

// plainRecord writes a record as text with its times in UTC.
func plainRecord(record authcore.Record) string {
	switch {
	case record.User != nil:
		return "user " + plain(*record.User)
	case record.Identity != nil:
		return "identity " + plain(*record.Identity)
	case record.Session != nil:
		return "session " + plain(*record.Session)
	case record.Revocation != nil:
		return "revocation " + plain(*record.Revocation)
	case record.Key != nil:
		return "key " + plain(*record.Key)
	}
	return "nothing"
}

func plainRecords(records []authcore.Record) []string {
	lines := make([]string, 0, len(records))
	for _, record := range records {
		lines = append(lines, plainRecord(record))
	}
	slices.Sort(lines)
	return slices.Compact(lines) // a record may be returned twice
}

// wantRecords checks that these records are exported, in any order, and returns
// them in the order in which they came.
func wantRecords(t *testing.T, store authcore.Store, now time.Time, want []authcore.Record) []authcore.Record {
	t.Helper()
	var got []authcore.Record
	export(t, store, now, func(records []authcore.Record) { got = append(got, records...) })
	gotLines, wantLines := plainRecords(got), plainRecords(want)
	if slices.Equal(gotLines, wantLines) {
		return got
	}
	for _, line := range gotLines {
		if !slices.Contains(wantLines, line) {
			t.Errorf("exported and not expected: %s", line)
		}
	}
	for _, line := range wantLines {
		if !slices.Contains(gotLines, line) {
			t.Errorf("not exported: %s", line)
		}
	}
	return got
}

func wantImported(t *testing.T, store authcore.Store, records []authcore.Record, want int) {
	t.Helper()
	got, err := store.Import(t.Context(), records)
	if err != nil || got != want {
		t.Errorf("Import of %d records stored %d, error %v; want %d", len(records), got, err, want)
	}
}

// settle makes users of every kind and returns what is to be moved at 2 h.
func settle(t *testing.T, store authcore.Store) []authcore.Record {
	t.Helper()
	until := at(14 * 24 * time.Hour)
	mailed := addUser(t, store, "ada@example.com")
	social, _, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), newUser("grace@example.com", false), false)
	wantErr(t, "EnsureIdentity", err, nil)
	first, second := newIdentity("1", social.ID), newIdentity("2", social.ID)
	second.Issuer, second.Email, second.Created = "https://tenant.example", "", at(time.Minute)
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), second), nil)
	outcast, returned := addUser(t, store, "mallory@example.com"), addUser(t, store, "eve@example.com")
	gone := addUser(t, store, "gone@example.com")

	live, renewed := addSession(t, store, mailed.ID, 0), addSession(t, store, social.ID, 0)
	ended, expired := addSession(t, store, mailed.ID, time.Minute), newSession(mailed.ID, 0)
	expired.Expires = at(2 * time.Hour)
	wantErr(t, "PutSession", store.PutSession(t.Context(), expired), nil)
	of := func(id string) func(authcore.Session) bool {
		return func(s authcore.Session) bool { return s.ID == id }
	}
	_, err = store.EndSessions(t.Context(), mailed.ID, of(ended.ID), at(time.Hour))
	wantErr(t, "EndSessions", err, nil)
	former := renewed
	renewed.TokenID, renewed.Expires, renewed.LastSeen = uuid(), until.Add(time.Hour), at(90*time.Minute)
	_, err = store.RenewSession(t.Context(), renewed.ID, former.TokenID, renewed.TokenID, renewed.Expires, at(time.Hour))
	wantErr(t, "RenewSession", err, nil)
	seen := map[string]time.Time{renewed.ID: renewed.LastSeen}
	wantErr(t, "MarkSeen", store.MarkSeen(t.Context(), seen), nil)
	disable(t, store, outcast.ID, until)
	outcast.Disabled = true
	disable(t, store, returned.ID, until)
	_, err = store.SetDisabled(t.Context(), returned.ID, false, time.Time{}, start)
	wantErr(t, "SetDisabled", err, nil)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), gone.ID, until, start), nil)
	soon := addUser(t, store, "soon@example.com")
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), soon.ID, at(2*time.Hour), start), nil)

	keys := []authcore.SigningKey{newKey("a"), newKey("b")}
	keys[1].Signs, keys[1].Expires = at(2*time.Hour), time.Time{}
	updateKeys(t, store, nil, keys)
	addLink(t, store, newLink("ada@example.com", "s", "c"))
	wantErr(t, "PutFlow", store.PutFlow(t.Context(), newFlow("s")), nil)
	revoked := func(kind gate.RevocationKind, id string, until time.Time) authcore.Record {
		return authcore.Record{Revocation: &authcore.Revocation{Kind: kind, ID: id, Until: until}}
	}
	return []authcore.Record{
		{User: &mailed},
		{User: &social},
		{User: &outcast},
		{User: &returned},
		{Identity: &first},
		{Identity: &second},
		{Session: &live},
		{Session: &renewed},
		revoked(authcore.RevokeSession, ended.ID, ended.Expires),
		revoked(authcore.RevokeToken, former.TokenID, former.Expires),
		revoked(authcore.RevokeUser, outcast.ID, until),
		revoked(authcore.RevokeUser, gone.ID, until),
		{Key: &keys[0]},
		{Key: &keys[1]},
	}
}
