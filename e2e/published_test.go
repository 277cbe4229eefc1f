package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestCrossSite checks that a POST of a foreign page is refused before anything is
// counted or used up (CWE-352), and that other requests are not affected.
func TestCrossSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: append([]string{"limit link_per_address 1 15m"}, debugLinks...)})
	link := s.requestLink(t, "origin@example.com")
	body := map[string]any{"token": link, "client_key": clientKey}
	for name, headers := range map[string][]string{
		"an unlisted origin":    {"Origin", "https://evil.test"},
		"an opaque origin":      {"Origin", "null"},
		"cross-site":            {"Sec-Fetch-Site", "cross-site"},
		"a sibling of a client": {"Origin", "https://evil.frontend.test", "Sec-Fetch-Site", "same-site"},
	} {
		for path, object := range map[string]map[string]any{
			"/by-link/login/": body, "/by-link/link/": {"email": "never@example.com"}, "/logout/": {}, "/social/authorize/": {},
		} {
			got := s.post(t, path, object, headers...)
			if code, _ := got.object(t)["code"].(string); got.status != http.StatusForbidden || code != "cross_site" {
				t.Errorf("%s to %s = %d %s, want 403 cross_site", name, path, got.status, got.body)
			}
		}
	}
	s.post(t, "/by-link/link/", map[string]any{"email": "never@example.com"}, "Origin", s.URL).must(t, http.StatusOK)
	s.loggedIn(t, s.post(t, "/by-link/login/", body, "Origin", origin, "Sec-Fetch-Site", "cross-site"))
}

// TestVerify asks as a proxy with forward authentication does: with any method, at
// any path below, and with the headers of the client.
func TestVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	l := s.logIn(t, "verify@example.com")
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, "PROPFIND"} {
		for _, path := range []string{"/v1/auth/verify", "/v1/auth/verify/", "/v1/auth/verify/orders/7?x=1"} {
			got := s.do(t, method, path, "", "", "Authorization", "Token "+l.token, "X-Auth-Name", "forged")
			if got.status != http.StatusOK || got.body != "" || got.header.Get("X-Auth-User-Id") != l.id {
				t.Errorf("%s %s = %d %v %q, want 200 with the user and an empty body", method, path, got.status, got.header, got.body)
			}
			if name := got.header.Values("X-Auth-Name"); len(name) != 1 || name[0] != "" {
				t.Errorf("%s %s: X-Auth-Name = %q, want one empty value", method, path, name)
			}
			isRefused(t, method+" "+path, s.do(t, method, path, "", ""), bodyNotProvided)
		}
	}
}

// feedDocument is one part of the feed, without its signature.
type feedDocument struct {
	Cursor   string `json:"cursor"`
	Since    string `json:"since"`
	Delta    bool   `json:"delta"`
	Users    string `json:"users"`
	Sessions string `json:"sessions"`
}

// entries returns the number of entries of 12 bytes in a list.
func entries(t *testing.T, list string) int {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(list)
	if err != nil || len(raw)%12 != 0 {
		t.Errorf("a list of %d bytes, error %v, want entries of 12 bytes", len(raw), err)
	}
	return len(raw) / 12
}

// feed returns the document since a cursor, and its tag.
func (s *site) feed(t *testing.T, since string) (document feedDocument, tag string) {
	t.Helper()
	got := s.do(t, http.MethodGet, "/v1/auth/revocations/?since="+since, "", "").must(t, http.StatusOK)
	parts := strings.Split(strings.TrimSpace(got.body), ".")
	if len(parts) != 3 {
		t.Fatalf("the feed = %q, want one part", got.body)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &document)
	}
	if err != nil {
		t.Fatalf("the payload of the feed %q: %v", payload, err)
	}
	if strings.Contains(string(payload), `"tokens"`) {
		t.Errorf("the feed %s contains tokens, want users and sessions", payload)
	}
	return document, got.header.Get("ETag")
}

// TestFeed reads the feed of revocations: the full list, the changes since a cursor,
// and a compressed copy. Refreshes add nothing to it.
func TestFeed(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits)})
	s.refresh(t, s.logIn(t, "refreshed@example.com").token)
	ended, disabled := s.logIn(t, "ended@example.com"), s.logIn(t, "disabled@example.com")
	s.logOut(t, ended.token)
	var full feedDocument
	wait.Until(t, time.Minute, "the feed contains the logout", func() bool {
		full, _ = s.feed(t, "")
		return entries(t, full.Sessions) == 1
	})
	if full.Delta || full.Cursor == "" || entries(t, full.Users) != 0 {
		t.Errorf("the feed = %+v, want the full list of one session", full)
	}
	if err := s.Command(t, "edgeauth", "user", "disable", disabled.id, "--address", s.Admin); err != nil {
		t.Fatal("disable:", err)
	}
	var delta feedDocument
	wait.Until(t, time.Minute, "the delta contains the user", func() bool {
		delta, _ = s.feed(t, full.Cursor)
		return entries(t, delta.Users) == 1
	})
	if !delta.Delta || delta.Since == "" || delta.Since > full.Cursor || delta.Cursor < full.Cursor {
		t.Errorf("the delta = %+v, want the changes since %q", delta, full.Cursor)
	}
	if unknown, _ := s.feed(t, "unknown"); unknown.Delta || entries(t, unknown.Sessions) == 0 {
		t.Errorf("the feed since an unknown cursor = %+v, want the full list", unknown)
	}
	const longFeed = 70 // sessions; a short feed is not compressed
	for n := range longFeed {
		s.logOut(t, s.logIn(t, fmt.Sprintf("long%d@example.com", n)).token)
	}
	wait.Until(t, time.Minute, "the feed contains the logouts", func() bool {
		full, _ = s.feed(t, "")
		return entries(t, full.Sessions) > longFeed
	})
	got := s.raw(t, http.MethodGet, "/v1/auth/revocations/", "Accept-Encoding: gzip")
	reader, err := gzip.NewReader(bytes.NewReader([]byte(got.body)))
	if err != nil || got.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("the compressed feed: %v, header %v", err, got.header)
	}
	if text, err := io.ReadAll(reader); err != nil || !strings.HasPrefix(string(text), "ey") {
		t.Errorf("the compressed feed = %.20q, error %v, want a JWT", text, err)
	}
}

// TestKeySet checks that the next key is published before it signs.
func TestKeySet(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	var set struct{ Keys []map[string]any }
	got := s.get(t, "/v1/auth/.well-known/jwks.json", "").must(t, http.StatusOK)
	if err := json.Unmarshal([]byte(got.body), &set); err != nil || len(set.Keys) != 2 {
		t.Errorf("the key set = %s, error %v, want two keys", got.body, err)
	}
	for _, key := range set.Keys {
		if key["d"] != nil || key["k"] != nil {
			t.Error("the key set contains a private key")
		}
	}
	s.get(t, "/.well-known/jwks.json", "").must(t, http.StatusUnauthorized) // a path of the application
}
