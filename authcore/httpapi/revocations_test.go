package httpapi_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// feedLength returns the number of entries of a document, read by a verifier.
func (w *world) feedLength(r response) int {
	w.t.Helper()
	text, _ := w.realm.Keys.JWKS()
	keys, err := gate.ParseJWKS(text)
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(r.body) {
		feed, err := keys.RevocationFeed(strings.TrimSpace(line), "edgeauth", time.Unix(w.clock.Load(), 0))
		if err != nil {
			w.t.Fatalf("RevocationFeed(%q) of %d failed: %v", line, r.StatusCode, err)
		}
		n += feed.Len()
	}
	return n
}

func TestRevocations(t *testing.T) {
	w := newWorld(t)
	r := w.call("GET", "/revocations", "")
	if n := w.feedLength(r); n != 0 {
		t.Errorf("feed has %d entries at the beginning, want 0", n)
	}
	r.expectHeader(t, "Content-Type", "application/jwt")
	r.expectHeader(t, "Cache-Control", "public, max-age=1")
	r.expectHeader(t, "Access-Control-Allow-Origin", "*")
	tag := r.Header.Get("ETag")
	for _, condition := range []string{tag, "W/" + tag, `"x", ` + tag, "*", `"x",W/` + tag + `,"y"`} {
		r := w.call("GET", "/revocations/", "", "If-None-Match", condition)
		r.expect(t, http.StatusNotModified, "")
		r.expectHeader(t, "ETag", tag)
		r.expectHeader(t, "Cache-Control", "public, max-age=1")
		r.expectHeader(t, "Content-Type", "")
	}
	for _, condition := range []string{"", `"x"`, strings.Trim(tag, `"`), `"` + tag + `"`} {
		if r := w.call("GET", "/revocations/", "", "If-None-Match", condition); r.StatusCode != http.StatusOK {
			t.Errorf("If-None-Match %q: got %d", condition, r.StatusCode)
		}
	}
	if r := w.call("HEAD", "/revocations/", ""); r.StatusCode != http.StatusOK || r.body != "" || r.Header.Get("ETag") != tag {
		t.Errorf("HEAD: got %d %q", r.StatusCode, r.body)
	}
	w.call("POST", "/revocations/", "").expect(t, 405, `{"detail":"Method \"POST\" not allowed."}`)
}

// A logout is in the feed when the node has read the store again.
func TestRevocationsFollow(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.realm.Run(ctx) })
	defer running.Wait()
	defer stop()
	login := w.login("ada@example.com")
	tag := w.call("GET", "/revocations/", "").Header.Get("ETag")
	w.call("POST", "/logout/", "", login.authorization()...).expect(t, 204, "")
	w.advance(2 * time.Second)
	for deadline := time.Now().Add(time.Minute); ; {
		r := w.call("GET", "/revocations/", "", "If-None-Match", tag)
		if r.StatusCode == http.StatusOK {
			if n := w.feedLength(r); n != 1 {
				t.Errorf("feed has %d entries after a logout, want 1", n)
			}
			if strings.Contains(r.body, login.ID) {
				t.Error("the feed contains the ID of the user")
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %d", r.StatusCode)
		}
	}
}

func TestNoRevocationsWithoutPublicKey(t *testing.T) {
	w := newWorld(t, func(c *realm.Config) { c.Algorithm = gate.HS256 })
	r := w.call("GET", "/revocations/", "")
	r.expect(t, 404, `{"detail":"Tokens are signed with a shared secret (HS256); there is no public key.","code":"no_public_key"}`)
	r.expectHeader(t, "Cache-Control", "no-store")
}

// The feed is public and signed with the key of the tokens. It must not be accepted
// as a token (RFC 8725, section 3.11).
func TestTheFeedIsNoToken(t *testing.T) {
	w := newWorld(t)
	feed := w.call("GET", "/revocations/", "").body
	w.call("GET", "/user/", "", "Authorization", "Token "+feed).expect(t, 401, `{"detail":"Invalid token."}`)
	w.call("GET", "/verify/", "", "Authorization", "Token "+feed).expect(t, 401, `{"detail":"Invalid token."}`)
}

