package authcore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

const former = "ann@example.com"

// imported is a fixture with somebody who was imported under a former subject,
// and without a verified address: nothing but the subject leads to the account.
func imported(t *testing.T, change func(*authcore.Config)) (*fixture, string) {
	t.Helper()
	f := newFixture(t, change)
	return f, f.imports(authcore.ImportedUser{FirstName: "Ann", Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}}}).UserID
}

// imports imports somebody whole.
func (f *fixture) imports(user authcore.ImportedUser) authcore.ImportResult {
	f.t.Helper()
	result, err := f.ImportUser(f.t.Context(), user, false)
	if err != nil || result.UserID == "" || slices.ContainsFunc(result.Refused, func(why string) bool { return why != "" }) {
		f.t.Fatalf("import: %+v, %v", result, err)
	}
	return result
}

// comer is somebody whom the provider vouches to have had the former subject.
func comer(subject string) authcore.Profile {
	return authcore.Profile{Subject: subject, FormerSubject: former}
}

func TestFormerSubject(t *testing.T) {
	f, id := imported(t, func(c *authcore.Config) { c.Accounts = authcore.AccountRules{Signup: authcore.SignupClosed} })
	_, err := f.social(authcore.Profile{Subject: "1"})
	wantCode(t, err, 403, authcore.CodeSignupClosed) // no former subject, no account
	login, err := f.social(comer("1"))
	if err != nil || login.User.ID != id || login.IsNew || login.User.FirstName != "Ann" {
		t.Fatalf("the first login: %+v, %v", login.User, err)
	}
	// From now on the subject says who it is, whatever the address has become.
	for _, profile := range []authcore.Profile{comer("1"), {Subject: "1"}, {Subject: "1", FormerSubject: "new@example.com"}} {
		if login, err := f.social(profile); err != nil || login.User.ID != id {
			t.Errorf("%+v: %+v, %v", profile, login.User, err)
		}
	}
	claims := f.claims(login.Token)
	list, err := f.Identities(t.Context(), claims)
	if err != nil || len(list) != 1 || list[0].Subject != "1" || list[0].Issuer != "" {
		t.Fatalf("identities are %+v, %v", list, err)
	}
	wantCode(t, f.Unlink(t.Context(), claims, list[0].PublicID()), 409, authcore.CodeLastIdentity)
	// What keeps the former subject from coming back cannot be taken away.
	all, err := f.store.IdentitiesOf(t.Context(), id)
	if err != nil || len(all) != 2 {
		t.Fatalf("stored are %+v, %v", all, err)
	}
	for _, identity := range all {
		if identity != list[0] {
			wantCode(t, f.Unlink(t.Context(), claims, identity.PublicID()), 404, authcore.CodeNotFound)
		}
	}
}

