package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIsRole(t *testing.T) {
	for text, want := range map[string]bool{
		"admin": true, "a": true, "a-b_c-0": true, strings.Repeat("a", 32): true,
		"": false, "Admin": false, "a b": false, "a,b": false, "ä": false, "a\n": false, strings.Repeat("a", 33): false,
	} {
		if got := IsRole(text); got != want {
			t.Errorf("IsRole(%q) = %t, want %t", text, got, want)
		}
	}
}

// withRoles returns a token with roles.
func withRoles(roles ...string) string {
	claims := testClaims()
	claims.Roles = roles
	return testSigners()[EdDSA].sign(claims)
}

func wantRoles(t *testing.T, what string, v *Verifier, token string, want ...string) {
	t.Helper()
	claims, err := v.Verify(token, testNow)
	if err != nil {
		t.Errorf("%s: Verify = %v, want the claims", what, err)
		return
	}
	joined, _ := Field(claims, "roles")
	if !slices.Equal(claims.Roles, want) || joined != strings.Join(want, ",") {
		t.Errorf("%s: roles are %q and %q, want %q", what, claims.Roles, joined, want)
	}
}

// A change replaces the roles in tokens that were issued before, with and without a
// cache, and ends no token.
func TestRoleChange(t *testing.T) {
	for _, size := range []int{0, -1} {
		cfg := testConfig()
		cfg.CacheSize, cfg.Revocations = size, NewRevocations()
		v := newTestVerifier(t, cfg)
		token := withRoles("admin", "editor")
		wantRoles(t, "before", v, token, "admin", "editor")
		until := testNow.Add(time.Hour)
		cfg.Revocations.Apply(RolesChange(testUser, []string{"editor"}, testNow, until))
		wantRoles(t, "role removed", v, token, "editor")
		wantRoles(t, "again, from the cache", v, token, "editor")
		cfg.Revocations.Apply(RolesChange(testUser, []string{"auditor", "editor"}, testNow, until))
		wantRoles(t, "role added", v, token, "auditor", "editor")
		cfg.Revocations.Apply(Revocation{Kind: RevokeSession, ID: "another", Until: until})
		wantRoles(t, "another generation", v, token, "auditor", "editor")
		cfg.Revocations.Apply(RolesChange(testUser, nil, testNow, until))
		wantRoles(t, "all roles removed", v, token)
		cfg.Revocations.Apply(RolesChange("another user", []string{"root"}, testNow, until))
		wantRoles(t, "change of another user", v, token)
		cfg.Revocations.Sweep(until.Add(time.Minute))
		if n := cfg.Revocations.Len(); n != 0 {
			t.Errorf("after Sweep: Len() = %d, want 0", n)
		}
		cfg.Revocations.Apply(RolesChange(testUser, nil, testNow, until), Revocation{Kind: RevokeSession, ID: testSession, Until: until})
		if _, err := v.Verify(token, testNow); !errors.Is(err, ErrRevoked) {
			t.Errorf("Verify(token of an ended session with a role change) = %v, want ErrRevoked", err)
		}
	}
}

// A token that was issued after the change has its own roles, at an edge whose feed is old
// as well.
func TestRoleChangeBeforeTheToken(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	v := newTestVerifier(t, cfg)
	issued := time.Unix(testClaims().IssuedAt, 0)
	cfg.Revocations.Apply(RolesChange(testUser, []string{"admin"}, issued.Add(-2*time.Minute), testNow.Add(time.Hour)))
	wantRoles(t, "token issued later", v, withRoles("editor"), "editor")
	// The clocks of issuers may differ by less than the leeway.
	cfg.Revocations.Apply(RolesChange(testUser, nil, issued.Add(-30*time.Second), testNow.Add(time.Hour)))
	wantRoles(t, "token issued at about the same time", v, withRoles("editor"))
}

