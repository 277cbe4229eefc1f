//go:build wasip1

package main

import "unsafe"

// The functions of the http-wasm handler ABI that the guest uses
// (https://http-wasm.io/http-handler-abi/). It cannot call any other: it can read
// no body, and write only that of its own answers.

// Kinds of headers, and the kind of the body of answers.
const (
	kindRequest  uint32 = 0
	kindResponse uint32 = 1
)

// levelError is the level of messages that an operator has to see.
const levelError int32 = 2

//go:wasmimport http_handler get_config
func hostConfig(buf unsafe.Pointer, limit uint32) (length uint32)

//go:wasmimport http_handler log
func hostLog(level int32, message unsafe.Pointer, length uint32)

//go:wasmimport http_handler get_method
func hostMethod(buf unsafe.Pointer, limit uint32) (length uint32)

//go:wasmimport http_handler get_uri
func hostURI(buf unsafe.Pointer, limit uint32) (length uint32)

//go:wasmimport http_handler get_header_names
func hostHeaderNames(kind uint32, buf unsafe.Pointer, limit uint32) (countLength uint64)

//go:wasmimport http_handler get_header_values
func hostHeaderValues(kind uint32, name unsafe.Pointer, nameLength uint32, buf unsafe.Pointer, limit uint32) (countLength uint64)

//go:wasmimport http_handler set_header_value
func hostSetHeader(kind uint32, name unsafe.Pointer, nameLength uint32, value unsafe.Pointer, valueLength uint32)

//go:wasmimport http_handler add_header_value
func hostAddHeader(kind uint32, name unsafe.Pointer, nameLength uint32, value unsafe.Pointer, valueLength uint32)

//go:wasmimport http_handler remove_header
func hostRemoveHeader(kind uint32, name unsafe.Pointer, nameLength uint32)

//go:wasmimport http_handler set_status_code
func hostStatus(code uint32)

//go:wasmimport http_handler write_body
func hostWriteBody(kind uint32, body unsafe.Pointer, length uint32)

// pointer returns the address of a text, for the host to read.
func pointer(text string) unsafe.Pointer {
	return unsafe.Pointer(unsafe.StringData(text)) //nolint:gosec // calls of the host take addresses
}

// length returns the length of data that is passed to the host, in bytes.
func length[T string | []byte](data T) uint32 {
	return uint32(len(data)) //nolint:gosec // a WebAssembly memory has fewer bytes
}
