package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// SetLogger directs the messages of the client library, such as failed connections
// and failovers, to a logger, at level debug: calls return these errors as well. By
// default the library writes to the standard error. The library has one logger for
// the process, so a program calls SetLogger once, before it opens a [DB].
func SetLogger(logger *slog.Logger) { goredis.SetLogger(libraryLogger{logger}) }

type libraryLogger struct{ logger *slog.Logger }

// Printf implements the logger of the library. Its messages contain addresses and
// errors, no credentials.
func (l libraryLogger) Printf(ctx context.Context, format string, values ...any) {
	l.logger.DebugContext(ctx, "redis client message", "message", fmt.Sprintf(format, values...))
}
