package caddymodule

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// block reads the options of one Caddyfile block. Its position is the name of an
// option; every method reads the whole option and reports missing, surplus and
// repeated arguments.
type block struct {
	*caddyfile.Dispenser
	seen map[string]bool
}

func newBlock(d *caddyfile.Dispenser) *block {
	return &block{Dispenser: d, seen: map[string]bool{}}
}

// once refuses an option that the block contains already.
func (b *block) once() error {
	option := b.Val()
	if b.seen[option] {
		return b.Errf("%s: must not be repeated", option)
	}
	b.seen[option] = true
	return nil
}

// unknown is the error for an option that the block does not have.
func (b *block) unknown() error { return b.Errf("unrecognized subdirective: %s", b.Val()) }

// text reads an option with one value that must not be repeated.
func (b *block) text(to *string) error {
	if err := b.once(); err != nil {
		return err
	}
	return b.argument(to)
}

// argument reads exactly one argument that is not empty.
func (b *block) argument(to *string) error {
	option := b.Val()
	arguments := b.RemainingArgs()
	if len(arguments) != 1 {
		return b.Errf("%s: expected one argument, got %d", option, len(arguments))
	}
	if arguments[0] == "" {
		return b.Errf("%s: the argument is empty", option)
	}
	*to = arguments[0]
	return nil
}

// list reads an option with one or more values. It may be repeated.
func (b *block) list(to *[]string) error {
	option := b.Val()
	arguments := b.RemainingArgs()
	if len(arguments) == 0 {
		return b.Errf("%s: expected at least one argument", option)
	}
	*to = append(*to, arguments...)
	return nil
}

// flag reads an option without a value.
func (b *block) flag(to *bool) error {
	if err := b.once(); err != nil {
		return err
	}
	if option := b.Val(); b.NextArg() {
		return b.Errf("%s: expected no argument", option)
	}
	*to = true
	return nil
}

// duration reads an option whose value is a time span, such as 90s, 15m or 14d.
func (b *block) duration(to *caddy.Duration) error {
	option, text := b.Val(), ""
	if err := b.text(&text); err != nil {
		return err
	}
	span, err := b.span(option, text)
	*to = caddy.Duration(span)
	return err
}

// span reads a positive time span.
func (b *block) span(option, text string) (time.Duration, error) {
	span, err := caddy.ParseDuration(text)
	if err != nil || span <= 0 {
		return 0, b.Errf("%s: %q is not a duration such as 90s, 15m or 14d", option, text)
	}
	return span, nil
}

// integer reads an option whose value is a positive number.
func (b *block) integer(to *int) error {
	option, text := b.Val(), ""
	if err := b.text(&text); err != nil {
		return err
	}
	n, err := b.number(option, text)
	*to = n
	return err
}

// number reads a positive number.
func (b *block) number(option, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, b.Errf("%s: %q is not a positive number", option, text)
	}
	return n, nil
}

// oneOf reads an option whose value is one of the given words.
func (b *block) oneOf(to *string, allowed ...string) error {
	if err := b.once(); err != nil {
		return err
	}
	option, arguments := b.Val(), b.RemainingArgs()
	if len(arguments) != 1 || !slices.Contains(allowed, arguments[0]) {
		return b.Errf("%s: %q is not one of %s", option, strings.Join(arguments, " "), strings.Join(allowed, ", "))
	}
	*to = arguments[0]
	return nil
}
