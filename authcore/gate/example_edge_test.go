package gate_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// issuer signs tokens and publishes keys and revocations, for examples. It panics
// where a test would fail.
type issuer struct {
	key         gate.Key
	private     ed25519.PrivateKey
	revocations *gate.Revocations
}

// exampleIssuer returns an issuer with the tokens of two users, the second of whom has
// logged out.
func exampleIssuer() (server *httptest.Server, in, out string) {
	private := ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes, for examples"))
	i := &issuer{gate.Key{ID: "1", Algorithm: gate.EdDSA, Public: private.Public()}, private, gate.NewRevocations()}
	in, out = i.token("ann"), i.token("bob")
	i.revocations.Apply(gate.Revocation{Kind: gate.RevokeSession, ID: "session of bob", Until: time.Now().Add(time.Hour)})
	i.revocations.Refreshed(time.Now())
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/auth/.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		set, err := gate.NewKeySet(i.key)
		must(err)
		_, err = w.Write(set.JWKS())
		must(err)
	})
	mux.HandleFunc("/v1/auth/revocations/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, i.feed(r.URL.Query().Get("since")))
	})
	return httptest.NewServer(mux), in, out
}

// feed returns a document of the feed.
func (i *issuer) feed(cursor string) string {
	issued := i.revocations.RefreshedAt()
	payloads, err := i.revocations.FeedPayloads(gate.FeedOptions{
		Issuer: "edgeauth", Issued: issued, Expires: issued.Add(time.Hour), Since: i.revocations.FeedSince(cursor, issued),
	})
	must(err)
	var parts []string
	for payload := range payloads {
		parts = append(parts, i.sign(gate.PurposeRevocations, payload))
	}
	return strings.Join(parts, "\n")
}

func (i *issuer) token(user string) string {
	now := time.Now().Unix()
	payload, err := json.Marshal(gate.Statement{Issuer: "edgeauth", Audience: "edgeauth", Claims: gate.Claims{
		Subject: user, ID: "token of " + user, Session: "session of " + user, IssuedAt: now, ExpiresAt: now + 3600,
		Email: user + "@example.com", EmailVerified: true,
	}})
	must(err)
	return i.sign(gate.PurposeLogin, payload)
}

func (i *issuer) sign(purpose gate.Purpose, payload []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := gate.HeaderSegment(i.key, purpose) + "." + encode(payload)
	return input + "." + encode(ed25519.Sign(i.private, []byte(input)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// exampleCall sends a request with a token and returns status and body.
func exampleCall(h http.Handler, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}
