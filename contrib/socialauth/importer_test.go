package socialauth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

func TestImport(t *testing.T) {
	f := newFixture(t, nil)
	given := socialauth.ImportedUser{
		Email: "Ann@EXAMPLE.com", EmailVerified: true, FirstName: " Ann\u202e ", LastName: "Lee",
		Logins: append(logins("1", former, "refused"), socialauth.ImportedLogin{Provider: "none", UID: "1"}, socialauth.ImportedLogin{Provider: "plain", UID: "1"}, logins("1")[0]),
	}
	refused := []string{"", "", "uid: is refused by the provider", "provider: is not configured under this name", "provider: does not support the import of users", ""}
	want := socialauth.ImportResult{IsNew: true, Stored: 2, Refused: refused}
	if got, err := f.Import(t.Context(), given, true); err != nil || !same(got, want) {
		t.Errorf("dry Import() = %+v, %v, want %+v", got, err, want)
	}
	_, err := f.Accounts.Find(t.Context(), "ann@example.com")
	wantError(t, "Find() after a dry run", err, 404, authcore.CodeNotFound)

	first, err := f.Import(t.Context(), given, false)
	want.UserID = first.UserID
	if err != nil || first.UserID == "" || !same(first, want) {
		t.Fatalf("Import() = %+v, %v, want %+v", first, err, want)
	}
	user, err := f.Accounts.Find(t.Context(), "ann@example.com")
	if err != nil || user.ID != first.UserID || user.Email != "Ann@example.com" || user.FirstName != "Ann" || user.LastName != "Lee" {
		t.Errorf("Find() = %+v, %v, want the imported user", user, err)
	}
	stored := f.identities(user.ID)
	active, pending := stored["1"], stored[former]
	if active.State != authcore.IdentityActive || active.PublicID == "" || !active.Expires.IsZero() {
		t.Errorf("identity 1 = %+v, want an active one with a public ID", active)
	}
	if pending.State != authcore.IdentityPending || pending.PublicID == active.PublicID || !pending.Expires.Equal(f.clock.Now().Add(year)) {
		t.Errorf("identity %s = %+v, want a pending one for a year", former, pending)
	}

	// What is present stays as it is.
	given.FirstName, given.Email = "Anna", "anna@example.com"
	want = socialauth.ImportResult{UserID: first.UserID, Present: 3, Refused: refused}
	if got, err := f.Import(t.Context(), given, false); err != nil || !same(got, want) {
		t.Errorf("repeated Import() = %+v, %v, want %+v", got, err, want)
	}
	if again, err := f.Accounts.Find(t.Context(), first.UserID); err != nil || fmt.Sprint(again) != fmt.Sprint(user) {
		t.Errorf("the repeated import changed the user to %+v, %v, want %+v", again, err, user)
	}
	if got := f.entered(authcore.Profile{Subject: "1"}); got != first.UserID {
		t.Errorf("subject 1 logged in as %s, want %s", got, first.UserID)
	}
}

func same(a, b socialauth.ImportResult) bool {
	return a.UserID == b.UserID && a.IsNew == b.IsNew && a.Stored == b.Stored && a.Present == b.Present && slices.Equal(a.Refused, b.Refused)
}

// Identities decide which user a row is about. A login of another user is refused,
// and the others are imported.
func TestImportOfFurtherLogins(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.imports(socialauth.ImportedUser{}, "1")
	bob := f.imports(socialauth.ImportedUser{}, "5")
	const taken = "this login belongs to another account here"
	for _, c := range []struct {
		uids []string
		want socialauth.ImportResult
	}{
		{[]string{"9", "1"}, socialauth.ImportResult{UserID: ann, Stored: 1, Present: 1, Refused: []string{"", ""}}},
		{[]string{"1", "5", "6"}, socialauth.ImportResult{UserID: ann, Stored: 1, Present: 1, Refused: []string{"", taken, ""}}},
		{[]string{"5", "1"}, socialauth.ImportResult{UserID: bob, Present: 1, Refused: []string{"", taken}}},
	} {
		if got := f.importResult(socialauth.ImportedUser{}, c.uids...); !same(got, c.want) {
			t.Errorf("Import(%v) = %+v, want %+v", c.uids, got, c.want)
		}
	}
}

