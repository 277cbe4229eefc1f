package edge

import (
	"errors"
	"io/fs"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
)

// Edge decides about requests.
type Edge struct {
	config      *config.Config
	files       fs.FS
	warn        func(message string)
	verifier    *gate.Verifier
	revocations *gate.Revocations
	// keys is nil until there are keys.
	keys *gate.KeySet
	// feed describes the feed in use; loaded is false without one. list
	// contains the other revocations.
	feed   gate.FeedState
	loaded bool
	list   []gate.Revocation
	// memo is emptied when keys, revocations or the configuration change.
	memo memo

	keysFile, revocationsFile file
	// reading is the feed file that is being read, or nil.
	reading *feedFile
	// pending is a feed of the configuration that is not verified yet.
	pending string
	// checked is the time of the last look at the files, in seconds since 1970.
	checked int64
	// warned is the last warning, so that it is not repeated every second.
	warned string
}

// errNotReady is the error of decisions while keys or revocations are missing.
var errNotReady = errors.New("edge: keys or revocations are missing or too old")

// New returns an Edge. It reads files with the first request, and again when they
// have changed. Faults of the files are passed to warn.
func New(cfg *config.Config, files fs.FS, warn func(message string)) *Edge {
	e := &Edge{files: files, warn: warn}
	e.Configure(cfg)
	return e
}

// Configure replaces the configuration. If it concerns the same tokens and takes
// keys and revocations from the same places, verified tokens stay in the cache and
// the feed stays in use.
func (e *Edge) Configure(cfg *config.Config) {
	if e.config == nil || sourcesOf(e.config) != sourcesOf(cfg) {
		e.forget(cfg)
		e.keys = nil
	}
	e.memo.forget()
	e.closeFeed()
	e.config, e.checked = cfg, 0
	e.keysFile, e.revocationsFile = file{name: cfg.KeysFile}, file{name: cfg.RevocationsFile}
	if cfg.Keys != nil {
		e.setKeys(cfg.Keys)
	}
	if cfg.RevocationsFile == "" {
		e.setList(cfg.Revocations.List)
	}
	e.pending = cfg.Revocations.Feed
}

// forget starts with an empty cache and without revocations.
func (e *Edge) forget(cfg *config.Config) {
	e.revocations, e.feed, e.loaded, e.list = gate.NewRevocations(), gate.FeedState{}, false, nil
	e.memo = newMemo(cfg.CacheSize)
	e.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer: cfg.Issuer, Audience: cfg.Audience, Purpose: gate.PurposeLogin,
		CacheSize: cfg.CacheSize, Revocations: e.revocations,
	})
}

// sources identifies what a verifier and its revocations belong to.
type sources struct {
	issuer, audience          string
	cacheSize                 int
	keysFile, revocationsFile string
	feed                      bool
}

func sourcesOf(c *config.Config) sources {
	return sources{c.Issuer, c.Audience, c.CacheSize, c.KeysFile, c.RevocationsFile, c.HasFeed()}
}

// Decide decides about a request whose header was cleaned; see gate.Site.
func (e *Edge) Decide(r gate.Request) gate.Decision {
	e.refresh(r.Now)
	if e.keys == nil || e.isStale(r.Now) {
		return e.config.Site.Unavailable(r, errNotReady)
	}
	return e.config.Site.Decide(e.verifier, r, e.config.Allow())
}

// UseOf returns the use of a field of a request; see gate.Site.
func (e *Edge) UseOf(name string) (key string, use gate.FieldUse) { return e.config.Site.UseOf(name) }

// Clean removes forged identity from the header of a request; see gate.Site.
func (e *Edge) Clean(header gate.Header) { e.config.Site.Clean(header) }

// IsManaged reports whether a header must not come from a client; see gate.Site.
func (e *Edge) IsManaged(name string) bool { return e.config.Site.IsManaged(name) }

// Forward prepares the header of a request that proceeds for the upstream.
func (e *Edge) Forward(d *gate.Decision, header gate.Header) { e.config.Site.Forward(d, header) }

// isStale reports whether the required revocations are missing or too old, so that
// no token can be judged.
func (e *Edge) isStale(now time.Time) bool {
	if e.loaded {
		return e.feed.IsStale(now, e.config.RevocationsMaxAge)
	}
	return e.config.HasFeed() || e.revocationsFile.name != "" && !e.revocationsFile.taken
}

func (e *Edge) setKeys(keys *gate.KeySet) {
	e.keys = keys
	e.verifier.SetKeys(keys)
	e.memo.forget()
}

// setList replaces the revocations that are not in a feed.
func (e *Edge) setList(list []gate.Revocation) {
	for _, old := range e.list {
		e.revocations.Apply(gate.Revocation{Kind: old.Kind, ID: old.ID}) // lifts it
	}
	e.revocations.Apply(list...)
	e.list = list
	e.memo.forget()
}
