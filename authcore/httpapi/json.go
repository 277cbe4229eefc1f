package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseJSON reads an object. Errors name the position of a fault and never quote the
// text, which may be a part of a secret. The depth of nesting is limited by
// encoding/json. The last of several members of one name counts.
func parseJSON(content []byte) (source, error) {
	if len(content) == 0 {
		return fromForm(nil), nil
	}
	if !utf8.Valid(content) {
		return nil, badJSON("the text is not UTF-8.")
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(content, &members)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, badJSON(fmt.Sprintf("invalid syntax at byte %d.", syntax.Offset))
	}
	if err != nil || members == nil {
		return nil, badRequest("Expected a JSON object.")
	}
	return func(name string) (value, bool) {
		raw, found := members[name]
		if !found {
			return value{}, false
		}
		return jsonValue(raw), true
	}, nil
}

func badJSON(why string) error { return badRequest("JSON parse error - " + why) }

// jsonValue returns the value of a member. A number keeps the text as it was
// written.
func jsonValue(raw json.RawMessage) value {
	switch raw[0] {
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil || hasLoneSurrogate(raw) {
			return value{kind: unusable}
		}
		return value{text: text}
	case 't', 'f':
		return value{kind: boolean, text: string(raw)}
	case 'n':
		return value{kind: null}
	case '{':
		return value{kind: object, text: string(raw)}
	case '[':
		return jsonList(raw)
	default:
		return value{kind: number, text: string(raw)}
	}
}

// jsonList returns the value of a list of texts.
func jsonList(raw json.RawMessage) value {
	var elements []*string
	if json.Unmarshal(raw, &elements) != nil || hasLoneSurrogate(raw) {
		return value{kind: unusable}
	}
	texts := make([]string, 0, len(elements))
	for _, element := range elements {
		if element == nil || *element == "" || strings.ContainsFunc(*element, unicode.IsSpace) {
			return value{kind: unusable}
		}
		texts = append(texts, *element)
	}
	return value{kind: list, text: strings.Join(texts, " ")}
}

// hasLoneSurrogate reports whether an escape in a valid JSON string is half of a
// surrogate pair (RFC 8259, section 8.2). encoding/json replaces it by U+FFFD, so
// that different texts would become equal.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		unit := escapedUnit(raw[i-1:])
		i += 4
		switch {
		case 0xDC00 <= unit && unit <= 0xDFFF:
			return true
		case 0xD800 <= unit && unit <= 0xDBFF:
			if low := escapedUnit(raw[i+1:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}

// escapedUnit returns the UTF-16 code unit of the \uXXXX at the beginning of
// text, or 0.
func escapedUnit(text []byte) uint64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return unit
}
