package login_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// newClosed returns a realm in which no user can sign up without an invitation.
func newClosed(t *testing.T) *fixture {
	t.Helper()
	return newFixture(t, func(c *realm.Config) {
		c.Rules.Signup, c.Rules.Deny, c.Title = account.SignupClosed, []string{"evil.example"}, "Shop"
	})
}

// invite invites an address and returns the invitation and the token of its link.
func (f *fixture) invite(email string, roles ...string) (login.Invitation, string) {
	f.t.Helper()
	ctx := authcore.WithOperator(f.t.Context(), "root", authcore.OperatorEndpoint)
	invitation, err := f.Logins.Invite(ctx, login.InvitationRequest{
		NewUser: account.NewUser{Email: email, FirstName: "Ann", LastName: "Lee", Roles: roles}, Locale: "de",
	})
	if err != nil {
		f.t.Fatalf("Invite(%s) failed: %v", email, err)
	}
	return invitation, tokenOf(f.mails.last(f.t))
}

func TestInvite(t *testing.T) {
	f := newClosed(t)
	invitation, token := f.invite("Ann@Example.com", "editor", "admin", "editor")
	mail := f.mails.last(t)
	if mail.Kind != authcore.MailInvitation || mail.To != "Ann@example.com" || mail.Title != "Shop" || mail.Locale != "de" ||
		mail.Lifetime != realm.DefaultInvitationLifetime || !mail.Live(t.Context()) {
		t.Errorf("mail = %+v, want an invitation", mail)
	}
	if want := f.clock.Now().Add(realm.DefaultInvitationLifetime); invitation.By != "root" || !invitation.Expires.Equal(want) || invitation.DebugLink != "" {
		t.Errorf("Invite() = %+v, want one by root until %s without a link", invitation, want)
	}
	shown, err := f.Logins.ShowLink(t.Context(), token)
	if err != nil || !shown.Invitation || shown.Email != "Ann@example.com" || shown.Code != "" {
		t.Errorf("ShowLink() = %+v, %v, want the invitation of Ann@example.com", shown, err)
	}
	listed, next, err := f.Logins.Invitations(t.Context(), 0, "")
	if err != nil || len(listed) != 1 || listed[0].ID != invitation.ID || listed[0].By != "root" || next != "" {
		t.Errorf("Invitations() = %+v, %q, %v, want the invitation", listed, next, err)
	}
	grant, err := f.byLink(token)
	if err != nil || !grant.IsNew || grant.User.Email != "Ann@example.com" || grant.User.FirstName != "Ann" || grant.Session.Method != login.MethodLink {
		t.Errorf("ByLink() = %+v, %v, want a new user Ann", grant, err)
	}
	if want := []string{"admin", "editor"}; !slices.Equal(grant.User.Roles, want) {
		t.Errorf("roles = %v, want %v", grant.User.Roles, want)
	}
	if mail.Live(t.Context()) {
		t.Error("Live() of the mail of an accepted invitation = true, want false")
	}
	if got, want := f.events.names(), "user_invited signup login"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
}

func TestInviteRefuses(t *testing.T) {
	f := newClosed(t)
	_, token := f.invite("ann@example.com")
	if _, err := f.byLink(token); err != nil {
		t.Fatal(err)
	}
	many := make([]string, 33)
	for i := range many {
		many[i] = strings.Repeat("r", i%32+1) + strings.Repeat("x", i/32)
	}
	for name, c := range map[string]struct {
		request login.InvitationRequest
		status  int
		code    authcore.Code
	}{
		"no address":     {login.InvitationRequest{}, 400, authcore.CodeInvalidRequest},
		"an account":     {login.InvitationRequest{NewUser: account.NewUser{Email: "ANN@example.com"}}, 409, authcore.CodeEmailTaken},
		"denied":         {login.InvitationRequest{NewUser: account.NewUser{Email: "x@evil.example"}}, 403, authcore.CodeNotAdmitted},
		"a role":         {login.InvitationRequest{NewUser: account.NewUser{Email: "b@example.com", Roles: []string{"Admin"}}}, 400, authcore.CodeInvalidRequest},
		"this machine":   {login.InvitationRequest{NewUser: account.NewUser{Email: "root@localhost"}}, 400, authcore.CodeInvalidRequest},
		"a long name":    {login.InvitationRequest{NewUser: account.NewUser{Email: "b@example.com", LastName: strings.Repeat("n", 151)}}, 400, authcore.CodeInvalidRequest},
		"too long":       {login.InvitationRequest{NewUser: account.NewUser{Email: "b@example.com"}, Lifetime: 91 * 24 * time.Hour}, 400, authcore.CodeInvalidRequest},
		"too short":      {login.InvitationRequest{NewUser: account.NewUser{Email: "b@example.com"}, Lifetime: time.Second}, 400, authcore.CodeInvalidRequest},
		"too many roles": {login.InvitationRequest{NewUser: account.NewUser{Email: "b@example.com", Roles: many}}, 400, authcore.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Logins.Invite(t.Context(), c.request)
			wantCode(t, err, c.status, c.code)
		})
	}
}

