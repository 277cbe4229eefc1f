package gate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PublicPaths lists the paths of a site that need no token. A pattern is a whole path,
// or a prefix that ends in "/*".
//
// Proxies and applications interpret unusual paths differently: whether "%2f" is a
// slash, ";" begins parameters, case matters. So a path is public only if it has one
// interpretation; every other spelling needs a token (CWE-436, CWE-22).
type PublicPaths []string

// Validate refuses invalid patterns and those that no path can match.
func (p PublicPaths) Validate() error {
	for _, pattern := range p {
		prefix := strings.TrimSuffix(pattern, "*")
		if !strings.HasPrefix(pattern, "/") || strings.Contains(prefix, "*") ||
			prefix != pattern && !strings.HasSuffix(prefix, "/") {
			return fmt.Errorf("public: %q must be a path such as /health, or a prefix such as /static/*", pattern)
		}
		if !isPlainPath(prefix) {
			return fmt.Errorf("public: %q must be plain: no %%, ;, \\, // or dot segments", pattern)
		}
	}
	return nil
}

// Match reports whether a request for this path, as it will be sent to the
// upstream, percent-encoded and without the query, needs no token.
func (p PublicPaths) Match(escaped string) bool {
	if len(p) == 0 {
		return false
	}
	path, ok := unescapePath(escaped)
	if !ok || !isPlainPath(path) {
		return false
	}
	for _, pattern := range p {
		prefix, below := strings.CutSuffix(pattern, "*")
		if path == pattern || below && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// unescapePath decodes a path (RFC 3986, section 2.1). It is false if the encoding is
// invalid or contains a slash, backslash or dot, which some servers interpret
// differently when encoded.
func unescapePath(escaped string) (path string, ok bool) {
	first := strings.IndexByte(escaped, '%')
	if first < 0 {
		return escaped, true
	}
	decoded := append(make([]byte, 0, len(escaped)), escaped[:first]...)
	for i := first; i < len(escaped); i++ {
		c := escaped[i]
		if c == '%' {
			if c, ok = unescapeByte(escaped[i:]); !ok || c == '/' || c == '\\' || c == '.' {
				return "", false
			}
			i += 2
		}
		decoded = append(decoded, c)
	}
	return string(decoded), true
}

// unescapeByte decodes the "%XX" at the beginning of text.
func unescapeByte(text string) (c byte, ok bool) {
	if len(text) < 3 {
		return 0, false
	}
	for _, digit := range []byte(text[1:3]) {
		switch digit = lower(digit); {
		case '0' <= digit && digit <= '9':
			c = c<<4 + digit - '0'
		case 'a' <= digit && digit <= 'f':
			c = c<<4 + digit - 'a' + 10
		default:
			return 0, false
		}
	}
	return c, true
}

// isAmbiguous reports whether a character of a path has several interpretations:
// outside ASCII, everything but letters, digits and combining marks (the others include
// dots and slashes of other scripts, blanks, and the replacement for invalid UTF-8); in
// ASCII, control characters and those that begin parameters, queries or escapes, or are
// slashes on some systems.
func isAmbiguous(r rune) bool {
	if r >= utf8.RuneSelf {
		return r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	}
	return r < ' ' || r == 0x7f || strings.ContainsRune(`\;%?#:`, r)
}

// isPlainPath reports whether all servers divide a decoded path into the same segments.
func isPlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsFunc(path, isAmbiguous) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "..") || strings.Trim(segment, ". ") == "" && segment != "" { // "..." is a parent on some file systems
			return false
		}
	}
	return true
}
