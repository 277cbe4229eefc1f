package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNotObject is returned for a text that is not one object in UTF-8, for unknown
// members and for values of other types.
var ErrNotObject = errors.New("not one JSON object of the expected form")

// RepeatedError is returned for an object with several members of one name. Names that
// differ in case only are the same name, as in encoding/json.
type RepeatedError struct{ Name string }

// Error contains the beginning of the name and no value.
func (e *RepeatedError) Error() string { return fmt.Sprintf("member %.40q appears twice", e.Name) }

// Decode decodes text, which is one object, into a struct.
func Decode(text []byte, into any) error {
	if !utf8.Valid(text) || !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return ErrNotObject
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(into) != nil {
		return ErrNotObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return ErrNotObject
	}
	return checkNames(json.NewDecoder(bytes.NewReader(text)))
}

// checkNames reads one value and returns a *RepeatedError for the first repeated name. The
// text was decoded before: it is valid, and the depth of nesting is limited.
func checkNames(tokens *json.Decoder) error {
	token, err := tokens.Token()
	if err != nil {
		return err
	}
	begin, _ := token.(json.Delim)
	if begin == 0 {
		return nil
	}
	var names map[string]bool
	if begin == '{' {
		names = map[string]bool{}
	}
	for tokens.More() {
		if begin == '{' {
			token, err := tokens.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if names[folded(name)] {
				return &RepeatedError{Name: name}
			}
			names[folded(name)] = true
		}
		if err := checkNames(tokens); err != nil {
			return err
		}
	}
	_, err = tokens.Token() // the end of the object or array
	return err
}

// folded returns the same text for names that encoding/json takes for one another.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		for next := unicode.SimpleFold(r); next > r; next = unicode.SimpleFold(next) {
			r = next
		}
		return unicode.SimpleFold(r) // the smallest of the orbit
	}, name)
}
