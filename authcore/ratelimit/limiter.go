package ratelimit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Times of the fallback to local counters.
const (
	// countTimeout limits the wait for a count, so that enough of the request's
	// time is left for the request itself.
	countTimeout = time.Second
	// recountInterval is the pause before the store is tried again.
	recountInterval = 2 * time.Second
)

// Config configures a Limiter.
type Config struct {
	// Store counts for all nodes.
	Store authcore.Counters
	// Local counts for this process while Store cannot; nil means that such
	// requests fail with 503.
	Local authcore.Counters
	// Now is the clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Limiter counts requests. See the package comment.
type Limiter struct {
	cfg Config
	// localUntil is the end of the pause after a failure of the store, in
	// nanoseconds since 1970; zero means that the last count succeeded.
	localUntil atomic.Int64
}

// New returns a Limiter.
func New(cfg Config) *Limiter {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	return &Limiter{cfg: cfg}
}

// Do counts the checks, then calls work. It returns the error of work, a 429 that
// names the time of the next attempt if a check is over its rate, or a 503 if
// nothing can count. If work fails with a server error, the count is taken back:
// the caller did not get what the limit is about.
func (l *Limiter) Do(ctx context.Context, checks []Check, work func() error) error {
	return l.do(ctx, checks, work, isServerError)
}

// DoFailures is [Limiter.Do] for limits of failed attempts: the count is taken back
// if work succeeds too. Simultaneous attempts count while they are under way, so
// that none exceeds the rate.
func (l *Limiter) DoFailures(ctx context.Context, checks []Check, work func() error) error {
	return l.do(ctx, checks, work, func(err error) bool { return err == nil || isServerError(err) })
}

func (l *Limiter) do(ctx context.Context, checks []Check, work func() error, refunded func(error) bool) error {
	taken, err := l.charge(ctx, checks)
	if err != nil {
		return err
	}
	err = work()
	if refunded(err) {
		l.refund(ctx, taken)
	}
	return err
}

// Charge counts the checks, without work. Its errors are those of [Limiter.Do].
func (l *Limiter) Charge(ctx context.Context, checks []Check) error {
	_, err := l.charge(ctx, checks)
	return err
}

// isServerError reports whether the failure is ours. An error that is not meant
// for a caller becomes a 5xx response.
func isServerError(err error) bool {
	if err == nil {
		return false
	}
	public, ok := errors.AsType[*authcore.Error](err)
	return !ok || public.Status >= http.StatusInternalServerError
}

// counted is a count and the counters that hold it.
type counted struct {
	by       authcore.Counters
	counters []authcore.Counter
	tallies  []authcore.Tally
}

// charge counts one in each check, or in none if one of them is over its rate.
// Several checks are read first: requests that are refused all the time must not
// show in the wider counters, not even for the time until they are taken back.
func (l *Limiter) charge(ctx context.Context, checks []Check) (counted, error) {
	active := slices.DeleteFunc(slices.Clone(checks), func(check Check) bool { return check.Rate.N <= 0 || check.Party == "" })
	now := l.cfg.Now()
	if len(active) > 1 {
		read, err := l.count(ctx, now, countersOf(active))
		if err != nil {
			return counted{}, authcore.Unavailable(err)
		}
		if err := refuse(active, read.tallies, 1, now); err != nil {
			return counted{}, err
		}
		active = slices.DeleteFunc(active, func(check Check) bool { return check.Over != nil && *check.Over })
	}
	if len(active) == 0 {
		return counted{}, nil
	}
	taken, err := l.count(ctx, now, adding(countersOf(active), 1))
	if err != nil {
		return counted{}, authcore.Unavailable(err)
	}
	if err := refuse(active, taken.tallies, 0, now); err != nil {
		l.refund(ctx, taken)
		return counted{}, err
	}
	return taken, nil
}

func countersOf(checks []Check) []authcore.Counter {
	counters := make([]authcore.Counter, len(checks))
	for i, check := range checks {
		counters[i] = authcore.Counter{Limit: check.Name, Party: check.Party, Window: check.Rate.Window}
	}
	return counters
}

func adding(counters []authcore.Counter, n int) []authcore.Counter {
	changed := make([]authcore.Counter, len(counters))
	for i, counter := range counters {
		counter.Add = n
		changed[i] = counter
	}
	return changed
}

// refuse returns the 429 of the first check that n more requests would exceed.
// Checks that only report are set instead.
func refuse(checks []Check, tallies []authcore.Tally, n int, now time.Time) error {
	var refusal error
	for i, check := range checks {
		switch {
		case tallies[i].N+n <= check.Rate.N:
		case check.Over != nil:
			*check.Over = true
		case refusal == nil:
			refusal = Throttled(check.Name, tallies[i].Reset.Sub(now))
		}
	}
	return refusal
}

// Throttled returns the 429 error of a limit.
func Throttled(limit string, wait time.Duration) *authcore.Error {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return &authcore.Error{
		Status:     http.StatusTooManyRequests,
		Code:       authcore.CodeThrottled,
		Detail:     fmt.Sprintf("Request was throttled. Expected available in %d seconds.", seconds),
		RetryAfter: time.Duration(seconds) * time.Second,
		Err:        fmt.Errorf("over the limit %s", limit),
	}
}

// refund takes a count back where it was counted. A failure is not reported: the
// counter is zero again when its window ends.
func (l *Limiter) refund(ctx context.Context, taken counted) {
	if taken.by == nil {
		return
	}
	// Also if the client has disconnected meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTimeout)
	defer cancel()
	if _, err := taken.by.Count(ctx, l.cfg.Now(), adding(taken.counters, -1)); err != nil {
		l.cfg.Logger.Debug("taking back a count failed", "error", err)
	}
}

// count counts in the store, or in this process while the store does not answer.
func (l *Limiter) count(ctx context.Context, now time.Time, counters []authcore.Counter) (counted, error) {
	pause := time.Duration(l.localUntil.Load() - now.UnixNano())
	// A pause beyond one interval means that the clock went back.
	if pause <= 0 || pause > recountInterval || l.cfg.Local == nil {
		tallies, err := l.countShared(ctx, now, counters)
		if err == nil {
			return counted{l.cfg.Store, counters, tallies}, nil
		}
		if l.cfg.Local == nil || ctx.Err() != nil {
			return counted{}, err
		}
	}
	tallies, err := l.cfg.Local.Count(ctx, now, counters)
	return counted{l.cfg.Local, counters, tallies}, err
}

// countShared counts in the store and notes whether that succeeded.
func (l *Limiter) countShared(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	tallies, err := l.cfg.Store.Count(counting, now, counters)
	if err != nil {
		if ctx.Err() == nil && l.localUntil.Swap(l.cfg.Now().Add(recountInterval).UnixNano()) == 0 {
			l.cfg.Logger.Warn("counting requests on this node only", "error", err)
		}
		return nil, err
	}
	if l.localUntil.Load() != 0 && l.localUntil.Swap(0) != 0 {
		l.cfg.Logger.Info("counting requests in the store again")
	}
	return tallies, nil
}
