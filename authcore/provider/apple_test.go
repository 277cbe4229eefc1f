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

// TestAppleSecret looks into the client secret of each token request: signed by
// the configured key, for Apple alone, and good for minutes.
func TestAppleSecret(t *testing.T) {
	row := rowOf(t, "apple-id")
	s := row.script(t)
	p := s.provider()
	for range 2 {
		s.once.Clear()
		if _, err := s.exchange(p); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(time.Second)
	}
	var secrets []string
	for _, request := range s.to(s.at.token) {
		secrets = append(secrets, request.form.Get("client_secret"))
	}
	if len(secrets) != 2 || secrets[0] == secrets[1] {
		t.Fatalf("%d secrets, or the same twice", len(secrets))
	}
	var claims jwt.MapClaims
	token, err := jwt.ParseWithClaims(secrets[0], &claims, func(*jwt.Token) (any, error) { return appleKey().Public(), nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(func() time.Time { return testTime }))
	if err != nil {
		t.Fatal(err)
	}
	want := jwt.MapClaims{
		"iss": "TEAM123456", "sub": testID, "aud": "https://appleid.apple.com",
		"iat": float64(testTime.Unix()), "exp": float64(testTime.Add(secretLifetime).Unix()),
	}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("%s is %v, want %v", name, claims[name], value)
		}
	}
	if token.Header["kid"] != "KEY1234567" || len(claims) != len(want) {
		t.Errorf("header %v, claims %v", token.Header, claims)
	}
	if secretLifetime > 10*time.Minute {
		t.Error("the secret is good for too long")
	}
}

// TestAppleIssuers takes tokens of both names of Apple's and gives the person
// one identity.
func TestAppleIssuers(t *testing.T) {
	for _, issuer := range []string{"https://appleid.apple.com", "https://account.apple.com"} {
		s := rowOf(t, "apple-id").script(t)
		s.claims["iss"] = issuer
		got, err := s.exchange(s.provider())
		if err != nil || got.Issuer != "https://appleid.apple.com" {
			t.Errorf("%s: got %+v, %v", issuer, got, err)
		}
	}
}

// TestAppleRelay treats an address of the relay like any other.
func TestAppleRelay(t *testing.T) {
	for _, private := range []any{true, "true"} {
		s := rowOf(t, "apple-id").script(t).claim(map[string]any{
			"email": "dpdcnf87nu@privaterelay.appleid.com", "email_verified": true, "is_private_email": private,
		})
		got, err := s.exchange(s.provider())
		if err != nil || got.Email != "dpdcnf87nu@privaterelay.appleid.com" || !got.EmailVerified {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

// TestAppleUserIsNobodysWord posts a form with somebody else's address. It went
// through the browser, whose owner writes there what they like (CWE-345).
func TestAppleUserIsNobodysWord(t *testing.T) {
	s := rowOf(t, "apple-id").script(t)
	delete(s.claims, "email")
	delete(s.claims, "email_verified")
	request := s.request()
	request.User = `{"name":{"firstName":"Eve\r\nX: 1","lastName":"\u202eEvil"},"email":"victim@example.com","email_verified":true,"sub":"1"}`
	got, err := s.provider().Exchange(t.Context(), request)
	if err != nil || got.Email != "" || got.EmailVerified || got.Subject != rowOf(t, "apple-id").want.Subject {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.FirstName != "Eve X: 1" || got.LastName != "Evil" {
		t.Errorf("got %+v", got)
	}
}

// TestAppleKeys refuses what is no key of Apple's, without showing it.
func TestAppleKeys(t *testing.T) {
	wrongCurve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pemOf(appleKey())
	for name, text := range map[string]string{
		"no PEM": "MIGTAgEAMBMGByqGSM49-hidden", "RSA": pemOf(testKeys().rsa), "another curve": pemOf(wrongCurve),
		"half": good[:len(good)/2], "rubbish": "-----BEGIN PRIVATE KEY-----\naGlkZGVu\n-----END PRIVATE KEY-----\n",
	} {
		_, err := New(Config{Name: "apple-id", ClientID: "c", TeamID: "T", KeyID: "K", PrivateKey: text}, Deps{})
		if err == nil || !strings.Contains(err.Error(), "private_key: ") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Name: "apple-id", ClientID: "c", TeamID: "T", KeyID: "K", PrivateKey: good}, Deps{}); err != nil {
		t.Error(err)
	}
}