// Before the first login a former subject is in the list of the logins and can be
// taken away. It is no way in that one could rely on: nobody knows whether the
// provider still vouches for it.
func TestFormerSubjectIsALogin(t *testing.T) {
	f, id := imported(t, nil)
	f.imports(authcore.ImportedUser{Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}, {Provider: "github", UID: "2"}}})
	login, err := f.social(authcore.Profile{Subject: "2"})
	if err != nil || login.User.ID != id {
		t.Fatalf("%+v, %v", login.User, err)
	}
	claims := f.claims(login.Token)
	list, err := f.Identities(t.Context(), claims)
	if err != nil || len(list) != 2 {
		t.Fatalf("identities are %+v, %v", list, err)
	}
	for _, identity := range list {
		if identity.Subject == "2" {
			wantCode(t, f.Unlink(t.Context(), claims, identity.PublicID()), 409, authcore.CodeLastIdentity)
		}
	}
	for _, identity := range list {
		if identity.Subject == former {
			if err := f.Unlink(t.Context(), claims, identity.PublicID()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if stranger, err := f.social(comer("1")); err != nil || stranger.User.ID == id {
		t.Errorf("the former subject that was unlinked: %+v, %v", stranger.User, err)
	}
}

// A signed-in user who adds a login that they were imported with has it once; one
// that somebody else was imported with stays with that one.
func TestLinkFormerSubject(t *testing.T) {
	link := func(f *fixture, to authcore.Login, profile authcore.Profile) error {
		f.provider.mu.Lock()
		f.provider.profiles["code"] = profile
		f.provider.mu.Unlock()
		_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
			Provider: "github", Code: "code", ClientKey: clientKey, LinkTo: f.claims(to.Token), Caller: caller,
		})
		return err
	}
	f, id := imported(t, nil)
	eve := f.loginAs("eve@example.com")
	wantCode(t, link(f, eve, comer("1")), 409, authcore.CodeIdentityTaken)
	f.imports(authcore.ImportedUser{Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}, {Provider: "github", UID: "2"}}})
	ann, err := f.social(authcore.Profile{Subject: "2"})
	if err != nil || ann.User.ID != id {
		t.Fatalf("%+v, %v", ann.User, err)
	}
	for range 2 {
		if err := link(f, ann, comer("1")); err != nil {
			t.Fatal(err)
		}
	}
	if ids := f.identities(f.claims(ann.Token)); len(ids) != 1 { // by provider
		t.Errorf("identities are %v", ids)
	}
	if list, err := f.Identities(t.Context(), f.claims(ann.Token)); err != nil || len(list) != 2 {
		t.Errorf("identities are %+v, %v", list, err)
	}
	wantCode(t, link(f, eve, comer("1")), 409, authcore.CodeIdentityTaken)
	// The former subject has had its turn.
	if err := link(f, eve, comer("3")); err != nil {
		t.Error(err)
	}
	if login, err := f.social(comer("4")); err != nil || login.User.ID == id || login.User.ID == eve.User.ID {
		t.Errorf("%+v, %v", login.User, err)
	}
}

// What cannot be looked up is not linked: it may be somebody else's.
func TestLinkFormerSubjectWhileTheStoreIsDown(t *testing.T) {
	store := &stepStore{}
	f, _ := imported(t, func(c *authcore.Config) { store.Store, c.Store = c.Store, store })
	eve := f.loginAs("eve@example.com")
	f.provider.profiles["code"] = comer("1")
	for fails := range 2 {
		store.lookups, store.failsAt = 0, fails+1
		_, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
			Provider: "github", Code: "code", ClientKey: clientKey, LinkTo: f.claims(eve.Token), Caller: caller,
		})
		wantCode(t, err, 503, authcore.CodeUnavailable)
	}
	if ids := f.identities(f.claims(eve.Token)); len(ids) != 0 {
		t.Errorf("linked are %v", ids)
	}
}

