package mailer

import (
	"context"
	"log/slog"
)

// Log is the Transport of a developer's machine: it writes each mail, with its
// link and code, to a logger and sends nothing. Whoever reads that log can log
// in as everybody, so that every line is a warning.
type Log struct{ logger *slog.Logger }

// NewLog returns a Transport that writes to logger.
func NewLog(logger *slog.Logger) *Log { return &Log{logger: logger} }

// Deliver writes the mail to the log. It never fails.
func (l *Log) Deliver(ctx context.Context, m *Message) error {
	l.logger.WarnContext(ctx, "development mailer: mail written to the log instead of sent; its link opens the account",
		"to", m.To, "subject", m.Subject, "link", m.link, "code", m.code, "text", m.Text)
	return nil
}

// Close does nothing.
func (l *Log) Close() error { return nil }

var _ Transport = (*Log)(nil)
