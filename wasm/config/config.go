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

// DefaultCacheSize is the number of verified tokens that an instance remembers. It
// is small because there may be hundreds of instances; a full cache takes about
// 500 kB, and the requests that are remembered for a quarter of the tokens 350 kB.
const DefaultCacheSize = 1024

// maxCacheSize keeps a typing error from taking all memory.
const maxCacheSize = 1 << 20

// Config is a valid configuration.
type Config struct {
	Site gate.Site
	// Issuer and Audience are required in tokens.
	Issuer, Audience string
	// CacheSize is the number of verified tokens that are remembered; a negative
	// value disables the cache.
	CacheSize int
	// Keys is nil if they are in KeysFile.
	Keys     *gate.KeySet
	KeysFile string
	// Revocations are those of the configuration itself.
	Revocations     Revocations
	RevocationsFile string
	// RevocationsByHost reports that the host passes the feed to the gate.
	RevocationsByHost bool
	// RevocationsMaxAge is the greatest age of a feed; zero means no limit but its
	// expiry.
	RevocationsMaxAge time.Duration

	origins map[string]bool
	browser gate.BrowserConfig
}

// HasFeed reports whether revocations come in the signed feed for certain: a file
// may contain a list instead.
func (c *Config) HasFeed() bool { return c.Revocations.Feed != "" || c.RevocationsByHost }

// AllowsOrigin reports whether pages of an origin may call the site.
func (c *Config) AllowsOrigin(origin string) bool { return c.origins[origin] }

// Allow returns AllowsOrigin, or nil if there are no such origins.
func (c *Config) Allow() func(origin string) bool {
	if len(c.origins) == 0 {
		return nil
	}
	return c.AllowsOrigin
}

// Parse reads a configuration. Its error names every fault and contains nothing
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
	if len(faults) == 0 { // otherwise it would report present members as absent
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

// unknown returns the error for an unknown member.
func unknown(name string) error {
	switch name {
	case "assertion":
		return errors.New("is not possible here: a guest has no private key; remove it")
	case "handle_errors":
		return errors.New("is not possible here: there are no error routes; remove it")
	case "no_store":
		return errors.New("is not possible here: a guest does not see the answers of the upstream; set Cache-Control there")
	case "realm":
		return errors.New("is not possible here: use issuer, audience and keys instead")
	}
	return errors.New("unknown name")
}

// members maps the names of a configuration to the functions that read the values.
func (c *Config) members() map[string]func(any) error {
	return map[string]func(any) error{
		"issuer":   into(&c.Issuer, text),
		"audience": into(&c.Audience, text),
		"keys":     into(&c.Keys, keySet), "keys_file": into(&c.KeysFile, text),
		"origins":     into(&c.origins, origins),
		"revocations": into(&c.Revocations, revocations), "revocations_file": into(&c.RevocationsFile, text),
		"revocations_by_host": into(&c.RevocationsByHost, boolean),
		"revocations_max_age": into(&c.RevocationsMaxAge, duration),
		"cache_size":          into(&c.CacheSize, cacheSize),
		"public":              into(&c.Site.Public, publicPaths),
		"optional":            into(&c.Site.Policy.Optional, boolean),
		"require":             into(&c.Site.Policy.Require, requirements),
		"max_age":             into(&c.Site.Policy.MaxAge, duration),
		"headers":             c.headers,
		"api_keys":            into(&c.Site.Credentials.Keys, keyUse),
		"keys_basic":          into(&c.Site.Credentials.Basic, boolean),
		"schemes":             into(&c.Site.Credentials.Schemes, schemes),
		"forward_token":       into(&c.Site.ForwardToken, boolean),
		"login_page":          into(&c.browser.Login, text),
		"origin":              into(&c.browser.Origin, text),
	}
}

// into stores the value that a function reads.
func into[T any](target *T, read func(any) (T, error)) func(any) error {
	return func(value any) (err error) {
		*target, err = read(value)
		return err
	}
}

// complete checks members that depend on each other and sets defaults.
func (c *Config) complete() error {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	if c.Issuer == "" {
		fault("issuer: is required; set it to the issuer of the realm")
	}
	if c.Audience == "" {
		c.Audience = c.Issuer
	}
	if (c.Keys == nil) == (c.KeysFile == "") {
		fault("keys: exactly one of keys and keys_file is required")
	}
	if c.RevocationsFile != "" && !c.Revocations.isEmpty() {
		fault("revocations: excludes revocations_file; set one of them")
	}
	if c.RevocationsByHost && (c.RevocationsFile != "" || !c.Revocations.isEmpty()) {
		fault("revocations_by_host: excludes revocations and revocations_file; set one of them")
	}
	if c.RevocationsMaxAge > 0 && c.RevocationsFile == "" && !c.HasFeed() {
		fault("revocations_max_age: needs the signed feed, which is dated; a list is not")
	}
	if c.Site.Headers == nil {
		c.Site.Headers, _, _ = gate.ChosenHeaders(nil) // the default is valid
	}
	if c.browser != (gate.BrowserConfig{}) {
		browser, err := gate.NewBrowser(c.browser)
		c.Site.Browser = browser
		faults = append(faults, err)
	}
	return errors.Join(append(faults, c.Site.Validate())...)
}
