package adminapi_test

import (
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
