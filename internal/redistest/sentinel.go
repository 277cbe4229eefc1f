package redistest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// PrimaryName is the name that Sentinels have for the primary of a Group.
const PrimaryName = "edge"

// Group is a primary with replicas, watched by three Sentinels.
type Group struct {
	// Servers are the primary and its replicas; the roles change.
	Servers   []*Server
	Sentinels []*Server
}

// StartGroup starts a primary and replicas, with lines of configuration for each,
// and three Sentinels. They fail over after two seconds without a response: a server
// that syncs every write to a busy disk is sometimes silent for one.
func StartGroup(tb testing.TB, replicas int, lines ...string) *Group {
	tb.Helper()
	g := &Group{Servers: []*Server{Start(tb, lines...)}}
	for range replicas {
		replica := append([]string{"replicaof 127.0.0.1 " + strconv.Itoa(g.Servers[0].Port)}, lines...)
		g.Servers = append(g.Servers, Start(tb, replica...))
	}
	servertest.Eventually(tb, "the replicas are in step", func() bool {
		for _, replica := range g.Servers[1:] {
			if replica.info(lasting(tb), "master_link_status") != "up" {
				return false
			}
		}
		return g.Servers[0].info(lasting(tb), "connected_slaves") == strconv.Itoa(replicas)
	})
	for range 3 {
		g.Sentinels = append(g.Sentinels, startSentinel(tb, g.Servers[0]))
	}
	servertest.Eventually(tb, "the Sentinels know each other and the replicas", func() bool {
		for _, sentinel := range g.Sentinels {
			state := sentinel.sentinelState(lasting(tb))
			if state["num-other-sentinels"] != "2" || state["num-slaves"] != strconv.Itoa(replicas) {
				return false
			}
		}
		return true
	})
	return g
}

func startSentinel(tb testing.TB, primary *Server) *Server {
	tb.Helper()
	program := servertest.Find(tb, "redis-sentinel")
	s := &Server{}
	s.startProgram(tb, program, []string{
		"sentinel monitor " + PrimaryName + " 127.0.0.1 " + strconv.Itoa(primary.Port) + " 2",
		"sentinel down-after-milliseconds " + PrimaryName + " 2000",
		"sentinel failover-timeout " + PrimaryName + " 5000",
	})
	return s
}

// URL returns the URL for the store: one Sentinel, and the others as addr.
func (g *Group) URL() string {
	more := make([]string, 0, len(g.Sentinels))
	for _, sentinel := range g.Sentinels[1:] {
		more = append(more, "addr="+sentinel.Address())
	}
	return "redis://" + g.Sentinels[0].Address() + "/0?" + strings.Join(more, "&")
}

// Primary returns the server that most Sentinels report as the primary.
func (g *Group) Primary(tb testing.TB) *Server {
	tb.Helper()
	var primary *Server
	servertest.Eventually(tb, "the Sentinels agree", func() bool {
		votes := map[string]int{}
		for _, sentinel := range g.Sentinels {
			state := sentinel.sentinelState(lasting(tb))
			votes[net.JoinHostPort(state["ip"], state["port"])]++
		}
		for _, server := range g.Servers {
			if votes[server.Address()] >= 2 {
				primary = server
				return true
			}
		}
		return false
	})
	return primary
}

// Failover kills the primary, waits until a replica has taken over, and returns the
// replica. The killed server may be started again and becomes a replica.
func (g *Group) Failover(tb testing.TB) *Server {
	tb.Helper()
	former := g.Primary(tb)
	former.Kill(tb)
	return g.AwaitFailover(tb, former)
}

// AwaitFailover waits until another server than the former primary has taken over.
func (g *Group) AwaitFailover(tb testing.TB, former *Server) *Server {
	tb.Helper()
	var next *Server
	servertest.Eventually(tb, "a replica takes over", func() bool {
		next = g.Primary(tb)
		return next != former && next.info(lasting(tb), "role") == "master"
	})
	return next
}

// sentinelState returns the state of the primary that a Sentinel reports.
func (s *Server) sentinelState(ctx context.Context) map[string]string {
	client := goredis.NewSentinelClient(&goredis.Options{
		Addr: s.Address(), Protocol: 2, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, DisableIdentity: true,
	})
	defer client.Close()
	state, err := client.Master(ctx, PrimaryName).Result()
	if err != nil {
		return nil
	}
	return state
}
