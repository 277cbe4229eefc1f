package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// DefaultCacheSize is how many verified tokens an instance remembers. There may
// be hundreds of instances, so it is small; full, they take about 500 kB each.
const DefaultCacheSize = 1024

// maxCacheSize keeps a slip of the pen from taking all memory.
const maxCacheSize = 1 << 20

// Config is a configuration that was found good.
type Config struct {
	Site gate.Site
	// Issuer and Audience are what tokens must state.
	Issuer, Audience string
	// CacheSize is how many verified tokens are remembered; negative for none.
	CacheSize int
	// Keys is nil when they are in KeysFile.
	Keys     *gate.KeySet
	KeysFile string
	// Revocations are those of the configuration itself.
	Revocations     Revocations
	RevocationsFile string
	// RevocationsMaxAge is how old a feed may be; zero means no limit.
	RevocationsMaxAge time.Duration

	origins map[string]bool
}

// AllowsOrigin reports whether pages of an origin may call the site.
func (c *Config) AllowsOrigin(origin string) bool { return c.origins[origin] }

// Parse reads a configuration. Its error names every fault, and holds nothing
// that may be secret.
func Parse(data []byte) (*Config, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, errors.New("the configuration is not a JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the configuration")
	}
	c := &Config{CacheSize: DefaultCacheSize}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if err := c.set(name, object[name]); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(faults) == 0 { // else it would complain of what is there
		faults = append(faults, c.complete())
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// set reads one member.
func (c *Config) set(name string, value any) (err error) {
	read, known := c.members()[name]
	switch {
	case !known:
		return unknown(name)
	case isAbsent(value):
		return nil
	}
	return read(value)
}

// unknown explains why there is no such member.
func unknown(name string) error {
	switch name {
	case "assertion":
		return errors.New("is not possible here: a guest has no key and signs nothing")
	case "handle_errors":
		return errors.New("is not possible here: there are no error routes")
	case "realm":
		return errors.New("is not possible here: issuer, audience and keys say whose tokens are good")
	}
	return errors.New("unknown name")
}

// members are the names of a configuration and how their values are read.
func (c *Config) members() map[string]func(any) error {
	return map[string]func(any) error{
		"issuer":   into(&c.Issuer, text),
		"audience": into(&c.Audience, text),
		"keys":     into(&c.Keys, keySet), "keys_file": into(&c.KeysFile, text),
		"origins":     into(&c.origins, origins),
		"revocations": into(&c.Revocations, revocations), "revocations_file": into(&c.RevocationsFile, text),
		"revocations_max_age": into(&c.RevocationsMaxAge, duration),
		"cache_size":          into(&c.CacheSize, cacheSize),
		"public":              into(&c.Site.Public, publicPaths),
		"optional":            into(&c.Site.Policy.Optional, boolean),
		"require":             into(&c.Site.Policy.Require, requirements),
		"max_age":             into(&c.Site.Policy.MaxAge, duration),
		"headers":             into(&c.Site.Headers, headers),
		"forward_token":       into(&c.Site.ForwardToken, boolean),
	}
}

// into stores what a function reads.
func into[T any](target *T, read func(any) (T, error)) func(any) error {
	return func(value any) (err error) {
		*target, err = read(value)
		return err
	}
}

// complete checks what belongs together and fills in what was left out.
func (c *Config) complete() error {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	if c.Issuer == "" {
		fault("issuer: is required")
	}
	if c.Audience == "" {
		c.Audience = c.Issuer
	}
	if (c.Keys == nil) == (c.KeysFile == "") {
		fault("keys: exactly one of keys and keys_file is required")
	}
	if c.RevocationsFile != "" && !c.Revocations.isEmpty() {
		fault("revocations: excludes revocations_file")
	}
	if c.RevocationsMaxAge > 0 && c.RevocationsFile == "" && c.Revocations.Feed == "" {
		fault("revocations_max_age: needs the signed feed, which says when it was made")
	}
	if c.Site.Headers == nil {
		c.Site.Headers, _ = gate.ChosenHeaders(nil) // the default is none that can be wrong
	}
	return errors.Join(append(faults, c.Site.Policy.Validate())...)
}
