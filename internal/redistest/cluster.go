package redistest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// slots is how many parts a Cluster divides its keys into.
const slots = 16384

// Cluster is a Redis Cluster of primaries.
type Cluster struct{ Servers []*Server }

// StartCluster starts three primaries that share the keys, with lines of
// configuration for each.
func StartCluster(tb testing.TB, lines ...string) *Cluster {
	tb.Helper()
	const nodes = 3
	c := &Cluster{}
	for i := range nodes {
		server := &Server{}
		server.start(tb, append([]string{
			"cluster-enabled yes", "cluster-port " + strconv.Itoa(servertest.FreePort(tb)), "cluster-node-timeout 5000",
		}, lines...))
		c.Servers = append(c.Servers, server)
		server.Do(tb, "cluster", "addslotsrange", i*slots/nodes, (i+1)*slots/nodes-1)
	}
	for _, server := range c.Servers[1:] {
		c.Servers[0].Do(tb, "cluster", "meet", "127.0.0.1", server.Port, server.busPort(tb))
	}
	servertest.Eventually(tb, "the cluster serves", func() bool {
		for _, server := range c.Servers {
			state := server.clusterInfo(lasting(tb))
			if !strings.Contains(state, "cluster_state:ok") || !strings.Contains(state, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	})
	return c
}

// URL is that of the store: one node, and the others as addr.
func (c *Cluster) URL() string {
	return "redis://" + c.Servers[0].Address() + "?addr=" + c.Servers[1].Address() + "&addr=" + c.Servers[2].Address()
}

// busPort is where the server talks to other nodes.
func (s *Server) busPort(tb testing.TB) string {
	tb.Helper()
	pair, _ := s.Do(tb, "config", "get", "cluster-port").([]any)
	if len(pair) != 2 {
		tb.Fatalf("cluster-port: %v", pair)
	}
	port, _ := pair[1].(string)
	return port
}

func (s *Server) clusterInfo(ctx context.Context) string {
	client := s.Client()
	defer client.Close()
	return client.ClusterInfo(ctx).Val()
}
