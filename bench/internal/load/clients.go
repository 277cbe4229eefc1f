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

// Clients are connections to one server, each of which waits for an answer
// before it sends its next request.
type Clients struct {
	conns []*conn
}

// Dial opens connections.
func Dial(ctx context.Context, address string, connections int) (*Clients, error) {
	c := &Clients{}
	var dialer net.Dialer
	for range connections {
		opened, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.conns = append(c.conns, newConn(opened))
	}
	return c, nil
}

// Close closes the connections.
func (c *Clients) Close() error {
	var faults []error
	for _, conn := range c.conns {
		faults = append(faults, conn.Close())
	}
	return errors.Join(faults...)
}

// Plan says what to send. Its functions are called from many goroutines.
type Plan struct {
	Requests int
	// Append adds the bytes of request i, of 0 to Requests-1, to a buffer.
	Append func(buffer []byte, i int) []byte
	// Check judges the answer to request i; an error ends the run. The body is
	// valid during the call.
	Check func(i, status int, body []byte) error
}

// Result is how a run went.
type Result struct {
	Requests int
	Elapsed  time.Duration
	// Latencies holds the time of each request, shortest first.
	Latencies []time.Duration
}

// Rate returns requests per second.
func (r *Result) Rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Quantile returns the latency that a part q of the requests, of 0 to 1, did not
// exceed.
func (r *Result) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[min(len(r.Latencies)-1, int(q*float64(len(r.Latencies))))]
}

// Run sends the requests of a plan, each as soon as a connection is free. It
// ends with the context, with the first error, or when all are answered.
func (c *Clients) Run(ctx context.Context, plan Plan) (*Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Reads and writes know no context.
	stop := context.AfterFunc(ctx, func() {
		for _, conn := range c.conns {
			_ = conn.SetDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	result := &Result{Requests: plan.Requests, Latencies: make([]time.Duration, plan.Requests)}
	var next atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for _, conn := range c.conns {
		running.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= plan.Requests {
					return
				}
				if err := conn.send(plan, i, result.Latencies); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	running.Wait()
	result.Elapsed = time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	slices.Sort(result.Latencies)
	return result, nil
}

func (c *conn) send(plan Plan, i int, latencies []time.Duration) error {
	c.request = plan.Append(c.request[:0], i)
	began := time.Now()
	status, body, err := c.exchange()
	latencies[i] = time.Since(began)
	if err != nil {
		return err
	}
	return plan.Check(i, status, body)
}
