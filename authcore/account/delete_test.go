package account_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// outbox is a Mailer that keeps the mails.
type outbox struct{ mails []authcore.Mail }

func (o *outbox) Enqueue(_ context.Context, mail authcore.Mail) error {
	o.mails = append(o.mails, mail)
	return nil
}

// newMember returns a fixture whose user has a verified address, a login, a record of
// its own and one of its address, and the outbox of notices.
func newMember(t *testing.T) (*fixture, *outbox) {
	t.Helper()
	mails := &outbox{}
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true, FirstName: "Ann"}, []authcore.Identity{identity("github", ann)}, func(c *account.Config) {
		c.Records = []account.RecordKind{
			{Kind: "own", Fields: []string{"email"}},
			{Kind: "mailed", Owner: func(user authcore.User) string { return "of " + user.Email }, Fields: []string{"email"}},
			{Kind: "kept", Owner: func(user authcore.User) string { return "trail of " + user.ID }, Fields: []string{"email"}, Outlives: true},
			{Kind: "absent", Owner: func(authcore.User) string { return "" }, Fields: []string{"email"}},
		}
		c.Notices = account.NewNotices(account.NoticesConfig{
			Mailer: mails, Limiter: ratelimit.New(ratelimit.Config{Store: c.Store.(authcore.Store)}), Now: c.Now,
			EmailLink: "https://site.example/l/{token}", Title: "Site", Clients: []authcore.Client{{Name: "web", Title: "Web", Locale: "de"}},
		})
	})
	f.claims.AuthTime, f.claims.Client = f.now.Unix(), "web"
	for kind, owner := range map[string]string{"own": annID, "mailed": "of " + ann, "kept": "trail of " + annID} {
		f.put(authcore.Item{Record: &authcore.Record{
			RecordKey: authcore.RecordKey{Kind: kind, Key: "k"}, Owner: owner, Created: f.now, Expires: f.now.Add(time.Hour), Data: []byte(`{"email":"` + kind + `@example.com","secret":"s"}`),
		}})
	}
	return f, mails
}

func TestDeleteCurrentUser(t *testing.T) {
	f, mails := newMember(t)
	if err := f.DeleteCurrentUser(t.Context(), f.claims, authcore.Caller{UserAgent: "test/1", Languages: "fr"}); err != nil {
		t.Fatalf("DeleteCurrentUser() failed: %v", err)
	}
	if f.revoked.Check(f.claims) == nil {
		t.Error("Check() of a token of a deleted user = nil, want an error")
	}
	_, err := f.Find(t.Context(), ann)
	wantError(t, "Find() of a deleted user", err, 404, authcore.CodeNotFound)
	for kind, want := range map[string]struct {
		owner string
		count int
	}{"own": {annID, 0}, "mailed": {"of " + ann, 0}, "kept": {"trail of " + annID, 1}} {
		if records, err := authcore.AllRecords(t.Context(), f.store, authcore.RecordFilter{Kind: kind, Owner: want.owner}, f.now); err != nil || len(records) != want.count {
			t.Errorf("AllRecords(%s) = %+v, %v, want %d", kind, records, err, want.count)
		}
	}
	if len(mails.mails) != 1 {
		t.Fatalf("mails = %+v, want one", mails.mails)
	}
	mail := mails.mails[0]
	if mail.Kind != authcore.MailAccountDeleted || mail.To != ann || mail.Title != "Web" || mail.Locale != "de" ||
		mail.Site != "https://site.example/l/" || mail.UserAgent != "test/1" || !mail.Requested.Equal(f.now) {
		t.Errorf("mail = %+v, want a notice to %s", mail, ann)
	}
	if !slices.Contains(f.events, authcore.EventUserDeleted) {
		t.Errorf("events = %v, want user_deleted", f.events)
	}
	wantError(t, "repeated DeleteCurrentUser()", f.DeleteCurrentUser(t.Context(), f.claims, authcore.Caller{}), 403, authcore.CodeUserInactive)
}

