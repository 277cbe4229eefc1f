//go:build wasip1

package main

import (
	"strings"
	"unsafe"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// Limits on data from the host, in bytes. Requests that exceed them are refused, or
// treated as if the data were absent.
const (
	maxConfig = 32 << 20
	maxNames  = 1 << 20
	// maxValues has room for the longest Authorization, and detects longer ones.
	maxValues = gate.MaxAuthorization + 1
	// maxCookies has room for all cookies of an application.
	maxCookies = 64 << 10
)

// buffer is memory that the host writes into. It is used again for every call, so
// data that is read from it is copied.
type buffer struct{ bytes []byte }

// read calls get, which writes at most limit bytes and returns the length of the
// data, with growing room. It is false if the data is longer than most.
func (b *buffer) read(most uint32, get func(buf unsafe.Pointer, limit uint32) (length uint32)) (text string, ok bool) {
	if b.bytes == nil {
		b.bytes = make([]byte, 4<<10)
	}
	n := into(b.bytes, get)
	switch {
	case n > most:
		return "", false
	case n <= length(b.bytes):
		return string(b.bytes[:n]), true
	}
	large := make([]byte, n) // rarely needed, and not kept
	if into(large, get) != n {
		return "", false
	}
	return unsafe.String(&large[0], n), true //nolint:gosec // large is not kept
}

// into calls get with memory to write into.
func into(memory []byte, get func(buf unsafe.Pointer, limit uint32) (length uint32)) uint32 {
	return get(unsafe.Pointer(&memory[0]), length(memory)) //nolint:gosec // calls of the host take addresses
}

// list calls get, which returns a number of texts that end with NUL.
func (b *buffer) list(most uint32, get func(buf unsafe.Pointer, limit uint32) (countLength uint64)) (texts []string, count int, ok bool) {
	text, ok := b.read(most, func(buf unsafe.Pointer, limit uint32) uint32 {
		countLength := get(buf, limit)
		count = int(countLength >> 32)
		return uint32(countLength) //nolint:gosec // the lower half is the length
	})
	if !ok || count == 0 {
		return nil, count, ok
	}
	text = strings.TrimSuffix(text, "\x00")
	if count == 1 {
		return []string{text}, count, true
	}
	return strings.Split(text, "\x00"), count, true
}

// config returns the configuration that the host has for the guest.
func (b *buffer) config() (string, bool) {
	return b.read(maxConfig, hostConfig)
}

func (b *buffer) method() string {
	method, _ := b.read(maxValues, hostMethod)
	return method
}

// path returns path and query of the request as they were sent. They are "" if they
// are too long.
func (b *buffer) path() (path, query string) {
	uri, _ := b.read(maxValues, hostURI)
	path, query, _ = strings.Cut(uri, "?")
	return path, query
}

// names returns the names of the headers of the request.
func (b *buffer) names() (names []string, ok bool) {
	names, _, ok = b.list(maxNames, func(buf unsafe.Pointer, limit uint32) uint64 {
		return hostHeaderNames(kindRequest, buf, limit)
	})
	return names, ok
}

// values returns the values of a header of the request and their number. It is
// false if they are longer than any that matter.
func (b *buffer) values(name string, most uint32) (values []string, count int, ok bool) {
	return b.list(most, func(buf unsafe.Pointer, limit uint32) uint64 {
		return hostHeaderValues(kindRequest, pointer(name), length(name), buf, limit)
	})
}

// apply makes changes to the header of the request or of the answer.
func apply(changes []edge.Change) {
	for i := range changes {
		c := &changes[i]
		name, nameLength, value, valueLength := pointer(c.Name), length(c.Name), pointer(c.Value), length(c.Value)
		switch c.Kind {
		case edge.ChangeDelete:
			hostRemoveHeader(kindRequest, name, nameLength)
		case edge.ChangeSet:
			hostSetHeader(kindRequest, name, nameLength, value, valueLength)
		case edge.ChangeAdd:
			hostAddHeader(kindRequest, name, nameLength, value, valueLength)
		case edge.AnswerSet:
			hostSetHeader(kindResponse, name, nameLength, value, valueLength)
		case edge.AnswerAdd:
			hostAddHeader(kindResponse, name, nameLength, value, valueLength)
		}
	}
}

// answerChanges returns the changes that write the header of the answer. Vary is a list,
// to which an upstream may add.
func answerChanges(header gate.Header) (changes []edge.Change) {
	for name, values := range header {
		for i, value := range values {
			kind := edge.AnswerAdd
			if i == 0 && name != "Vary" {
				kind = edge.AnswerSet
			}
			changes = append(changes, edge.Change{Kind: kind, Name: name, Value: value})
		}
	}
	return changes
}

// complain writes a fault to the log of the host.
func complain(message string) {
	message = "edgeauth: " + message
	hostLog(levelError, pointer(message), length(message))
}

// answer sends the answer to a request that does not proceed.
func answer(d *gate.Decision) {
	header := gate.Header{}
	d.Answer(header)
	apply(answerChanges(header))
	hostStatus(uint32(d.Status)) //nolint:gosec // three digits
	if d.Body != "" {
		hostWriteBody(kindResponse, pointer(d.Body), length(d.Body))
	}
}
