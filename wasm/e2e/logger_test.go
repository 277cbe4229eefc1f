package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/http-wasm/http-wasm-host-go/api"
)

// logger writes messages of the guest to the test log.
type logger struct{ tb testing.TB }

func (logger) IsEnabled(api.LogLevel) bool { return true }

func (l logger) Log(_ context.Context, level api.LogLevel, message string) {
	l.tb.Helper()
	l.tb.Logf("guest (%v): %s", level, message)
}

// recorder keeps the messages of the guest.
type recorder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (*recorder) IsEnabled(api.LogLevel) bool { return true }

func (r *recorder) Log(_ context.Context, _ api.LogLevel, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.WriteString(message + "\n")
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