// The rules for accounts hold for whoever comes by a former subject, and whoever
// is kept out has not used it up.
func TestRulesHoldForFormerSubjects(t *testing.T) {
	closed := authcore.AccountRules{Signup: authcore.SignupClosed, LinkByEmail: authcore.LinkByEmailNever}
	for name, c := range map[string]struct {
		rules   authcore.AccountRules
		profile authcore.Profile
		refused bool
	}{
		"the account is there, so nobody signs up": {closed, comer("1"), false},
		"denied by the provider's address": {
			authcore.AccountRules{Deny: []string{"evil.example"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@evil.example"},
			true,
		},
		"denied by the address of the account": {authcore.AccountRules{Deny: []string{"imported.example"}}, comer("1"), true},
		"not on the list": {
			authcore.AccountRules{Allow: []string{"example.org"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@example.org"},
			true,
		},
		"on the list": {
			authcore.AccountRules{Allow: []string{"example.org"}},
			authcore.Profile{Subject: "1", FormerSubject: former, Email: "ann@example.org", EmailVerified: true},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := rules(t, c.rules)
			id := f.imports(authcore.ImportedUser{
				Email: "ann@imported.example", Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}},
			}).UserID
			login, err := f.social(c.profile)
			if !c.refused {
				if err != nil || login.User.ID != id {
					t.Errorf("%+v, %v", login.User, err)
				}
				return
			}
			wantCode(t, err, 403, authcore.CodeNotAdmitted)
			again := newFixture(t, func(cfg *authcore.Config) { cfg.Store = f.store })
			if login, err := again.social(comer("1")); err != nil || login.User.ID != id {
				t.Errorf("once the rules are gone: %+v, %v", login.User, err)
			}
		})
	}
}

// stepStore does something, once, before an identity is replaced, and fails at a
// lookup of an identity.
type stepStore struct {
	authcore.Store
	do               func() error
	lookups, failsAt int
}

func (s *stepStore) UserByIdentity(ctx context.Context, identity authcore.Identity) (authcore.User, error) {
	if s.lookups++; s.lookups == s.failsAt {
		return authcore.User{}, errDown
	}
	return s.Store.UserByIdentity(ctx, identity)
}

func (s *stepStore) ReplaceIdentity(ctx context.Context, old authcore.Identity, others []authcore.Identity) (authcore.User, error) {
	if do := s.do; do != nil {
		s.do = nil
		if err := do(); err != nil {
			return authcore.User{}, err
		}
	}
	return s.Store.ReplaceIdentity(ctx, old, others)
}

// Somebody who clicks twice has two logins at once, with a code each: both lead
// to the account, also where nobody may sign up.
func TestTwoLoginsByOneFormerSubject(t *testing.T) {
	store := &stepStore{}
	f, id := imported(t, func(c *authcore.Config) {
		store.Store, c.Store = c.Store, store
		c.Accounts = authcore.AccountRules{Signup: authcore.SignupClosed}
	})
	store.do = func() error {
		if first, err := f.social(comer("1")); err != nil || first.User.ID != id {
			t.Errorf("the faster one: %+v, %v", first.User, err)
		}
		return nil
	}
	if second, err := f.social(comer("1")); err != nil || second.User.ID != id {
		t.Errorf("the slower one: %+v, %v", second.User, err)
	}
}

// A store that is down is no reason to make somebody another account.
func TestFormerSubjectWhileTheStoreIsDown(t *testing.T) {
	store := &stepStore{}
	f, id := imported(t, func(c *authcore.Config) { store.Store, c.Store = c.Store, store })
	store.do = func() error { return errDown }
	_, err := f.social(comer("1"))
	wantCode(t, err, 503, authcore.CodeUnavailable)
	if login, err := f.social(comer("1")); err != nil || login.User.ID != id {
		t.Errorf("afterwards: %+v, %v", login.User, err)
	}
}

// Of many people whom the provider takes for the one who was imported, because
// the address went from hand to hand, one is believed, once (CWE-362).
func TestManyTakeOneFormerSubject(t *testing.T) {
	f, id := imported(t, nil)
	const crowd = 20
	for i := range crowd {
		f.provider.profiles[fmt.Sprint(i)] = comer(fmt.Sprint(i))
	}
	var mu sync.Mutex
	users := map[string]int{}
	var people sync.WaitGroup
	for i := range crowd {
		people.Go(func() {
			login, err := f.LoginSocial(t.Context(), authcore.SocialLogin{Provider: "github", Code: fmt.Sprint(i), ClientKey: clientKey, Caller: caller})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			users[login.User.ID]++
		})
	}
	people.Wait()
	if users[id] != 1 || len(users) != crowd {
		t.Errorf("%d came into the account, and there are %d accounts", users[id], len(users))
	}
}

// A domain of Workspace that its owner gave up is bought, and the new owner makes
// an account for the old address: whoever has logged in here once is out of reach,
// also after another import of the same file (CWE-290).
func TestRecycledDomain(t *testing.T) {
	f, id := imported(t, nil)
	if login, err := f.social(comer("1")); err != nil || login.User.ID != id {
		t.Fatalf("%+v, %v", login.User, err)
	}
	again, err := f.ImportUser(t.Context(), authcore.ImportedUser{Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}}}, false)
	if err != nil || again.UserID != id || again.Stored != 0 || again.Present != 1 || again.IsNew {
		t.Errorf("the second import: %+v, %v", again, err)
	}
	if login, err := f.social(comer("2")); err != nil || login.User.ID == id || !login.IsNew {
		t.Errorf("the new owner is %+v, %v", login.User, err)
	}
	// Not even when an import that looked before the first login stores after it.
	stale := authcore.Identity{Provider: "github", Issuer: "former ", Subject: former, UserID: id}
	if err := f.store.LinkIdentity(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if login, err := f.social(comer("3")); err != nil || login.User.ID == id || !login.IsNew {
		t.Errorf("after a late import: %+v, %v", login.User, err)
	}
	if login, err := f.social(comer("1")); err != nil || login.User.ID != id {
		t.Errorf("the person is %+v, %v", login.User, err)
	}
}

