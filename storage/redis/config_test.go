package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// Every kind of client has the options that the contract needs: no retries,
// deadlines of contexts, bounded waits.
func TestClientOptions(t *testing.T) {
	for name, config := range map[string]Config{
		"server":   {URL: "redis://edge:p%40ss@host:7000/3?pool_size=7&read_timeout=1s"},
		"sentinel": {URL: "redis://edge:p%40ss@host:26379/3?addr=other:26379&pool_size=7&read_timeout=1s", Sentinel: "main"},
		"cluster":  {URL: "redis://edge:p%40ss@host:7000?addr=other:7000&pool_size=7&read_timeout=1s", Cluster: true},
	} {
		db := openBounded(t, config)
		switch client := db.client.(type) {
		case *goredis.Client:
			o := client.Options()
			if o.MaxRetries != 0 || !o.ContextTimeoutEnabled || o.DialTimeout != ioTimeout || o.ReadTimeout != time.Second ||
				o.WriteTimeout != ioTimeout || o.PoolTimeout != ioTimeout || o.PoolSize != 7 || o.DB != 3 ||
				o.Username != "edge" || o.Password != "p@ss" {
				t.Errorf("options for %s = %+v", name, o)
			}
		case *goredis.ClusterClient:
			o := client.Options()
			if o.MaxRetries > 0 || !o.ContextTimeoutEnabled || o.DialTimeout != ioTimeout || o.ReadTimeout != time.Second ||
				o.WriteTimeout != ioTimeout || o.PoolTimeout != ioTimeout || o.PoolSize != 7 || len(o.Addrs) != 2 || o.ReadOnly ||
				o.Username != "edge" || o.Password != "p@ss" {
				t.Errorf("options for %s = %+v", name, o)
			}
		}
	}
}

// TLS with a private authority, a client certificate, and a user.
func TestTLS(t *testing.T) {
	const rules = "~edgeauth:* &edgeauth:* +@all -@admin +config|get"
	server := redistest.Secure(t, rules, "appendonly no", "tls-auth-clients yes")
	pem, err := os.ReadFile(server.CertificateFile)
	if err != nil {
		t.Fatalf("reading the certificate failed: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	own, err := tls.LoadX509KeyPair(server.CertificateFile, server.KeyFile)
	if err != nil {
		t.Fatalf("loading the certificate failed: %v", err)
	}
	pair := []tls.Certificate{own}
	if _, err := open(t, Config{URL: server.URL(), Roots: roots, Certificates: pair}).Realm(t.Context(), "main"); err != nil {
		t.Errorf("Realm with all credentials = error %v", err)
	}
	for name, config := range map[string]Config{
		"an unknown authority":    {URL: server.URL(), Certificates: pair},
		"no certificate":          {URL: server.URL(), Roots: roots},
		"another name":            {URL: strings.Replace(server.URL(), "127.0.0.1", "localhost", 1), Roots: roots, Certificates: pair},
		"a wrong password":        {URL: strings.Replace(server.URL(), server.Password, "wrong", 1), Roots: roots, Certificates: pair},
		"no user":                 {URL: strings.Replace(server.URL(), server.Username+":"+server.Password+"@", "", 1), Roots: roots, Certificates: pair},
		"keys of another program": {URL: server.URL(), Roots: roots, Certificates: pair, KeyPrefix: "other:"},
	} {
		_, err := open(t, config).Realm(t.Context(), "main")
		if !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), server.Password) || strings.Contains(err.Error(), "p@ss/w") {
			t.Errorf("Realm with %s = error %v, want one that contains no password", name, err)
		}
	}
}

func TestSocket(t *testing.T) {
	// A path of a socket has 108 bytes at most.
	folder, err := os.MkdirTemp("", "redis") //nolint:usetesting // as above
	if err != nil {
		t.Fatalf("making a folder failed: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "s")
	redistest.Start(t, "appendonly no", "unixsocket "+path)
	store := realm(t, open(t, Config{URL: "unix://" + path + "?db=2"}), "main")
	signUp(t, store, authcore.Account{User: user("u", "")})
}

// A closed DB returns errors immediately, ends its watches, and can be closed again.
func TestClosed(t *testing.T) {
	db := openFor(t, Config{URL: redistest.Start(t, "appendonly no").URL()})
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	began, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- store.WatchRevocations(context.WithoutCancel(t.Context()), func() {
			select {
			case began <- struct{}{}:
			default:
			}
		})
	}()
	<-began
	closeDB(t, db)
	closeDB(t, db)
	if err := <-ended; !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("WatchRevocations of a closed DB = error %v", err)
	}
	for name, step := range storagetest.Steps(store) {
		if err := step(t.Context()); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("%s of a closed DB = error %v, want %v", name, err, authcore.ErrUnavailable)
		}
	}
}

// An error about a URL does not cite it, because it contains a password (CWE-532).
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"redis://user:secret@host:6379/0", "rediss://:secret@[::1]:1/", "unix://u:secret@/path?db=1", "redis://secret@host:port",
		"redis://u:se%cret@host", "secret", "http://secret@host", "redis://u:secret@host?secret=1", "redis://u:secret@h?addr=secret",
		"redis://u:secret@h/secret", "redis://u:secret@h?db=secret", "redis://u:secret@h?read_timeout=secret", "redis://h?addr=:1", "",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, several bool) {
		for _, config := range []Config{{URL: text, Cluster: several}, {URL: text, Sentinel: map[bool]string{true: "main"}[several]}} {
			err := config.Validate()
			if err != nil {
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("Validate() = %v, which cites the URL", err)
				}
				continue
			}
			db, err := Open(config)
			if err != nil {
				t.Fatalf("Open of a valid config failed: %v", err)
			}
			if err := db.Close(); err != nil {
				t.Errorf("Close failed: %v", err)
			}
		}
	})
}

// Servers and Sentinels have separate users, and each receives only its own
// password.
func TestUsersUnderSentinels(t *testing.T) {
	t.Parallel()
	group := redistest.StartGroup(t, 1)
	for _, server := range group.Servers {
		server.Do(t, "acl", "setuser", "edge", "on", ">p@ss", "~edgeauth:*", "&edgeauth:*", "+@all")
	}
	for _, sentinel := range group.Sentinels {
		sentinel.Do(t, "acl", "setuser", "watcher", "on", ">other", "+@all", "&*")
	}
	withUser := strings.Replace(group.URL(), "redis://", "redis://edge:p%40ss@", 1)
	good := Config{
		URL: withUser, Sentinel: redistest.PrimaryName, SentinelUsername: "watcher", SentinelPassword: "other",
	}
	if _, err := open(t, good).Realm(t.Context(), "main"); err != nil {
		t.Errorf("Realm with both users = error %v", err)
	}
	forServers, forSentinels, name := good, good, good
	forServers.URL = strings.Replace(group.URL(), "redis://", "redis://edge:other@", 1)
	forSentinels.SentinelPassword = "p@ss"
	name.Sentinel = "unknown"
	for what, config := range map[string]Config{
		"the wrong password for servers": forServers, "the wrong password for Sentinels": forSentinels,
		"an unknown primary": name,
	} {
		if _, err := open(t, config).Realm(t.Context(), "main"); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("Realm with %s = error %v, want %v", what, err, authcore.ErrUnavailable)
		}
	}
}
