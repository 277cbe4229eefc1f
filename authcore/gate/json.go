package gate

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on JSON documents.
const (
	maxDepth   = 8
	maxMembers = 32
	maxDigits  = 12 // NumericDates up to the year 33658
)

// scanner reads strict JSON (RFC 8259): member names are compared exactly and occur
// once, text is valid UTF-8. encoding/json uses the last of several members and
// ignores the case of names, so that two readers of one document may disagree; it also
// takes ten times as long. Every method reports whether it found the value that it is
// named after.
type scanner struct {
	text string
	pos  int
}

// take skips blanks and consumes c.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// peek skips blanks and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// atEnd reports whether only blanks are left.
func (s *scanner) atEnd() bool {
	s.peek()
	return s.pos == len(s.text)
}

// object reads an object; member is called after each name to read its value.
func (s *scanner) object(member func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	var names [maxMembers]string
	for n := range maxMembers {
		if s.peek() != '"' || !s.string(&names[n]) || slices.Contains(names[:n], names[n]) {
			return false
		}
		if !s.take(':') || !member(names[n]) {
			return false
		}
		if !s.take(',') {
			return s.take('}')
		}
	}
	return false
}

// array reads an array; element is called to read each element.
func (s *scanner) array(element func() bool) bool {
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for element() {
		if !s.take(',') {
			return s.take(']')
		}
	}
	return false
}

// strings reads an array of strings.
func (s *scanner) strings(values *[]string) bool {
	return s.array(func() bool {
		var value string
		if !s.string(&value) {
			return false
		}
		*values = append(*values, value)
		return true
	})
}

// string reads a string.
func (s *scanner) string(value *string) bool {
	if !s.take('"') {
		return false
	}
	start := s.pos
	escaped := false
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			raw := s.text[start : s.pos-1]
			if escaped {
				return json.Unmarshal([]byte(s.text[start-1:s.pos]), value) == nil && utf8.ValidString(raw)
			}
			*value = raw
			return utf8.ValidString(raw)
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return false
		}
	}
	return false
}

// integer reads an integer of 0 or more, without fraction or exponent.
func (s *scanner) integer(value *int64) bool {
	s.peek()
	start := s.pos
	*value = 0
	for ; s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9'; s.pos++ {
		if s.pos-start == maxDigits {
			return false
		}
		*value = *value*10 + int64(s.text[s.pos]-'0')
	}
	digits := s.pos - start
	return digits == 1 || digits > 1 && s.text[start] != '0'
}

// boolean reads true or false.
func (s *scanner) boolean(value *bool) bool {
	*value = s.peek() == 't'
	return s.literal("true") || s.literal("false")
}

func (s *scanner) literal(word string) bool {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

// skip reads a value of any type with at most depth levels of nesting.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); c {
	case '"':
		var ignored string
		return s.string(&ignored)
	case '{':
		return depth > 0 && s.object(func(string) bool { return s.skip(depth - 1) })
	case '[':
		return depth > 0 && s.array(func() bool { return s.skip(depth - 1) })
	case 't', 'f', 'n':
		return s.literal("true") || s.literal("false") || s.literal("null")
	}
	rest := s.text[s.pos:]
	number := rest[:len(rest)-len(strings.TrimLeft(rest, "+-.0123456789Ee"))]
	s.pos += len(number)
	return json.Valid([]byte(number))
}
