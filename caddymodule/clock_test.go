package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// clocks are the answers of a StorageClock, one after the other.
type clocks struct{ answers []map[string]time.Duration }

func (c *clocks) StorageClocks(context.Context) (map[string]time.Duration, error) {
	answer := c.answers[0]
	c.answers = c.answers[1:]
	if answer == nil {
		return nil, errors.New("down")
	}
	return answer, nil
}

// A node whose clock differs from the store's reports it once, exports it, and reports
// when the clocks agree again. An outage changes nothing.
func TestClockWatch(t *testing.T) {
	var log bytes.Buffer
	watch := &clockWatch{logger: slog.New(slog.NewTextHandler(&log, nil)), storage: &clocks{[]map[string]time.Duration{
		nil, {"": time.Second}, {"a": -7 * time.Second, "b": time.Second}, {"a": -8 * time.Second}, nil, {"a": 0},
	}}}
	if _, measured := watch.seconds(); measured {
		t.Error("seconds() before a measurement reports one")
	}
	for i, want := range []float64{0, 1, -7, -8, -8, 0} {
		watch.measure(t.Context())
		if got, _ := watch.seconds(); got != want {
			t.Errorf("seconds() after measurement %d = %g, want %g", i+1, got, want)
		}
	}
	if n := strings.Count(log.String(), "clock differs from the store's"); n != 1 || !strings.Contains(log.String(), "store_ahead=-7s") {
		t.Errorf("the log reports the skew %d times, want once with -7s:\n%s", n, log.String())
	}
	if !strings.Contains(log.String(), "clock agrees with the store's again") {
		t.Errorf("the log does not report the end:\n%s", log.String())
	}
}
