package edge

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
	"github.com/edgeauth/edgeauth/wasm/config"
)

// site is an edge with files and a clock for tests.
type site struct {
	*Edge

	files  fstest.MapFS
	now    time.Time
	warned []string
	tokens map[string]string
}

var begin = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func newSite(t *testing.T, members string) *site {
	t.Helper()
	s := &site{files: fstest.MapFS{}, now: begin, tokens: gatecase.MakeTokens(t)}
	s.Edge = New(parse(t, members), s.files, func(message string) { s.warned = append(s.warned, message) })
	return s
}

func parse(t *testing.T, members string) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(`{"issuer":"` + gatecase.Issuer + `","audience":"` + gatecase.Audience + `",` + members + `}`))
	if err != nil {
		t.Fatalf("config.Parse with %s = %v", members, err)
	}
	return cfg
}

func (s *site) write(name, content string) {
	s.files[name] = &fstest.MapFile{Data: []byte(content), ModTime: s.now}
}

// expect sends a token a second later.
func (s *site) expect(t *testing.T, token, reason string) {
	t.Helper()
	s.now = s.now.Add(time.Second)
	header := gate.Header{"Authorization": {"Token " + s.tokens[token]}}
	d := s.Decide(gate.Request{Method: "GET", Path: "/", Header: header, Now: s.now})
	if d.Reason != reason {
		t.Errorf("Decide(%s) = %s (%v), want %s; warnings: %q", token, d.Reason, d.Err, reason, s.warned)
	}
}

// jwks returns a key set with keys of the table.
func jwks(t *testing.T, names ...string) string {
	t.Helper()
	keys := gatecase.Keys(t)
	var list []gate.Key
	for _, name := range names {
		list = append(list, keys[name].Key)
	}
	set, err := gate.NewKeySet(list...)
	if err != nil {
		t.Fatalf("NewKeySet of %q = %v", names, err)
	}
	return string(set.JWKS())
}

func TestKeysFile(t *testing.T) {
	s := newSite(t, `"keys_file":"/etc/edgeauth/jwks.json"`)
	s.expect(t, "good", "unavailable") // the file is absent
	s.expect(t, "good", "unavailable")
	if len(s.warned) != 1 || !strings.Contains(s.warned[0], "/etc/edgeauth/jwks.json: cannot be read") {
		t.Errorf("warnings: %q", s.warned)
	}
	s.write("etc/edgeauth/jwks.json", jwks(t, "ed25519"))
	s.expect(t, "good", "authenticated")
	s.expect(t, "good_es256", "unknown_key")
	s.write("etc/edgeauth/jwks.json", jwks(t, "p256"))
	s.expect(t, "good", "unknown_key")
	s.expect(t, "good_es256", "authenticated")
	for _, broken := range []string{"", "{", strings.Replace(jwks(t, "ed25519"), `"kty"`, `"d":"x","kty"`, 1)} {
		s.write("etc/edgeauth/jwks.json", broken) // as while it is being written
		s.expect(t, "good_es256", "authenticated")
	}
	delete(s.files, "etc/edgeauth/jwks.json")
	s.expect(t, "good_es256", "authenticated")
	s.write("etc/edgeauth/jwks.json", jwks(t, "ed25519"))
	s.expect(t, "good", "authenticated")
}

// A file is examined once a second and read when it has changed.
func TestFilesAreReadOnce(t *testing.T) {
	s := newSite(t, `"keys_file":"jwks.json"`)
	s.write("jwks.json", jwks(t, "ed25519"))
	counting := &counter{FS: s.files}
	s.Edge.files = counting
	s.expect(t, "good", "authenticated")
	for range 10 {
		s.Decide(gate.Request{Now: s.now})
	}
	s.expect(t, "good", "authenticated")
	if counting.stats != 2 || counting.reads != 1 {
		t.Errorf("the file was examined %d times and read %d times, want 2 and 1", counting.stats, counting.reads)
	}
}

type counter struct {
	fs.FS
	stats, reads int
}

func (c *counter) Stat(name string) (fs.FileInfo, error) {
	c.stats++
	return fs.Stat(c.FS, name)
}

func (c *counter) ReadFile(name string) ([]byte, error) {
	c.reads++
	return fs.ReadFile(c.FS, name)
}

func TestRevocationsFile(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.expect(t, "good", "unavailable") // the revocations are unknown
	s.write("revoked", "[]")
	s.expect(t, "good", "authenticated")
	s.write("revoked", `[{"kind":"user","id":"`+gatecase.User+`"}]`)
	s.expect(t, "good", "user_inactive")
	s.write("revoked", "[{")
	s.expect(t, "good", "user_inactive")
	s.write("revoked", `[{"kind":"session","id":"`+gatecase.Session+`"}]`)
	s.expect(t, "good", "revoked")
	s.write("revoked", `[ ]`)
	s.expect(t, "good", "authenticated")
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "revoked")
	for _, bad := range []string{"feed_forged", "feed_incomplete", "feed_delta", "good"} {
		s.write("revoked", s.tokens[bad])
		s.expect(t, "good", "revoked")
	}
	s.write("revoked", strings.Repeat("x", gate.MaxFeedPart+2))
	s.expect(t, "good", "revoked")
	delete(s.files, "revoked")
	s.expect(t, "good", "revoked")
}

