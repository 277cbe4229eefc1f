package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/bench/internal/edge"
	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// course is a scenario that runs.
type course struct {
	scenario
	// edges are its servers; requests go to the first.
	edges   []*edge.Edge
	clients *load.Clients
	// ready is the memory of the first server at its first answer.
	ready edge.Memory
	// before and after stand around the token in a request.
	before, after string
	tokens        []string
	// sent is the number of requests up to now.
	sent int
	// overhead is the number of allocations that counting them takes.
	overhead float64
}

// slice is what a number of requests cost.
type slice struct {
	// cpu is microseconds of processor time for each request.
	cpu, allocs, rate, p50, p99 float64
	rss                         int64
}

// start starts the servers of a scenario and has them answer some requests.
// Fresh is how many tokens are needed that were never sent.
func (b *bench) start(ctx context.Context, s scenario, fresh int) (c *course, err error) {
	c = &course{scenario: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	r, err := b.realmOf(ctx, s)
	if err != nil {
		return c, err
	}
	if err := b.startEdges(ctx, c, r); err != nil {
		return c, fmt.Errorf("%s: %w", s.name, err)
	}
	if c.ready, err = c.edges[0].Memory(); err != nil {
		return c, err
	}
	warm := b.requests
	if s.tokens == rotatingTokens {
		warm = rotating
	}
	if c.tokens, err = r.stream(ctx, s.tokens, fresh+warm); err != nil {
		return c, fmt.Errorf("%s: tokens: %w", s.name, err)
	}
	c.frame()
	if c.clients, err = load.Dial(ctx, c.edges[0].Address, connections); err != nil {
		return c, err
	}
	if _, err := c.load(ctx, warm); err != nil {
		return c, err
	}
	err = c.calibrate(ctx)
	return c, err
}

func (b *bench) startEdges(ctx context.Context, c *course, r *realmOf) error {
	switch c.front {
	case plainProxy:
		return c.run(b.startPlain(ctx))
	case dressed:
		return c.run(b.startDressed(ctx))
	case gated, forwarded: // below
	}
	gate, err := b.startGate(ctx, r, "", c.inside)
	if err != nil {
		return err
	}
	c.edges = []*edge.Edge{gate}
	if c.front == gated {
		return nil
	}
	front, err := b.startForward(ctx, gate, r.hot)
	if err == nil {
		c.edges = []*edge.Edge{front, gate}
	}
	return err
}

// run has the course go to an edge that was just started.
func (c *course) run(e *edge.Edge, err error) error {
	if err == nil {
		c.edges = []*edge.Edge{e}
	}
	return err
}

// stream returns tokens; n is how many are needed where each is sent once.
func (r *realmOf) stream(ctx context.Context, kind stream, n int) ([]string, error) {
	one := func(token string, err error) ([]string, error) { return []string{token}, err }
	switch kind {
	case rotatingTokens:
		return r.Tokens(ctx, 0, rotating)
	case freshTokens:
		return r.enough(&r.fresh, n, func() ([]string, error) { return r.Tokens(ctx, rotating, n) })
	case forgedTokens:
		return r.enough(&r.forged, n, func() ([]string, error) { return r.Forged(ctx, n) })
	case noToken:
		return nil, nil
	case malformedToken:
		return one(strings.ReplaceAll(r.hot, ".", ""), nil)
	case unknownKey:
		return one(r.UnknownKey())
	case wrongAlgorithm:
		return one(r.WrongAlgorithm())
	case expiredToken:
		return one(r.Expired())
	default:
		return one(r.hot, nil)
	}
}

// enough makes n tokens unless there are that many already. They are new to every
// server that was just started.
func (*realmOf) enough(kept *[]string, n int, mint func() ([]string, error)) (_ []string, err error) {
	if len(*kept) < n {
		*kept, err = mint()
	}
	return *kept, err
}

// The headers that a request has beside Host and Authorization: those that
// Chromium sends with a fetch() of a page to its own site, and those of a program.
const (
	browserHeaders = "Connection: keep-alive\r\n" +
		"sec-ch-ua-platform: \"Linux\"\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: application/json\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n" +
		"sec-ch-ua-mobile: ?0\r\n" +
		"Sec-Fetch-Site: same-origin\r\n" +
		"Sec-Fetch-Mode: cors\r\n" +
		"Sec-Fetch-Dest: empty\r\n" +
		"Referer: https://app.example.com/items\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-GB,en;q=0.9\r\n"
	bareHeaders = "User-Agent: example/1.0\r\nAccept: application/json\r\nAccept-Language: en\r\n"
)

// frame prepares the bytes of a request.
func (c *course) frame() {
	headers := browserHeaders
	if c.bare {
		headers = bareHeaders
	}
	c.before = "GET /api/items?page=1 HTTP/1.1\r\nHost: " + c.edges[0].Address + "\r\n" + headers
	c.after = "\r\n"
	if len(c.tokens) > 0 {
		c.before += "Authorization: Token "
		c.after = "\r\n\r\n"
	}
}

func (c *course) append(buffer []byte, i int) []byte {
	buffer = append(buffer, c.before...)
	if len(c.tokens) > 0 {
		buffer = append(buffer, c.tokens[(c.sent+i)%len(c.tokens)]...)
	}
	return append(buffer, c.after...)
}

// load sends the next requests.
func (c *course) load(ctx context.Context, requests int) (*load.Result, error) {
	once := c.scenario.tokens == freshTokens || c.scenario.tokens == forgedTokens
	if once && c.sent+requests > len(c.tokens) {
		return nil, fmt.Errorf("%s: no tokens are left that were never sent", c.name)
	}
	result, err := c.clients.Run(ctx, load.Plan{
		Requests: requests, Append: c.append,
		Check: func(_, status int, body []byte) error {
			if status != c.status {
				return fmt.Errorf("%s: answered with %d instead of %d: %s", c.name, status, c.status, body)
			}
			return nil
		},
	})
	c.sent += requests
	return result, err
}

// slice measures the next requests.
func (c *course) slice(ctx context.Context, requests int) (slice, error) {
	mallocs, err := c.mallocs(ctx)
	if err != nil {
		return slice{}, err
	}
	cpu, err := c.cpu()
	if err != nil {
		return slice{}, err
	}
	result, err := c.load(ctx, requests)
	if err != nil {
		return slice{}, err
	}
	cpuAfter, err := c.cpu()
	if err != nil {
		return slice{}, err
	}
	mallocsAfter, err := c.mallocs(ctx)
	if err != nil {
		return slice{}, err
	}
	s := slice{
		cpu:    stat.Microseconds(cpuAfter-cpu) / float64(requests),
		allocs: (mallocsAfter - mallocs - c.overhead) / float64(requests),
		rate:   result.Rate(),
		p50:    stat.Microseconds(result.Quantile(0.50)),
		p99:    stat.Microseconds(result.Quantile(0.99)),
	}
	for _, e := range c.edges {
		memory, err := e.Memory()
		if err != nil {
			return s, err
		}
		s.rss += memory.RSS
	}
	return s, nil
}

func (c *course) cpu() (sum time.Duration, err error) {
	for _, e := range c.edges {
		cpu, err := e.CPU()
		if err != nil {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

func (c *course) mallocs(ctx context.Context) (sum float64, err error) {
	for _, e := range c.edges {
		heap, err := e.Heap(ctx)
		if err != nil {
			return 0, err
		}
		sum += float64(heap.Mallocs)
	}
	return sum, nil
}

// calibrate finds out what counting allocations takes itself.
func (c *course) calibrate(ctx context.Context) error {
	var samples stat.Samples
	last, err := c.mallocs(ctx)
	for range 5 {
		if err != nil {
			return err
		}
		var now float64
		now, err = c.mallocs(ctx)
		samples = append(samples, now-last)
		last = now
	}
	c.overhead = samples.Median()
	return err
}

// stop ends the servers.
func (c *course) stop() error {
	var faults []error
	if c.clients != nil {
		faults = append(faults, c.clients.Close())
	}
	for _, e := range c.edges {
		faults = append(faults, e.Stop())
	}
	return errors.Join(faults...)
}
