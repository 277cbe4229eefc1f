package mailer

import (
	"context"
	"log/slog"
)

// Log is a Transport for development: it logs each mail with its link and code and
// sends nothing. A reader of this log can log in to any account, so every line is a
// warning.
type Log struct{ logger *slog.Logger }

// NewLog returns a Transport that writes to logger.
func NewLog(logger *slog.Logger) *Log { return &Log{logger: logger} }

// Deliver logs the mail. It never fails.
func (l *Log) Deliver(ctx context.Context, m *Message) error {
	l.logger.WarnContext(ctx, "development mailer: mail not sent",
		"to", m.To, "subject", m.Subject, "link", m.link, "code", m.code, "text", m.Text)
	return nil
}

// Close does nothing.
func (l *Log) Close() error { return nil }

var _ Transport = (*Log)(nil)
