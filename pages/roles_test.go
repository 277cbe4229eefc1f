package pages_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// Roles that were taken away and granted again while the user was signed out are in the
// token of the next login, although the change before it still applies to earlier tokens.
func TestRolesGrantedWhileSignedOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	subject := b.claims().Subject
	want := func(step string, roles ...string) {
		t.Helper()
		if claims := b.claims(); claims == nil || !slices.Equal(claims.Roles, roles) {
			t.Fatalf("claims %s = %+v, want the roles %q", step, claims, roles)
		}
	}
	set := func(roles ...string) {
		t.Helper()
		w.advance(time.Second)
		if _, err := w.realm.Accounts.SetRoles(t.Context(), subject, roles); err != nil {
			t.Fatalf("SetRoles(%q) = %v", roles, err)
		}
	}
	set("admin")
	want("after the grant", "admin")
	set()
	want("after the removal")
	b.post("/auth/logout").must(http.StatusSeeOther)
	set("admin")
	b.signIn(ann)
	want("of the next login", "admin")
	set("admin", "editor")
	set()
	want("after the second removal")
}

// A user loses a role while signed out and signs in within the tolerance for clocks. The
// grant before, which is still in the feed for earlier tokens, does not give the role back
// (CWE-269).
func TestHardeningRoleRemovedWhileSignedOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	subject := b.claims().Subject
	for _, roles := range [][]string{{"admin"}, nil} {
		w.advance(time.Second)
		if _, err := w.realm.Accounts.SetRoles(t.Context(), subject, roles); err != nil {
			t.Fatalf("SetRoles(%q) = %v", roles, err)
		}
		if len(roles) > 0 {
			b.post("/auth/logout").must(http.StatusSeeOther)
		}
	}
	b.signIn(ann)
	if claims := b.claims(); claims == nil || len(claims.Roles) > 0 {
		t.Errorf("claims after the removal = %+v, want no role", claims)
	}
}
