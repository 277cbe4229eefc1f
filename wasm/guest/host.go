//go:build wasip1

package main

import (
	"strings"
	"unsafe"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Bounds on what is taken from the host, in bytes. Requests with more are
// refused, or treated as if they had nothing of the kind.
const (
	maxConfig = gate.MaxRevocationFeed + 1<<20
	maxNames  = 1 << 20
	// maxValues has room for the longest Authorization, and tells longer ones.
	maxValues = gate.MaxAuthorization + 1
)

// buffer is what the host writes into. It is used again for every call, so what
// is read from it has to be copied.
type buffer struct{ bytes []byte }

// read calls get, which writes at most limit bytes and returns how many there
// are, with growing room. It is false when there are more than most.
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
	large := make([]byte, n) // seldom, and not kept
	if into(large, get) != n {
		return "", false
	}
	return string(large), true
}

// into has the host write into memory.
func into(memory []byte, get func(buf unsafe.Pointer, limit uint32) (length uint32)) uint32 {
	return get(unsafe.Pointer(&memory[0]), length(memory)) //nolint:gosec // calls of the host take addresses
}

// list is read for what the host returns as count texts that end with NUL.
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

// path returns the path of the request as it was sent, without the query; "" when
// it is too long to be looked at.
func (b *buffer) path() string {
	uri, _ := b.read(maxValues, hostURI)
	path, _, _ := strings.Cut(uri, "?")
	return path
}

// names returns the names of the headers of the request.
func (b *buffer) names() (names []string, ok bool) {
	names, _, ok = b.list(maxNames, func(buf unsafe.Pointer, limit uint32) uint64 {
		return hostHeaderNames(kindRequest, buf, limit)
	})
	return names, ok
}

// values returns the values of a header of the request, and how many there are.
// It is false when they are longer than any that means something here.
func (b *buffer) values(name string) (values []string, count int, ok bool) {
	return b.list(maxValues, func(buf unsafe.Pointer, limit uint32) uint64 {
		return hostHeaderValues(kindRequest, pointer(name), length(name), buf, limit)
	})
}

// header is the header of the request or of the answer. It is a
// gate.RequestHeader and a gate.ResponseHeader.
type header uint32

// Set replaces all values of a header.
func (h header) Set(name, value string) {
	hostSetHeader(uint32(h), pointer(name), length(name), pointer(value), length(value))
}

// Add adds a value to a header.
func (h header) Add(name, value string) {
	hostAddHeader(uint32(h), pointer(name), length(name), pointer(value), length(value))
}

// Del deletes all values of a header.
func (h header) Del(name string) { hostRemoveHeader(uint32(h), pointer(name), length(name)) }

// complain tells the operator of the host what is wrong.
func complain(message string) {
	message = "edgeauth: " + message
	hostLog(levelError, pointer(message), length(message))
}

// answer sends a decision that is not to let the request go on.
func answer(d *gate.Decision) {
	d.Header(header(kindResponse))
	hostStatus(uint32(d.Status)) //nolint:gosec // three digits
	if d.Body != "" {
		hostWriteBody(kindResponse, pointer(d.Body), length(d.Body))
	}
}