// A login through a provider that verified the invited address accepts the invitation.
func TestInvitationThroughAProvider(t *testing.T) {
	f := newClosed(t)
	f.invite("ann@example.com", "editor")
	grant, err := f.social(authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true, FirstName: "Other", Nickname: "ann"})
	if err != nil || !grant.IsNew || grant.User.FirstName != "Ann" || grant.User.Nickname != "ann" || !slices.Equal(grant.User.Roles, []string{"editor"}) {
		t.Fatalf("Social() = %+v, %v, want a new user Ann, an editor", grant, err)
	}
	if _, err := f.byLink(tokenOf(f.mails.last(t))); err == nil {
		t.Error("ByLink() with the accepted invitation succeeded, want an error")
	}
	if grant, err = f.social(authcore.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true}); err != nil || grant.IsNew {
		t.Errorf("repeated Social() = %+v, %v, want the same user", grant, err)
	}
}

// An operator can create the account after the invitation. The link then logs in to it
// and adds the roles.
func TestInvitationOfAUserWhoWasCreated(t *testing.T) {
	f := newClosed(t)
	_, token := f.invite("ann@example.com", "editor")
	created, err := f.Accounts.Create(t.Context(), account.NewUser{Email: "ann@example.com", Roles: []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := f.byLink(token)
	if err != nil || grant.User.ID != created.ID || !slices.Equal(grant.User.Roles, []string{"admin", "editor"}) {
		t.Errorf("ByLink() = %+v, %v, want the created user with both roles", grant, err)
	}
}

// The user of an invitation proves or adds a second factor. The roles of the invitation,
// which the first factor used up, come with the second one and not before.
func TestInvitationWithASecondFactor(t *testing.T) {
	for name, accept := range map[string]func(f *fixture, token string) error{
		"link": func(f *fixture, token string) error {
			_, err := f.byLink(token)
			return err
		},
		"provider": func(f *fixture, _ string) error {
			_, err := f.social(verified("1", "ann@example.com"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *realm.Config) {
				withFactors(account.SecondFactorRequired)(c)
				c.Rules.LinkByEmail = account.LinkByEmailVerified
			})
			_, token := f.invite("ann@example.com", "editor")
			created, err := f.Accounts.Create(t.Context(), account.NewUser{Email: "ann@example.com", Roles: []string{"admin"}})
			if err != nil {
				t.Fatal(err)
			}
			asked := missing(t, accept(f, token))
			if user, err := f.store.User(t.Context(), authcore.UserRef{ID: created.ID}); err != nil || !slices.Equal(user.Roles, []string{"admin"}) {
				t.Fatalf("User() after the first factor = %+v, %v, want the role admin", user, err)
			}
			begun, err := f.Logins.BeginEnrolment(t.Context(), asked.Challenge)
			if err != nil {
				t.Fatal(err)
			}
			p := &phone{f: f, secret: begun.Secret}
			grant, err := f.bySecond(login.FactorLogin{Challenge: asked.Challenge, Enrolment: begun.Sealed, Code: p.code()})
			if err != nil || !slices.Equal(grant.User.Roles, []string{"admin", "editor"}) {
				t.Errorf("BySecondFactor() = %+v, %v, want both roles", grant.User, err)
			}
		})
	}
}

// A created user logs in by mail, although no user can sign up.
func TestCreatedUserLogsIn(t *testing.T) {
	f := newClosed(t)
	created, err := f.Accounts.Create(t.Context(), account.NewUser{Email: "Ann@example.com", FirstName: " Ann  B ", Roles: []string{"admin"}})
	if err != nil || created.FirstName != "Ann B" || !created.EmailVerified || f.events.count(authcore.EventUserCreated) != 1 {
		t.Fatalf("Create() = %+v, %v, want a user with a verified address", created, err)
	}
	if grant := f.loginAs("ann@example.com"); grant.User.ID != created.ID || grant.IsNew {
		t.Errorf("login = %+v, want the created user", grant)
	}
	_, err = f.Accounts.Create(t.Context(), account.NewUser{Email: "ann@EXAMPLE.com"})
	wantCode(t, err, 409, authcore.CodeEmailTaken)
	_, err = f.Accounts.Create(t.Context(), account.NewUser{Email: "a@evil.example"})
	wantCode(t, err, 403, authcore.CodeNotAdmitted)
	_, err = f.Accounts.Create(t.Context(), account.NewUser{Email: "nonsense"})
	wantCode(t, err, 400, authcore.CodeInvalidRequest)
}
