package edge

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Change is a change to the header of a request, or to that of the answer.
type Change struct {
	Kind ChangeKind
	// Name and Value are those of the field. ChangeDelete has no value.
	Name, Value string
}

// ChangeKind is the kind of a Change.
type ChangeKind int

// The kinds of changes.
const (
	// ChangeDelete deletes a field of the request.
	ChangeDelete ChangeKind = iota
	// ChangeSet replaces all values of a field of the request.
	ChangeSet
	// ChangeAdd adds a value to a field of the request.
	ChangeAdd
	// AnswerSet replaces all values of a field of the answer.
	AnswerSet
	// AnswerAdd adds a value to a field of the answer.
	AnswerAdd
)

// Limits of a memo.
const (
	// maxShapes limits the lists of names. Clients of one kind send the same names.
	maxShapes = 64
	// memoShare is the share of the cache of tokens whose requests are remembered.
	memoShare = 4
)

// memo remembers the changes to requests of identified users by everything that the
// decision depends on: the names of the header, the values of the fields that the gate
// reads, and the method. It contains tokens, until keys or revocations change.
type memo struct {
	// shapes maps the names of a header to the fields that are read.
	shapes map[string]shape
	// slots has one place for each hash of a key. It is nil without a cache.
	slots []remembered
}

type shape struct {
	fields []string
	// identified reports whether a field may contain a token.
	identified bool
}

// remembered holds the changes to a request.
type remembered struct {
	key string
	// from and until limit the time, in seconds since 1970.
	from, until int64
	changes     []Change
}

func newMemo(cacheSize int) memo {
	return memo{shapes: map[string]shape{}, slots: make([]remembered, max(0, cacheSize)/memoShare)}
}

// forget empties the memo.
func (m *memo) forget() {
	clear(m.shapes)
	clear(m.slots)
}

// slot returns the place of a key. Only the keys of valid tokens are stored, so the hash
// needs no secret: a client that finds collisions makes its own requests slower.
func (m *memo) slot(key []byte) *remembered {
	const prime = 0x9e3779b97f4a7c15
	hash := uint64(len(key))
	for ; len(key) >= 8; key = key[8:] {
		hash = (hash ^ binary.LittleEndian.Uint64(key)) * prime
		hash ^= hash >> 29
	}
	for _, b := range key {
		hash = (hash ^ uint64(b)) * prime
	}
	hash ^= hash >> 32
	return &m.slots[hash%uint64(len(m.slots))]
}

// Fields returns the fields of a request whose values belong to the key of Recall. names
// are the names of the header, each with a NUL behind it. It is false if requests with
// these names are not remembered.
func (e *Edge) Fields(names []byte) (fields []string, ok bool) {
	if len(e.memo.slots) == 0 {
		return nil, false
	}
	known, ok := e.memo.shapes[string(names)]
	if !ok {
		known = e.shapeOf(string(names))
		if len(e.memo.shapes) >= maxShapes {
			clear(e.memo.shapes)
		}
		e.memo.shapes[string(names)] = known
	}
	return known.fields, known.identified
}

func (e *Edge) shapeOf(names string) (s shape) {
	for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
		key, use := e.UseOf(name)
		switch {
		case use == gate.FieldRead:
			s.fields = append(s.fields, key)
			s.identified = s.identified || key == "Authorization" || key == "Cookie"
		case e.IsManaged(name):
			return shape{} // will be deleted, which the host has to check each time
		}
	}
	return s
}

// Recall returns the changes to an earlier request with the same key, if its decision
// holds for this one, whose path is path. The key contains the method, the names of the
// header, and the values of Fields, in a form from which they could be restored. The path
// is not needed unless HasLoginPaths.
func (e *Edge) Recall(key []byte, path string, now time.Time) (changes []Change, ok bool) {
	if !e.isSettled(now) || e.config.Site.IsLoginPath(path) {
		return nil, false
	}
	r := e.memo.slot(key)
	if at := now.Unix(); at < r.from || at >= r.until || r.key != string(key) {
		return nil, false
	}
	return r.changes, true
}

// HoldsUntil returns the argument of Remember for a decision about a request, which
// Forward has not changed yet; see gate.Site.
func (e *Edge) HoldsUntil(d *gate.Decision, r *gate.Request) int64 {
	return e.config.Site.HoldsUntil(d, r)
}

// Remember stores the changes to a request for Recall, and reports whether the decision
// holds long enough.
func (e *Edge) Remember(key []byte, changes []Change, now time.Time, until int64) bool {
	if until <= now.Unix() || !e.isSettled(now) {
		return false
	}
	*e.memo.slot(key) = remembered{string(key), now.Unix(), until, changes}
	return true
}

// HasLoginPaths reports whether decisions depend on the path; see gate.Site.
func (e *Edge) HasLoginPaths() bool { return e.config.Site.HasLoginPaths() }

// isSettled reports whether Decide would only ask the verifier: keys and revocations are
// present, and nothing is due to be read.
func (e *Edge) isSettled(now time.Time) bool {
	return e.checked == now.Unix() && e.reading == nil && e.keys != nil && len(e.memo.slots) > 0 && !e.isStale(now)
}
