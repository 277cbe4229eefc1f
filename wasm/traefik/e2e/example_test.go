package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// The example in the folder above works unchanged, with the key set and the feed of
// revocations in a mounted folder, and follows their changes.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "dynamic.yml"))
	if err != nil {
		t.Fatalf("os.ReadFile = %v", err)
	}
	mounted := t.TempDir()
	write := func(name, content string) {
		// Replaced as a whole, so that the gate reads no incomplete file.
		if err := os.WriteFile(filepath.Join(mounted, "new"), []byte(content), 0o600); err != nil {
			t.Fatalf("os.WriteFile = %v", err)
		}
		if err := os.Rename(filepath.Join(mounted, "new"), filepath.Join(mounted, name)); err != nil {
			t.Fatalf("os.Rename = %v", err)
		}
	}
	feed := func(revoked ...gate.Revocation) string {
		return gatecase.MakeFeed(t, time.Now(), time.Now().Add(time.Hour), revoked...)
	}
	key := gatecase.Keys(t)["ed25519"].Key
	set, err := gate.NewKeySet(key)
	if err != nil {
		t.Fatalf("gate.NewKeySet = %v", err)
	}
	write("jwks.json", string(set.JWKS()))

	upstream := gatecase.NewServer(t)
	builder := newBuilder(t, mounted+":/etc/edgeauth:ro")
	config := decode(t, string(text)).HTTP.Middlewares["edgeauth"].Plugin["edgeauth"]
	address := start(t, builder, config, proxyTo(t, upstream.URL))
	check := func(name string, change func(*gatecase.Case)) {
		t.Helper()
		for _, c := range gatecase.Load(t) {
			if c.Name == name {
				if change != nil {
					change(c)
				}
				if c.Answer.Headers["Vary"] == nil && c.Answer.Status != 503 { // the example has origins
					c.Answer.Headers = maps.Clone(c.Answer.Headers)
					if c.Answer.Headers == nil {
						c.Answer.Headers = map[string][]string{}
					}
					c.Answer.Headers["Vary"] = []string{"Origin"}
				}
				upstream.Check(t, address, c)
				return
			}
		}
		t.Fatalf("the table has no case %q", name)
	}
	named := func(c *gatecase.Case) {
		c.Upstream.Added = maps.Clone(c.Upstream.Added)
		c.Upstream.Added["X-Auth-Name"] = "Ada Lovelace"
	}
	check("a good token", (*gatecase.Case).Unavailable) // there is no feed yet
	write("revocations.jws", feed())
	waitFor(t, address, 200)
	check("a good token", named)
	check("a public path", nil)
	check("token: expired", nil)
	check("a preflight of a known origin", nil)
	check("the domain of an address that is not verified", nil)
	check("a page of a known origin reads the refusal", nil)
	write("revocations.jws", gatecase.MakeFeed(t, time.Now().Add(time.Second), time.Now().Add(time.Hour),
		gate.Revocation{Kind: gate.RevokeUser, ID: gatecase.User, Until: time.Now().Add(time.Hour)}))
	waitFor(t, address, 401)
	check("a disabled user", nil)
}

// waitFor waits until the gate has answered a valid token with a status for more than a
// second: there are several instances, each of which examines its files once a second.
func waitFor(t *testing.T, address string, status int) {
	t.Helper()
	for _, c := range gatecase.Load(t) {
		if c.Name != "a good token" {
			continue
		}
		var since time.Time
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			switch got := gatecase.Send(t, address, c).Status; {
			case got != status:
				since = time.Time{}
			case since.IsZero():
				since = time.Now()
			case time.Since(since) > 2*time.Second:
				return
			}
		}
	}
	t.Fatalf("the gate did not answer %d within a minute", status)
}
