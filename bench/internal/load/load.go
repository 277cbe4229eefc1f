package load

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
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
			c.Close()
			return nil, err
		}
		c.conns = append(c.conns, &conn{Conn: opened, reader: bufio.NewReader(opened)})
	}
	return c, nil
}

// Close closes the connections.
func (c *Clients) Close() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// Result describes a finished run.
type Result struct {
	Elapsed time.Duration
	// Latencies has one entry for each request.
	Latencies []time.Duration
}

// Rate returns requests per second.
func (r *Result) Rate() float64 { return float64(len(r.Latencies)) / r.Elapsed.Seconds() }

// Quantile returns the latency in microseconds that a part q, from 0 to 1, of the
// requests did not exceed.
func (r *Result) Quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(r.Latencies))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Seconds() * 1e6
}

// Run sends n requests, each as soon as a connection is free. It ends with the last
// response, the first error or the context. Both functions are called from many
// goroutines: appendTo appends the bytes of request i to a buffer; check checks its
// response, whose body is valid during the call.
func (c *Clients) Run(ctx context.Context, n int, appendTo func(buffer []byte, i int) []byte, check func(i, status int, body []byte) error) (*Result, error) {
	return Share(ctx, len(c.conns), n, func(client, i int) error {
		conn := c.conns[client]
		conn.request = appendTo(conn.request[:0], i)
		status, err := conn.exchange()
		if err != nil {
			return err
		}
		return check(i, status, conn.body.Bytes())
	})
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
	return result, context.Cause(ctx)
}

// conn is one connection with its buffers.
type conn struct {
	net.Conn
	reader  *bufio.Reader
	request []byte
	body    bytes.Buffer
}

// exchange sends the request and keeps the body of the response.
func (c *conn) exchange() (status int, err error) {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(c.request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	c.body.Reset()
	_, err = c.body.ReadFrom(response.Body)
	return response.StatusCode, err
}

// ServeUpstream responds to requests without a body until the listener is closed, with
// as little work as possible. It takes the place of the application behind a proxy.
func ServeUpstream(listener net.Listener) {
	for {
		accepted, err := listener.Accept()
		if err != nil {
			return
		}
		go respond(accepted) // ends with the connection
	}
}

func respond(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReaderSize(c, 8<<10)
	response := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n")
	for {
		line, err := reader.ReadSlice('\n')
		if err == nil && len(line) <= len("\r\n") {
			_, err = c.Write(response)
		}
		if err != nil {
			return
		}
	}
}
