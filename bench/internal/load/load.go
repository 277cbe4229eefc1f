// Package load sends HTTP/1.1 requests over connections that stay open and measures
// the latency of each.
//
// It implements only the part of HTTP that the benchmark needs: the caller prepares
// the bytes of requests, and responses must have a Content-Length. net/http would take
// too much of the processor from the server under test.
package load

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Clients are connections to one server. Each waits for the response before it sends
// the next request.
type Clients struct{ conns []*conn }

// Dial opens connections.
func Dial(ctx context.Context, address string, connections int) (*Clients, error) {
	c := &Clients{}
	for range connections {
		opened, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.conns = append(c.conns, newConn(opened))
	}
	return c, nil
}

// Close closes the connections.
func (c *Clients) Close() (err error) {
	for _, conn := range c.conns {
		err = errors.Join(err, conn.Close())
	}
	return err
}

// Plan describes the requests of a run. Its functions are called from many goroutines.
type Plan struct {
	Requests int
	// Append appends the bytes of request i, from 0 to Requests-1, to a buffer.
	Append func(buffer []byte, i int) []byte
	// Check checks the response to request i; an error ends the run. The body is
	// valid during the call.
	Check func(i, status int, body []byte) error
}

// Result describes a finished run.
type Result struct {
	Elapsed time.Duration
	// Latencies has one entry for each request, in ascending order.
	Latencies []time.Duration
}

// Rate returns requests per second.
func (r *Result) Rate() float64 { return float64(len(r.Latencies)) / r.Elapsed.Seconds() }

// Quantile returns the latency in microseconds that a part q, from 0 to 1, of the
// requests did not exceed.
func (r *Result) Quantile(q float64) float64 {
	i := min(len(r.Latencies)-1, int(q*float64(len(r.Latencies))))
	return float64(r.Latencies[i]) / float64(time.Microsecond)
}

// Run sends the requests of a plan, each as soon as a connection is free. It ends
// with the last response, the first error or the context.
func (c *Clients) Run(ctx context.Context, plan Plan) (*Result, error) {
	return Share(ctx, len(c.conns), plan.Requests, func(client, i int) error { return c.conns[client].send(plan, i) })
}

// Share distributes n calls of work over concurrent clients. It ends with the last
// call, the first error or the context, which a call does not notice.
func Share(ctx context.Context, clients, n int, work func(client, i int) error) (*Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result := &Result{Latencies: make([]time.Duration, n)}
	var next atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for client := range clients {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := work(client, i); err != nil {
					cancel(err)
				}
				result.Latencies[i] = time.Since(began)
			}
		})
	}
	running.Wait()
	result.Elapsed = time.Since(began)
	slices.Sort(result.Latencies)
	return result, context.Cause(ctx)
}
