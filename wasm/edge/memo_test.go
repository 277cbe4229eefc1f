package edge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// ask does what the guest does for a request with a token, and reports whether the
// result is that of an earlier request.
func (s *site) ask(token, path string) (recalled bool, reason string) {
	authorization := "Token " + s.tokens[token]
	key := []byte("GET\x00" + authorization)
	if _, ok := s.Recall(key, path, s.now); ok {
		return true, "authenticated"
	}
	r := gate.Request{Method: "GET", Path: path, Header: gate.Header{"Authorization": {authorization}}, Now: s.now}
	d := s.Decide(r)
	s.Remember(key, []Change{{ChangeSet, "X-Auth-User-Id", token}}, s.now, s.HoldsUntil(&d, &r))
	return false, d.Reason
}

func (s *site) wantAsk(t *testing.T, token, path string, recalled bool, reason string) {
	t.Helper()
	if got, why := s.ask(token, path); got != recalled || why != reason {
		t.Errorf("ask(%s, %s) = %v, %s, want %v, %s", token, path, got, why, recalled, reason)
	}
}

func TestMemo(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519", "p256"))
	s.wantAsk(t, "good", "/", false, "authenticated")
	s.wantAsk(t, "good", "/other", true, "authenticated")
	s.wantAsk(t, "expired", "/", false, "expired")
	s.wantAsk(t, "expired", "/", false, "expired") // refusals are not remembered
	s.now = s.now.Add(time.Second)
	s.wantAsk(t, "good", "/", false, "authenticated") // looks at files once a second
	s.wantAsk(t, "good", "/", true, "authenticated")
	s.now = s.now.Add(-time.Hour)
	s.wantAsk(t, "good", "/", false, "authenticated") // the clock was set back
	s.Configure(parse(t, `"keys":`+jwks(t, "ed25519")+`,"cache_size":0`))
	s.wantAsk(t, "good", "/", false, "authenticated")
	if _, ok := s.Fields([]byte("authorization\x00")); ok {
		t.Error("Fields without a cache = true, want false")
	}
	s.wantAsk(t, "good", "/", false, "authenticated")
}

// A user whose session was revoked repeats a request that is remembered; another keeps
// using a token of a key that is withdrawn, or of a login that the operator no longer
// accepts (CWE-613).
func TestHardeningMemoForgets(t *testing.T) {
	keys := `"keys":` + jwks(t, "ed25519")
	revoked := gate.Revocation{Kind: gate.RevokeSession, ID: gatecase.Session, Until: begin.Add(time.Hour)}
	for name, test := range map[string]struct {
		members string
		change  func(s *site)
		reason  string
	}{
		"feed of the host": {keys + `,"revocations_by_host":true`, func(s *site) {
			_, _ = s.Take(gatecase.MakeFeed(t, s.now.Add(time.Second), s.now.Add(time.Hour), revoked), s.now)
		}, "revoked"},
		"feed file": {keys + `,"revocations_file":"/feed"`, func(s *site) {
			s.now = s.now.Add(time.Second)
			s.write("feed", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour), revoked))
		}, "revoked"},
		"feed too old":     {keys + `,"revocations_by_host":true`, func(s *site) { s.now = s.now.Add(24 * time.Hour) }, "unavailable"},
		"keys file":        {`"keys_file":"/keys"`, func(s *site) { s.now = s.now.Add(time.Second); s.write("keys", jwks(t, "p256")) }, "unknown_key"},
		"configured keys":  {keys, func(s *site) { s.Configure(parse(t, `"keys":`+jwks(t, "p256"))) }, "unknown_key"},
		"configured rules": {keys, func(s *site) { s.Configure(parse(t, keys+`,"require":[{"field":"client","values":["ios"]}]`)) }, "forbidden"},
		"configured list": {keys, func(s *site) {
			s.Configure(parse(t, keys+`,"revocations":[{"kind":"session","id":"`+gatecase.Session+`"}]`))
		}, "revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.members)
			s.write("feed", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
			s.write("keys", jwks(t, "ed25519"))
			if s.config.RevocationsByHost {
				if _, err := s.Take(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)), s.now); err != nil {
					t.Fatalf("Take = %v", err)
				}
			}
			s.wantAsk(t, "good", "/", false, "authenticated")
			s.wantAsk(t, "good", "/", true, "authenticated")
			test.change(s)
			s.wantAsk(t, "good", "/", false, test.reason)
		})
	}
}

// Requests for the login page of the site are not identified.
func TestMemoOnLoginPaths(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"login_page":"/auth","origin":"https://app.example.com"`)
	if !s.HasLoginPaths() {
		t.Error("HasLoginPaths() = false, want true")
	}
	s.wantAsk(t, "good", "/", false, "authenticated")
	s.wantAsk(t, "good", "/auth/account", false, "anonymous")
	s.wantAsk(t, "good", "/", true, "authenticated")
}

func TestFields(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"headers":["X-Auth-Email","Remote-User=email"]`)
	for names, want := range map[string][]string{
		"host\x00Authorization\x00accept\x00CONNECTION\x00": {"Authorization", "Connection"},
		"host\x00accept\x00":                          nil,
		"authorization\x00X_Auth_User_Id\x00":         nil, // has to be deleted
		"authorization\x00remote.user\x00":            nil,
		"cookie\x00":                                  nil, // not read here
		"authorization\x00x-http-method-override\x00": {"Authorization"},
		"": nil,
	} {
		for range 2 { // once from the list of shapes
			if got, ok := s.Fields([]byte(names)); ok != (want != nil) || ok && !slices.Equal(got, want) {
				t.Errorf("Fields(%q) = %q, %v, want %q", names, got, ok, want)
			}
		}
	}
	for i := range 10 * maxShapes {
		s.Fields(fmt.Appendf(nil, "authorization\x00x-%d\x00", i))
	}
	if n := len(s.memo.shapes); n > maxShapes {
		t.Errorf("the memo has %d shapes, want %d at most", n, maxShapes)
	}
}

// Two requests whose keys have the same place do not get each other's changes.
func TestMemoComparesKeys(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"cache_size":4`) // one place
	s.expect(t, "good", "authenticated")
	until := s.now.Unix() + 60
	one, other := []byte(strings.Repeat("a", 20)), []byte(strings.Repeat("a", 19)+"b")
	s.Remember(one, []Change{{ChangeDelete, "Authorization", ""}}, s.now, until)
	if _, ok := s.Recall(other, "/", s.now); ok {
		t.Error("Recall of another key = true, want false")
	}
	if changes, ok := s.Recall(one, "/", s.now); !ok || len(changes) != 1 {
		t.Errorf("Recall = %v, %v, want the change", changes, ok)
	}
}
