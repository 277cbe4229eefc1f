//go:build wasip1

// Command guest is the gate as a WebAssembly module for hosts of the http-wasm
// handler ABI (https://http-wasm.io/http-handler-abi/): Traefik, every Go server by
// way of http-wasm-host-go, and JavaScript runtimes by way of wasm/js. `make
// wasm` builds it as dist/edgeauth-gate.wasm; package config documents the JSON
// that hosts hand to it.
//
// It owns the calls between a host and package edge, and what happens when
// something goes wrong on either side. Whatever goes wrong, no request goes on
// that was not judged:
//
//   - Without a good configuration, every answer is 503. The host's log says why.
//   - While the host's clock is before the day on which the module was built, every
//     answer is 503: expired tokens would be taken for good ones.
//   - A panic answers 503, and the instance starts afresh with the next request.
//   - An instance that was left in the middle of a request, because the host or the
//     runtime broke off, answers 503 for good. Hosts that can tell drop it.
//
// The module needs no randomness and signs nothing. It reads no body, and writes
// none but that of its own answers. It imports eleven functions of http_handler,
// listed in abi.go, and those of wasi_snapshot_preview1 that the Go runtime and
// reading files need.
//
// # For hosts
//
// The module is a reactor: call _initialize once, then handle_request for each
// request, one at a time in each instance. handle_request returns a number whose
// lower half is 1 when the request goes on, otherwise the answer was written.
// handle_response does nothing, and may be left out where the host allows it.
// Headers of the answer that were set although the request goes on are for the
// answer of the upstream: Access-Control-Allow-Origin and
// Access-Control-Expose-Headers, unless the upstream sets them itself, and Vary,
// which is added.
//
// reconfigure, which is not part of the ABI, reads the configuration again: 0
// means that it is in force, anything else that it was refused and that the one
// before goes on. Hosts without files hand over fresh keys and revocations in
// this way; verified tokens stay in the cache.
package main
