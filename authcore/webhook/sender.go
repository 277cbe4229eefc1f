package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// interval is the time between two passes.
	interval = time.Second
	// sendTimeout limits one attempt.
	sendTimeout = 15 * time.Second
	// maxResponse limits the part of a response that is read.
	maxResponse = 64 << 10
)

// Store contains the methods of authcore.Store that a Sender uses.
type Store interface {
	authcore.RecordLister
	PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error
	Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error)
	UpdateRecord(ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error) (authcore.Record, error)
	DeleteRecord(ctx context.Context, key authcore.RecordKey) error
}

// Config configures a Sender. Store and Logger are required.
type Config struct {
	Store Store
	// Endpoints were validated.
	Endpoints []Endpoint
	Logger    *slog.Logger
	// Attempted receives the result of each attempt, with the ID of the endpoint; optional.
	Attempted func(endpoint string, result Result)
	// Transport sends the requests. Default: a transport of the Sender.
	Transport http.RoundTripper
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Sender sends messages. Its methods are safe for concurrent use.
type Sender struct {
	cfg     Config
	client  *http.Client
	workers []*worker
}

// New returns a Sender.
func New(cfg Config) *Sender {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Attempted == nil {
		cfg.Attempted = func(string, Result) {}
	}
	node := authcore.RandomID()
	transport := cfg.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: maxResponse, ForceAttemptHTTP2: true,
		}
	}
	s := &Sender{cfg: cfg, client: &http.Client{
		Transport: transport, Timeout: sendTimeout,
		// A redirect would send the message to a host that is not configured (CWE-601).
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for i := range cfg.Endpoints {
		endpoint := &cfg.Endpoints[i]
		s.workers = append(s.workers, &worker{Sender: s, endpoint: endpoint, id: endpoint.ID(), node: node})
	}
	return s
}

func (s *Sender) now() time.Time { return s.cfg.Now().Round(0).UTC() }

// Run sends messages until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range s.workers {
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
	s.client.CloseIdleConnections()
}

// send makes one attempt. Refused reports that another attempt is useless.
func (w *worker) send(ctx context.Context, m message) (refused bool, err error) {
	at := w.now()
	signature, err := w.endpoint.signature(m.ID, at, m.Body)
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.endpoint.URL, bytes.NewReader(m.Body))
	if err != nil {
		return true, errRequest
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "edgeauth")
	request.Header.Set("webhook-id", m.ID)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("webhook-signature", signature)
	response, err := w.client.Do(request)
	if err != nil {
		return false, errNoResponse // err contains the URL
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxResponse) // a connection can be reused after it
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return false, nil
	case status == http.StatusBadRequest, status == http.StatusGone, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return true, fmt.Errorf("the endpoint refused the message with status %d", status)
	default:
		return false, fmt.Errorf("the endpoint answered with status %d", status)
	}
}
