package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// resolver replaces placeholders such as {env.NAME} and {file./path} in the
// values of options. Results stay in unexported fields: the configuration that
// Caddy shows and saves keeps the placeholder (CWE-312).
type resolver struct {
	repl *caddy.Replacer
	// where names the block of the options, for errors: "client web".
	where string
}

func newResolver(where string) resolver {
	return resolver{repl: caddy.NewReplacer(), where: where}
}

// text returns the value of an option. A placeholder without a value is an error: most
// likely the variable was not set. An unknown placeholder stays, since {token} of a
// link template looks the same.
func (r resolver) text(option, value string) (string, error) {
	resolved, err := r.repl.ReplaceOrErr(value, true, false)
	if err != nil {
		return "", fmt.Errorf("%s%s: %w", r.prefix(), option, err)
	}
	return resolved, nil
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

func (r resolver) prefix() string {
	if r.where == "" {
		return ""
	}
	return r.where + ": "
}
