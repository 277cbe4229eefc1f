package gate

import "strings"

// maxReturn limits the length of a return address, in bytes.
const maxReturn = 2 << 10

// ReturnTo checks a return address. It accepts a path with an optional query that all
// browsers and servers interpret as one of the same origin (CWE-601): visible ASCII
// without a backslash, and, after decoding, without empty and dot segments.
func ReturnTo(text string) (string, bool) {
	if text == "" || len(text) > maxReturn || text[0] != '/' {
		return "", false
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || c == '\\' {
			return "", false
		}
	}
	path := text
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	decoded, ok := decodePath(path)
	if !ok || strings.Contains(decoded, "//") {
		return "", false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	return text, true
}

// decodePath decodes the path of a return address. It refuses backslashes and control
// characters, which browsers replace or remove.
func decodePath(path string) (string, bool) {
	var decoded strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			var ok bool
			if c, ok = unescapeByte(path[i:]); !ok || c == '\\' || c < ' ' || c == 0x7f {
				return "", false
			}
			i += 2
		}
		decoded.WriteByte(c)
	}
	return decoded.String(), true
}

// escape encodes a text for a query (RFC 3986, section 2.1).
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	for i := range len(text) {
		if c := text[i]; isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
