package adminapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// A path that ends in "." does not select its parent, which means all keys or all
// sessions (CWE-22).
func TestHardeningPathsAreNotCleaned(t *testing.T) {
	root := operatorsOf(t, newRealm(t), "root", authcore.OperatorEndpoint)
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	for _, path := range []string{
		"/signing-keys/.", "/signing-keys/%2e", "/signing-keys/x/..", "/signing-keys//", "/users/" + user.ID + "/sessions/.",
		"/users/" + user.ID + "/sessions/..", "/api-keys/..", "/invitations/./x", "//signing-keys",
	} {
		root.call("DELETE", path, "", 404, nil)
	}
}

// A body that says nothing, or something unknown, does not select everything and is not
// answered as if nothing matched.
func TestHardeningUnclearSelections(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	for _, test := range []struct{ path, body, want string }{
		{"/users/search", `null`, "Expected"},
		{"/users/search", `{"limit":-5}`, "limit"},
		{"/users/search", `{"role":"Not A Role"}`, "role"},
		{"/users/search", `{"role":"\u0000"}`, "role"},
		{"/audit/search", `null`, "Expected"},
		{"/audit/search", `{"action":"user_delted"}`, "action"},
		{"/users", `null`, "Expected"},
	} {
		var failure adminapi.Failure
		root.call("POST", test.path, test.body, 400, &failure)
		if !strings.Contains(failure.Error, test.want) {
			t.Errorf("POST %s %s = %q, want it to contain %q", test.path, test.body, failure.Error, test.want)
		}
	}
}

// An operator of one realm asks the page for a backup. It contains all realms of the store
// with their signing keys, which outlast the role of the operator (CWE-668): it is only made
// on the admin endpoint.
func TestHardeningPageMakesNoBackup(t *testing.T) {
	one := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	handler := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: one, Backup: func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, "keys of all realms")
			return err
		}}, func() {}, nil
	})
	for source, status := range map[authcore.OperatorSource]int{authcore.OperatorEndpoint: 200, authcore.OperatorPage: 404} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(authcore.WithOperator(t.Context(), "ann", source), "POST", "/backup", nil))
		if hasKeys := strings.Contains(answer.Body.String(), "keys of all realms"); answer.Code != status || hasKeys != (status == 200) {
			t.Errorf("POST /backup by an operator of %q = %d %s, want %d", source, answer.Code, answer.Body, status)
		}
	}
}

// A body has a member twice. A proxy or a log that keeps the first value, and the server,
// would read different users, roles or lifetimes from it (CWE-436).
func TestHardeningRepeatedMembers(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	for _, test := range []struct{ method, path, body, name string }{
		{"POST", "/lookup", `{"email":"x@example.com","email":"ann@example.com"}`, "email"},
		{"POST", "/users/search", `{"role":"admin","Role":""}`, "Role"},
		{"POST", "/users", `{"email":"eve@example.com","roles":[],"roles":["admin"]}`, "roles"},
		{"PUT", "/users/" + user.ID + "/roles", `{"roles":[],"\u0072oles":["admin"]}`, "roles"},
		{"POST", "/invitations", `{"email":"a@example.com","EMAIL":"eve@example.com"}`, "EMAIL"},
		{"POST", "/api-keys", `{"service":"bot","name":"ci","expires_in":60,"expires_in":31536000}`, "expires_in"},
		{"POST", "/audit/search", `{"action":"login","action":""}`, "action"},
		{"POST", "/import", `{"users":[{"logins":[{"provider":"github","uid":"1","uid":"2"}]}]}`, "uid"},
		{"POST", "/import", `{"dry_run":true,"users":[],"dry_run":false}`, "dry_run"},
	} {
		var failure adminapi.Failure
		root.call(test.method, test.path, test.body, 400, &failure)
		if !strings.Contains(failure.Error, `"`+test.name+`" appears twice`) {
			t.Errorf("%s %s %s = %q, want the name %q", test.method, test.path, test.body, failure.Error, test.name)
		}
	}
	if entries := root.entries(`{}`); len(entries) != 1 {
		t.Errorf("entries = %v, want the creation of one user", actions(entries))
	}
}
