package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestRolesOfIDToken(t *testing.T) {
	var many []string
	for i := range authcore.MaxRoles + 5 {
		many = append(many, fmt.Sprintf("r%02d", i))
	}
	type claims = map[string]any
	for _, test := range []struct {
		name, path, prefix string
		claims             claims
		want               []string
	}{
		{"list", "roles", "", claims{"roles": []string{"editor", "admin", "editor"}}, []string{"admin", "editor"}},
		{"text", "roles", "", claims{"roles": "admin"}, []string{"admin"}},
		{"keycloak", "realm_access.roles", "", claims{"realm_access": claims{"roles": []string{"admin"}}}, []string{"admin"}},
		{"escaped dot", `resource_access.my\.app.roles`, "", claims{"resource_access": claims{"my.app": claims{"roles": []string{"a"}}}}, []string{"a"}},
		{"url", `https://example\.com/roles`, "", claims{"https://example.com/roles": []string{"a"}}, []string{"a"}},
		{"prefix", "roles", "kc_", claims{"roles": []string{"admin", "", "Bad"}}, []string{"kc_admin"}},
		{"prefix makes it too long", "roles", "p", claims{"roles": strings.Repeat("a", gate.MaxRoleName)}, nil},
		{"invalid names", "roles", "", claims{"roles": []string{"Admin", "a b", "a,b", "", strings.Repeat("a", 33), "ok"}}, []string{"ok"}},
		{"too many", "roles", "", claims{"roles": many}, many[:authcore.MaxRoles]},
		{"separated text", "roles", "", claims{"roles": "admin editor"}, nil},
		{"missing", "roles", "", claims{}, nil},
		{"null", "roles", "", claims{"roles": nil}, nil},
		{"null in a list", "roles", "p", claims{"roles": []any{nil, "a"}}, []string{"pa"}},
		{"number in a list", "roles", "", claims{"roles": []any{"admin", 1}}, nil},
		{"list in a list", "roles", "", claims{"roles": []any{[]string{"admin"}}}, nil},
		{"object", "roles", "", claims{"roles": claims{"admin": true}}, nil},
		{"number", "roles", "", claims{"roles": 7}, nil},
		{"boolean", "roles", "", claims{"roles": true}, nil},
		{"other spelling", "roles", "", claims{"Roles": "admin"}, nil},
		{"path through a text", "a.roles", "", claims{"a": "roles"}, nil},
		{"path through a list", "a.0", "", claims{"a": []string{"admin"}}, nil},
		{"unescaped dot", "a.b", "", claims{"a.b": "admin"}, nil},
		{"not configured", "", "", claims{"roles": "admin"}, nil},
	} {
		s := oidcScript(t)
		s.cfg.Roles, s.cfg.RolePrefix = test.path, test.prefix
		p := s.claim(test.claims).provider()
		if got := p.(authcore.RoleReporter).ReportsRoles(); got != (test.path != "") {
			t.Errorf("%s: ReportsRoles() = %t, want %t", test.name, got, test.path != "")
		}
		profile, err := s.exchange(p)
		if err != nil || !slices.Equal(profile.Roles, test.want) {
			t.Errorf("%s: Exchange() = roles %v, %v, want %v", test.name, profile.Roles, err, test.want)
		}
	}
}

// Roles come from the signed claims only, also if the user info has the same member.
func TestRolesAreNotTakenFromUserInfo(t *testing.T) {
	s := oidcScript(t)
	s.cfg.Roles = "roles"
	s.answer(s.at.userInfo, 200, map[string]any{"sub": s.claims["sub"], "roles": []string{"admin"}})
	delete(s.claims, "email")
	if profile, err := s.exchange(s.provider()); err != nil || profile.Roles != nil {
		t.Errorf("Exchange() = roles %v, %v, want none", profile.Roles, err)
	}
}

func TestRolesOfConfiguration(t *testing.T) {
	for _, test := range []struct {
		kind, path, prefix string
		tenants            []string
		fault              string // "" for none
	}{
		{"oidc", "roles", "", nil, ""},
		{"keycloak", "realm_access.roles", "kc-", nil, ""},
		{"okta-openidconnect", "groups", "", nil, ""},
		{"oidc", "a..b", "", nil, "not a valid path"},
		{"oidc", ".a", "", nil, "not a valid path"},
		{"oidc", `a\`, "", nil, "not a valid path"},
		{"oidc", `a\b`, "", nil, "not a valid path"},
		{"oidc", "", "kc_", nil, "not a valid path"},
		{"oidc", "roles", "KC", nil, "not a valid prefix"},
		{"github", "roles", "", nil, "does not use it"},
		{"microsoft-graph", "roles", "", nil, "does not use it"},
		{"azuread-oauth2", "roles", "", nil, "every tenant"},
		{"azuread-oauth2", "roles", "", []string{"common"}, "every tenant"},
		{"azuread-oauth2", "roles", "", []string{"organizations"}, "every tenant"},
		{"azuread-oauth2", "roles", "", []string{"consumers"}, "every tenant"},
		{"azuread-oauth2", "roles", "", []string{tenantA}, ""},
		{"azuread-oauth2", "roles", "", []string{tenantA, tenantB}, ""},
	} {
		cfg := rowOf(t, test.kind).script(t).cfg
		cfg.Roles, cfg.RolePrefix, cfg.Tenants = test.path, test.prefix, test.tenants
		_, err := New(cfg, Deps{})
		if fault := fmt.Sprint(err); (err == nil) != (test.fault == "") || test.fault != "" && !strings.Contains(fault, "roles: ") || !strings.Contains(fault, test.fault) {
			t.Errorf("New(%s, roles %q %q, tenants %v) = %v, want a fault with %q", test.kind, test.path, test.prefix, test.tenants, err, test.fault)
		}
	}
}

func FuzzRolePath(f *testing.F) {
	for _, path := range []string{"roles", "realm_access.roles", `a\.b.c`, `\`, "..", ""} {
		f.Add(path)
	}
	escape := strings.NewReplacer(`\`, `\\`, ".", `\.`)
	f.Fuzz(func(t *testing.T, path string) {
		names, valid := rolePath(path)
		if !valid {
			return
		}
		var escaped []string
		for _, name := range names {
			escaped = append(escaped, escape.Replace(name))
		}
		if again := strings.Join(escaped, "."); again != path {
			t.Errorf("rolePath(%q) = %q, which is the path %q", path, names, again)
		}
	})
}
