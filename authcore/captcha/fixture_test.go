package captcha_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/captcha"
)

const (
	secret = "0x4AAA-secret"
	host   = "app.example.com"
)

var ip = netip.MustParseAddr("192.0.2.7")

// service is a server of the siteverify protocol. Each response is accepted once.
type service struct {
	*httptest.Server
	// respond replaces the protocol if it is set.
	respond http.HandlerFunc

	mu    sync.Mutex
	forms []url.Values
	used  map[string]bool
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{used: map[string]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.respond != nil {
		s.respond(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.forms = append(s.forms, r.PostForm)
	answer := map[string]any{"success": true, "hostname": host, "action": "login", "challenge_ts": "2026-01-02T03:04:05Z"}
	refuse := func(code string) { answer = map[string]any{"success": false, "error-codes": []string{code}} }
	switch response := r.PostForm.Get("response"); {
	case r.PostForm.Get("secret") != secret:
		refuse("invalid-input-secret")
	case response != "solved" && response != "solved again":
		refuse("invalid-input-response")
	case s.used[response]:
		refuse("timeout-or-duplicate")
	default:
		s.used[response] = true
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
}

// calls returns the forms that were sent.
func (s *service) calls() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms
}

// verifier returns a Verifier that uses the service; change may change its configuration.
func (s *service) verifier(t *testing.T, change func(*captcha.Config)) *captcha.Verifier {
	t.Helper()
	cfg := captcha.Config{VerifyURL: s.URL, Secret: secret, Hostnames: []string{host}, Transport: s.Client().Transport}
	if change != nil {
		change(&cfg)
	}
	cfg.SetDefaults()
	if err := cfg.Validate(); err != nil {
		t.Fatalf("Validate() failed: %v", err)
	}
	return captcha.New(cfg)
}

// says makes the service respond with a status and a body.
func (s *service) says(status int, body string) {
	s.respond = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that is gone needs no answer
	}
}
