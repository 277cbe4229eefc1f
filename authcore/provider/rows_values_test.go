package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
)

// bearer is a plain request for the user info.
const bearer = "GET  Bearer " + testAccess

// appleKey returns a key in Apple's format.
var appleKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func pemOf(key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// proofOf returns Facebook's appsecret_proof.
func proofOf(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func ada(issuer, subject string) authcore.Profile {
	return authcore.Profile{
		Issuer: issuer, Subject: subject, Email: "ada@example.com", EmailVerified: true, FirstName: "Ada", LastName: "Lovelace",
	}
}

// unverified returns a profile whose address is not verified.
func unverified(profile authcore.Profile) authcore.Profile {
	profile.EmailVerified = false
	return profile
}

func named(profile authcore.Profile, nickname, avatar string) authcore.Profile {
	profile.Nickname, profile.AvatarURL = nickname, avatar
	return profile
}

// usual are the errors of RFC 6749, section 5.2.
func usual(more ...documented) []documented {
	return append([]documented{
		{"token", 400, `{"error":"invalid_grant","error_description":"quoted"}`, authcore.ErrProviderDenied},
		{"token", 401, `{"error":"invalid_client","error_description":"quoted"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"unauthorized_client"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"unsupported_grant_type"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"invalid_scope"}`, authcore.ErrProviderFailed},
		{"token", 429, `{"message":"quoted"}`, authcore.ErrProviderFailed},
		{"token", 503, `{"error":"temporarily_unavailable"}`, authcore.ErrProviderFailed},
	}, more...)
}

// faultyOpenID are the errors of an OpenID Connect provider.
func faultyOpenID(more ...documented) []documented {
	return append(usual(
		documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderFailed},
		documented{"token", 403, `{"error":"access_denied"}`, authcore.ErrProviderDenied},
		documented{"token", 200, `{"access_token":"a","token_type":"Bearer"}`, authcore.ErrProviderFailed},
		documented{"keys", 500, `{}`, authcore.ErrProviderFailed},
	), more...)
}
