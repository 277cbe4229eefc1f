package redistest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// slots is the number of parts into which a Cluster divides its keys.
const slots = 16384

// Cluster is a Redis Cluster of primaries.
type Cluster struct{ Servers []*Server }

// StartCluster starts three primaries that share the keys, with lines of
// configuration for each. A node counts as dead after a minute without a response, so
// that a busy machine kills none; a test of a failover sets cluster-node-timeout.
func StartCluster(tb testing.TB, lines ...string) *Cluster {
	tb.Helper()
	const nodes = 3
	c := &Cluster{}
	for i := range nodes {
		server := startNode(tb, lines)
		c.Servers = append(c.Servers, server)
		server.Do(tb, "cluster", "addslotsrange", i*slots/nodes, (i+1)*slots/nodes-1)
		// Nodes with the same epoch settle who has the higher one later, and a node that
		// wins in the middle of a move takes its slot back.
		server.Do(tb, "cluster", "set-config-epoch", i+1)
	}
	for _, server := range c.Servers[1:] {
		c.meet(tb, server)
	}
	c.await(tb, c.Servers)
	return c
}

// AddReplica starts a node that takes over if a primary dies, with lines of
// configuration, and waits until it is in step. It is not one of the Servers.
func (c *Cluster) AddReplica(tb testing.TB, primary *Server, lines ...string) *Server {
	tb.Helper()
	replica := startNode(tb, lines)
	c.meet(tb, replica)
	c.await(tb, append([]*Server{replica}, c.Servers...))
	replica.Do(tb, "cluster", "replicate", primary.Do(tb, "cluster", "myid"))
	servertest.Eventually(tb, "the replica is in step", func() bool {
		return replica.info(lasting(tb), "master_link_status") == "up"
	})
	return replica
}

func startNode(tb testing.TB, lines []string) *Server {
	tb.Helper()
	server := &Server{}
	server.start(tb, append([]string{
		"cluster-enabled yes", "cluster-port " + strconv.Itoa(servertest.FreePort(tb)), "cluster-node-timeout 60000",
	}, lines...))
	return server
}

func (c *Cluster) meet(tb testing.TB, server *Server) {
	tb.Helper()
	c.Servers[0].Do(tb, "cluster", "meet", "127.0.0.1", server.Port, server.busPort(tb))
}

// await waits until all nodes know each other and all slots are served.
func (c *Cluster) await(tb testing.TB, all []*Server) {
	tb.Helper()
	nodes := "cluster_known_nodes:" + strconv.Itoa(len(all)) + "\r\n"
	servertest.Eventually(tb, "the cluster serves", func() bool {
		for _, server := range all {
			state := server.clusterInfo(lasting(tb))
			if !strings.Contains(state, "cluster_state:ok") || !strings.Contains(state, nodes) {
				return false
			}
		}
		return true
	})
}

// URL returns the URL for the store: one node, and the others as addr.
func (c *Cluster) URL() string {
	return "redis://" + c.Servers[0].Address() + "?addr=" + c.Servers[1].Address() + "&addr=" + c.Servers[2].Address()
}

// busPort returns the port at which the server communicates with other nodes.
func (s *Server) busPort(tb testing.TB) string {
	tb.Helper()
	pair, _ := s.Do(tb, "config", "get", "cluster-port").([]any)
	if len(pair) != 2 {
		tb.Fatalf("cluster-port = %v, want a name and a value", pair)
	}
	port, _ := pair[1].(string)
	return port
}

func (s *Server) clusterInfo(ctx context.Context) string {
	client := s.Client()
	defer client.Close()
	return client.ClusterInfo(ctx).Val()
}
