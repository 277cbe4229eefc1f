package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

// table is the name of a bucket within a realm.
type table string

const (
	usersTable            table = "users"
	usersByEmailTable     table = "users_by_email"
	identitiesTable       table = "identities"
	identitiesByUserTable table = "identities_by_user"
	linksTable            table = "links"
	linksByEmailTable     table = "links_by_email"
	flowsTable            table = "flows"
	sessionsTable         table = "sessions"
	sessionsByUserTable   table = "sessions_by_user"
	revocationsTable      table = "revocations"
	revocationsByIDTable  table = "revocations_by_id"
	keysTable             table = "keys"
	expiryTable           table = "expiry"
)

var tables = []table{
	usersTable, usersByEmailTable, identitiesTable, identitiesByUserTable, linksTable, linksByEmailTable,
	flowsTable, sessionsTable, sessionsByUserTable, revocationsTable, revocationsByIDTable, keysTable, expiryTable,
}

// tx is a transaction in one realm. Every write goes through it, so that it knows
// whether there was one. Its errors wrap authcore.ErrUnavailable.
type tx struct {
	engine *bbolt.Tx
	realm  *bbolt.Bucket
	notify func()
	wrote  bool
}

func (t *tx) bucket(name table) *bbolt.Bucket { return t.realm.Bucket([]byte(name)) }

// get returns the bytes of a value, or nil. They are valid during the transaction
// and must not be changed.
func (t *tx) get(name table, key []byte) []byte { return t.bucket(name).Get(key) }

func (t *tx) put(name table, key, value []byte) error {
	t.wrote = true
	if err := t.bucket(name).Put(key, value); err != nil {
		return unavailable(err)
	}
	return nil
}

func (t *tx) remove(name table, key []byte) error {
	t.wrote = true
	if err := t.bucket(name).Delete(key); err != nil {
		return unavailable(err)
	}
	return nil
}

// next returns the next number of a table, from 1.
func (t *tx) next(name table) (uint64, error) {
	t.wrote = true
	number, err := t.bucket(name).NextSequence()
	if err != nil {
		return 0, unavailable(err)
	}
	return number, nil
}

// keys returns copies of the keys that begin with the prefix.
func (t *tx) keys(name table, prefix []byte) [][]byte {
	var keys [][]byte
	cursor := t.bucket(name).Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

// load reads a value; without one the error is authcore.ErrNotFound.
func load[T any](t *tx, name table, key []byte) (T, error) {
	var value T
	text := t.get(name, key)
	if text == nil {
		return value, authcore.ErrNotFound
	}
	if err := decode(name, text, &value); err != nil {
		var none T
		return none, err
	}
	return value, nil
}

func store[T any](t *tx, name table, key []byte, value T) error {
	text, err := json.Marshal(value)
	if err != nil {
		return unavailable(fmt.Errorf("a value for %s has no JSON form", name))
	}
	return t.put(name, key, text)
}

// decode keeps what the decoder says to itself: it cites what it read.
func decode(name table, text []byte, value any) error {
	if err := json.Unmarshal(text, value); err != nil {
		return damaged(errors.New("no valid JSON"), name)
	}
	return nil
}

// damaged says that the file contradicts itself. A "not found" about something
// that must be there is hidden: it would be taken for an answer.
func damaged(err error, name table) error {
	return unavailable(fmt.Errorf("an entry of %s is damaged: %s", name, err.Error()))
}
