package login_test

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

func socialWith(code string) login.SocialLogin {
	return login.SocialLogin{Provider: "github", Code: code, ClientKey: clientKey, Caller: caller}
}

func (f *fixture) identities(of session.Grant) []authcore.Identity {
	f.t.Helper()
	identities, err := f.Accounts.Identities(f.t.Context(), f.claims(of))
	if err != nil {
		f.t.Fatalf("Identities() failed: %v", err)
	}
	return identities
}

func TestLinking(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	profile := verified("42", "other@example.com")
	grant, err := f.link(ann, profile)
	if err != nil || grant.User.ID != ann.User.ID || grant.IsNew || grant.User.Email != "ann@example.com" || grant.Session.Method != "github" {
		t.Fatalf("Social() with LinkTo = %+v, %v, want a session of the user", grant, err)
	}
	if n := f.events.count(authcore.EventLinked); n != 1 {
		t.Errorf("%d identity_linked events, want 1", n)
	}
	if _, err := f.link(ann, profile); err != nil {
		t.Errorf("linking again failed: %v", err)
	}
	if identities := f.identities(ann); len(identities) != 1 || identities[0].Subject != "42" {
		t.Errorf("identities = %+v, want one", identities)
	}
	if alone, err := f.social(profile); err != nil || alone.User.ID != ann.User.ID {
		t.Errorf("Social() = %+v, %v, want the user", alone.User, err)
	}
	bob := f.loginAs("bob@example.com")
	_, err = f.link(bob, profile)
	wantCode(t, err, 409, authcore.CodeIdentityTaken)
}

// An attacker who makes a victim's browser finish a login that the attacker began
// would add the attacker's account at the provider to the victim's account. Linking
// needs a state for the same user, and a login needs one that is not for linking
// (RFC 6749, section 10.12; CWE-352).
func TestHardeningLinkingIsBoundToItsUser(t *testing.T) {
	f := newFixture(t, nil)
	ann, eve := f.claims(f.loginAs("ann@example.com")), f.claims(f.loginAs("eve@example.com"))
	f.provider.set("code", authcore.Profile{Subject: "evil"})
	for name, c := range map[string]struct {
		state  string
		linkTo *gate.Claims
	}{
		"no state":                   {"", ann},
		"state of the frontend":      {"mine", ann},
		"state of a login":           {f.begin(nil), ann},
		"state of another user":      {f.begin(eve), ann},
		"linking state for a login":  {f.begin(ann), nil},
		"forged state":               {"ea.x", ann},
		"an ID token needs one, too": {"", ann},
	} {
		t.Run(name, func(t *testing.T) {
			use := socialWith("code")
			use.State, use.LinkTo = c.state, c.linkTo
			_, err := f.Logins.Social(t.Context(), use)
			wantCode(t, err, 400, authcore.CodeInvalidState)
		})
	}
	if n := len(f.provider.requests); n != 0 {
		t.Errorf("the provider received %d codes, want none", n)
	}
}

// A token that leaked, or a browser that was left open, must not be enough to add a
// permanent way into the account.
func TestHardeningLinkingNeedsARecentLogin(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	f.clock.Advance(15 * time.Minute)
	if _, err := f.link(ann, authcore.Profile{Subject: "1"}); err != nil {
		t.Errorf("linking 15 minutes after the login failed: %v", err)
	}
	state := f.begin(f.claims(ann))
	f.clock.Advance(time.Second)
	use := socialWith("code")
	use.State, use.LinkTo = state, f.claims(ann)
	_, err := f.Logins.Social(t.Context(), use)
	wantCode(t, err, 403, authcore.CodeReauthenticationRequired)
	_, err = f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "github", ClientKey: clientKey, LinkTo: f.claims(ann), Caller: caller})
	wantCode(t, err, 403, authcore.CodeReauthenticationRequired)
	refreshed, err := f.Sessions.Refresh(t.Context(), f.claims(ann))
	if err != nil {
		t.Fatal(err)
	}
	use.LinkTo = f.claims(refreshed) // a refresh is not a login
	_, err = f.Logins.Social(t.Context(), use)
	wantCode(t, err, 403, authcore.CodeReauthenticationRequired)
	use.LinkTo = &gate.Claims{Subject: ann.User.ID} // without auth_time
	_, err = f.Logins.Social(t.Context(), use)
	wantCode(t, err, 403, authcore.CodeReauthenticationRequired)
}

// A login that its user removed does not come back by its address, which another
// person may own by now, nor make a new account. Only linking brings it back.
func TestHardeningUnlinkedIdentityStaysOut(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	profile := verified("42", "ann@example.com")
	if grant, err := f.social(profile); err != nil || grant.User.ID != ann.User.ID {
		t.Fatalf("Social() = %+v, %v, want to join by address", grant.User, err)
	}
	if err := f.Accounts.Unlink(t.Context(), f.claims(ann), authcore.Caller{}, f.identities(ann)[0].PublicID); err != nil {
		t.Fatal(err)
	}
	_, err := f.social(profile)
	wantCode(t, err, 403, authcore.CodeIdentityUnlinked)
	if identities := f.identities(ann); len(identities) != 0 {
		t.Errorf("identities = %+v, want none", identities)
	}
	if _, err := f.link(ann, profile); err != nil {
		t.Fatalf("linking the removed login failed: %v", err)
	}
	if grant, err := f.social(profile); err != nil || grant.User.ID != ann.User.ID {
		t.Errorf("Social() after linking = %+v, %v, want the user", grant.User, err)
	}
}

