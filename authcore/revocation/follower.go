package revocation

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Times of a Follower.
const (
	// PollInterval is the longest delay that a missed notification causes.
	PollInterval = 500 * time.Millisecond
	// refreshTimeout limits one read of the feed, so that a dead connection does
	// not keep the next read from a good one.
	refreshTimeout = 2 * time.Second
	// A watch that broke begins again after watchDelay. The delay doubles up to
	// maxWatchDelay until a watch has lasted that long.
	watchDelay    = 100 * time.Millisecond
	maxWatchDelay = 5 * time.Second
	// repeatInterval is the interval of log messages about a continuing outage.
	repeatInterval = 30 * time.Second
)

// Config configures a Follower.
type Config struct {
	Store  authcore.Revocations
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Horizon is that of the clock; nil means a new one.
	Horizon *Horizon
	// MaxStaleness and OnStale describe the reaction of the gate to an old copy.
	// Here they are only logged.
	MaxStaleness time.Duration
	OnStale      string
	// Lag receives the time that a revocation of another node took to arrive; nil
	// for none.
	Lag func(time.Duration)
}

// Follower keeps the copy of the revocations in force against which a node checks
// its requests. All methods are safe for concurrent use.
type Follower struct {
	cfg  Config
	copy *gate.Revocations

	mu       sync.Mutex // Held while refreshing, so that the cursor does not move back.
	cursor   string
	rewinds  int
	complete bool // The copy was complete once.

	// What was logged; only follow uses it.
	failing, stale bool
	logged         time.Time
}

// New returns a Follower with an empty copy.
func New(cfg Config) *Follower {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Horizon == nil {
		cfg.Horizon = NewHorizon(cfg.Now, nil)
	}
	if cfg.Lag == nil {
		cfg.Lag = func(time.Duration) {}
	}
	return &Follower{cfg: cfg, copy: gate.NewRevocations()}
}

// Copy returns the copy for a verifier.
func (f *Follower) Copy() *gate.Revocations { return f.copy }

// Apply puts revocations that this node has stored in force immediately.
func (f *Follower) Apply(entries ...authcore.Revocation) { f.copy.Apply(entries...) }

// Age returns the time since the copy was complete last. It stays below a second
// while the store answers.
func (f *Follower) Age() time.Duration {
	return max(0, f.cfg.Now().Sub(f.copy.RefreshedAt()))
}

// Sweep removes what has expired by the horizon.
func (f *Follower) Sweep() { f.copy.Sweep(f.cfg.Horizon.Now()) }

// Refresh reads what is new in the store. If the clock went back, it reads the feed
// from the beginning: the copy may lack what a wrong time has left out. Each read
// has its own timeout, so that a long feed arrives page by page.
func (f *Follower) Refresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		at, began := f.cfg.Now(), time.Now()
		horizon, rewinds := f.cfg.Horizon.read()
		if rewinds != f.rewinds {
			f.rewinds, f.cursor = rewinds, ""
		}
		reading, cancel := context.WithTimeout(ctx, refreshTimeout)
		entries, cursor, err := f.cfg.Store.RevocationsSince(reading, f.cursor)
		cancel()
		if err != nil {
			return err
		}
		f.load(entries, horizon, began)
		if f.cursor = cursor; len(entries) == 0 {
			f.complete = true
			f.copy.Refreshed(at)
			return nil
		}
	}
}

// load puts entries in force and reports how long those of other nodes took to
// arrive.
func (f *Follower) load(entries []authcore.Revocation, horizon, began time.Time) {
	live, ages := entries[:0], []time.Duration(nil)
	for _, entry := range entries {
		if !entry.Until.IsZero() && !horizon.Before(entry.Until) {
			continue
		}
		live = append(live, entry)
		if f.complete && entry.Age > 0 && !entry.Until.IsZero() && !f.copy.Has(entry) {
			ages = append(ages, entry.Age)
		}
	}
	f.copy.Apply(live...)
	for _, age := range ages {
		f.cfg.Lag(age + time.Since(began))
	}
}