// Somebody is known by the subject already, as the other system had changed from
// the address to it and kept both, or as they came before the import. Their
// logins use up the former subject all the same: whoever has the address next is
// somebody else (CWE-290).
func TestRecycledDomainOfSomebodyKnown(t *testing.T) {
	address := authcore.ImportedLogin{Provider: "github", UID: former}
	both := authcore.ImportedUser{Logins: []authcore.ImportedLogin{address, {Provider: "github", UID: "1"}}}
	login := func(f *fixture) string {
		login, err := f.social(comer("1"))
		if err != nil {
			t.Fatal(err)
		}
		return login.User.ID
	}
	for name, come := range map[string]func(f *fixture) (id string){
		"imported with both": func(f *fixture) string {
			f.imports(both)
			return login(f)
		},
		"imported afterwards": func(f *fixture) string {
			login(f)
			f.imports(both)
			return login(f)
		},
		"linked once more": func(f *fixture) string {
			f.imports(both)
			before, err := f.social(authcore.Profile{Subject: "1"}) // with another address
			if err != nil {
				t.Fatal(err)
			}
			f.provider.profiles["code"] = comer("1")
			if _, err := f.LoginSocial(t.Context(), authcore.SocialLogin{
				Provider: "github", Code: "code", ClientKey: clientKey, LinkTo: f.claims(before.Token), Caller: caller,
			}); err != nil {
				t.Fatal(err)
			}
			return before.User.ID
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			id := come(f)
			if eve, err := f.social(comer("2")); err != nil || eve.User.ID == id {
				t.Errorf("the new owner is %+v, %v", eve.User, err)
			}
			if again, err := f.ImportUser(t.Context(), both, false); err != nil || again.UserID != id || again.Stored != 0 || again.Present != 2 {
				t.Errorf("another import: %+v, %v", again, err)
			}
			if login(f) != id {
				t.Error("the person has lost the account")
			}
		})
	}

	// What the provider does not vouch for leads nobody in, and ends a turn too.
	unproven := authcore.Profile{Subject: "1", UnprovenFormer: former}
	f, id := imported(t, nil)
	if other, err := f.social(unproven); err != nil || other.User.ID == id {
		t.Errorf("%+v, %v", other.User, err)
	}
	f = newFixture(t, nil)
	id = f.imports(authcore.ImportedUser{Email: former, EmailVerified: true, Logins: []authcore.ImportedLogin{address}}).UserID
	unproven.Email, unproven.EmailVerified = former, true // joins
	if joined, err := f.social(unproven); err != nil || joined.User.ID != id {
		t.Errorf("%+v, %v", joined.User, err)
	}
	if eve, err := f.social(comer("2")); err != nil || eve.User.ID == id {
		t.Errorf("%+v, %v", eve.User, err)
	}

	// Where somebody else was imported under it, it waits for them.
	f, id = imported(t, nil)
	stranger, err := f.social(authcore.Profile{Subject: "1"})
	if err != nil || login(f) != stranger.User.ID {
		t.Errorf("%+v, %v", stranger.User, err)
	}
	if heir, err := f.social(comer("2")); err != nil || heir.User.ID != id {
		t.Errorf("%+v, %v", heir.User, err)
	}
}

// A former subject that cannot be used up now is no reason to forget about it.
func TestKnownSubjectWhileTheStoreIsDown(t *testing.T) {
	store := &stepStore{}
	f, id := imported(t, func(c *authcore.Config) { store.Store, c.Store = c.Store, store })
	f.imports(authcore.ImportedUser{Logins: []authcore.ImportedLogin{{Provider: "github", UID: former}, {Provider: "github", UID: "1"}}})
	store.do = func() error { return errDown }
	_, err := f.social(comer("1"))
	wantCode(t, err, 503, authcore.CodeUnavailable)
	if login, err := f.social(comer("1")); err != nil || login.User.ID != id {
		t.Errorf("%+v, %v", login.User, err)
	}
}

