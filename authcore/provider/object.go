package provider

import (
	"encoding/json"
	"strconv"
	"time"
)

// object is a JSON object whose members are read by their exact names and
// types. Decoding into a struct would take "Email_Verified" for
// "email_verified" too, and at some providers people name attributes of their
// account themselves.
type object map[string]json.RawMessage

// parseObject takes one JSON object; null, arrays and trailing data are none.
func parseObject(data []byte) (object, bool) {
	var o object
	err := json.Unmarshal(data, &o)
	return o, err == nil && o != nil
}

// has reports whether the member is there and not null.
func (o object) has(name string) bool {
	raw, found := o[name]
	return found && string(raw) != "null"
}

// text returns a string, or "" where the member is missing or null. It fails
// where the member has another type.
func (o object) text(name string) (string, bool) {
	if !o.has(name) {
		return "", true
	}
	var text string
	err := json.Unmarshal(o[name], &text)
	return text, err == nil
}

// display returns a string that is only shown to people, and "" where it is
// missing or something else.
func (o object) display(name string) string {
	text, _ := o.text(name)
	return text
}

// integer returns a positive integer of at most 64 bits in its decimal form. It
// never was a float64, which rounds from 2^53 on and would give two accounts
// the same id.
func (o object) integer(name string) (string, bool) {
	raw := string(o[name])
	value, err := strconv.ParseUint(raw, 10, 64)
	return raw, err == nil && value > 0
}

// idText returns an id that is a string, or a positive integer in its decimal
// form.
func (o object) idText(name string) (string, bool) {
	if text, ok := o.text(name); ok {
		return text, true
	}
	return o.integer(name)
}

// isOne reports whether the member is 1 or "1".
func (o object) isOne(name string) bool { return string(o[name]) == "1" || o.display(name) == "1" }

// isTrue reports whether the member is the boolean true.
func (o object) isTrue(name string) bool { return string(o[name]) == "true" }

// truth reports whether the member is true or "true": some providers send
// booleans as strings. Anything else is false.
func (o object) truth(name string) bool {
	return o.isTrue(name) || o.display(name) == "true"
}

// texts returns a string or a list of strings as a list (RFC 7519, section
// 4.1.3).
func (o object) texts(name string) ([]string, bool) {
	if !o.has(name) {
		return nil, false
	}
	if text, ok := o.text(name); ok {
		return []string{text}, true
	}
	var list []string
	err := json.Unmarshal(o[name], &list)
	return list, err == nil
}

// unix returns a NumericDate (RFC 7519, section 2) between 1970 and 9999,
// rounded down to the second.
func (o object) unix(name string) (time.Time, bool) {
	const year10000 = 253402300800
	seconds, err := strconv.ParseFloat(string(o[name]), 64)
	if err != nil || !(seconds > 0 && seconds < year10000) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
