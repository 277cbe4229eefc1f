package socialauth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

func TestFileWithRoles(t *testing.T) {
	f := newFixture(t, func(cfg *realm.Config) {
		cfg.Rules.Roles = []account.RoleRule{{Role: "staff", To: []string{"example.com"}}}
	})
	const columns = "user,provider,uid,email,email_verified,roles\n"
	const file = columns + "7,github,1,ann@example.com,true,editor  admin\n7,github,2,,,\n8,github,3,bo@example.net,true,\n" +
		"9,github,4,,,Admin\n10,github,5,,,\"admin,editor\"\n7b,github,6,,,a\n7b,github,7,,,b\n"
	report, _, err := importFile(f, file, false)
	if err == nil || strings.Count(report, "roles: a name is not valid") != 2 || strings.Count(report, "address, name and roles") != 1 {
		t.Errorf("Import() reported %q, %v, want three refused rows", report, err)
	}
	wantRoles(f, "ann@example.com", []string{"admin", "editor"}, []string{"admin", "editor", "staff"})
	wantRoles(f, "bo@example.net", nil, nil)

	// An import gives no role to a user who is present.
	if _, _, err := importFile(f, columns+"8,github,3,bo@example.net,true,admin\n8,github,8,,,\n", false); err != nil {
		t.Errorf("repeated Import() failed: %v", err)
	}
	wantRoles(f, "bo@example.net", nil, nil)
}

func wantRoles(f *fixture, address string, granted, roles []string) {
	f.t.Helper()
	user, err := f.Accounts.Find(f.t.Context(), address)
	if err != nil || !slices.Equal(user.Granted, granted) || !slices.Equal(user.Roles, roles) {
		f.t.Errorf("Find(%s) = granted %v, roles %v, %v, want %v and %v", address, user.Granted, user.Roles, err, granted, roles)
	}
}

func TestImportRefusesRoles(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.Import(t.Context(), socialauth.ImportedUser{Roles: []string{"Admin"}, Logins: logins("1")}, false)
	wantError(t, "Import() with an invalid role", err, 400, authcore.CodeInvalidRequest)
}