// A disabled user gets nothing by a former subject, and nor does anybody else.
func TestFormerSubjectOfADisabledUser(t *testing.T) {
	f, id := imported(t, nil)
	if _, err := f.DisableUser(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := f.social(comer("1"))
		wantCode(t, err, 403, authcore.CodeUserInactive)
	}
	if _, err := f.DisableUser(t.Context(), id, false); err != nil {
		t.Fatal(err)
	}
	if login, err := f.social(comer("1")); err != nil || login.User.ID != id {
		t.Errorf("enabled: %+v, %v", login.User, err)
	}
}

// A subject is never compared with a former one, nor the other way about: at
// Apple both look alike, and the subjects of one team are not those of another. A
// provider that puts our marks into an issuer is refused (CWE-290).
func TestSubjectsAndFormerOnesAreApart(t *testing.T) {
	f, id := imported(t, nil)
	login, err := f.social(authcore.Profile{Subject: former})
	if err != nil || login.User.ID == id {
		t.Errorf("the former subject as a subject: %+v, %v", login.User, err)
	}
	victim := login.User.ID
	if login, err = f.social(authcore.Profile{Subject: "1", FormerSubject: "2"}); err != nil || login.User.ID == id || login.User.ID == victim {
		t.Errorf("another former subject: %+v, %v", login.User, err)
	}
	if login, err = f.social(authcore.Profile{Subject: "3", FormerSubject: "1"}); err != nil || login.User.ID == id {
		t.Errorf("a subject as a former one: %+v, %v", login.User, err)
	}
	if login, err = f.social(authcore.Profile{Issuer: "tenant", Subject: "4", FormerSubject: former}); err != nil || login.User.ID == id {
		t.Errorf("a former subject of another issuer: %+v, %v", login.User, err)
	}
	long := strings.Repeat("x", 1024)
	for _, profile := range []authcore.Profile{
		{Issuer: "former ", Subject: former},
		{Issuer: "former tenant", Subject: former},
		{Issuer: "moved ", Subject: former},
		{Issuer: "moved tenant", Subject: former},
		{Subject: "5", FormerSubject: long + "x"},
		{Subject: "5", FormerSubject: "a\x00"},
		{Subject: "5", FormerSubject: "\xff"},
		{Subject: "5", UnprovenFormer: long + "x"},
		{Subject: "5", UnprovenFormer: "\xff"},
		{Issuer: long, Subject: "5", UnprovenFormer: former},
		{Issuer: long, Subject: "5", FormerSubject: former}, // with a mark it is too long
	} {
		_, err := f.social(profile)
		wantCode(t, err, 502, authcore.CodeProviderUnavailable)
	}
}

// meanwhileStore lets a test come between the steps of an import.
type meanwhileStore struct {
	authcore.Store
	do func()
}

func (s *meanwhileStore) Import(ctx context.Context, records []authcore.Record) (int, error) {
	if s.do != nil {
		s.do()
	}
	return s.Store.Import(ctx, records)
}

