package adminapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestAPIKeys(t *testing.T) {
	r, err := realm.New(t.Context(), realm.Config{Store: memory.New(), DebugLinks: true, Clients: []authcore.Client{{Name: "web", Key: "web-key-of-the-test"}}, EmailLink: "https://a.example/{token}", APIKeys: apikey.Operators})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	api := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: r}, func() {}, nil
	})
	call := func(method, path, body string, status int, into any) {
		t.Helper()
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
		if answer.Code != status {
			t.Fatalf("%s %s = %d %s, want %d", method, path, answer.Code, answer.Body, status)
		}
		if into != nil {
			if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
				t.Fatalf("decoding the answer %s %s = %s failed: %v", method, path, answer.Body, err)
			}
		}
	}
	var key adminapi.APIKey
	call("POST", "/api-keys", `{"service":"bot","name":"ci","roles":["deploy"],"expires_in":3600}`, 201, &key)
	if _, err := r.Verifier().VerifyKey(key.Secret, r.Now()); err != nil {
		t.Errorf("VerifyKey() of the secret = %v, want nil", err)
	}
	call("POST", "/api-keys", `{"user":"`+key.User+`","name":"second","expires_in":3600}`, 201, nil)
	for _, path := range []string{"/api-keys", "/api-keys?user=" + key.User} {
		var page adminapi.APIKeys
		call("GET", path, "", 200, &page)
		if len(page.Keys) != 2 || page.Next != "" || page.Keys[0].Secret != "" {
			t.Errorf("GET %s = %+v, want two keys without secrets", path, page)
		}
	}
	var owner adminapi.UserDetails
	call("GET", "/users/"+key.User, "", 200, &owner)
	known := slices.ContainsFunc(owner.Keys, func(one adminapi.APIKey) bool { return one.ID == key.ID })
	if len(owner.Keys) != 2 || !known || owner.Keys[0].Secret+owner.Keys[1].Secret != "" || len(owner.Sessions) != 0 {
		t.Errorf("GET /users/%s = %+v, want two keys without secrets and no session", key.User, owner)
	}
	call("DELETE", "/api-keys/"+key.ID, "", 204, nil)
	if _, err := r.Verifier().VerifyKey(key.Secret, r.Now()); err == nil {
		t.Error("VerifyKey() of a revoked key = nil, want an error")
	}
	call("DELETE", "/api-keys/"+key.ID, "", 404, nil)
	for _, body := range []string{
		`{"name":"ci","expires_in":3600}`, `{"user":"a","service":"b","name":"ci","expires_in":3600}`, `{"service":"b","name":"ci"}`,
		`{"service":"b","name":"ci","expires_in":99999999999}`, `{"service":"b","name":"ci","roles":["x"],"expires_in":5}`,
	} {
		call("POST", "/api-keys", body, 400, nil)
	}
}
