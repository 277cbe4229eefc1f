package adminapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func newRealm(t *testing.T, change ...func(*realm.Config)) *realm.Realm {
	t.Helper()
	cfg := realm.Config{
		Store: memory.New(), DebugLinks: true, EmailLink: "https://a.example/{token}", APIKeys: "operators",
		Clients: []authcore.Client{{Name: "web", Key: "web-key-of-the-test"}},
	}
	for _, change := range change {
		change(&cfg)
	}
	made, err := realm.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	return made
}

// operators is an API of which the operator is set by the server, as by the page.
type operators struct {
	t       *testing.T
	handler http.Handler
	name    string
	source  authcore.OperatorSource
}

func operatorsOf(t *testing.T, r *realm.Realm, name string, source authcore.OperatorSource) operators {
	return operators{t, adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: r}, func() {}, nil
	}), name, source}
}

func (o operators) call(method, path, body string, status int, into any) {
	o.t.Helper()
	request := httptest.NewRequestWithContext(authcore.WithOperator(o.t.Context(), o.name, o.source), method, path, strings.NewReader(body))
	answer := httptest.NewRecorder()
	o.handler.ServeHTTP(answer, request)
	if answer.Code != status {
		o.t.Fatalf("%s %s = %d %s, want %d", method, path, answer.Code, answer.Body, status)
	}
	if into != nil {
		if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
			o.t.Fatalf("decoding the answer %s %s = %s failed: %v", method, path, answer.Body, err)
		}
	}
}

func (o operators) entries(search string) []audit.Entry {
	o.t.Helper()
	var page adminapi.AuditEntries
	o.call("POST", "/audit/search", search, 200, &page)
	return page.Entries
}

func actions(entries []audit.Entry) []string {
	names := []string{}
	for _, entry := range slices.Backward(entries) {
		names = append(names, string(entry.Action))
	}
	return names
}

// Every action of an operator has an entry with the operator as soon as it is answered.
func TestAuditOfOperators(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com","roles":["editor"]}`, 201, &user)
	path := "/users/" + user.ID
	root.call("PUT", path+"/roles", `{"roles":["admin","editor"]}`, 200, nil)
	var key adminapi.APIKey
	root.call("POST", "/api-keys", `{"user":"`+user.ID+`","name":"ci","expires_in":3600}`, 201, &key)
	root.call("DELETE", "/api-keys/"+key.ID, "", 204, nil)
	root.call("POST", path+"/disable", "", 200, nil)
	root.call("POST", path+"/enable", "", 200, nil)
	root.call("DELETE", path, "", 204, nil)
	root.call("POST", "/signing-keys/rotate", "", 200, nil)

	entries := root.entries(`{}`)
	want := []string{
		"user_created", "roles_granted", "key_created", "key_revoked", "user_disabled", "user_enabled", "user_deleted", "signing_keys_rotated",
	}
	if got := actions(entries); !slices.Equal(got, want) {
		t.Errorf("POST /audit/search = %v, want %v", got, want)
	}
	for _, entry := range entries {
		if entry.Actor != audit.ActorOperator || entry.ActorID != "root" || entry.Via != authcore.OperatorEndpoint || entry.Outcome != audit.Success {
			t.Errorf("entry = %+v, want a success of the operator root", entry)
		}
		if entry.User != "" && entry.User != user.ID || entry.Email != "" {
			t.Errorf("entry = %+v, want user %s without an address", entry, user.ID)
		}
	}
	if granted := root.entries(`{"action":"roles_granted"}`); len(granted) != 1 || granted[0].Detail != "admin editor" {
		t.Errorf("entries of roles_granted = %+v, want one with the roles", granted)
	}
	if about := root.entries(`{"user":"` + user.ID + `"}`); len(about) != len(want)-1 {
		t.Errorf("entries about the deleted user = %v, want %d", actions(about), len(want)-1)
	}
	if page := root.entries(`{"limit":2}`); !slices.Equal(actions(page), []string{"user_deleted", "signing_keys_rotated"}) {
		t.Errorf("a page of 2 entries = %v, want the newest two", actions(page))
	}
	for body, text := range map[string]string{`{"limit":-1}`: "limit", `{"usr":"x"}`: "Expected"} {
		var failure adminapi.Failure
		root.call("POST", "/audit/search", body, 400, &failure)
		if !strings.Contains(failure.Error, text) {
			t.Errorf("POST /audit/search %s = %q, want %q", body, failure.Error, text)
		}
	}
}