func TestImportUser(t *testing.T) {
	login := func(uid string) authcore.ImportedLogin { return authcore.ImportedLogin{Provider: "github", UID: uid} }
	f := newFixture(t, nil)
	given := authcore.ImportedUser{
		Email: "Ann@EXAMPLE.com", EmailVerified: true, FirstName: " Ann ", LastName: "Lee",
		Logins: []authcore.ImportedLogin{login("1"), login(former), login("refused"), {Provider: "none", UID: "1"}, login("1")},
	}
	dry, err := f.ImportUser(t.Context(), given, true)
	if err != nil || dry.UserID != "" || !dry.IsNew || dry.Stored != 2 || dry.Refused[2] == "" || dry.Refused[3] == "" {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	if _, err := f.FindUser(t.Context(), "ann@example.com"); err == nil {
		t.Error("the dry run stored somebody")
	}
	first, err := f.ImportUser(t.Context(), given, false)
	if err != nil || !first.IsNew || first.Stored != 2 || first.Present != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	user, err := f.FindUser(t.Context(), "ann@example.com")
	if err != nil || user.ID != first.UserID || user.Email != "Ann@example.com" || user.FirstName != "Ann" || user.LastName != "Lee" {
		t.Errorf("stored is %+v, %v", user, err)
	}
	given.FirstName, given.Email = "Anna", "anna@example.com"
	again, err := f.ImportUser(t.Context(), given, false)
	if err != nil || again.IsNew || again.Stored != 0 || again.Present != 3 || again.UserID != first.UserID {
		t.Errorf("again: %+v, %v", again, err)
	}
	if same, err := f.FindUser(t.Context(), first.UserID); err != nil || same != user {
		t.Errorf("the second import changed %+v to %+v, %v", user, same, err)
	}
	if got, err := f.social(authcore.Profile{Subject: "1"}); err != nil || got.User.ID != first.UserID {
		t.Errorf("logs in as %+v, %v", got.User, err)
	}

	// A login of somebody else's is refused, and none of the others with it.
	other, err := f.ImportUser(t.Context(), authcore.ImportedUser{Logins: []authcore.ImportedLogin{login("9"), login("1")}}, false)
	if err != nil || other.UserID != first.UserID || other.Stored != 1 {
		t.Errorf("a further login of the same user: %+v, %v", other, err)
	}
	f.imports(authcore.ImportedUser{Logins: []authcore.ImportedLogin{login("5")}})
	mixed, err := f.ImportUser(t.Context(), authcore.ImportedUser{Logins: []authcore.ImportedLogin{login("1"), login("5"), login("6")}}, false)
	if err != nil || mixed.UserID != first.UserID || mixed.Stored != 1 || mixed.Present != 1 || mixed.Refused[1] == "" || mixed.Refused[2] != "" {
		t.Errorf("of two users: %+v, %v", mixed, err)
	}
}

func TestImportIntoAccounts(t *testing.T) {
	login := []authcore.ImportedLogin{{Provider: "github", UID: "1"}}
	for name, c := range map[string]struct {
		rules    authcore.AccountRules
		verified bool
		joined   bool
		refused  bool
	}{
		"verified on both sides": {authcore.AccountRules{}, true, true, false},
		"not verified there":     {authcore.AccountRules{}, false, false, false},
		"nothing is joined":      {authcore.AccountRules{LinkByEmail: authcore.LinkByEmailNever}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := rules(t, c.rules)
			ann := f.loginAs("ann@example.com").User
			given := authcore.ImportedUser{Email: "ANN@example.com", EmailVerified: c.verified, Logins: login}
			result, err := f.ImportUser(t.Context(), given, false)
			if err != nil || (result.UserID == ann.ID) != c.joined || (result.Refused[0] != "") != c.refused || (result.Stored == 0) != c.refused {
				t.Fatalf("%+v, %v", result, err)
			}
			if c.joined {
				return
			}
			// It shows no address of somebody else's.
			if user, err := f.FindUser(t.Context(), result.UserID); err != nil || user.Email != "" {
				t.Errorf("%+v, %v", user, err)
			}
		})
	}
}

func TestImportFaults(t *testing.T) {
	one := []authcore.ImportedLogin{{Provider: "github", UID: "1"}}
	f := newFixture(t, nil)
	for name, given := range map[string]authcore.ImportedUser{
		"no logins":   {},
		"too many":    {Logins: slices.Repeat(one, 51)},
		"bad address": {Email: "ann", Logins: one},
		"long name":   {LastName: string(slices.Repeat([]byte("x"), 151)), Logins: one},
		"no text":     {FirstName: "\xff", Logins: one},
	} {
		if _, err := f.ImportUser(t.Context(), given, false); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			wantCode(t, err, 400, authcore.CodeInvalidRequest)
		}
	}
	for _, uid := range []string{strings.Repeat("x", 1025), "a\x00", "\xff"} {
		result, err := f.ImportUser(t.Context(), authcore.ImportedUser{Logins: []authcore.ImportedLogin{{Provider: "github", UID: uid}}}, false)
		if err != nil || result.Refused[0] == "" || result.UserID != "" {
			t.Errorf("%.10q: %+v, %v", uid, result, err)
		}
	}
	other := &plainProvider{f.provider}
	without := newFixture(t, func(c *authcore.Config) { c.Providers = []authcore.Provider{other} })
	result, err := without.ImportUser(t.Context(), authcore.ImportedUser{Logins: one}, false)
	if err != nil || result.Refused[0] == "" || result.UserID != "" {
		t.Errorf("a provider that knows nothing of uids: %+v, %v", result, err)
	}

	// Somebody logs in while they are imported.
	store := &meanwhileStore{}
	busy := newFixture(t, func(c *authcore.Config) { store.Store, c.Store = c.Store, store })
	var inTime authcore.Login
	store.do = func() {
		store.do = nil
		inTime, err = busy.social(authcore.Profile{Subject: "1"})
		if err != nil {
			t.Error(err)
		}
	}
	result, err = busy.ImportUser(t.Context(), authcore.ImportedUser{Logins: one}, false)
	if err != nil || result.Refused[0] == "" || result.Stored != 0 || result.UserID != "" {
		t.Errorf("overtaken: %+v, %v", result, err)
	}
	result, err = busy.ImportUser(t.Context(), authcore.ImportedUser{Logins: one}, false)
	if err != nil || result.UserID != inTime.User.ID || result.Present != 1 {
		t.Errorf("once more: %+v, %v", result, err)
	}

	down := newScripted(busy.store)
	node := newFixture(t, func(c *authcore.Config) { c.Store = down })
	down.do(func(context.Context, string) error { return errDown }, "UserByEmail")
	_, err = node.ImportUser(t.Context(), authcore.ImportedUser{Email: "a@b.example", Logins: []authcore.ImportedLogin{{Provider: "github", UID: "2"}}}, false)
	wantCode(t, err, 503, authcore.CodeUnavailable)
	if !errors.Is(err, authcore.ErrUnavailable) {
		t.Error(err)
	}
}

