package e2e

import (
	"context"
	"testing"

	"github.com/http-wasm/http-wasm-host-go/api"
)

// logger shows what the guest logs.
type logger struct{ tb testing.TB }

func (logger) IsEnabled(api.LogLevel) bool { return true }

func (l logger) Log(_ context.Context, level api.LogLevel, message string) {
	l.tb.Helper()
	l.tb.Logf("the guest logs (%v): %s", level, message)
}
