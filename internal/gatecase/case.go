package gatecase

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Case is one row of the table.
type Case struct {
	Name, About string
	// Config is the whole configuration, with tokens inserted.
	Config map[string]any
	Time   time.Time
	// ExactTime means that the answer depends on the time, RawPath that the path must
	// not be rewritten before the gate sees it.
	ExactTime bool `json:"exact_time"`
	RawPath   bool `json:"raw_path"`

	file    string
	Request Request
	// Upstream is nil if the request does not proceed.
	Upstream *Upstream
	Answer   Answer
}

// Request is the request of the client.
type Request struct {
	Method, Path string
	// Headers are names and values.
	Headers [][2]string
	Body    string
}

// Upstream describes changes of the request for the upstream, and its answer.
type Upstream struct {
	Removed []string
	Added   map[string]string
	Answers map[string]string
}

// Answer is the answer to the client.
type Answer struct {
	Status int
	Body   string
	// Page is the heading of a page for people, which is the body then.
	Page    string
	Headers map[string][]string
}

// Dir returns the folder of the table.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "testdata", "gate")
}

// base contains the common parts of the cases.
type base struct {
	Time   time.Time
	Config map[string]any
}

// ConfigJSON returns the configuration for the module.
func (c *Case) ConfigJSON(tb testing.TB) []byte {
	tb.Helper()
	data, err := json.Marshal(c.Config)
	if err != nil {
		tb.Fatalf("json.Marshal = %v", err)
	}
	return data
}

// Load reads the table.
func Load(tb testing.TB) []*Case {
	tb.Helper()
	var common base
	read(tb, "base.json", &common)
	tokens := map[string]string{}
	read(tb, "tokens.json", &tokens)
	var cases []*Case
	seen := map[string]bool{}
	for _, name := range files(tb) {
		var file struct {
			About string
			Cases []*Case
		}
		read(tb, name, &file)
		for _, c := range file.Cases {
			c.file = name
			if c.Name == "" || seen[c.Name] {
				tb.Fatalf("%s: the name %q is empty or not unique", name, c.Name)
			}
			seen[c.Name] = true
			if err := c.complete(&common, tokens); err != nil {
				tb.Fatalf("%s: case %s is not valid: %v", name, c.Name, err)
			}
		}
		cases = append(cases, file.Cases...)
	}
	return cases
}

// files returns the names of the files with cases.
func files(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(Dir(), "*.json"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("the folder of the table has no cases: %v", err)
	}
	var names []string
	for _, path := range paths {
		if name := filepath.Base(path); !slices.Contains([]string{"base.json", "keys.json", "tokens.json"}, name) {
			names = append(names, name)
		}
	}
	return names
}

func read(tb testing.TB, name string, value any) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(), name)) //nolint:gosec // of the table
	if err != nil {
		tb.Fatalf("os.ReadFile = %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		tb.Fatalf("decoding %s failed: %v", name, err)
	}
}

// complete inserts the common parts and tokens into a case.
func (c *Case) complete(common *base, tokens map[string]string) error {
	config := maps.Clone(common.Config)
	maps.Copy(config, c.Config)
	maps.DeleteFunc(config, func(_ string, value any) bool { return value == nil })
	c.Config, _ = expand(config, tokens).(map[string]any)
	for i := range c.Request.Headers {
		c.Request.Headers[i][1], _ = expand(c.Request.Headers[i][1], tokens).(string)
	}
	if c.Time.IsZero() {
		c.Time = common.Time
	}
	c.Request.Method = either(c.Request.Method, "GET")
	c.Request.Path = either(c.Request.Path, "/")
	if c.Upstream != nil && c.Answer.Status == 0 {
		c.Answer.Status, c.Answer.Body = 200, "upstream"
	}
	if c.Answer.Status == 0 || c.Answer.Status != 200 == (c.Upstream != nil) {
		return fmt.Errorf("needs either upstream or a refusal")
	}
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "{{") {
		return fmt.Errorf("contains an unknown token: %s (%w)", text, err)
	}
	return nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// expand replaces the names of tokens by the tokens, in all texts of a value.
func expand(value any, tokens map[string]string) any {
	switch value := value.(type) {
	case string:
		for name, token := range tokens {
			value = strings.ReplaceAll(value, "{{"+name+"}}", token)
		}
		return value
	case []any:
		for i := range value {
			value[i] = expand(value[i], tokens)
		}
	case map[string]any:
		for name := range value {
			value[name] = expand(value[name], tokens)
		}
	}
	return value
}

// ForGuests reports whether a case concerns members of the configuration that only
// guests have.
func (c *Case) ForGuests() bool { return c.file == "configuration.json" || c.file == "feeds.json" }

// Unavailable changes the case to one of a gate that cannot judge requests.
func (c *Case) Unavailable() {
	d := gate.Unavailable(nil)
	c.Upstream = nil
	if c.Request.Method == http.MethodHead {
		d.Body = ""
	}
	c.Answer = Answer{Status: d.Status, Body: d.Body, Headers: map[string][]string{
		"Retry-After": {gate.RetryAfter}, "Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
	}}
}
