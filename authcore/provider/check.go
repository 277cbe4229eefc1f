package provider

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var _ authcore.Checker = (*provider)(nil)

// checkCode is the invalid code in the token request of a check.
const checkCode = "edgeauth-check"

// Check implements [authcore.Checker]. It loads the published documents, bypassing
// the caches, and sends a made-up code to the token endpoint. A provider that
// accepts the client id and secret answers with an error about the code.
func (p *provider) Check(ctx context.Context) (time.Duration, error) {
	watch := &clockWatch{next: p.deps.Transport, now: p.deps.Now}
	fresh := *p
	fresh.http = newCaller(watch, p.cfg.AllowPrivate)
	_, err := within(ctx, p, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, fresh.try(ctx)
	})
	return watch.ahead(), err
}

func (p *provider) try(ctx context.Context) error {
	look := p.metadata
	if p.spec.discovery && !p.isComplete() {
		look = p.discover
	}
	md, err := look(ctx)
	if err != nil {
		return err
	}
	if p.spec.openID() {
		if _, err := p.fetchKeys(ctx, md); err != nil {
			return err
		}
	}
	_, err = p.redeem(ctx, md, authcore.ExchangeRequest{
		Code: checkCode, RedirectURI: "https://" + checkCode + ".invalid/", Verifier: checkCode, Device: checkCode,
	})
	if err == nil || errors.Is(err, authcore.ErrProviderDenied) || errors.Is(err, errRequest) {
		return nil
	}
	return err
}

// clockWatch reads the provider's clock from the Date header of its responses.
type clockWatch struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	skew time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (c *clockWatch) RoundTrip(request *http.Request) (*http.Response, error) {
	begin := c.now()
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		// The header is truncated to seconds; adding half a second centers the
		// error.
		skew := authcore.Skew(begin, date.Add(time.Second/2), c.now())
		c.mu.Lock()
		c.skew = skew.Round(time.Second)
		c.mu.Unlock()
	}
	return response, nil
}

func (c *clockWatch) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}
