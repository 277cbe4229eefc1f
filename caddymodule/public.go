package caddymodule

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// publicPaths are the paths of `token_auth` that need no token. A pattern is a
// whole path, or a prefix that ends in "/*".
//
// Proxies and applications disagree about what a funny path means: whether
// "%2f" is a slash, ";" begins parameters, case matters. So a path is public
// only when there is nothing to disagree about; every other spelling needs a
// token (CWE-436, CWE-22).
type publicPaths []string

func (p publicPaths) validate() error {
	for _, pattern := range p {
		prefix := strings.TrimSuffix(pattern, "*")
		if !strings.HasPrefix(pattern, "/") || strings.Contains(prefix, "*") ||
			prefix != pattern && !strings.HasSuffix(prefix, "/") {
			return fmt.Errorf("public: %q must be a path such as /health, or a prefix such as /static/*", pattern)
		}
		if !isPlainPath(&url.URL{Path: prefix}) {
			return fmt.Errorf("public: %q must be plain: no %%, ;, \\, // or dot segments", pattern)
		}
	}
	return nil
}

// match reports whether the request for this address needs no token.
func (p publicPaths) match(u *url.URL) bool {
	if len(p) == 0 || !isPlainPath(u) {
		return false
	}
	for _, pattern := range p {
		prefix, below := strings.CutSuffix(pattern, "*")
		if u.Path == pattern || below && strings.HasPrefix(u.Path, prefix) {
			return true
		}
	}
	return false
}

// isAmbiguous reports whether a character of a path could be read as something
// else: beyond ASCII, everything but letters, digits and what combines with them
// (among the rest are dots and slashes of other scripts, blanks, and what stands
// for bytes that are not UTF-8); in ASCII, control characters and those that
// begin parameters, queries or escapes, or are slashes on some systems.
func isAmbiguous(r rune) bool {
	if r >= utf8.RuneSelf {
		return r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	}
	return r < ' ' || r == 0x7f || strings.ContainsRune(`\;%?#:`, r)
}

// isPlainPath reports whether every reader of a path sees the same segments.
func isPlainPath(u *url.URL) bool {
	if !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "//") || strings.ContainsFunc(u.Path, isAmbiguous) {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if strings.HasPrefix(segment, "..") || strings.Trim(segment, ". ") == "" && segment != "" { // also "..." of some file systems
			return false
		}
	}
	// RawPath is set when the path was written in an unusual way: letters that
	// need no escape, or a slash or dot that was hidden in one.
	raw := strings.ToLower(u.RawPath)
	return !strings.Contains(raw, "%2f") && !strings.Contains(raw, "%2e") && !strings.Contains(raw, "%5c")
}
