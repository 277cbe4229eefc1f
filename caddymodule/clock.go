package caddymodule

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Times of a clockWatch.
const (
	clockInterval = time.Minute
	clockTimeout  = 5 * time.Second
)

// clockWatch compares the clock of this node with those of the servers of a store, at
// the start and continuously. A node whose clock differs refuses the new tokens of
// others, or gives its own another lifetime.
type clockWatch struct {
	storage StorageClock
	logger  *slog.Logger
	// skew is the lead of the server that differs most, in nanoseconds; see measured.
	skew     atomic.Int64
	measured atomic.Bool
	// reported is used by run only.
	reported bool
}

// run measures until ctx ends.
func (c *clockWatch) run(ctx context.Context) {
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for {
		c.measure(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// measure compares the clocks once, and reports when they begin or cease to differ. A
// store that does not answer is reported elsewhere.
func (c *clockWatch) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, clockTimeout)
	defer cancel()
	clocks, err := c.storage.StorageClocks(ctx)
	if err != nil {
		c.logger.Debug("reading the store's clock failed", "error", err)
		return
	}
	var widest time.Duration
	for _, skew := range clocks {
		if skew.Abs() > widest.Abs() {
			widest = skew
		}
	}
	c.skew.Store(int64(widest))
	c.measured.Store(true)
	differs := widest.Abs() >= skewReported
	if differs && !c.reported {
		c.logger.Warn("clock differs from the store's", "store_ahead", widest.Round(time.Millisecond).String())
	}
	if !differs && c.reported {
		c.logger.Info("clock agrees with the store's again")
	}
	c.reported = differs
}

// seconds returns the last result for the metric, and whether there is one.
func (c *clockWatch) seconds() (skew float64, measured bool) {
	if c == nil || !c.measured.Load() {
		return 0, false
	}
	return time.Duration(c.skew.Load()).Seconds(), true
}
