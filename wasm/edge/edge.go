package edge

import (
	"errors"
	"io/fs"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
)

// Edge is a gate that is ready to decide.
type Edge struct {
	config      *config.Config
	files       fs.FS
	warn        func(message string)
	verifier    *gate.Verifier
	revocations *gate.Revocations
	// keys is nil as long as there are none.
	keys *gate.KeySet
	// feed is what revocations was given last, and list the other revocations.
	feed *gate.RevocationFeed
	list []gate.Revocation

	keysFile, revocationsFile file
	// pending is a feed of the configuration that has to be verified.
	pending string
	// checked is when files were looked at last, in seconds since 1970.
	checked int64
	// warned is what was said last, so that it is not said again every second.
	warned string
}

// errNotReady is the error of decisions while something is missing.
var errNotReady = errors.New("edge: keys or revocations are missing or too old")

// New makes an Edge. Files are read when the first request comes, and again when
// they have changed. warn is told what is wrong with them.
func New(cfg *config.Config, files fs.FS, warn func(message string)) *Edge {
	e := &Edge{files: files, warn: warn}
	e.Configure(cfg)
	return e
}

// Configure replaces the configuration. Where the new one speaks of the same
// tokens and takes keys and revocations from the same places, what was verified
// before stays in the cache.
func (e *Edge) Configure(cfg *config.Config) {
	if e.config == nil || sourcesOf(e.config) != sourcesOf(cfg) {
		e.forget(cfg)
		e.keys = nil
	}
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

// forget begins anew: no token was verified yet, and nothing is revoked.
func (e *Edge) forget(cfg *config.Config) {
	e.revocations, e.feed, e.list = gate.NewRevocations(), nil, nil
	e.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer: cfg.Issuer, Audience: cfg.Audience, Purpose: gate.PurposeLogin,
		CacheSize: cfg.CacheSize, Revocations: e.revocations,
	})
}

// sources is what a verifier and its revocations belong to.
type sources struct {
	issuer, audience          string
	cacheSize                 int
	keysFile, revocationsFile string
	feed                      bool
}

func sourcesOf(c *config.Config) sources {
	return sources{c.Issuer, c.Audience, c.CacheSize, c.KeysFile, c.RevocationsFile, c.Revocations.Feed != ""}
}

// Decide decides about a request; see gate.Site.
func (e *Edge) Decide(r gate.Request) gate.Decision {
	e.refresh(r.Now)
	if e.keys == nil || e.isStale(r.Now) {
		return gate.Unavailable(errNotReady)
	}
	return e.config.Site.Decide(e.verifier, r, e.config.AllowsOrigin)
}

// Forward makes the header of a request that goes on ready for the upstream.
func (e *Edge) Forward(d *gate.Decision, header gate.RequestHeader) {
	e.config.Site.Forward(d, header)
}

// AllowedOrigin returns the origin of a request if its pages may read answers.
func (e *Edge) AllowedOrigin(r *gate.Request) (origin string, ok bool) {
	return r.AllowedOrigin(e.config.AllowsOrigin)
}

// isStale reports whether revocations that should be known are not, or are too
// old: then nobody can tell whether a token is good.
func (e *Edge) isStale(now time.Time) bool {
	switch {
	case e.pending != "" && e.feed == nil, e.revocationsFile.name != "" && !e.revocationsFile.taken:
		return true
	case e.feed == nil:
		return e.config.RevocationsMaxAge > 0 // the file has a list
	case !now.Before(e.feed.ExpiresAt()):
		return true
	}
	return e.config.RevocationsMaxAge > 0 && now.Sub(e.feed.IssuedAt()) > e.config.RevocationsMaxAge
}

func (e *Edge) setKeys(keys *gate.KeySet) {
	e.keys = keys
	e.verifier.SetKeys(keys)
}

// setList replaces the revocations that did not come in a feed.
func (e *Edge) setList(list []gate.Revocation) {
	for _, old := range e.list {
		e.revocations.Apply(gate.Revocation{Kind: old.Kind, ID: old.ID}) // lifts it
	}
	e.revocations.Apply(list...)
	e.list = list
}

// setFeed verifies a feed and puts it to use.
func (e *Edge) setFeed(text string, now time.Time) error {
	if e.keys == nil {
		return errors.New("there are no keys to verify the feed with")
	}
	feed, err := e.keys.RevocationFeed(text, e.config.Issuer, now)
	if err != nil {
		return err
	}
	if err := e.revocations.Load(feed); err != nil {
		if errors.Is(err, gate.ErrFeedOlder) && e.feed != nil && !feed.IssuedAt().Before(e.feed.IssuedAt()) {
			return nil // the same once more
		}
		return err
	}
	e.feed = feed
	return nil
}