// plainProvider has no ImportNames.
type plainProvider struct{ authcore.Provider }

// Two calls at once take the two ways in, while what is left of a former subject
// makes the store believe that there is a third (CWE-362).
func TestUnlinkBesideAMovedSubject(t *testing.T) {
	store := &meanwhile{}
	f, login := linked(t, func(c *authcore.Config) { store.Store, c.Store = c.Store, store })
	claims := f.claims(login.Token)
	f.leaveMoved(claims.Subject)
	ids := f.identities(claims)
	store.do = func() {
		if err := f.Unlink(t.Context(), claims, ids["other"]); err != nil {
			t.Error(err)
		}
	}
	wantCode(t, f.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
	if left := f.identities(claims); len(left) != 1 || left["github"] != ids["github"] {
		t.Errorf("left are %v", left)
	}
}

// A user without an address keeps their only login where it is none today, as its
// provider is offered to nobody: it may be tomorrow. What is left of a former
// subject is no login that could stay in its place.
func TestUnlinkTheOnlyOneBesideAMovedSubject(t *testing.T) {
	nowhere := func(c *authcore.Config) {
		c.Clients[0].Providers, c.Clients[1].Providers = []string{"other"}, []string{"other"}
	}
	ann := somebody{"ann@example.com", false, []authcore.Identity{of("github", "")}}
	t.Run("alone", func(t *testing.T) {
		f, token, ids := ann.signedIn(t, nowhere)
		claims := f.claims(token)
		f.leaveMoved(claims.Subject)
		wantCode(t, f.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
	})
	t.Run("two at once", func(t *testing.T) {
		ann.identities = append(ann.identities, of("gone", ""))
		store := &meanwhile{}
		f, token, ids := ann.signedIn(t, func(c *authcore.Config) {
			nowhere(c)
			store.Store, c.Store = c.Store, store
		})
		claims := f.claims(token)
		f.leaveMoved(claims.Subject)
		store.do = func() {
			if err := f.Unlink(t.Context(), claims, ids["gone"]); err != nil {
				t.Error(err)
			}
		}
		wantCode(t, f.Unlink(t.Context(), claims, ids["github"]), 409, authcore.CodeLastIdentity)
		if left := f.identities(claims); len(left) != 1 || left["github"] != ids["github"] {
			t.Errorf("left are %v", left)
		}
	})
}

// leaveMoved gives a user what is left of a former subject.
func (f *fixture) leaveMoved(userID string) {
	f.t.Helper()
	moved := authcore.Identity{Provider: "github", Issuer: "moved ", Subject: former, UserID: userID, Created: f.clock.Now()}
	if err := f.store.LinkIdentity(f.t.Context(), moved); err != nil {
		f.t.Fatal(err)
	}
}
