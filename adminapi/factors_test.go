package adminapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func TestRemoveFactor(t *testing.T) {
	store := memory.New()
	one, err := realm.New(t.Context(), realm.Config{
		Store: store, DebugLinks: true, EmailLink: "https://app.example/link/{token}",
		Rules: account.Rules{SecondFactor: account.SecondFactorRequired}, Clients: []authcore.Client{{Name: "web", Key: "key"}},
	})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	user := authcore.User{ID: "0b0e8f5e-6c0a-4d0e-9d55-1f4a5a1d9c01", Factors: []authcore.Factor{{Kind: "totp", ID: "f"}}}
	if _, err := store.Login(t.Context(), authcore.LoginStep{Now: time.Now(), Decide: func(authcore.LoginFound) (authcore.Account, error) {
		return authcore.Account{User: user}, nil
	}}); err != nil {
		t.Fatalf("Login() failed: %v", err)
	}
	api := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: one}, func() {}, nil
	})
	for _, step := range []struct {
		path string
		want int
	}{{"passkey/f", 404}, {"totp/other", 404}, {"totp/f", 204}, {"totp/f", 404}} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/users/"+user.ID+"/factors/"+step.path, nil))
		if w.Code != step.want {
			t.Errorf("DELETE factors/%s = %d %s, want %d", step.path, w.Code, w.Body, step.want)
		}
	}
}