// A document that is worth it is compressed, once for all verifiers.
func TestRevocationsCompressed(t *testing.T) {
	w := newWorld(t)
	plain := w.call("GET", "/revocations/", "", "Accept-Encoding", "identity")
	if r := w.call("GET", "/revocations/", "", "Accept-Encoding", "gzip"); r.Header.Get("Content-Encoding") != "" || r.body != plain.body {
		t.Errorf("a document of %d bytes has the encoding %q, want none", len(plain.body), r.Header.Get("Content-Encoding"))
	}
	login := w.login("ada@example.com")
	if _, err := w.store.UpdateAccount(t.Context(), login.ID, w.realm.Now(), func(a *authcore.Account) error {
		for i := range 500 {
			a.Revocations = append(a.Revocations, authcore.Revocation{
				Kind: authcore.RevokeSession, ID: fmt.Sprint(i), Until: w.realm.Now().Add(time.Hour),
			})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.advance(2 * time.Second)
	if err := w.realm.Revocations.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	plain = w.call("GET", "/revocations/", "", "Accept-Encoding", "br, gzip;q=0, *")
	if n := w.feedLength(plain); n != 500 || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("feed has %d entries in the encoding %q, want 500 in none", n, plain.Header.Get("Content-Encoding"))
	}
	tag := plain.Header.Get("ETag")
	for range 2 {
		r := w.call("GET", "/revocations/", "", "Accept-Encoding", "br;q=1, GZIP; q=0.5")
		r.expectHeader(t, "Content-Encoding", "gzip")
		r.expectHeader(t, "Vary", "Accept-Encoding")
		r.expectHeader(t, "ETag", "W/"+tag)
		reader, err := gzip.NewReader(strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil || string(text) != plain.body || len(r.body) >= len(plain.body) {
			t.Errorf("decompressed %d of %d bytes, %v, want %d", len(text), len(r.body), err, len(plain.body))
		}
	}
	w.call("GET", "/revocations/", "", "Accept-Encoding", "gzip", "If-None-Match", "W/"+tag).expect(t, http.StatusNotModified, "")
}

// With a cursor, the document has the changes only.
func TestRevocationsSince(t *testing.T) {
	w := newWorld(t)
	keys := func(text []byte, _ time.Duration) *gate.KeySet {
		set, err := gate.ParseJWKS(text)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}(w.realm.Keys.JWKS())
	copied := gate.NewRevocations()
	load := func(since string, want int) {
		t.Helper()
		r := w.call("GET", "/revocations/?since="+since, "")
		if n := w.feedLength(r); n != want {
			t.Errorf("feed since %q has %d entries, want %d", since, n, want)
		}
		feed, err := keys.RevocationFeed(strings.TrimSpace(r.body), "edgeauth", time.Unix(w.clock.Load(), 0))
		if err == nil {
			_, err = copied.Load(feed)
		}
		if err != nil {
			t.Fatalf("loading the feed since %q failed: %v", since, err)
		}
	}
	pass := func() {
		t.Helper()
		w.advance(30 * time.Minute)
		if err := w.realm.Revocations.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	logout := func() {
		t.Helper()
		w.call("POST", "/logout/", "", w.login("ada@example.com").authorization()...).expect(t, 204, "")
		pass()
	}
	logout()
	pass() // a delta begins some time before its cursor
	load("", 1)
	logout()
	state, _ := copied.Feed()
	load(state.Cursor, 1)
	for _, unknown := range []string{"x", "-1", "99999999999999999999", "%00", strings.Repeat("9", 5000)} {
		if n := w.feedLength(w.call("GET", "/revocations/?since="+unknown, "")); n != 2 {
			t.Errorf("feed since %.20q has %d entries, want the full list of 2", unknown, n)
		}
	}
}