// The holder of an identity is the user, even if the address belongs to another one.
func TestImportPrefersIdentities(t *testing.T) {
	f := newFixture(t, nil)
	f.imports(socialauth.ImportedUser{Email: "ann@example.com", EmailVerified: true}, "1")
	bob := f.imports(socialauth.ImportedUser{}, "2")
	got := f.importResult(socialauth.ImportedUser{Email: "ann@example.com", EmailVerified: true}, "3", "2")
	if want := (socialauth.ImportResult{UserID: bob, Stored: 1, Present: 1, Refused: []string{"", ""}}); !same(got, want) {
		t.Errorf("Import() = %+v, want %+v", got, want)
	}
}

func TestImportIntoAccounts(t *testing.T) {
	never := account.Rules{LinkByEmail: account.LinkByEmailNever}
	for name, c := range map[string]struct {
		rules         account.Rules
		own           account.ProviderRules
		verified      bool
		joined, taken bool
	}{
		"verified on both sides":      {account.Rules{}, account.ProviderRules{}, true, true, true},
		"not verified there":          {account.Rules{}, account.ProviderRules{}, false, false, true},
		"the realm joins nothing":     {never, account.ProviderRules{}, true, true, false},
		"the provider joins nothing":  {account.Rules{}, account.ProviderRules{LinkByEmail: account.LinkByEmailNever}, true, true, false},
		"the provider joins all":      {never, account.ProviderRules{LinkByEmail: account.LinkByEmailVerified}, true, true, true},
		"not verified, joins nothing": {never, account.ProviderRules{}, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(cfg *realm.Config) {
				cfg.Rules, cfg.ProviderRules = c.rules, map[string]account.ProviderRules{"github": c.own}
			})
			ann := rand(t)
			if _, err := f.store.Import(t.Context(), []authcore.Item{{User: &authcore.User{ID: ann, Email: "ann@example.com", EmailVerified: true}}}); err != nil {
				t.Fatalf("Import() of a user failed: %v", err)
			}
			got := f.importResult(socialauth.ImportedUser{Email: "ANN@example.com", EmailVerified: c.verified}, "1")
			if joined := got.UserID == ann; joined != c.joined || (got.Stored == 1) != c.taken || (got.Refused[0] == "") != c.taken {
				t.Errorf("Import() = %+v, want joined %t, stored %t", got, c.joined, c.taken)
			}
			if user, err := f.Accounts.Find(t.Context(), "ann@example.com"); err != nil || user.ID != ann {
				t.Errorf("Find() = %+v, %v, want %s", user, err, ann)
			}
		})
	}
}

func TestImportOfInvalidUsers(t *testing.T) {
	f := newFixture(t, nil)
	for name, given := range map[string]socialauth.ImportedUser{
		"no logins":     {},
		"many logins":   {Logins: slices.Repeat(logins("1"), socialauth.MaxImportedLogins+1)},
		"bad address":   {Email: "ann", Logins: logins("1")},
		"long name":     {LastName: strings.Repeat("x", 151), Logins: logins("1")},
		"invalid UTF-8": {FirstName: "\xff", Logins: logins("1")},
	} {
		_, err := f.Import(t.Context(), given, false)
		wantError(t, "Import() with "+name, err, 400, authcore.CodeInvalidRequest)
	}
	for _, uid := range []string{strings.Repeat("x", 1025), "a\x00", "\xff"} {
		got := f.importResult(socialauth.ImportedUser{}, uid)
		want := socialauth.ImportResult{Refused: []string{"uid: is not a valid identifier"}}
		if !same(got, want) {
			t.Errorf("Import(%.10q) = %+v, want %+v", uid, got, want)
		}
	}
}

