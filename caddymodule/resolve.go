package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// resolver replaces placeholders such as {env.NAME} and {file./path} in the
// values of options. Results stay in unexported fields: the configuration that
// Caddy shows and saves keeps the placeholder (CWE-312).
type resolver struct {
	repl *caddy.Replacer
	// prefix of errors names the block of the options: "client web: ".
	prefix string
}

func newResolver(where string) resolver {
	if where != "" {
		where += ": "
	}
	return resolver{repl: caddy.NewReplacer(), prefix: where}
}

// placeholder matches what Caddy resolves, now or during a request. Others, such as
// {token} of a link template, are text.
var placeholder = regexp.MustCompile(`\{(env|file|system|time|http|tls|vars|args|blocks|err|l4)\.([^{}]+)\}`)

// text returns the value of an option. A placeholder without a value is an error: most
// likely the variable was not set. So is one that has a value during a request only,
// and a file that cannot be read, which Caddy would replace by nothing.
func (r resolver) text(option, value string) (string, error) {
	for _, match := range placeholder.FindAllStringSubmatch(value, -1) {
		if err := r.check(match[0], match[1], match[2]); err != nil {
			return "", fmt.Errorf("%s%s: %w", r.prefix, option, err)
		}
	}
	resolved, err := r.repl.ReplaceOrErr(value, true, false)
	if err != nil {
		return "", fmt.Errorf("%s%s: %w", r.prefix, option, err)
	}
	return resolved, nil
}

// check returns the reason why a placeholder has no value.
func (r resolver) check(whole, namespace, name string) error {
	switch namespace {
	case "env", "system", "time":
		return nil // the replacer reports an empty value
	case "file":
		return readable(whole, name)
	}
	if _, known := r.repl.Get(strings.Trim(whole, "{}")); known {
		return nil
	}
	return fmt.Errorf("the placeholder %s has no value when the configuration is loaded; use {env.…} or {file.…}", whole)
}

// readable returns the reason why the file of a placeholder cannot be read. The error
// contains no part of the file.
func readable(whole, path string) error {
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file
	if err == nil {
		if _, err = file.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
			err = nil
		}
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("the file of the placeholder %s cannot be read: %w%s", whole, err, accessHint(err, path))
	}
	return nil
}

// list is text for each of several values.
func (r resolver) list(option string, values []string) ([]string, error) {
	resolved := make([]string, len(values))
	for i, value := range values {
		var err error
		if resolved[i], err = r.text(option, value); err != nil {
			return nil, err
		}
	}
	return resolved, nil
}

// binding is an option and the destination of its resolved value.
type binding struct {
	option, value string
	to            *string
}

// bind resolves several options and stops at the first fault.
func (r resolver) bind(bindings ...binding) error {
	for _, b := range bindings {
		var err error
		if *b.to, err = r.text(b.option, b.value); err != nil {
			return err
		}
	}
	return nil
}