// An API key keeps the part of its roles that its user has.
func TestRoleChangeOfAKey(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	v := newTestVerifier(t, cfg)
	claims := keyClaims()
	claims.Roles = []string{"deploy", "read"}
	secret := testSigners()[EdDSA].signKey(claims)
	cfg.Revocations.Apply(RolesChange(testUser, []string{"admin", "read"}, testNow, testNow.Add(time.Hour)))
	got, err := v.VerifyKey(secret, testNow)
	if err != nil || !slices.Equal(got.Roles, []string{"read"}) {
		t.Errorf("VerifyKey = %+v, %v, want the role read", got, err)
	}
}

// A known token costs no allocation, also after the roles of its user changed.
func TestRolesWithoutAllocations(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	v := newTestVerifier(t, cfg)
	token := withRoles("admin", "editor")
	check := func(what string) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() {
			claims, err := v.Verify(token, testNow)
			if err != nil || HeaderValue(claims, HeaderRoles) == "" {
				t.Errorf("%s: Verify = %v, %v", what, claims, err)
			}
		}); n != 0 {
			t.Errorf("%s: %.0f allocations, want 0", what, n)
		}
	}
	check("without changes")
	cfg.Revocations.Apply(RolesChange("another user", nil, testNow, testNow.Add(time.Hour)))
	check("after a change of another user")
	cfg.Revocations.Apply(RolesChange(testUser, []string{"editor", "reader"}, testNow, testNow.Add(time.Hour)))
	check("after a change of the user")
}

// Changes travel in the feed, in full lists, parts and deltas, and are lifted and forgotten.
func TestRoleChangesInTheFeed(t *testing.T) {
	i := newIssuer(t)
	until := testNow.Add(24 * time.Hour)
	roles := make([]string, MaxRoles)
	for n := range roles {
		roles[n] = fmt.Sprintf("a-role-with-a-long-name-%08d", n)
	}
	for n := range 2000 {
		i.copy.Apply(RolesChange(fmt.Sprint("user ", n), roles, testNow, until))
	}
	i.copy.Apply(RolesChange(testUser, []string{"admin"}, testNow, until))
	if n, err := i.poll(testNow); n != 2001 || err != nil {
		t.Fatalf("full list: %d entries, %v; want 2001", n, err)
	}
	check := func(what, user string, want string, differ bool) {
		t.Helper()
		claims := Claims{Subject: user, IssuedAt: testNow.Unix() - 60}
		if got, changed := i.client.changedRoles(&claims); got != want || changed != differ {
			t.Errorf("%s: changedRoles = %q, %t, want %q, %t", what, got, changed, want, differ)
		}
	}
	check("full list", testUser, "admin", true)
	check("full list with many roles", "user 7", strings.Join(roles, ","), true)
	check("full list", "unknown", "", false)

	i.copy.Apply(RolesChange(testUser, []string{"editor", "reader"}, testNow.Add(time.Second), until))
	i.copy.Apply(Revocation{Kind: RevokeRoles, ID: "user 7"})
	if n, err := i.poll(testNow.Add(5 * time.Minute)); n == 0 || n > 2002 || err != nil {
		t.Fatalf("delta: %d entries, %v", n, err)
	}
	check("delta", testUser, "editor,reader", true)
	check("lifted by a delta", "user 7", "", false)
	check("untouched by a delta", "user 8", strings.Join(roles, ","), true)
	if got := i.client.Len(); got != 2000 {
		t.Errorf("Len() = %d, want 2000", got)
	}
	for n := range 2 * roleShards {
		i.copy.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(n), Until: until.Add(48 * time.Hour)})
		if _, err := i.poll(until.Add(time.Hour + time.Duration(n)*time.Second)); err != nil {
			t.Fatalf("delta %d: %v", n, err)
		}
	}
	if got := i.client.feed.Load().roles.n; got != 0 {
		t.Errorf("%d role changes are left after their end, want 0", got)
	}
}
