package caddymodule

import (
	"context"
	"log/slog"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap/exp/zapslog"
)

// processLogger returns a logger for resources that outlive a configuration. It looks
// up Caddy's default log for each line. A logger of a configuration writes to files
// that are closed with it.
func processLogger(name string) *slog.Logger {
	return slog.New(currentLog{name: name})
}

// currentLog is the slog.Handler behind processLogger.
type currentLog struct {
	name string
	// with adds the attributes and groups of the logger.
	with []func(slog.Handler) slog.Handler
}

func (h currentLog) handler() slog.Handler {
	// No stack traces: these lines do not report faults of the program.
	handler := slog.Handler(zapslog.NewHandler(caddy.Log().Core(),
		zapslog.WithName(h.name), zapslog.AddStacktraceAt(slog.Level(127))))
	for _, add := range h.with {
		handler = add(handler)
	}
	return handler
}

func (h currentLog) derive(with func(slog.Handler) slog.Handler) slog.Handler {
	return currentLog{h.name, append(slices.Clone(h.with), with)}
}

// Enabled reports whether the default log takes this level now.
func (h currentLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.handler().Enabled(ctx, level)
}

// Handle writes one line.
func (h currentLog) Handle(ctx context.Context, record slog.Record) error {
	return h.handler().Handle(ctx, record)
}

// WithAttrs returns a handler that adds attributes.
func (h currentLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.derive(func(base slog.Handler) slog.Handler { return base.WithAttrs(attrs) })
}

// WithGroup returns a handler that puts what follows into a group.
func (h currentLog) WithGroup(name string) slog.Handler {
	return h.derive(func(base slog.Handler) slog.Handler { return base.WithGroup(name) })
}

var _ slog.Handler = currentLog{}