// The deletion by an operator leaves no more than that by the user: a mailed link or an
// invitation of the address would lead back in.
func TestDeleteDeletesRecordsOfTheAddress(t *testing.T) {
	f, _ := newMember(t)
	if err := f.Delete(t.Context(), annID); err != nil {
		t.Fatalf("Delete() failed: %v", err)
	}
	for owner, want := range map[string]int{annID: 0, "of " + ann: 0, "trail of " + annID: 1} {
		for _, kind := range []string{"own", "mailed", "kept"} {
			records, err := authcore.AllRecords(t.Context(), f.store, authcore.RecordFilter{Kind: kind, Owner: owner}, f.now)
			if err != nil || len(records) > want {
				t.Errorf("AllRecords(%s of %s) = %+v, %v, want %d", kind, owner, records, err, want)
			}
		}
	}
}

func TestDeleteCurrentUserRefuses(t *testing.T) {
	f, mails := newMember(t)
	f.claims.AuthTime = f.now.Add(-15*time.Minute - time.Second).Unix()
	wantError(t, "DeleteCurrentUser() with an old login", f.DeleteCurrentUser(t.Context(), f.claims, authcore.Caller{}), 403, authcore.CodeReauthenticationRequired)
	f.claims.AuthTime = 0
	wantError(t, "DeleteCurrentUser() without auth_time", f.DeleteCurrentUser(t.Context(), f.claims, authcore.Caller{}), 403, authcore.CodeReauthenticationRequired)
	f.claims.AuthTime = f.now.Unix()
	if _, err := f.Disable(t.Context(), annID); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	wantError(t, "DeleteCurrentUser() of a disabled user", f.DeleteCurrentUser(t.Context(), f.claims, authcore.Caller{}), 403, authcore.CodeUserInactive)
	if len(mails.mails) != 0 {
		t.Errorf("mails = %+v, want none", mails.mails)
	}
}

func TestExport(t *testing.T) {
	f, _ := newMember(t)
	f.put(authcore.Item{Identity: &authcore.Identity{
		Provider: "gitlab", Subject: "2", PublicID: "gone", UserID: annID, State: authcore.IdentityUnlinked, Created: f.now.Add(time.Second),
	}})
	export, err := f.Export(t.Context(), f.claims)
	if err != nil {
		t.Fatalf("Export() failed: %v", err)
	}
	if export.User.ID != annID || export.User.Email != ann || export.User.FirstName != "Ann" || !export.ExportedAt.Equal(f.now) {
		t.Errorf("user = %+v, want all fields", export.User)
	}
	if len(export.Identities) != 2 || export.Identities[0].State != "active" || export.Identities[0].Subject != "1" || export.Identities[1].State != "unlinked" {
		t.Errorf("identities = %+v, want the active and the unlinked one", export.Identities)
	}
	if len(export.Sessions) != 1 || export.Sessions[0].ID != "current" || !export.Sessions[0].Current {
		t.Errorf("sessions = %+v, want the current one", export.Sessions)
	}
	var records []string
	for _, record := range export.Records {
		text, err := json.Marshal(record.Details)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record.Kind+" "+string(text))
	}
	if want := []string{`own {"email":"own@example.com"}`, `mailed {"email":"mailed@example.com"}`, `kept {"email":"kept@example.com"}`}; !slices.Equal(records, want) {
		t.Errorf("records = %q, want %q", records, want)
	}
	if text, err := json.Marshal(export); err != nil || strings.Contains(string(text), "null") {
		t.Errorf("Marshal() = %s, %v, want no null", text, err)
	}
	if _, err := f.Disable(t.Context(), annID); err != nil {
		t.Fatalf("Disable() failed: %v", err)
	}
	_, err = f.Export(t.Context(), f.claims)
	wantError(t, "Export() of a disabled user", err, 403, authcore.CodeUserInactive)
	f.claims.Subject = "unknown"
	_, err = f.Export(t.Context(), f.claims)
	wantError(t, "Export() of an unknown user", err, 403, authcore.CodeUserInactive)
}
