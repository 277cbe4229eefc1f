package edge

import (
	"bytes"
	"strings"
	"sync"
)

// Log collects what a process writes.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything that was written up to now.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Tail returns the last lines, long ones cut off.
func (l *Log) Tail(lines int) string {
	const enough = 300
	all := strings.Split(strings.TrimRight(l.String(), "\n"), "\n")
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		all[i] = line[:min(len(line), enough)]
	}
	return strings.Join(all, "\n")
}

// Contains reports whether text was written.
func (l *Log) Contains(text string) bool { return strings.Contains(l.String(), text) }
