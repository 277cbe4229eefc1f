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

// decide sends the token of the table at the present time.
func (s *site) decide() gate.Decision {
	header := gate.Header{"Authorization": {"Token " + s.tokens["good"]}}
	return s.Decide(gate.Request{Method: "GET", Path: "/", Header: header, Now: s.now})
}

// A host passes the feed part by part, and fetches documents by Cursor.
func TestFeedByHost(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_by_host":true,"revocations_max_age":"5m"`)
	take := func(part string, want Progress) {
		t.Helper()
		if got, err := s.Take(part, s.now); got != want || (err == nil) != (want == Partial || want == InForce) {
			t.Errorf("Take = %d, %v, want %d", got, err, want)
		}
	}
	s.expect(t, "good", "unavailable")
	take(s.tokens["feed_forged"], Refused)
	take(s.tokens["good"], Refused)
	take("", Refused)
	parts := strings.Split(longFeed(t, s.now), "\n")
	take(parts[0], Partial)
	s.expect(t, "good", "unavailable")
	take(parts[2], Refused)
	for i, part := range parts {
		take(part, map[bool]Progress{true: InForce, false: Partial}[i == 2])
	}
	if cursor := s.Cursor(); cursor != fmt.Sprint(s.now.Unix()-1) {
		t.Errorf("Cursor() = %q, want the date of the feed", cursor)
	}
	take(parts[0], NotNewer)
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, `"keys":`+jwks(t, "ed25519", "p256")+`,"revocations_by_host":true,"revocations_max_age":"5m"`))
	s.expect(t, "good", "authenticated") // the feed stays with fresh keys
	s.now = s.now.Add(5 * time.Minute)
	s.expect(t, "good", "unavailable")
	take(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour), gate.Revocation{Kind: gate.RevokeSession, ID: gatecase.Session, Until: s.now.Add(time.Hour)}), InForce)
	s.expect(t, "good", "revoked")
	keyless := New(parse(t, `"keys_file":"/none","revocations_by_host":true`), s.files, func(string) {})
	if got, err := keyless.Take(parts[0], s.now); got != Refused || !errors.Is(err, errNoKeys) {
		t.Errorf("Take without keys = %d, %v, want errNoKeys", got, err)
	}
}

// An edge whose clock is ahead for a while, or behind, accepts no ended session
// (CWE-613).
func TestEdgeClockJumps(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_by_host":true`)
	until := s.now.Add(14 * 24 * time.Hour)
	if _, err := s.Take(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour),
		gate.Revocation{Kind: gate.RevokeSession, ID: gatecase.Session, Until: until}), s.now); err != nil {
		t.Fatalf("Take = %v", err)
	}
	s.expect(t, "good", "revoked")
	for _, jump := range []time.Duration{40 * 24 * time.Hour, -40 * 24 * time.Hour, time.Minute, -time.Minute} {
		s.now = s.now.Add(jump)
		if d := s.decide(); d.Claims != nil {
			t.Errorf("Decide with the clock off by %v = %+v, want a refusal", jump, d)
		}
		s.now = s.now.Add(-jump)
		s.expect(t, "good", "revoked")
	}
}

// The operator chooses how long a gate serves without fresh revocations.
func TestStaleRevocations(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked","revocations_max_age":"10m"`)
	feed := func() string { return gatecase.MakeFeed(t, s.now, s.now.Add(24*time.Hour)) }
	s.write("revoked", "[]")
	s.expect(t, "good", "unavailable") // a list is not dated
	old := s.now
	s.write("revoked", feed())
	s.expect(t, "good", "authenticated")
	s.now = old.Add(10*time.Minute - time.Second)
	s.expect(t, "good", "authenticated")
	s.expect(t, "good", "unavailable")
	s.write("revoked", feed())
	s.expect(t, "good", "authenticated")
	s.now = old
	replayed := feed()
	s.now = old.Add(11 * time.Minute)
	s.write("revoked", replayed) // an older one does not replace it
	s.expect(t, "good", "authenticated")
	if last := s.warned[len(s.warned)-1]; !strings.Contains(last, "not newer") {
		t.Errorf("last warning: %q, want one about an older feed", last)
	}
}

// Without a limit by the operator the feed's own expiry is the limit.
func TestFeedEnds(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
	s.expect(t, "good", "authenticated")
	s.now = begin.Add(time.Hour - 2*time.Second)
	s.expect(t, "good", "authenticated")
	s.expect(t, "good", "unavailable")
}

// The content of a file replaces the one before, also if it is of another kind,
// and nothing of that stays in force.
func TestListInThePlaceOfAFeed(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "revoked")
	s.write("revoked", "[{") // as while it is being written
	s.expect(t, "good", "revoked")
	s.write("revoked", "[]")
	s.expect(t, "good", "authenticated")
	s.now = s.now.Add(30 * 24 * time.Hour) // the feed would have ended
	d := s.Decide(gate.Request{Method: "GET", Path: "/", Now: s.now})
	if d.Status != 401 {
		t.Errorf("Decide after the end of the former feed = %d %s, want 401", d.Status, d.Reason)
	}
	s.now = begin.Add(time.Minute)
	s.write("revoked", `[{"kind":"user","id":"`+gatecase.User+`"}]`)
	s.expect(t, "good", "user_inactive")
	s.write("revoked", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
	s.expect(t, "good", "authenticated")
}

// A feed cannot be verified before there are keys.
func TestFeedBeforeKeys(t *testing.T) {
	s := newSite(t, `"keys_file":"/jwks.json","revocations_file":"/revoked"`)
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "unavailable")
	s.write("jwks.json", jwks(t, "ed25519"))
	s.expect(t, "good", "revoked")
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

func (info) Size() int64        { return maxFile + 1 }
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
