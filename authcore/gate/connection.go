package gate

import (
	"iter"
	"strings"
)

// KeptConnection takes identity headers and Authorization out of the values of a
// request's Connection header, the list of headers that a proxy must delete (RFC
// 9110, section 7.6.1): a client could otherwise have the headers deleted that
// are set for it here, and be somebody unknown to an upstream that was promised
// that there is none. When changed is false the header stays as it is;
// otherwise it becomes kept, or goes where that is "".
func KeptConnection(values []string) (kept string, changed bool) {
	for name := range connectionOptions(values) {
		changed = changed || isEndToEnd(name)
	}
	if !changed {
		return "", false
	}
	var names []string
	for name := range connectionOptions(values) {
		if !isEndToEnd(name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", "), true
}

// isEndToEnd reports whether a header that the gate leaves in a request must
// reach the upstream even if the client calls it hop-by-hop.
func isEndToEnd(name string) bool {
	return IsIdentityHeader(name) || equalFold(name, "authorization")
}

// connectionOptions yields the names in a Connection header.
func connectionOptions(values []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, value := range values {
			for name := range strings.SplitSeq(value, ",") {
				if name = strings.Trim(name, " \t\r\n"); name != "" && !yield(name) {
					return
				}
			}
		}
	}
}