// A file that ends in the middle of a feed, as while it is being written, puts
// nothing in force: the gate must not take the absence of revocations for it.
func TestIncompleteFeedFile(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	for _, content := range []string{s.tokens["feed_incomplete"], s.tokens["feed_incomplete"] + "\n", "", "\n"} {
		s.write("revoked", content)
		s.expect(t, "good", "unavailable")
		s.expect(t, "good", "unavailable")
	}
	feed := longFeed(t, s.now)
	s.write("revoked", feed[:len(feed)/2])
	s.expect(t, "good", "unavailable")
	s.write("revoked", feed)
	s.expect(t, "good", "authenticated")
}

// longFeed returns a document of three parts that does not concern the test token.
func longFeed(t *testing.T, issued time.Time) string {
	t.Helper()
	var entries []gate.Revocation
	for n := range 20_000 {
		entries = append(entries, gate.Revocation{Kind: gate.RevokeSession, ID: fmt.Sprint(n), Until: issued.Add(time.Hour)})
	}
	feed := gatecase.MakeFeed(t, issued, issued.Add(time.Hour), entries...)
	if n := strings.Count(feed, "\n") + 1; n != 3 {
		t.Fatalf("the feed has %d parts, want 3", n)
	}
	return feed
}

// A long feed is read between requests, a part at a time, while the one before is
// in force.
func TestLongFeedFile(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "revoked")
	s.write("revoked", longFeed(t, s.now))
	s.now = s.now.Add(time.Second)
	requests := 0
	for d := s.decide(); d.Reason == "revoked" && requests < 100; d = s.decide() {
		s.now = s.now.Add(pace / 2)
		requests++
	}
	if requests != 4 { // two for each part but the first
		t.Errorf("the feed was in force after %d requests, want 4", requests)
	}
	s.expect(t, "good", "authenticated")
	if s.reading != nil || len(s.warned) != 0 {
		t.Errorf("reading %v, warnings %q, want neither", s.reading, s.warned)
	}
}

// A new configuration replaces the one before, and none of its revocations stays in
// force.
func TestConfigure(t *testing.T) {
	keys := `"keys":` + jwks(t, "ed25519")
	s := newSite(t, keys)
	s.expect(t, "good", "authenticated")
	verifier := s.verifier
	for _, step := range []struct{ members, reason string }{
		{keys + `,"revocations":[{"kind":"session","id":"` + gatecase.Session + `"}]`, "revoked"},
		{keys + `,"revocations":[{"kind":"user","id":"` + gatecase.User + `"}]`, "user_inactive"},
		{keys, "authenticated"},
		{keys + `,"require":[{"field":"client","values":["ios"]}]`, "forbidden"},
		{`"keys":` + jwks(t, "p256"), "unknown_key"},
		{keys, "authenticated"},
	} {
		s.Configure(parse(t, step.members))
		s.expect(t, "good", step.reason)
		if s.verifier != verifier {
			t.Errorf("Configure with %s lost the cache, want it kept", step.members)
		}
	}
	feed := func(text string) string { return keys + `,"revocations":"` + text + `"` }
	s.Configure(parse(t, feed(s.tokens["feed_session"])))
	s.expect(t, "good", "revoked")
	s.Configure(parse(t, feed(s.tokens["feed_session"]))) // again
	s.expect(t, "good", "revoked")
	s.Configure(parse(t, feed(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))))
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, feed(s.tokens["feed_forged"])))
	s.expect(t, "good", "authenticated") // the last valid one stays in force
	s.Configure(parse(t, keys))
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, `"keys_file":"/jwks.json"`))
	s.expect(t, "good", "unavailable") // without the keys of the configuration before
}

func TestLongFile(t *testing.T) {
	s := newSite(t, `"keys_file":"/x"`)
	s.Edge.files = large{}
	s.expect(t, "good", "unavailable")
	if len(s.warned) != 1 || !strings.Contains(s.warned[0], "longer than") {
		t.Errorf("warnings: %q", s.warned)
	}
}

// large has one file that is too long.
type large struct{}

func (large) Open(string) (fs.File, error) { return nil, errors.New("must not be read") }

func (large) Stat(string) (fs.FileInfo, error) { return info{}, nil }

type info struct{ fs.FileInfo }

func (info) Size() int64 { return maxFile + 1 }

func (info) ModTime() time.Time { return begin }

func ExampleEdge() {
	cfg, err := config.Parse([]byte(`{"issuer": "https://auth.example.com", "keys_file": "/jwks.json", "public": ["/health"]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := New(cfg, fstest.MapFS{}, func(message string) { fmt.Println(message) })
	decision := e.Decide(gate.Request{Method: "GET", Path: "/", Now: begin})
	fmt.Println(decision.Status, decision.Body)
	// Output:
	// /jwks.json: cannot be read: file does not exist
	// 503 {"detail":"The service is temporarily unavailable.","code":"unavailable"}
}
