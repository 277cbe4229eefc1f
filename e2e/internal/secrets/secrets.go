package secrets

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Set is a set of secrets with a name for each. The zero value is empty and
// ready; methods may be called concurrently.
type Set struct {
	mu     sync.Mutex
	values map[string]string
}

// Add adds secrets under a descriptive name. Empty ones are ignored.
func (s *Set) Add(what string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]string{}
	}
	for _, value := range values {
		if value != "" {
			s.values[value] = what
		}
	}
}

// Len returns the number of secrets.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

// FoundIn returns a description of each secret that occurs in text, with the
// line where it does; the secret itself is in that line.
func (s *Set) FoundIn(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for value, what := range s.values {
		if at := index(text, value); at >= 0 {
			found = append(found, fmt.Sprintf("%s in: %s", what, lineAt(text, at)))
		}
	}
	return found
}

// index finds a secret as it is or in its form in a URL. Six digits can be part of
// another number, for example of a timestamp: they count only as a whole number.
func index(text, value string) int {
	if isCode(value) {
		alone := regexp.MustCompile(`(^|[^0-9.])` + value + `([^0-9]|$)`)
		if at := alone.FindStringIndex(text); at != nil {
			return at[0]
		}
		return -1
	}
	if at := strings.Index(text, value); at >= 0 {
		return at
	}
	return strings.Index(text, url.QueryEscape(value))
}

func isCode(value string) bool {
	return len(value) == 6 && strings.Trim(value, "0123456789") == ""
}

func lineAt(text string, at int) string {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	const enough = 600
	if len(line) > enough {
		line = line[:enough]
	}
	return line
}
