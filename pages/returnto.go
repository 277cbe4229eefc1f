package pages

import (
	"net/url"
	"strings"
)

// maxReturn limits the length of a return address, in bytes.
const maxReturn = 2 << 10

// returnPath returns a return address if it is a path on the same origin that every
// browser and server reads in the same way (CWE-601).
func returnPath(text string) (string, bool) {
	if len(text) == 0 || len(text) > maxReturn || text[0] != '/' || len(text) > 1 && text[1] == '/' {
		return "", false
	}
	for i := range len(text) {
		if c := text[i]; c < '!' || c > '~' || c == '\\' {
			return "", false
		}
	}
	path, _, _ := strings.Cut(text, "?")
	path, _, _ = strings.Cut(path, "#")
	decoded, err := url.PathUnescape(path)
	if err != nil || strings.Contains(decoded, "//") || strings.ContainsAny(decoded, "\\\x00\r\n\t") {
		return "", false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	return text, true
}
