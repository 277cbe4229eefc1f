package postgres

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

const (
	// maxSchemaLength is that of a name in PostgreSQL.
	maxSchemaLength = 63
	// maxRealmLength leaves room in keys and in the payload of a notification.
	maxRealmLength = 255
)

// tables puts the schema into statements, where it stands as "@.". Names are
// qualified, not found by search_path: behind a pooler that hands a connection to
// another client after each transaction, no setting of a session can be relied on.
type tables struct{ schema, prefix string }

func newTables(schema string) tables {
	return tables{schema: schema, prefix: pgx.Identifier{schema}.Sanitize() + "."}
}

func (t tables) in(statement string) string { return strings.ReplaceAll(statement, "@.", t.prefix) }

// checkName refuses a name that PostgreSQL would cut or cannot keep.
func checkName(what, name string, longest int) error {
	if name == "" || len(name) > longest || !storable(name) {
		return fmt.Errorf("postgres: the name of a %s has 1 to %d bytes of UTF-8 and no NUL", what, longest)
	}
	return nil
}

// storable reports whether PostgreSQL can keep the text as it is.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// tidy replaces what PostgreSQL cannot keep, in text that is only shown. Text that
// identifies something is never changed: see key.
func tidy(text string) string {
	if storable(text) {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// stamp returns a time as it is stored: with the microseconds of PostgreSQL.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// stampOrNull makes NULL of the zero time.
func stampOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}

// timeOrZero is the reverse of stampOrNull.
func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
