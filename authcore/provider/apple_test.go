package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestAppleSecret verifies the client secret of each token request: signed by the
// configured key, with Apple as the only audience, and short-lived.
func TestAppleSecret(t *testing.T) {
	row := rowOf(t, "apple-id")
	s := row.script(t)
	p := s.provider()
	for range 2 {
		s.once.Clear()
		if _, err := s.exchange(p); err != nil {
			t.Fatalf("exchange() failed: %v", err)
		}
		s.clock.advance(time.Second)
	}
	var secrets []string
	for _, request := range s.to(s.at.token) {
		secrets = append(secrets, request.form.Get("client_secret"))
	}
	if len(secrets) != 2 || secrets[0] == secrets[1] {
		t.Fatalf("%d client secrets in two requests, want 2 different ones", len(secrets))
	}
	var claims jwt.MapClaims
	token, err := jwt.ParseWithClaims(secrets[0], &claims, func(*jwt.Token) (any, error) { return appleKey().Public(), nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(func() time.Time { return testTime }))
	if err != nil {
		t.Fatalf("ParseWithClaims() failed: %v", err)
	}
	want := jwt.MapClaims{
		"iss": "TEAM123456", "sub": testID, "aud": "https://appleid.apple.com",
		"iat": float64(testTime.Unix()), "exp": float64(testTime.Add(secretLifetime).Unix()),
	}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("claim %s = %v, want %v", name, claims[name], value)
		}
	}
	if token.Header["kid"] != "KEY1234567" || len(claims) != len(want) {
		t.Errorf("header %v, claims %v", token.Header, claims)
	}
	if secretLifetime > 10*time.Minute {
		t.Error("the client secret lives too long")
	}
}

// TestAppleIssuers accepts tokens of both of Apple's issuers and returns one
// identity.
func TestAppleIssuers(t *testing.T) {
	for _, issuer := range []string{"https://appleid.apple.com", "https://account.apple.com"} {
		s := rowOf(t, "apple-id").script(t)
		s.claims["iss"] = issuer
		got, err := s.exchange(s.provider())
		if err != nil || got.Issuer != "https://appleid.apple.com" {
			t.Errorf("%s: exchange() = %+v, %v", issuer, got, err)
		}
	}
}

// TestAppleRelay treats a relay address like any other.
func TestAppleRelay(t *testing.T) {
	for _, private := range []any{true, "true"} {
		s := rowOf(t, "apple-id").script(t).claim(map[string]any{
			"email": "dpdcnf87nu@privaterelay.appleid.com", "email_verified": true, "is_private_email": private,
		})
		got, err := s.exchange(s.provider())
		if err != nil || got.Email != "dpdcnf87nu@privaterelay.appleid.com" || !got.EmailVerified {
			t.Errorf("exchange() = %+v, %v", got, err)
		}
	}
}

// TestAppleUserIsUntrusted posts a form with another user's address. The form went
// through the browser, which can change it (CWE-345).
func TestAppleUserIsUntrusted(t *testing.T) {
	s := rowOf(t, "apple-id").script(t)
	delete(s.claims, "email")
	delete(s.claims, "email_verified")
	request := s.request()
	request.User = `{"name":{"firstName":"Eve\r\nX: 1","lastName":"\u202eEvil"},"email":"victim@example.com","email_verified":true,"sub":"1"}`
	got, err := s.provider().Exchange(t.Context(), request)
	if err != nil || got.Email != "" || got.EmailVerified || got.Subject != rowOf(t, "apple-id").want.Subject {
		t.Errorf("Exchange() = %+v, %v", got, err)
	}
	if got.FirstName != "Eve X: 1" || got.LastName != "Evil" {
		t.Errorf("Exchange() = %+v", got)
	}
}

// TestAppleKeys refuses invalid keys with errors that do not contain them.
func TestAppleKeys(t *testing.T) {
	wrongCurve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatalf("P384() failed: %v", err)
	}
	good := pemOf(appleKey())
	for name, text := range map[string]string{
		"no PEM": "MIGTAgEAMBMGByqGSM49-hidden", "RSA": pemOf(testKeys().rsa), "another curve": pemOf(wrongCurve),
		"half": good[:len(good)/2], "rubbish": "-----BEGIN PRIVATE KEY-----\naGlkZGVu\n-----END PRIVATE KEY-----\n",
	} {
		_, err := New(Config{Name: "apple-id", ClientID: "c", TeamID: "T", KeyID: "K", PrivateKey: text}, Deps{})
		if err == nil || !strings.Contains(err.Error(), "private_key: ") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("New(%s) failed with %v, want a fault of private_key", name, err)
		}
	}
	if _, err := New(Config{Name: "apple-id", ClientID: "c", TeamID: "T", KeyID: "K", PrivateKey: good}, Deps{}); err != nil {
		t.Errorf("New() failed: %v", err)
	}
}
