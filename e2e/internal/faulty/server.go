package faulty

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// ClientID is the client that all ID tokens are for.
const ClientID = "edge"

// Email is the verified address of the person who logs in everywhere.
const Email = "victim@example.com"

// subject is this person's id.
const subject = "4711"

// Stage is a step of a login.
type Stage string

// The stages, in their order.
const (
	Discovery Stage = "discovery"
	Token     Stage = "token"
	Keys      Stage = "keys"
	UserInfo  Stage = "userinfo"
)

// Stages lists all of them.
func Stages() []Stage { return []Stage{Discovery, Token, Keys, UserInfo} }

// Server plays the providers.
type Server struct {
	server  *httptest.Server
	signer  jose.Signer
	keys    []byte
	closing chan struct{}

	elsewhere *httptest.Server
	leaked    atomic.Int64
	mu        sync.Mutex
	calls     map[string]int
}

// Start starts the server.
func Start(t testing.TB) *Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{closing: make(chan struct{}), calls: map[string]int{}}
	s.signer, err = jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: &key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}
	if s.keys, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}); err != nil {
		t.Fatal(err)
	}
	s.elsewhere = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		s.leaked.Add(1)
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("/{fault}/{stage}/.well-known/openid-configuration", s.stage(Discovery, s.discovery))
	mux.HandleFunc("/{fault}/{stage}/token", s.stage(Token, s.token))
	mux.HandleFunc("/{fault}/{stage}/keys", s.stage(Keys, s.keySet))
	mux.HandleFunc("/{fault}/{stage}/userinfo", s.stage(UserInfo, s.userInfo))
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(s.closing)
		s.server.Close()
		s.elsewhere.Close()
	})
	return s
}

// Issuer returns the issuer that fails in this way at this stage. The fault "" is
// none.
func (s *Server) Issuer(fault string, stage Stage) string {
	if fault == "" {
		fault = sound
	}
	return s.server.URL + "/" + fault + "/" + string(stage)
}

// sound is the path of the issuer without a fault.
const sound = "sound"

// Leaked returns how many requests reached the host to which the fault
// "redirect" leads.
func (s *Server) Leaked() int64 { return s.leaked.Load() }

// Calls returns how often an issuer was asked for a stage.
func (s *Server) Calls(issuer string, stage Stage) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[issuer+" "+string(stage)]
}

// stage serves one stage of all issuers: those that fail here fail.
func (s *Server) stage(here Stage, serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls[s.issuer(r)+" "+string(here)]++
		s.mu.Unlock()
		fail := faults[r.PathValue("fault")]
		if fail != nil && r.PathValue("stage") == string(here) {
			fail(s, here, w, r)
			return
		}
		serve(w, r)
	}
}

func (s *Server) issuer(r *http.Request) string {
	return s.server.URL + "/" + r.PathValue("fault") + "/" + r.PathValue("stage")
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := s.issuer(r)
	answer(w, map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                issuer + "/authorize",
		"token_endpoint":                        issuer + "/token",
		"jwks_uri":                              issuer + "/keys",
		"userinfo_endpoint":                     issuer + "/userinfo",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) { s.grant(w, r, subject) }

// grant answers with an ID token about a subject.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, subject string) {
	now := time.Now()
	idToken, err := jwt.Signed(s.signer).Claims(map[string]any{
		"iss": s.issuer(r), "sub": subject, "aud": ClientID,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{
		"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": idToken,
	})
}

func (s *Server) keySet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.keys)
}

func (s *Server) userInfo(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"sub": subject, "email": Email, "email_verified": true})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
