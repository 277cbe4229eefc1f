package adminapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/webhook"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/postgres"
	"github.com/edgeauth/edgeauth/storage/redis"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// hostileTexts are values that stores, encodings and parsers may stumble over.
var hostileTexts = []string{
	"\x00", "a\x00b", "\n", "a\r\nb", "\u202e", "\ufeff", "\ufffd", "%00", "%", "'", `"`, `\`, "*", "?", "[a-", "{", "../..", "-1", "0", "null",
	"1 ", "9223372036854775807 x", "99999999999999999999 x", "-62135596801000000 x", "0 \x00", "AAAA", strings.Repeat("A", 200), strings.Repeat("é", 20_000),
	"x@\x00example.com", "x@" + strings.Repeat("a.", 120) + "example", "*@example.com", "\xff",
}

// Values that a store, an encoding or a parser may stumble over arrive in each member, path
// and query parameter. The answer is never that of a failing server (CWE-20, CWE-248).
func TestHardeningHostileValues(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) authcore.Store{
		"memory": func(*testing.T) authcore.Store { return memory.New() },
		"postgres": func(t *testing.T) authcore.Store {
			db, err := postgres.Open(t.Context(), pgtest.Start(t).Database(t))
			return storagetest.Realm(t, db, err)
		},
		"redis": func(t *testing.T) authcore.Store {
			db, err := redis.Open(redis.Config{URL: redistest.Start(t).URL()})
			return storagetest.Realm(t, db, err)
		},
	} {
		t.Run(name, func(t *testing.T) { hostile(t, open(t)) })
	}
}

func hostile(t *testing.T, store authcore.Store) {
	r := newRealm(t, func(c *realm.Config) {
		c.Store, c.Audit = store, &audit.Options{}
		c.Webhooks = []webhook.Endpoint{{URL: "https://hooks.example/x", Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}
	})
	importer := socialauth.New(socialauth.Config{Store: store, Accounts: r.Accounts})
	root := operators{t, adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: r, Importer: importer}, func() {}, nil
	}), "root", authcore.OperatorEndpoint}
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	hook := webhook.Endpoint{URL: "https://hooks.example/x"}
	send := func(method, path string, body any) {
		t.Helper()
		text := ""
		if body != nil {
			encoded, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			text = string(encoded)
		}
		request := httptest.NewRequestWithContext(authcore.WithOperator(t.Context(), "root", authcore.OperatorEndpoint), method, path, strings.NewReader(text))
		answer := httptest.NewRecorder()
		root.handler.ServeHTTP(answer, request)
		if answer.Code >= 500 {
			t.Errorf("%s %.120q %.120q = %d %.300s, want a status below 500", method, path, text, answer.Code, answer.Body)
		}
	}
	type object map[string]any
	for _, text := range hostileTexts {
		for path, members := range map[string][]string{
			"/lookup": {"email"}, "/users/search": {"email_prefix", "domain", "role", "cursor"},
			"/users": {"email", "first_name", "last_name"}, "/invitations": {"email", "first_name", "locale"},
			"/audit/search": {"user", "action", "cursor"}, "/api-keys": {"user", "service", "name"},
		} {
			for _, member := range members {
				body := object{}
				switch path {
				case "/users", "/invitations":
					body["email"] = "bob@example.com"
				case "/api-keys":
					body["expires_in"] = 3600
					if body["name"] = "ci"; member == "name" {
						body["user"] = user.ID
					}
				}
				body[member] = text
				send("POST", path, body)
			}
		}
		send("PUT", "/users/"+user.ID+"/roles", object{"roles": []string{text}})
		send("POST", "/api-keys", object{"user": user.ID, "name": "ci", "expires_in": 3600, "roles": []string{text}})
		send("POST", "/import", object{"users": []object{{"email": text, "first_name": text, "logins": []object{{"provider": text, "uid": text, "transfer_sub": text}}}}})
		segment, query := url.PathEscape(text), url.QueryEscape(text)
		if text == "../.." {
			continue
		}
		for _, path := range []string{
			"/users/" + segment, "/users/" + segment + "/sessions", "/api-keys?user=" + query, "/api-keys?cursor=" + query, "/api-keys?limit=" + query,
			"/invitations?cursor=" + query, "/webhooks/" + hook.ID() + "/dead?cursor=" + query, "/webhooks/" + segment + "/dead",
		} {
			send("GET", path, nil)
		}
		for _, path := range []string{
			"/users/" + segment, "/users/" + user.ID + "/sessions/" + segment, "/users/" + user.ID + "/factors/totp/" + segment,
			"/users/" + user.ID + "/factors/" + segment + "/x", "/users/" + user.ID + "/factors/passkey/" + segment, "/invitations/" + segment,
			"/api-keys/" + segment, "/signing-keys/" + segment, "/webhooks/" + hook.ID() + "/dead/msg_" + segment,
		} {
			send("DELETE", path, nil)
		}
		send("POST", "/webhooks/"+hook.ID()+"/dead/msg_"+segment+"/retry", nil)
		send("POST", "/users/"+segment+"/disable", nil)
	}
	for _, at := range []string{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999999Z", "1677-09-21T00:12:43Z", "2262-04-12T00:00:00Z", "x", ""} {
		for _, member := range []string{"created_from", "created_to", "last_login_from", "last_login_to"} {
			send("POST", "/users/search", object{member: at})
		}
		send("POST", "/audit/search", object{"from": at})
		send("POST", "/audit/search", object{"to": at})
		send("POST", "/audit/search", object{"from": at, "to": at, "user": user.ID})
	}
	for _, number := range []any{0, -1, 1e300, 9223372036854775807, 1 << 40, 1.5, "1", nil} {
		send("POST", "/users/search", object{"limit": number})
		send("POST", "/audit/search", object{"limit": number})
		send("POST", "/invitations", object{"email": "cid@example.com", "expires_in": number})
		send("POST", "/api-keys", object{"user": user.ID, "name": "ci", "expires_in": number})
	}
	var found adminapi.Users
	root.call("POST", "/users/search", `{}`, 200, &found)
	if entries := root.entries(`{}`); len(entries) == 0 || time.Since(entries[0].Time).Abs() > time.Hour {
		t.Errorf("entries = %d, want those of this test", len(entries))
	}
}
