package adminapi_test

import (
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// Errors name the fields, so that the operator knows what to change.
func TestErrorsNameFields(t *testing.T) {
	root := operatorsOf(t, newRealm(t), "root", authcore.OperatorEndpoint)
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	for _, test := range []struct {
		path, body string
		want       []string
	}{
		{"/api-keys", `{"user":"` + user.ID + `","name":"","roles":["A B"],"expires_in":5}`, []string{"name: ", "expires_in: ", "roles: "}},
		{"/api-keys", `{"user":"` + user.ID + `","name":"ci","roles":["admin"],"expires_in":3600}`, []string{"roles: The account does not have all of these roles."}},
		{"/api-keys", `{"service":"` + strings.Repeat("x", 101) + `","name":"ci","expires_in":3600}`, []string{"service: "}},
		{"/users", `{"email":"x","first_name":"` + strings.Repeat("x", 151) + `"}`, []string{"email: ", "first_name: "}},
		{"/invitations", `{"email":"ben@example.com","expires_in":30}`, []string{"expires_in: "}},
	} {
		var failure adminapi.Failure
		root.call("POST", test.path, test.body, 400, &failure)
		for _, want := range test.want {
			if strings.Count(failure.Error, want) != 1 {
				t.Errorf("POST %s %s = %q, want it to contain %q once", test.path, test.body, failure.Error, want)
			}
		}
	}
}

// A service account that a key creates leaves an entry of its own.
func TestAuditOfServiceAccounts(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	var first, second adminapi.APIKey
	root.call("POST", "/api-keys", `{"service":"bot","name":"ci","roles":["deploy"],"expires_in":3600}`, 201, &first)
	root.call("POST", "/api-keys", `{"service":"bot","name":"cd","expires_in":3600}`, 201, &second)
	entries := root.entries(`{}`)
	if got := strings.Join(actions(entries), " "); got != "user_created key_created key_created" {
		t.Fatalf("entries of two keys of one new service account = %s, want one user_created before two key_created", got)
	}
	if created := entries[2]; created.User != first.User || created.ActorID != "root" || created.Detail != "deploy" {
		t.Errorf("entry = %+v, want user_created of %s with the role deploy by root", created, first.User)
	}
}

// Ending the sessions of a user leaves an entry for each session and each API key, and one
// for the remembered devices if there was no session.
func TestAuditOfEndedSessions(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	var user adminapi.User
	var key adminapi.APIKey
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	root.call("POST", "/api-keys", `{"user":"`+user.ID+`","name":"ci","expires_in":3600}`, 201, &key)
	for range 2 {
		root.call("DELETE", "/users/"+user.ID+"/sessions", "", 204, nil)
	}
	entries := root.entries(`{"limit":2}`)
	if got := strings.Join(actions(entries), " "); got != "key_revoked logout" {
		t.Fatalf("entries of two requests = %s, want key_revoked and logout", got)
	}
	if entries[1].Session != key.ID || entries[0].Session != "" || entries[0].User != user.ID {
		t.Errorf("entries = %+v, want one of the key %s and one of the user", entries, key.ID)
	}
}
