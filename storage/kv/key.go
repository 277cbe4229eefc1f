package kv

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// The first bytes of all keys.
const (
	accountTable  = 'a'
	emailTable    = 'e'
	feedTable     = 'f'
	feedIDTable   = 'g'
	identityTable = 'i'
	keyTable      = 'k'
	ownerTable    = 'o'
	recordTable   = 'r'
	expiryTable   = 'x'
)

// What follows the user in a key of accountTable.
const (
	identityPart = 'i'
	sessionPart  = 's'
)

// feedEnd holds the last number of the feed. It sorts after all entries.
const feedEnd = string(feedTable) + "\xff"

// separator ends a part of a key. afterSeparator is the next byte, with which a
// scan skips all keys that begin with the part.
const (
	separator      = 0
	afterSeparator = 1
)

// join makes a key. All parts but the last are ended by the separator.
func join(table byte, parts ...string) []byte {
	size := 1 + len(parts)
	for _, part := range parts {
		size += len(part)
	}
	key := append(make([]byte, 0, size), table)
	for i, part := range parts {
		if i > 0 {
			key = append(key, separator)
		}
		key = append(key, part...)
	}
	return key
}

// accountPrefix begins all keys of a user; it is the key of the user itself.
func accountPrefix(userID string) []byte { return join(accountTable, userID, "") }

func sessionKey(userID, id string) []byte {
	return join(accountTable, userID, string(sessionPart)+id)
}

// identityText encodes an identity key. It returns false for a key that the
// contract excludes, which no identity has.
func identityText(key authcore.IdentityKey) (string, bool) {
	if strings.Contains(key.Provider+key.Issuer+key.Subject, "\x00") {
		return "", false
	}
	state := "a"
	if key.Pending {
		state = "p"
	}
	return string(join(identityTable, key.Provider, key.Issuer, key.Subject, state)[1:]), true
}

func recordKey(key authcore.RecordKey) []byte { return join(recordTable, key.Kind, key.Key) }

// ownerPrefix begins the index entries of an owner's records of one kind.
func ownerPrefix(owner, kind string) []byte { return join(ownerTable, owner, kind, "") }

// ownerKey inverts the time, so that the newest record comes first.
func ownerKey(record authcore.Record) []byte {
	key := ownerPrefix(record.Owner, record.Kind)
	key = binary.BigEndian.AppendUint64(key, ^seconds(record.Created))
	key = binary.BigEndian.AppendUint32(key, ^uint32(record.Created.Nanosecond())) //nolint:gosec // below 1e9
	return append(key, record.Key...)
}

// createdLength is the length of the time in an ownerKey.
const createdLength = 12

// parseOwnerKey returns the record of an index entry.
func parseOwnerKey(key []byte) (authcore.RecordKey, bool) {
	parts := bytes.SplitN(key[1:], []byte{separator}, 3)
	if len(parts) < 3 || len(parts[2]) <= createdLength {
		return authcore.RecordKey{}, false
	}
	return authcore.RecordKey{Kind: string(parts[1]), Key: string(parts[2][createdLength:])}, true
}

func feedKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{feedTable}, number)
}

// seconds keeps the order of times, also before 1970, by inverting the sign bit.
func seconds(t time.Time) uint64 { return uint64(t.Unix()) ^ 1<<63 } //nolint:gosec // the bits are meant

// expiryKey files the key of an item under the time at which the item expires.
func expiryKey(expires time.Time, item []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{expiryTable}, seconds(expires)), item...)
}

// expiryHeader is the length of the table and the time in an expiryKey.
const expiryHeader = 9
