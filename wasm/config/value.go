package config

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// isAbsent reports whether a value has one of the forms in which hosts write an
// absent member.
func isAbsent(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

func text(value any) (string, error) {
	if value, ok := value.(string); ok {
		return value, nil
	}
	return "", errors.New("must be a text")
}

func boolean(value any) (bool, error) {
	switch value {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return false, errors.New("must be true or false")
}

// whole reads an integer.
func whole(value any) (int64, error) {
	if number, ok := value.(json.Number); ok {
		value = number.String()
	}
	if value, ok := value.(string); ok {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, errors.New("must be a whole number")
}

// duration reads a duration as Caddy does: nanoseconds, or a text in which "d" is
// the unit of a day.
func duration(value any) (time.Duration, error) {
	if n, err := whole(value); err == nil {
		return positive(time.Duration(n))
	}
	value, ok := value.(string)
	if !ok {
		return 0, errNoDuration
	}
	days, rest, found := strings.Cut(value.(string), "d")
	if !found {
		days, rest = "", value.(string)
	}
	var d time.Duration
	if days != "" {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return 0, errNoDuration
		}
		d = time.Duration(n * float64(24*time.Hour))
	}
	if rest != "" {
		clock, err := time.ParseDuration(rest)
		if err != nil {
			return 0, errNoDuration
		}
		d += clock
	}
	return positive(d)
}

var errNoDuration = errors.New("must be a duration such as 90s, 15m, 1h30m or 14d")

func positive(d time.Duration) (time.Duration, error) {
	if d <= 0 {
		return 0, errors.New("must be positive")
	}
	return d, nil
}

// list reads a list of any values.
func list(value any) ([]any, error) {
	switch value := value.(type) {
	case []any:
		return value, nil
	case map[string]any:
		return positions(value)
	}
	return nil, errors.New("must be a list")
}

// positions turns {"0": a, "1": b} into a list, and {"[0]": a, "[1]": b} too.
func positions(object map[string]any) ([]any, error) {
	elements := make([]any, len(object))
	for i := range elements {
		position := strconv.Itoa(i)
		element, ok := object[position]
		if !ok {
			element, ok = object["["+position+"]"]
		}
		if !ok {
			return nil, errors.New("must be a list, or an object whose names are the positions, beginning at 0")
		}
		elements[i] = element
	}
	return elements, nil
}

// texts reads a list of texts.
func texts(value any) ([]string, error) {
	if value, ok := value.(string); ok {
		parts := strings.Split(value, ",")
		for i := range parts {
			if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "" {
				return nil, errors.New("has an empty element")
			}
		}
		return parts, nil
	}
	elements, err := list(value)
	if err != nil {
		return nil, err
	}
	result := make([]string, len(elements))
	for i, element := range elements {
		if result[i], err = text(element); err != nil {
			return nil, errors.New("must be a list of texts")
		}
	}
	return result, nil
}