// Another user may link a login that was removed from an account.
func TestUnlinkedIdentityMovesByLinking(t *testing.T) {
	f := newFixture(t, nil)
	ann, bob := f.loginAs("ann@example.com"), f.loginAs("bob@example.com")
	profile := authcore.Profile{Subject: "42"}
	if _, err := f.link(ann, profile); err != nil {
		t.Fatal(err)
	}
	if err := f.Accounts.Unlink(t.Context(), f.claims(ann), authcore.Caller{}, f.identities(ann)[0].PublicID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.link(bob, profile); err != nil {
		t.Fatalf("linking to another user failed: %v", err)
	}
	if grant, err := f.social(profile); err != nil || grant.User.ID != bob.User.ID {
		t.Errorf("Social() = %+v, %v, want the other user", grant.User, err)
	}
	_, err := f.link(ann, profile)
	wantCode(t, err, 409, authcore.CodeIdentityTaken)
}

func TestLinkingOfAFormerSubject(t *testing.T) {
	f := newFixture(t, nil)
	id := f.imported(authcore.User{}, authcore.Identity{Provider: "github", Subject: "2", PublicID: "p"})
	eve := f.loginAs("eve@example.com")
	_, err := f.link(eve, former("1"))
	wantCode(t, err, 409, authcore.CodeIdentityTaken) // it waits for the imported user
	ann, err := f.social(authcore.Profile{Subject: "2"})
	if err != nil || ann.User.ID != id {
		t.Fatalf("Social() = %+v, %v, want the imported user", ann.User, err)
	}
	for range 2 {
		if _, err := f.link(ann, former("1")); err != nil {
			t.Fatal(err)
		}
	}
	if identities := f.identities(ann); len(identities) != 2 {
		t.Errorf("identities = %+v, want two", identities)
	}
	_, err = f.link(eve, former("1"))
	wantCode(t, err, 409, authcore.CodeIdentityTaken)
	if _, err := f.link(eve, former("3")); err != nil { // the former subject is retired
		t.Errorf("linking an account with a retired former subject failed: %v", err)
	}
}

func TestLinkingToInactiveUsers(t *testing.T) {
	for name, end := range map[string]func(f *fixture, id string) error{
		"disabled": func(f *fixture, id string) error { _, err := f.Accounts.Disable(f.t.Context(), id); return err },
		"deleted":  func(f *fixture, id string) error { return f.Accounts.Delete(f.t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			claims := f.claims(f.loginAs("ann@example.com"))
			use := socialWith("code")
			use.State, use.LinkTo = f.begin(claims), claims
			f.provider.set("code", authcore.Profile{Subject: "1"})
			if err := end(f, claims.Subject); err != nil {
				t.Fatal(err)
			}
			_, err := f.Logins.Social(t.Context(), use)
			wantCode(t, err, 403, authcore.CodeUserInactive)
		})
	}
}

func TestListsHoldForLinking(t *testing.T) {
	f := newFixture(t, func(c *realm.Config) { c.Rules.Deny = []string{"evil.example"} })
	_, err := f.link(f.loginAs("ann@example.com"), authcore.Profile{Subject: "2", Email: "x@evil.example"})
	wantCode(t, err, 403, authcore.CodeNotAdmitted)
}

// An application without a redirect URI begins linking for its state.
func TestLinkingByIDToken(t *testing.T) {
	f, _ := withIDTokens(t, func(c *realm.Config) { c.Clients[0].RedirectURIs = nil })
	ann := f.claims(f.loginAs("bob@example.com"))
	begun, err := f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "google-oauth2", ClientKey: clientKey, LinkTo: ann, Caller: caller})
	if err != nil {
		t.Fatal(err)
	}
	use := login.SocialLogin{Provider: "google-oauth2", IDToken: "h.p.s", Nonce: "n", ClientKey: clientKey, LinkTo: ann, Caller: caller}
	_, err = f.Logins.Social(t.Context(), use)
	wantCode(t, err, 400, authcore.CodeInvalidState)
	use.State = begun.State
	if grant, err := f.Logins.Social(t.Context(), use); err != nil || grant.User.ID != ann.Subject {
		t.Errorf("Social() = %+v, %v, want the user", grant.User, err)
	}
	use.IDToken = "h.q.s"
	_, err = f.Logins.Social(t.Context(), use)
	wantCode(t, err, 400, authcore.CodeInvalidState)
	_, err = f.Logins.Authorize(t.Context(), login.AuthorizeStart{Provider: "google-oauth2", ClientKey: clientKey, Caller: caller})
	wantCode(t, err, 400, authcore.CodeInvalidRequest) // a login needs a redirect URI
}
