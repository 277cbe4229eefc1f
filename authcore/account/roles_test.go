package account_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// roleRules returns rules that give roles.
func roleRules(t *testing.T, rules ...account.RoleRule) *account.Rules {
	t.Helper()
	r := &account.Rules{Roles: rules, RoleProviders: map[string]bool{"keycloak": true}, ProviderRolesAge: 90 * 24 * time.Hour}
	r.SetDefaults()
	if err := r.Validate(); err != nil {
		t.Fatalf("Validate() = %v, want nil", err)
	}
	return r
}

func TestRolesOf(t *testing.T) {
	now := time.Now().UTC()
	rules := roleRules(t,
		account.RoleRule{Role: "admin", To: []string{"Ann@Example.com"}},
		account.RoleRule{Role: "staff", To: []string{"@example.com", "bücher.example"}},
	)
	keycloak := func(change func(*authcore.Identity)) []authcore.Identity {
		identity := authcore.Identity{Provider: "keycloak", Roles: []string{"editor"}, RolesAt: now.Add(-time.Hour)}
		if change != nil {
			change(&identity)
		}
		return []authcore.Identity{identity}
	}
	for name, test := range map[string]struct {
		user       authcore.User
		identities []authcore.Identity
		want       string
	}{
		"no source":            {want: ""},
		"granted":              {user: authcore.User{Granted: []string{"a", "b"}}, want: "a,b"},
		"address":              {user: authcore.User{Email: ann, EmailVerified: true}, want: "admin,staff"},
		"domain":               {user: authcore.User{Email: "bob@example.com", EmailVerified: true}, want: "staff"},
		"international domain": {user: authcore.User{Email: "bob@xn--bcher-kva.example", EmailVerified: true}, want: "staff"},
		"sub-domain":           {user: authcore.User{Email: "ann@sub.example.com", EmailVerified: true}, want: ""},
		"other domain":         {user: authcore.User{Email: "ann@notexample.com", EmailVerified: true}, want: ""},
		"provider":             {identities: keycloak(nil), want: "editor"},
		"all, joined": {
			user:       authcore.User{Email: "bob@example.com", EmailVerified: true, Granted: []string{"staff", "zoo"}},
			identities: keycloak(nil), want: "editor,staff,zoo",
		},
		"stale roles are computed anew": {user: authcore.User{Roles: []string{"admin"}}, want: ""},
		"provider long ago":             {identities: keycloak(func(i *authcore.Identity) { i.RolesAt = now.Add(-91 * 24 * time.Hour) }), want: ""},
		"unlinked provider":             {identities: keycloak(func(i *authcore.Identity) { i.State = authcore.IdentityUnlinked }), want: ""},
		"pending identity":              {identities: keycloak(func(i *authcore.Identity) { i.State = authcore.IdentityPending }), want: ""},
		"provider without the option":   {identities: keycloak(func(i *authcore.Identity) { i.Provider = "github" }), want: ""},
	} {
		got := rules.RolesOf(&authcore.Account{User: test.user, Identities: test.identities}, now)
		if strings.Join(got, ",") != test.want {
			t.Errorf("%s: RolesOf() = %q, want %q", name, got, test.want)
		}
	}
}

func TestRoleRulesFaults(t *testing.T) {
	for want, rule := range map[string]account.RoleRule{
		`"Admin" is not the name of a role`: {Role: "Admin", To: []string{ann}},
		"role admin: has no address":        {Role: "admin"},
		"contains a wildcard":               {Role: "admin", To: []string{"*@example.com"}},
		"is not an e-mail address":          {Role: "admin", To: []string{"@"}},
	} {
		rules := &account.Rules{Roles: []account.RoleRule{rule}}
		rules.SetDefaults()
		if err := rules.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate(%v) = %v, want %q", rule, err, want)
		}
	}
}

// A granted role is in force at once for tokens that were issued before, and the sessions
// live on.
func TestSetRoles(t *testing.T) {
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, nil, func(cfg *account.Config) {
		cfg.Rules = roleRules(t, account.RoleRule{Role: "staff", To: []string{"example.com"}})
	})
	user, err := f.SetRoles(t.Context(), annID, []string{"editor", "admin", "editor"})
	if err != nil || !slices.Equal(user.Granted, []string{"admin", "editor"}) || !slices.Equal(user.Roles, []string{"admin", "editor", "staff"}) {
		t.Fatalf("SetRoles() = %+v, %v", user, err)
	}

	if err := f.revoked.Check(f.claims); err != nil || f.revoked.Len() != 1 {
		t.Errorf("Check() = %v with %d revocations, want nil and 1", err, f.revoked.Len())
	}
	if user, err = f.SetRoles(t.Context(), annID, nil); err != nil || len(user.Granted) != 0 || !slices.Equal(user.Roles, []string{"staff"}) {
		t.Errorf("SetRoles(none) = %+v, %v, want the role of the configuration alone", user, err)
	}
	if !slices.Equal(f.events, []authcore.EventName{authcore.EventRolesGranted, authcore.EventRolesGranted}) {
		t.Errorf("events are %v, want two of %s", f.events, authcore.EventRolesGranted)
	}
}

// Users without a session have no tokens that a revocation would have to change.
func TestSetRolesWithoutSession(t *testing.T) {
	f := newFixture(t, authcore.User{}, nil, nil)
	if _, err := f.SetRoles(t.Context(), eveID, []string{"admin"}); err != nil || f.revoked.Len() != 0 {
		t.Errorf("SetRoles() = %v with %d revocations, want nil and 0", err, f.revoked.Len())
	}
}

func TestSetRolesRefuses(t *testing.T) {
	f := newFixture(t, authcore.User{}, nil, nil)
	many := make([]string, authcore.MaxRoles+1)
	for i := range many {
		many[i] = fmt.Sprint("role-", i)
	}
	for name, test := range map[string]struct {
		id    string
		roles []string
		want  int
	}{
		"capital letter":   {annID, []string{"Admin"}, http.StatusBadRequest},
		"empty name":       {annID, []string{""}, http.StatusBadRequest},
		"list in a name":   {annID, []string{"a,admin"}, http.StatusBadRequest},
		"line break":       {annID, []string{"a\nadmin"}, http.StatusBadRequest},
		"too many":         {annID, many, http.StatusBadRequest},
		"unknown user":     {"unknown", []string{"admin"}, http.StatusNotFound},
		"name of 33 bytes": {annID, []string{strings.Repeat("a", 33)}, http.StatusBadRequest},
	} {
		_, err := f.SetRoles(t.Context(), test.id, test.roles)
		if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Status != test.want {
			t.Errorf("%s: SetRoles() = %v, want status %d", name, err, test.want)
		}
	}
	if user, err := f.Find(t.Context(), annID); err != nil || len(user.Roles)+len(user.Granted) != 0 {
		t.Errorf("after refusals the user is %+v, %v, want no roles", user, err)
	}
}