func TestAuditIsOff(t *testing.T) {
	root := operatorsOf(t, newRealm(t), "root", authcore.OperatorEndpoint)
	var failure adminapi.Failure
	root.call("POST", "/audit/search", "{}", 404, &failure)
	if !strings.Contains(failure.Error, "option audit") {
		t.Errorf("POST /audit/search without a trail = %q, want the name of the option", failure.Error)
	}
}

// An operator without a name, or with the ID of a user as the name, does not look like
// that user (CWE-290).
func TestHardeningOperatorsAreNotUsers(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	var user adminapi.User
	operatorsOf(t, r, "root", authcore.OperatorEndpoint).call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	for _, name := range []string{"", user.ID} {
		forger := operatorsOf(t, r, name, authcore.OperatorEndpoint)
		forger.call("POST", "/users/"+user.ID+"/disable", "", 200, nil)
		entry := forger.entries(`{}`)[0]
		if entry.Actor != audit.ActorOperator || entry.Via != authcore.OperatorEndpoint || entry.ActorID != name {
			t.Errorf("entry of the operator %q = %+v, want actor %q at %q", name, entry, audit.ActorOperator, authcore.OperatorEndpoint)
		}
	}
}

// No route changes or deletes an entry (CWE-778).
func TestHardeningTrailIsAppendOnly(t *testing.T) {
	r := newRealm(t, func(c *realm.Config) { c.Audit = &audit.Options{} })
	root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, nil)
	id := root.entries(`{}`)[0].ID
	for _, method := range []string{"DELETE", "PUT", "PATCH", "POST"} {
		for _, path := range []string{"/audit/" + id, "/audit"} {
			root.call(method, path, "{}", 404, nil)
		}
	}
	root.call("DELETE", "/audit/search", "", 405, nil)
	if got := root.entries(`{}`); len(got) != 1 || got[0].ID != id {
		t.Errorf("entries = %+v, want the first one only", got)
	}
}

// Entries contain no secret of a login, an API key or a request, and no e-mail address and
// no full network address unless the realm records them (CWE-532).
func TestHardeningEntriesContainNoSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		options             audit.Options
		email, address, net bool
	}{
		"by default": {audit.Options{}, false, false, true},
		"addresses":  {audit.Options{Addresses: true}, false, true, false},
		"emails":     {audit.Options{Emails: true}, true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			store := memory.New()
			r := newRealm(t, func(cfg *realm.Config) { cfg.Audit, cfg.Store = &c.options, store })
			ctx := authcore.WithClientIP(t.Context(), netip.MustParseAddr("192.0.2.77"))
			secrets := loginAndFail(ctx, t, r)
			root := operatorsOf(t, r, "root", authcore.OperatorEndpoint)
			var key adminapi.APIKey
			root.call("POST", "/api-keys", `{"service":"bot","name":"ci","expires_in":3600}`, 201, &key)
			text, err := json.Marshal(root.entries(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range []string{"link_requested", "login_failed", "signup", "login", "key_created"} {
				if !strings.Contains(string(text), `"`+action+`"`) {
					t.Errorf("the trail has no entry %s: %s", action, text)
				}
			}
			for _, secret := range append(secrets, key.Secret) {
				if secret == "" || strings.Contains(string(text), secret) {
					t.Errorf("the trail contains the secret %q: %s", secret, text)
				}
			}
			for part, want := range map[string]bool{"ann@example.com": c.email, "192.0.2.77": c.address, "192.0.2.0/24": c.net} {
				if got := strings.Contains(string(text), part); got != want {
					t.Errorf("the trail contains %s: %t, want %t: %s", part, got, want, text)
				}
			}
		})
	}
}

// loginAndFail logs ann@example.com in, after a login that fails, and returns the secrets
// of both.
func loginAndFail(ctx context.Context, t *testing.T, r *realm.Realm) []string {
	t.Helper()
	caller := authcore.Caller{IP: authcore.ClientIP(ctx)}
	const wrong = "wrong-token-of-a-guess"
	if _, err := r.Logins.ByLink(ctx, login.LinkLogin{Token: wrong, ClientKey: "web-key-of-the-test", Caller: caller}); err == nil {
		t.Fatal("ByLink() with a wrong token succeeded")
	}
	receipt, err := r.Logins.RequestLink(ctx, login.LinkRequest{Email: "ann@example.com", Caller: caller})
	if err != nil {
		t.Fatalf("RequestLink() = %v", err)
	}
	token := receipt.DebugLink[strings.LastIndexByte(receipt.DebugLink, '/')+1:]
	grant, err := r.Logins.ByLink(ctx, login.LinkLogin{Token: token, ClientKey: "web-key-of-the-test", Caller: caller})
	if err != nil {
		t.Fatalf("ByLink() = %v", err)
	}
	return []string{wrong, token, grant.Token, "web-key-of-the-test"}
}
