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

// site is an edge with files and a clock that tests change.
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
		t.Fatal(err)
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
	d := s.Decide(gate.Request{Method: "GET", Path: "/", Authorization: []string{"Token " + s.tokens[token]}, Now: s.now})
	if d.Reason != reason {
		t.Errorf("%s: got %s (%v), want %s; warned: %q", token, d.Reason, d.Err, reason, s.warned)
	}
}

// jwks is a key set with keys of the table.
func jwks(t *testing.T, names ...string) string {
	t.Helper()
	keys := gatecase.Keys(t)
	var list []gate.Key
	for _, name := range names {
		list = append(list, keys[name].Key)
	}
	set, err := gate.NewKeySet(list...)
	if err != nil {
		t.Fatal(err)
	}
	return string(set.JWKS())
}

func TestKeysFile(t *testing.T) {
	s := newSite(t, `"keys_file":"/etc/edgeauth/jwks.json"`)
	s.expect(t, "good", "unavailable") // there is none
	s.expect(t, "good", "unavailable")
	if len(s.warned) != 1 || !strings.Contains(s.warned[0], "/etc/edgeauth/jwks.json: cannot be read") {
		t.Errorf("warned: %q", s.warned)
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

// A file is looked at once a second and read when it has changed.
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
		t.Errorf("%d times looked at, %d times read", counting.stats, counting.reads)
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
	s.expect(t, "good", "unavailable") // nobody can tell who is revoked
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
	s.write("revoked", s.tokens["feed_token"])
	s.expect(t, "good", "revoked")
	s.write("revoked", s.tokens["feed_forged"])
	s.expect(t, "good", "revoked")
	delete(s.files, "revoked")
	s.expect(t, "good", "revoked")
}

// How long a gate goes on without fresh revocations is the operator's choice.
func TestStaleRevocations(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked","revocations_max_age":"10m"`)
	feed := func() string { return gatecase.MakeFeed(t, s.now, s.now.Add(24*time.Hour)) }
	s.write("revoked", "[]")
	s.expect(t, "good", "unavailable") // a list does not say when it was made
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
		t.Errorf("warned: %q", last)
	}
}

// Without a limit of the operator the feed's own end is one.
func TestFeedEnds(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
	s.expect(t, "good", "authenticated")
	s.now = begin.Add(time.Hour - 2*time.Second)
	s.expect(t, "good", "authenticated")
	s.expect(t, "good", "unavailable")
}

// What a file says takes the place of what it said before, also where it is of
// another kind, and nothing of that stays behind.
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
		t.Errorf("after the end of the feed: %d %s", d.Status, d.Reason)
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

// What a host hands over anew replaces what it said before, and nothing that
// was revoked by it stays behind.
func TestConfigure(t *testing.T) {
	keys := `"keys":` + jwks(t, "ed25519")
	s := newSite(t, keys)
	s.expect(t, "good", "authenticated")
	verifier := s.verifier
	for _, step := range []struct{ members, reason string }{
		{keys + `,"revocations":[{"kind":"token","id":"` + gatecase.TokenID + `"}]`, "revoked"},
		{keys + `,"revocations":[{"kind":"user","id":"` + gatecase.User + `"}]`, "user_inactive"},
		{keys, "authenticated"},
		{keys + `,"require":[{"field":"client","values":["ios"]}]`, "forbidden"},
		{`"keys":` + jwks(t, "p256"), "unknown_key"},
		{keys, "authenticated"},
	} {
		s.Configure(parse(t, step.members))
		s.expect(t, "good", step.reason)
		if s.verifier != verifier {
			t.Errorf("%s: the cache was lost", step.members)
		}
	}
	feed := func(text string) string { return keys + `,"revocations":"` + text + `"` }
	s.Configure(parse(t, feed(s.tokens["feed_session"])))
	s.expect(t, "good", "revoked")
	s.Configure(parse(t, feed(s.tokens["feed_session"]))) // the same once more
	s.expect(t, "good", "revoked")
	s.Configure(parse(t, feed(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))))
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, feed(s.tokens["feed_forged"])))
	s.expect(t, "good", "authenticated") // the last one that was good stays in force
	s.Configure(parse(t, keys))
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, `"keys_file":"/jwks.json"`))
	s.expect(t, "good", "unavailable") // not with the keys of before
}

func TestLongFile(t *testing.T) {
	s := newSite(t, `"keys_file":"/x"`)
	s.Edge.files = large{}
	s.expect(t, "good", "unavailable")
	if len(s.warned) != 1 || !strings.Contains(s.warned[0], "longer than") {
		t.Errorf("warned: %q", s.warned)
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
