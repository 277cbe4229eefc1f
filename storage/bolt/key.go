package bolt

import (
	"encoding/binary"
	"time"
)

// joinKey makes a key of parts, each preceded by its length, so that no two lists
// of parts share a key whatever stands in them. The key of some parts is a prefix
// of the key of these parts and more.
func joinKey(parts ...string) []byte {
	var key []byte
	for _, part := range parts {
		key = binary.AppendUvarint(key, uint64(len(part)))
		key = append(key, part...)
	}
	return key
}

// numberKey keeps the order of numbers.
func numberKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// timeKey keeps the order of times, those before 1970 included: seconds with the
// sign bit turned, then nanoseconds.
func timeKey(t time.Time) []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(t.Unix())^1<<63) //nolint:gosec // the bits are meant
	return binary.BigEndian.AppendUint32(key, uint32(t.Nanosecond())) //nolint:gosec // below 1e9
}

// timeKeyLength is the length of every timeKey.
const timeKeyLength = 12
