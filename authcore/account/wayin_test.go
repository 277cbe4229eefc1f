package authcore_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// somebody is an account with identities, as it is on record.
type somebody struct {
	email      string
	verified   bool
	identities []authcore.Identity
}

// of is an identity that the provider named an address with.
func of(provider, email string) authcore.Identity {
	return authcore.Identity{Provider: provider, Subject: "1", Email: email}
}

// signedIn stores the account under open rules, and returns a service with
// others and the token of a session that goes on.
func (who somebody) signedIn(t *testing.T, change func(*authcore.Config)) (f *fixture, token string, ids map[string]string) {
	t.Helper()
	provider := func(c *authcore.Config) {
		c.Clients[1].Providers = []string{"google-oauth2", "github"}
		c.Providers = append(c.Providers, &openIDProvider{fakeProvider: &fakeProvider{name: "google-oauth2"}})
	}
	before := newFixture(t, provider)
	const id = "9f1f3f4e-52f4-4a6c-9f4e-0d3a6b1c2d3e"
	if who.verified {
		if _, _, err := before.store.EnsureUser(t.Context(), authcore.User{
			ID: id, Email: who.email, EmailVerified: true, Created: before.clock.Now(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i, identity := range who.identities {
		identity.Created = before.clock.Now()
		identity.UserID = id
		var err error
		if i == 0 && !who.verified {
			_, _, err = before.store.EnsureIdentity(t.Context(), identity, authcore.User{ID: id, Email: who.email, Created: identity.Created}, false)
		} else {
			err = before.store.LinkIdentity(t.Context(), identity)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before.provider.profiles["code"] = authcore.Profile{Subject: who.identities[0].Subject}
	login, err := before.LoginSocial(t.Context(), authcore.SocialLogin{
		Provider: "github", Code: "code", ClientKey: clientKey, Caller: caller,
	})
	if err != nil || login.User.ID != id {
		t.Fatalf("logs in as %+v, %v", login.User, err)
	}
	f = newFixture(t, func(c *authcore.Config) {
		provider(c)
		c.Store, c.Now = before.store, before.clock.Now
		if change != nil {
			change(c)
		}
	})
	ids = f.identities(f.claims(login.Token))
	return f, login.Token, ids
}

// Nobody is locked out of their account by a click on "unlink": not by an address
// that may not log in any more, nor by a login that is offered nowhere (CWE-841).
func TestUnlinkCountsWaysThatWork(t *testing.T) {
	const ann = "ann@example.com"
	allow := func(list ...string) func(*authcore.Config) {
		return func(c *authcore.Config) { c.Accounts.Allow = list }
	}
	deny := func(list ...string) func(*authcore.Config) {
		return func(c *authcore.Config) { c.Accounts.Deny = list }
	}
	offeredTo := func(first, second []string) func(*authcore.Config) {
		return func(c *authcore.Config) { c.Clients[0].Providers, c.Clients[1].Providers = first, second }
	}
	recognized := func(issuers ...string) func(*authcore.Config) {
		return func(c *authcore.Config) {
			c.Providers[len(c.Providers)-1].(*openIDProvider).issuers = issuers
		}
	}
	github, google, other := []string{"github"}, []string{"google-oauth2"}, []string{"other"}
	alone := []authcore.Identity{of("github", ann)}
	both := []authcore.Identity{of("github", ann), of("google-oauth2", ann)}
	apart := []authcore.Identity{of("github", ann), of("google-oauth2", "ann@corp.example")}
	withGone := []authcore.Identity{of("github", ann), of("gone", ann)}

	for name, c := range map[string]struct {
		who    somebody
		change func(*authcore.Config)
		unlink string
		stays  bool
	}{
		"a verified address":                        {somebody{ann, true, alone}, nil, "github", false},
		"one that is allowed":                       {somebody{ann, true, alone}, allow("example.com"), "github", false},
		"one that is not allowed any more":          {somebody{ann, true, alone}, allow("corp.example"), "github", true},
		"one that is denied":                        {somebody{ann, true, alone}, deny(ann), "github", true},
		"one whose domain is denied":                {somebody{ann, true, alone}, deny("example.com"), "github", true},
		"one that could not sign up":                {somebody{ann, true, alone}, func(c *authcore.Config) { c.Accounts.Signup = "closed" }, "github", false},
		"one without a mailer but with debug links": {somebody{ann, true, alone}, func(c *authcore.Config) { c.Mailer, c.DebugLinks = nil, true }, "github", false},
		"an address that is not verified":           {somebody{ann, false, alone}, nil, "github", true},

		"another login":                                 {somebody{ann, false, both}, nil, "github", false},
		"another login, and a denied address":           {somebody{ann, true, both}, deny(ann), "github", true},
		"another login, and a denied one there":         {somebody{ann, false, apart}, deny("corp.example"), "github", true},
		"another login, and the denied one goes":        {somebody{"", false, apart}, deny("corp.example"), "google-oauth2", false},
		"another login, allowed by the account":         {somebody{ann, true, apart}, allow(ann), "google-oauth2", false},
		"another login, allowed by the provider's word": {somebody{"", false, apart}, allow("corp.example"), "github", true},
		"another login, whose client has no redirect":   {somebody{ann, false, both}, func(c *authcore.Config) { c.Clients[0].RedirectURIs, c.Clients[1].RedirectURIs = nil, nil }, "google-oauth2", true},
		"another login, by ID token alone":              {somebody{ann, false, both}, func(c *authcore.Config) { c.Clients[0].Providers, c.Clients[1].RedirectURIs = github, nil }, "github", false},
		"another login that no client offers":           {somebody{ann, false, both}, offeredTo(github, github), "github", true},
		"another login that one client offers":          {somebody{ann, false, both}, offeredTo(github, google), "github", false},
		"a login that no client offers goes":            {somebody{ann, false, both}, offeredTo(github, github), "google-oauth2", false},
		"all offered nowhere: they open nothing":        {somebody{ann, false, both}, offeredTo(other, other), "github", false},
		"another login of a provider that is gone":      {somebody{ann, false, withGone}, nil, "github", true},
		"another login at a server of before":           {somebody{ann, false, both}, recognized("https://now.example"), "github", true},
		"another login at the server of today":          {somebody{ann, false, both}, recognized("https://now.example", ""), "github", false},
		"the login at the server of before goes":        {somebody{ann, false, both}, recognized("https://now.example"), "google-oauth2", false},
		"the provider is gone, the login goes":          {somebody{ann, false, withGone}, nil, "gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, token, ids := c.who.signedIn(t, c.change)
			err := f.Unlink(t.Context(), f.claims(token), ids[c.unlink])
			if c.stays {
				wantCode(t, err, 409, authcore.CodeLastIdentity)
			} else if err != nil {
				t.Error(err)
			}
			if _, there := f.identities(f.claims(token))[c.unlink]; there != c.stays {
				t.Errorf("the identity is there: %t", there)
			}
		})
	}
}
