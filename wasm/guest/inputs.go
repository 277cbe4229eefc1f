//go:build wasip1

package main

import (
	"encoding/binary"
	"unsafe"

	"github.com/edgeauth/edgeauth/wasm/edge"
)

// maxInputs has room for what the gate reads of a usual request. Longer requests are not
// remembered.
const maxInputs = 16 << 10

// inputs collects what a decision depends on, as the key of edge.Edge.Recall: parts,
// each with its length behind it. Its memory is used again for every request.
type inputs struct {
	bytes []byte
	used  int
}

// load fetches the inputs of a request. It is false if the request is not remembered.
func (in *inputs) load(e *edge.Edge) bool {
	if in.bytes == nil {
		in.bytes = make([]byte, maxInputs)
	}
	in.used = 0
	names, ok := in.add(hostHeaderNames(kindRequest, in.room(), in.limit()))
	if !ok {
		return false
	}
	fields, ok := e.Fields(names)
	if !ok {
		return false
	}
	for _, name := range fields {
		if _, ok := in.add(hostHeaderValues(kindRequest, pointer(name), length(name), in.room(), in.limit())); !ok {
			return false
		}
	}
	_, ok = in.add(uint64(hostMethod(in.room(), in.limit())))
	return ok
}

// key returns the inputs.
func (in *inputs) key() []byte { return in.bytes[:in.used] }

// room returns the address of the unused memory, of which there is always some.
func (in *inputs) room() unsafe.Pointer {
	return unsafe.Pointer(&in.bytes[in.used]) //nolint:gosec // calls of the host take addresses
}

// limit returns the length of the next part at most.
func (in *inputs) limit() uint32 { return length(in.bytes[in.used:]) }

// add adds the part that the host has written to room, and its number of texts and
// length. It is false if there is too little room.
func (in *inputs) add(countLength uint64) (part []byte, ok bool) {
	const size = 8                // of countLength
	n := int(uint32(countLength)) //nolint:gosec // the lower half is the length
	if n < 0 || n+size >= len(in.bytes)-in.used {
		return nil, false
	}
	part = in.bytes[in.used : in.used+n]
	in.used += n
	binary.LittleEndian.PutUint64(in.bytes[in.used:], countLength)
	in.used += size
	return part, true
}