// The account changes between the lookups and the step of an import.
func TestImportDuringChanges(t *testing.T) {
	for name, interrupt := range map[string]func(*fixture) error{
		"a login takes the identity": func(f *fixture) error {
			_, err := f.social(authcore.Profile{Subject: "2"})
			return err
		},
		"the user is deleted": func(f *fixture) error {
			return f.Accounts.Delete(t.Context(), f.entered(authcore.Profile{Subject: "1"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.imports(socialauth.ImportedUser{}, "1")
			f.store.before = func() error { return interrupt(f) }
			got := f.importResult(socialauth.ImportedUser{}, "1", "2")
			if got.UserID != "" || got.Stored != 0 || got.IsNew || !strings.Contains(got.Refused[0]+got.Refused[1], "import it again") {
				t.Errorf("Import() = %+v, want the reason to repeat it", got)
			}
			again := f.importResult(socialauth.ImportedUser{}, "1", "2")
			if again.UserID == "" || again.Stored+again.Present == 0 {
				t.Errorf("repeated Import() = %+v, want a user", again)
			}
		})
	}
}

// Another import of the same file stores the identity first. It is reported as
// present, not as stored.
func TestImportAtTheSameTime(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, "1")
	f.store.before = func() error {
		f.imports(socialauth.ImportedUser{}, "1", "2")
		return nil
	}
	got := f.importResult(socialauth.ImportedUser{}, "1", "2", "3")
	if want := (socialauth.ImportResult{UserID: id, Stored: 1, Present: 2, Refused: []string{"", "", ""}}); !same(got, want) {
		t.Errorf("Import() = %+v, want %+v", got, want)
	}
}

func TestImportWhileTheStoreIsDown(t *testing.T) {
	f := newFixture(t, nil)
	f.store.before = func() error { return fmt.Errorf("%w: no route", authcore.ErrUnavailable) }
	_, err := f.Import(t.Context(), socialauth.ImportedUser{Logins: logins("1")}, false)
	wantError(t, "Import()", err, 503, authcore.CodeUnavailable)
	if f.imports(socialauth.ImportedUser{}, "1") == "" {
		t.Error("repeated Import() returned no user")
	}
}

func TestReadRequest(t *testing.T) {
	user := `{"logins":[{"provider":"github","uid":"1"}]}`
	for body, want := range map[string]string{
		`{"users":[` + user + `]}`:                "",
		`{"users":[]}`:                            "",
		`{"users":[` + user + `],"dry_run":true}`: "",
		``:                                "expected {",
		`[]`:                              "expected {",
		`{"users":[]} {}`:                 "expected {",
		`{"users":[]}}`:                   "expected {",
		`{"users":[{"mail":"a@b.app"}]}`:  "expected {",
		`{"users":[{"email":"a@b.app"}]}`: "user 0 has no logins",
		`{"users":[` + strings.Repeat(user+",", socialauth.MaxRequestUsers) + user + `]}`: "1001 users are too many",
	} {
		request, err := socialauth.ReadRequest(strings.NewReader(body))
		switch {
		case want == "" && (err != nil || request.DryRun != strings.Contains(body, "dry_run")):
			t.Errorf("ReadRequest(%.60s) = %+v, %v, want a request", body, request, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("ReadRequest(%.60s) = %v, want %s", body, err, want)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(`{"users":[{"email":"a@b.app","email_verified":true,"first_name":"A","logins":[{"provider":"github","uid":"1","transfer_sub":"2"}]}],"dry_run":true}`)
	f.Add(`{"users":[{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		request, err := socialauth.ReadRequest(strings.NewReader(body))
		if err == nil && slices.ContainsFunc(request.Users, func(u socialauth.ImportedUser) bool { return len(u.Logins) == 0 }) {
			t.Errorf("ReadRequest(%q) = %+v, which has a user without logins", body, request)
		}
	})
}

func TestServe(t *testing.T) {
	f := newFixture(t, nil)
	request := socialauth.Request{Users: []socialauth.ImportedUser{{Email: "invalid", Logins: logins("1", "2")}, {Logins: logins("3")}}}
	response, err := f.Serve(t.Context(), request)
	if err != nil || len(response.Users) != 2 || len(response.Users[0].Refused) != 2 || response.Users[0].Refused[1] != "The e-mail address is not valid." || response.Users[1].Stored != 1 {
		t.Errorf("Serve() = %+v, %v, want the first user refused and the second stored", response, err)
	}
	f.store.before = func() error { return fmt.Errorf("%w: no route", authcore.ErrUnavailable) }
	_, err = f.Serve(t.Context(), socialauth.Request{Users: []socialauth.ImportedUser{{Logins: logins("4")}}})
	wantError(t, "Serve() while the store is down", err, 503, authcore.CodeUnavailable)
}
