package redistest

import (
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// Acknowledged data is there after a server was killed, and a frozen server does not
// respond until it is resumed.
func TestServer(t *testing.T) {
	server := Start(t)
	server.Do(t, "set", "key", "value")
	server.Kill(t)
	server.Start(t)
	if got := server.Do(t, "get", "key"); got != "value" {
		t.Errorf("value after a kill = %v, want value", got)
	}
	server.Pause(t)
	client := goredis.NewClient(&goredis.Options{
		Addr: server.Address(), ReadTimeout: 100 * time.Millisecond, MaxRetries: -1, DialerRetries: 1,
	})
	defer client.Close()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("PING of a frozen server succeeded, want a timeout")
	}
	server.Resume(t)
	server.Do(t, "ping")
	server.Stop(t)
	server.Start(t)
}

func TestSecureServer(t *testing.T) {
	server := Secure(t, "~edge:* -@all +set")
	server.Do(t, "ping")
	options, err := goredis.ParseURL(server.URL())
	if err != nil {
		t.Fatalf("ParseURL failed: %v", err)
	}
	options.TLSConfig.RootCAs = server.secure.RootCAs
	options.DisableIdentity = true
	client := goredis.NewClient(options)
	defer client.Close()
	if err := client.Set(t.Context(), "edge:1", "", 0).Err(); err != nil {
		t.Errorf("SET of an allowed key = error %v", err)
	}
	if err := client.Set(t.Context(), "other", "", 0).Err(); err == nil {
		t.Error("SET of another key succeeded, want a refusal")
	}
}

// A replica takes over, and the former primary returns as a replica.
func TestGroup(t *testing.T) {
	group := StartGroup(t, 1)
	former := group.Primary(t)
	if former != group.Servers[0] {
		t.Error("Primary is not the first server")
	}
	next := group.Failover(t)
	next.Do(t, "set", "key", "value")
	former.Start(t)
	servertest.Eventually(t, "the former primary follows", func() bool { return former.info(t.Context(), "master_link_status") == "up" })
}

func TestCluster(t *testing.T) {
	cluster := StartCluster(t)
	client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{cluster.Servers[0].Address()}})
	defer client.Close()
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := client.Set(t.Context(), key, key, 0).Err(); err != nil {
			t.Errorf("SET %s failed: %v", key, err)
		}
	}
}
