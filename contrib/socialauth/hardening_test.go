package socialauth_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// A domain that its owner gave up is bought by an attacker, who opens an account at
// the provider for the old address. The imported account is out of reach once its
// user has logged in, also after another import of the same file (CWE-290).
func TestRecycledDomain(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	if got := f.entered(vouched("1")); got != id {
		t.Fatalf("Social() = user %s, want %s", got, id)
	}
	again := f.importResult(socialauth.ImportedUser{}, former)
	if want := (socialauth.ImportResult{UserID: id, Present: 1, Refused: []string{""}}); !same(again, want) {
		t.Errorf("repeated Import() = %+v, want %+v", again, want)
	}
	if got := f.entered(vouched("2")); got == id {
		t.Error("the new owner of the address logged in to the imported account")
	}
	// An import of another user with the same former subject is refused.
	if other := f.importResult(socialauth.ImportedUser{}, "7", former); other.UserID == id && other.Stored != 1 {
		t.Errorf("Import() of another user = %+v, want the former subject with %s", other, id)
	}
	f.clock.Advance(2 * year)
	f.sweep()
	if got := f.importResult(socialauth.ImportedUser{}, former); got.Stored != 0 {
		t.Errorf("Import() after the deadline = %+v, want nothing stored", got)
	}
	if got := f.entered(vouched("3")); got == id {
		t.Error("a later owner of the address logged in to the imported account")
	}
	if got := f.entered(vouched("1")); got != id {
		t.Errorf("the user logged in as %s, want %s", got, id)
	}
}

// An import looked up the account before its user's first login, and stores after
// it. The former subject stays retired (CWE-367).
func TestImportThatOverlapsTheFirstLogin(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	f.store.before = func() error {
		_, err := f.social(vouched("1"))
		return err
	}
	f.importResult(socialauth.ImportedUser{}, former, "9")
	if got := f.entered(vouched("2")); got == id {
		t.Error("the new owner of the address logged in to the imported account")
	}
}

// The account is known by its subject already: imported with both, or created by a
// login before the import. Its logins retire the former subject too: the next
// owner of the address is another person (CWE-290).
func TestRecycledDomainOfAKnownAccount(t *testing.T) {
	for name, begin := range map[string]func(*fixture) string{
		"imported with both": func(f *fixture) string {
			f.imports(socialauth.ImportedUser{}, former, "1")
			return f.entered(vouched("1"))
		},
		"imported after a login": func(f *fixture) string {
			f.entered(vouched("1"))
			f.imports(socialauth.ImportedUser{}, former, "1")
			return f.entered(vouched("1"))
		},
		"not vouched for": func(f *fixture) string {
			f.imports(socialauth.ImportedUser{}, former, "1")
			return f.entered(authcore.Profile{Subject: "1", UnprovenFormer: former})
		},
		"joined by address, not vouched for": func(f *fixture) string {
			f.imports(socialauth.ImportedUser{Email: former, EmailVerified: true}, former)
			return f.entered(authcore.Profile{Subject: "1", UnprovenFormer: former, Email: former, EmailVerified: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			id := begin(f)
			if got := f.entered(vouched("2")); got == id {
				t.Error("the new owner of the address logged in to the account")
			}
			if got := f.importResult(socialauth.ImportedUser{}, former, "1"); got.UserID != id || got.Stored != 0 || got.Present != 2 {
				t.Errorf("repeated Import() = %+v, want both present", got)
			}
			if got := f.entered(vouched("1")); got != id {
				t.Errorf("the user logged in as %s, want %s", got, id)
			}
		})
	}
}

// A provider does not vouch for the former subject. It leads to no account, and a
// former subject of another user is not affected.
func TestUnprovenFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	stranger := f.entered(authcore.Profile{Subject: "1", UnprovenFormer: former})
	if stranger == id {
		t.Error("an unproven former subject logged in to the imported account")
	}
	if again := f.entered(vouched("1")); again != stranger {
		t.Errorf("the known subject logged in as %s, want %s", again, stranger)
	}
	if got := f.entered(vouched("2")); got != id {
		t.Errorf("the vouched former subject logged in as %s, want %s", got, id)
	}
}

// A subject never matches a former subject, nor the reverse: at Apple both look
// alike, and the subjects of two teams are unrelated (CWE-290).
func TestSubjectsAndFormerSubjectsAreApart(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former)
	for _, profile := range []authcore.Profile{
		{Subject: former},
		{Subject: "1", FormerSubject: "2"},
		{Subject: "3", FormerSubject: "1"},
		{Issuer: "tenant", Subject: "4", FormerSubject: former},
	} {
		if got := f.entered(profile); got == id {
			t.Errorf("Social(%+v) logged in to the imported account", profile)
		}
	}
	both := socialauth.ImportedUser{Logins: []socialauth.ImportedLogin{{Provider: "github", UID: "team 2", TransferSub: "team 1"}}}
	if got, err := f.Import(t.Context(), both, false); err != nil || got.Stored != 2 {
		t.Errorf("Import() with a transfer identifier = %+v, %v, want two identities", got, err)
	}
}

// A user removes an imported login before its first use. Neither the former subject
// nor another import brings it back (CWE-613).
func TestRemovedFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imports(socialauth.ImportedUser{}, former, "2")
	grant, err := f.social(authcore.Profile{Subject: "2"})
	if err != nil || grant.User.ID != id {
		t.Fatalf("Social() = %+v, %v, want %s", grant.User, err, id)
	}
	claims := f.claims(grant)
	stored := f.identities(id)
	wantError(t, "Unlink() of the only active identity", f.Accounts.Unlink(t.Context(), claims, authcore.Caller{}, stored["2"].PublicID), 409, authcore.CodeLastIdentity)
	if err := f.Accounts.Unlink(t.Context(), claims, authcore.Caller{}, stored[former].PublicID); err != nil {
		t.Fatalf("Unlink() of the pending identity failed: %v", err)
	}
	if got := f.importResult(socialauth.ImportedUser{}, "2", former); got.Stored != 0 {
		t.Errorf("repeated Import() = %+v, want nothing stored", got)
	}
	if got := f.entered(vouched("1")); got == id {
		t.Error("the removed former subject logged in to the account")
	}
}
