package caddymodule

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How much of the same is written to the log. During an outage every request
// may have a line to say; a log that fills a disk makes it worse, and the metrics
// count them all.
const (
	// logBurst is how many lines of a kind are written before any is left out.
	logBurst = 10
	// logPause is the time after which one more of them is written.
	logPause = time.Second
)

// sparing returns a logger that leaves out lines of a kind of which there are too
// many: of the same level with the same message, whatever else they say. The next
// one that is written tells how many were left out. Messages have to be constants.
func sparing(logger *slog.Logger) *slog.Logger {
	return slog.New(sparingLog{logger.Handler(), &logBudget{kinds: map[logKind]*logAllowance{}}})
}

// sparingLog is the slog.Handler behind sparing. Those that are derived from it
// share its budget.
type sparingLog struct {
	slog.Handler
	budget *logBudget
}

// Handle writes one line or leaves it out.
func (h sparingLog) Handle(ctx context.Context, record slog.Record) error {
	leftOut, ok := h.budget.take(logKind{record.Level, record.Message}, record.Time)
	if !ok {
		return nil
	}
	if leftOut > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int("left_out", leftOut))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs returns a handler that adds attributes.
func (h sparingLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparingLog{h.Handler.WithAttrs(attrs), h.budget}
}

// WithGroup returns a handler that puts what follows into a group.
func (h sparingLog) WithGroup(name string) slog.Handler {
	return sparingLog{h.Handler.WithGroup(name), h.budget}
}

type logKind struct {
	level   slog.Level
	message string
}

// logBudget is what may still be written, by kind.
type logBudget struct {
	mu    sync.Mutex
	kinds map[logKind]*logAllowance
}

type logAllowance struct {
	// full is when the whole burst may be written again: each line moves it on
	// by logPause.
	full    time.Time
	leftOut int
}

// take reports whether a line may be written now, and how many were not since the
// last one that was.
func (b *logBudget) take(kind logKind, now time.Time) (leftOut int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	allowance := b.kinds[kind]
	if allowance == nil {
		allowance = new(logAllowance)
		b.kinds[kind] = allowance
	}
	if allowance.full.Before(now) {
		allowance.full = now
	}
	if next := allowance.full.Add(logPause); next.Sub(now) <= logBurst*logPause {
		leftOut, allowance.full, allowance.leftOut = allowance.leftOut, next, 0
		return leftOut, true
	}
	allowance.leftOut++
	return 0, false
}

var _ slog.Handler = sparingLog{}
