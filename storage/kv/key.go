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
	domainTable   = 'd'
	emailTable    = 'e'
	feedTable     = 'f'
	feedIDTable   = 'g'
	identityTable = 'i'
	keyTable      = 'k'
	kindTable     = 'n'
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

// domainKey files a user under the domain of the verified address.
func domainKey(email, userID string) []byte {
	return join(domainTable, email[strings.LastIndexByte(email, '@')+1:], userID)
}

// ownerPrefix begins the index entries of an owner's records of one kind.
func ownerPrefix(owner, kind string) []byte { return join(ownerTable, owner, kind, "") }

// kindPrefix begins the index entries of all records of one kind.
func kindPrefix(kind string) []byte { return join(kindTable, kind, "") }

func ownerKey(record authcore.Record) []byte {
	return append(appendCreated(ownerPrefix(record.Owner, record.Kind), record.Created), record.Key...)
}

func kindKey(record authcore.Record) []byte {
	return append(appendCreated(kindPrefix(record.Kind), record.Created), record.Key...)
}

// appendCreated inverts the time, so that the newest record comes first.
func appendCreated(key []byte, created time.Time) []byte {
	key = binary.BigEndian.AppendUint64(key, ^seconds(created))
	return binary.BigEndian.AppendUint32(key, ^uint32(created.Nanosecond())) //nolint:gosec // below 1e9
}

// createdLength is the length of the time in an index entry.
const createdLength = 12

// parseOwnerKey returns the record of an entry in the index of owners, and the
// record's entry in the index of kinds.
func parseOwnerKey(key []byte) (record authcore.RecordKey, kindEntry []byte, valid bool) {
	parts := bytes.SplitN(key[1:], []byte{separator}, 3)
	if len(parts) < 3 || len(parts[2]) <= createdLength {
		return authcore.RecordKey{}, nil, false
	}
	kind := string(parts[1])
	return authcore.RecordKey{Kind: kind, Key: string(parts[2][createdLength:])}, append(kindPrefix(kind), parts[2]...), true
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
