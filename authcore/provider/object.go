package provider

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object whose members are read by exact name and type. Decoding
// into a struct would also accept "Email_Verified" for "email_verified", and at
// some providers users choose names of attributes of their account.
type object map[string]json.RawMessage

// parseObject parses one JSON object, whatever its media type, as token, discovery,
// key set and user info endpoints send it. It skips a byte order mark, which RFC
// 8259, section 8.1, permits, and reports false for null, arrays and trailing data.
func parseObject(data []byte) (object, bool) {
	var o object
	err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &o)
	return o, err == nil && o != nil
}

// has reports whether the member exists and is not null.
func (o object) has(name string) bool {
	raw, found := o[name]
	return found && string(raw) != "null"
}

// text returns a string, or "" if the member is missing or null. It reports false
// if the member has another type.
func (o object) text(name string) (string, bool) {
	if !o.has(name) {
		return "", true
	}
	var text string
	err := json.Unmarshal(o[name], &text)
	return text, err == nil
}

// display returns a string for display only, or "" if the member is missing or has
// another type.
func (o object) display(name string) string {
	text, _ := o.text(name)
	return text
}

// integer returns a positive integer of at most 64 bits in decimal form. It is
// never converted to float64, which rounds from 2^53 upwards and would give two
// accounts the same id.
func (o object) integer(name string) (string, bool) {
	raw := string(o[name])
	value, err := strconv.ParseUint(raw, 10, 64)
	return raw, err == nil && value > 0
}

// idText returns an id that is a string, or a positive integer in decimal form.
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

// truth reports whether the member is true or "true", because some providers send
// booleans as strings.
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

// unix returns a NumericDate (RFC 7519, section 2) between 1970 and 9999, rounded
// down to seconds. Some servers write it as a string.
func (o object) unix(name string) (time.Time, bool) {
	const year10000 = 253402300800
	seconds, err := strconv.ParseFloat(strings.Trim(string(o[name]), `"`), 64)
	if err != nil || !(seconds > 0 && seconds < year10000) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
