package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// formatVersion is the version of what is kept. It is raised when an older
// program could no longer read it rightly.
const formatVersion = 1

// tables are the keys of a realm, in the order in which scripts know them.
const (
	usersTable = iota
	userIDsTable
	emailsTable
	identitiesTable
	identitiesByUserTable
	linksTable
	linksByEmailTable
	flowsTable
	sessionsTable
	sessionsByUserTable
	revocationsTable
	feedTable
	keysTable
	metaTable
	expiryTable
	countersTable
	limitsTable
	tableCount
)

// tableNames are the last parts of the keys.
func tableNames() [tableCount]string {
	return [tableCount]string{
		"users", "user_ids", "emails", "identities", "identities_by_user", "links", "links_by_email", "flows",
		"sessions", "sessions_by_user", "revocations", "feed", "keys", "meta", "expiry", "counters", "limits",
	}
}

// Store is one realm of a DB: an authcore.Store, safe for concurrent use, that
// lives until the DB is closed. Get it with DB.Realm.
//
// The functions that UpdateUser, UpdateFlow, EndSessions and UpdateKeys are given
// run in the caller's goroutine, and again when somebody else was faster.
type Store struct {
	db     *DB
	prefix string
	tables [tableCount]string
}

// Realm returns the realm of this name and makes it where it is missing. It asks
// the server, and fails when that cannot be reached or holds a realm that a newer
// program wrote.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if name == "" {
		return nil, errors.New("redis: a realm needs a name")
	}
	store := &Store{db: db, prefix: db.keyPrefix + "{" + escape(name) + "}:"}
	for i, table := range tableNames() {
		store.tables[i] = store.prefix + table
	}
	opened, err := store.run(ctx, db.scripts.open, strconv.Itoa(formatVersion), rand.Text())
	if err != nil {
		return nil, err
	}
	format := opened.text(0)
	switch version, err := strconv.Atoi(format); {
	case err != nil || version < 1:
		return nil, fmt.Errorf("redis: the keys below %s belong to another program: set another key prefix", store.prefix)
	case version > formatVersion:
		return nil, fmt.Errorf(
			"redis: the keys below %s have format %d, this program knows up to %d: run the newer program, or restore the backup made before it ran",
			store.prefix, version, formatVersion)
	}
	return store, nil
}

// escape leaves letters, digits, '-', '_' and '.', so that no name of a realm
// looks like the hash tag of another or like a pattern.
func escape(name string) string {
	var escaped strings.Builder
	for _, b := range []byte(name) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
			escaped.WriteByte(b)
		default:
			fmt.Fprintf(&escaped, "%%%02x", b)
		}
	}
	return escaped.String()
}

// run runs a script in the realm. Its errors are those of the contract.
func (s *Store) run(ctx context.Context, step script, arguments ...string) (answer, error) {
	return s.runOn(ctx, step, nil, arguments...)
}

// runOn is run with keys behind those of the tables.
func (s *Store) runOn(ctx context.Context, step script, more []string, arguments ...string) (answer, error) {
	command := make([]any, 0, 3+int(tableCount)+len(more)+len(arguments))
	command = append(command, "evalsha", step.sha, int(tableCount)+len(more))
	for _, list := range [][]string{s.tables[:], more, arguments} {
		for _, text := range list {
			command = append(command, text)
		}
	}
	do := s.db.do
	if s.db.replicas > 0 && !step.reads {
		do = s.db.doAndWait
	}
	value, err := do(ctx, command)
	if isNoScript(err) { // it did not run: Redis forgets scripts when it restarts
		command[0], command[1] = "eval", step.source
		value, err = do(ctx, command)
	}
	if err != nil {
		return answer{}, err
	}
	result, err := newAnswer(value)
	switch {
	case err != nil:
		return answer{}, unavailable(err)
	case result.word == "damaged":
		return answer{}, damaged(result.text(0))
	case result.word == "replica":
		return answer{}, unavailable(errors.New("the server is a replica"))
	}
	return result, result.err()
}

// err is the error of the contract for what a script says.
func (a answer) err() error {
	switch a.word {
	case "none":
		return authcore.ErrNotFound
	case "taken":
		return authcore.ErrTaken
	case "inactive":
		return authcore.ErrUserInactive
	case "last":
		return authcore.ErrLastIdentity
	}
	return nil
}

// get reads one value of a table; without one the error is authcore.ErrNotFound.
func (s *Store) get(ctx context.Context, table int, key string) (string, error) {
	value, err := s.db.do(ctx, []any{"hget", s.tables[table], key})
	return found(value, err)
}

func found(value any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	switch value := value.(type) {
	case string:
		return value, nil
	case nil:
		return "", authcore.ErrNotFound
	default:
		return "", unavailable(fmt.Errorf("the server answered with %T", value))
	}
}

// damaged says that a table contradicts itself. It is a failure of the engine and
// never an answer, and what stands there is not cited.
func damaged(table string) error {
	return unavailable(fmt.Errorf("an entry of %s is damaged", table))
}

// decoded names the table of a value that could not be read.
func decoded[T any](value T, err error, table string) (T, error) {
	if err != nil {
		var none T
		return none, damaged(table)
	}
	return value, nil
}

// unavailable wraps what the engine or the context said.
func unavailable(err error) error {
	return fmt.Errorf("redis: %w: %w", authcore.ErrUnavailable, err)
}

var _ authcore.Store = (*Store)(nil)
