package postgres

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// maxSchemaLength is the length of a name in PostgreSQL.
	maxSchemaLength = 63
	// maxRealmLength leaves room in the payload of a notification.
	maxRealmLength = 255
)

// encode returns the document of an item and the item as it will be read: invalid
// UTF-8 is replaced. It refuses keys that a lookup would not find.
func encode[T any](item T, keys ...string) (doc string, stored T, err error) {
	for _, key := range keys {
		if len(key) > maxKey || !storable(key) {
			return "", stored, final{errKey}
		}
	}
	text, err := json.Marshal(item)
	if stored = item; err == nil && bytes.Contains(text, []byte(`\ufffd`)) {
		err = json.Unmarshal(text, &stored)
	}
	if err != nil {
		return "", stored, final{fmt.Errorf("postgres: a %T cannot be stored as JSON", item)}
	}
	return string(text), stored, nil
}

// decode returns the item of a document. The error wraps ErrUnavailable.
func decode[T any](doc []byte) (item T, err error) {
	if json.Unmarshal(doc, &item) != nil {
		return item, final{unavailable(authcore.ErrDamaged)}
	}
	return item, nil
}

// checkName refuses a name that PostgreSQL would cut or cannot keep.
func checkName(what, name string, longest int) error {
	if name == "" || len(name) > longest || !storable(name) {
		return fmt.Errorf("postgres: %s: is not 1 to %d bytes of UTF-8 without NUL", what, longest)
	}
	return nil
}

// storable reports whether a column of type text can keep the text. Nothing is found
// under another one.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// storableOrEmpty returns a text for a lookup.
func storableOrEmpty(text string) string {
	if storable(text) {
		return text
	}
	return ""
}

// maxKey limits the texts that identify an item.
const maxKey = 1024

var errKey = errors.New("postgres: a key has more than 1024 bytes, is not UTF-8, or contains NUL")

// identityDigest is the key of an identity in its table.
func identityDigest(key authcore.IdentityKey) []byte {
	digest := authcore.DigestOf("identity", key.Provider, key.Issuer, key.Subject, fmt.Sprint(key.Pending))
	return digest[:]
}

// stamp returns a time for a column, which keeps microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// expiry returns NULL for the zero time.
func expiry(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}
