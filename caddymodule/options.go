package caddymodule

import (
	"reflect"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// An option is declared once, as a field of a struct: its JSON name is in the tag
// json, its Caddyfile name in the tag option, or the JSON name if that is absent.
// The tag oneof lists the accepted words. Fields with `option:"-"` are parsed by
// hand.

// option reads the Caddyfile option at the dispenser's position into the field of
// target, a pointer to a struct, that declares it. It reports whether there is such
// a field.
func (b *block) option(target any) (known bool, err error) {
	value := reflect.ValueOf(target).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if optionName(field) != b.Val() {
			continue
		}
		to := value.Field(i).Addr().Interface()
		switch to := to.(type) {
		case *string:
			if words := field.Tag.Get("oneof"); words != "" {
				return true, b.oneOf(to, strings.Split(words, " ")...)
			}
			return true, b.text(to)
		case *[]string:
			return true, b.list(to)
		case *bool:
			return true, b.flag(to)
		case *int:
			return true, b.integer(to)
		case *caddy.Duration:
			return true, b.duration(to)
		}
	}
	return false, nil
}

// anyOption reads the option into the first of targets that declares it. An option
// that none declares is an error.
func (b *block) anyOption(targets ...any) error {
	for _, target := range targets {
		if known, err := b.option(target); known {
			return err
		}
	}
	return b.unknown()
}

// options reads a block. byHand parses the options that targets do not declare.
func (b *block) options(byHand map[string]func(*block) error, targets ...any) error {
	for nesting := b.Nesting(); b.NextBlock(nesting); {
		var err error
		if parse := byHand[b.Val()]; parse != nil {
			err = parse(b)
		} else {
			err = b.anyOption(targets...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// optionName returns the name of the Caddyfile option that a field declares, or "".
func optionName(field reflect.StructField) string {
	if field.Anonymous || !field.IsExported() {
		return ""
	}
	if name, tagged := field.Tag.Lookup("option"); tagged {
		return strings.TrimPrefix(name, "-")
	}
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return strings.TrimPrefix(name, "-")
}

// fields replaces the placeholders in all options of target, a pointer to a struct
// whose fields are declared as above. Slices and maps are copied.
func (r resolver) fields(target any) error {
	value := reflect.ValueOf(target).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name := optionName(field)
		if name == "" {
			name, _, _ = strings.Cut(field.Tag.Get("json"), ",") // an option that is parsed by hand
		}
		if name == "" || name == "-" || field.Anonymous || !field.IsExported() {
			continue
		}
		var err error
		switch to := value.Field(i).Addr().Interface().(type) {
		case *string:
			*to, err = r.text(name, *to)
		case *[]string:
			*to, err = r.list(name, *to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
