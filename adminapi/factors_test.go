package adminapi_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
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

// An operator sees passkeys and second factors and removes lost ones; the owner is told.
func TestFactors(t *testing.T) {
	const origin = "https://app.example.com"
	mails := &mailbox{}
	one, err := realm.New(t.Context(), realm.Config{
		Store: memory.New(), Mailer: mails, DebugLinks: true, EmailLink: origin + "/link/{token}", Passkeys: realm.PasskeysOptional,
		Rules: account.Rules{SecondFactor: account.SecondFactorOptional}, Clients: []authcore.Client{{Name: "web", Key: "key", Origins: []string{origin}}},
	})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	claims := signIn(t, one, "ann@example.com")
	options, err := one.Passkeys.RegistrationOptions(t.Context(), claims)
	if err != nil {
		t.Fatalf("RegistrationOptions() failed: %v", err)
	}
	credential, err := authenticator.New(origin).Create(options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.Passkeys.Register(t.Context(), claims, passkey.Registration{Credential: credential, Name: "phone"}); err != nil {
		t.Fatalf("Register() failed: %v", err)
	}
	begun, err := one.Factors.Begin(t.Context(), claims)
	if err != nil {
		t.Fatalf("Begin() failed: %v", err)
	}
	code, err := totp.GenerateCode(begun.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := one.Factors.Confirm(t.Context(), claims, begun.Sealed, code, authcore.Caller{}); err != nil {
		t.Fatalf("Confirm() failed: %v", err)
	}
	api := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return &adminapi.Realm{Realm: one}, func() {}, nil
	})
	call := func(method, path string, want int) (found adminapi.UserDetails) {
		t.Helper()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/users/"+claims.Subject+path, nil))
		if w.Code != want {
			t.Fatalf("%s %s = %d %s, want %d", method, path, w.Code, w.Body, want)
		}
		_ = json.Unmarshal(w.Body.Bytes(), &found) // 204 has no body
		return found
	}
	factors := call(http.MethodGet, "", 200).Factors
	if len(factors) != 3 || factors[0].Kind != "passkey" || factors[0].Name != "phone" || factors[0].LastUsed != nil ||
		factors[1].Kind != "totp" || factors[1].LastUsed == nil || factors[2].Kind != "recovery" || factors[2].Name != "10" {
		t.Fatalf("factors = %+v, want the passkey, the application and ten recovery codes", factors)
	}
	told := mails.count()
	call(http.MethodDelete, "/factors/totp/"+factors[0].ID, 404)
	call(http.MethodDelete, "/factors/passkey/"+factors[1].ID, 404)
	call(http.MethodDelete, "/factors/passkey/"+factors[0].ID, 204)
	call(http.MethodDelete, "/factors/passkey/"+factors[0].ID, 404)
	call(http.MethodDelete, "/factors/recovery/"+factors[2].ID, 204)
	if left := call(http.MethodGet, "", 200).Factors; len(left) != 1 || left[0].Kind != "totp" {
		t.Errorf("factors = %+v, want the application only", left)
	}
	if got := mails.count() - told; got != 2 {
		t.Errorf("the owner got %d mails, want 2", got)
	}
}

// Records of factors are damaged, or belong to the domain of before. The operator sees them
// and removes them: otherwise their user, who has to prove one of them, could never log in.
func TestDamagedFactors(t *testing.T) {
	const origin = "https://app.example.com"
	store := memory.New()
	one, err := realm.New(t.Context(), realm.Config{
		Store: store, DebugLinks: true, EmailLink: origin + "/link/{token}", Passkeys: realm.PasskeysOptional,
		Rules: account.Rules{SecondFactor: account.SecondFactorRequired}, Clients: []authcore.Client{{Name: "web", Key: "key", Origins: []string{origin}}},
	})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	root := operatorsOf(t, one, "root", authcore.OperatorEndpoint)
	var user adminapi.User
	root.call("POST", "/users", `{"email":"ann@example.com"}`, 201, &user)
	put := func(kind, key, data string) {
		t.Helper()
		record := authcore.Record{RecordKey: authcore.RecordKey{Kind: kind, Key: key}, Owner: user.ID, Created: time.Now(), Data: []byte(data)}
		if err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: time.Now()}); err != nil {
			t.Fatalf("PutRecord() failed: %v", err)
		}
	}
	put("passkey", "a", "{")
	put("passkey", "b", `{"name":"phone","rp_id":"old.example"}`)
	put("totp", "c", "{")
	put("recovery", "d", "[]")
	if _, err := store.UpdateAccount(t.Context(), user.ID, time.Now(), func(a *authcore.Account) error {
		a.User.Passkeys = []string{"a", "b", "gone"}
		a.User.Factors = []authcore.Factor{{Kind: "totp", ID: "c", Created: time.Now()}, {Kind: "recovery", ID: "d", Created: time.Now()}}
		return nil
	}); err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	var shown adminapi.UserDetails
	root.call("GET", "/users/"+user.ID, "", 200, &shown)
	names := map[string]string{}
	for _, factor := range shown.Factors {
		names[factor.Kind+" "+factor.ID] = factor.Name
	}
	want := map[string]string{"passkey a": "(damaged)", "passkey gone": "(damaged)", "passkey b": "phone (old.example)", "totp c": "", "recovery d": "0"}
	if !maps.Equal(names, want) {
		t.Fatalf("factors = %v, want %v", names, want)
	}
	for _, factor := range shown.Factors {
		if factor.Kind != "recovery" { // which ends with the application
			root.call("DELETE", "/users/"+user.ID+"/factors/"+factor.Kind+"/"+factor.ID, "", 204, nil)
		}
	}
	root.call("GET", "/users/"+user.ID, "", 200, &shown)
	if len(shown.Factors) != 0 {
		t.Errorf("factors after their removal = %+v, want none", shown.Factors)
	}
}

// signIn signs in with a link and returns the claims of the session.
func signIn(t *testing.T, one *realm.Realm, email string) *gate.Claims {
	t.Helper()
	receipt, err := one.Logins.RequestLink(t.Context(), login.LinkRequest{Email: email, ClientKey: "key"})
	if err != nil {
		t.Fatalf("RequestLink() failed: %v", err)
	}
	_, token, _ := strings.Cut(receipt.DebugLink, "/link/")
	grant, err := one.Logins.ByLink(t.Context(), login.LinkLogin{Token: token, ClientKey: "key"})
	if err != nil {
		t.Fatalf("ByLink() failed: %v", err)
	}
	claims, err := one.Authenticate([]string{"Token " + grant.Token})
	if err != nil {
		t.Fatalf("Authenticate() failed: %v", err)
	}
	return claims
}

// mailbox counts mails.
type mailbox struct {
	mu sync.Mutex
	n  int
}

func (m *mailbox) Enqueue(context.Context, authcore.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	return nil
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}
