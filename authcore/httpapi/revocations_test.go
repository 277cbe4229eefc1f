package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

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
