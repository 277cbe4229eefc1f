//go:build wasip1

// Command guest is the gate as a WebAssembly module for hosts of the http-wasm
// handler ABI (https://http-wasm.io/http-handler-abi/): Traefik, Go servers with
// http-wasm-host-go, and JavaScript runtimes with wasm/js. `make wasm` builds it as
// dist/edgeauth-gate.wasm. Package config documents the JSON that hosts pass to it.
//
// It contains the calls between a host and package edge, and handles faults on
// either side. No request proceeds that was not judged:
//
//   - Without a valid configuration, every answer is 503. The host's log contains
//     the reason.
//   - While the host's clock is before the day on which the module was built, every
//     answer is 503, because expired tokens would be accepted. The same holds for a
//     module that was built without this time.
//   - After a panic the answer is 503, and the instance starts afresh with the next
//     request.
//   - An instance that was interrupted in the middle of a request, because the host
//     or the runtime failed, permanently answers 503. Hosts that notice drop it.
//
// A request of an identified user that is like an earlier one, except for path and body,
// gets the same changes without another decision: see edge.Edge.Recall. This takes about
// ten calls of the host and little memory of the guest.
//
// The module needs no randomness and signs nothing. It reads no body, and writes
// only that of its own answers. It imports eleven functions of http_handler, listed
// in abi.go, and those of wasi_snapshot_preview1 that the Go runtime and reading
// files need.
//
// # For hosts
//
// The module is a reactor: call _initialize once, then handle_request for each
// request, one at a time in each instance. The lower half of the result is 1 if the
// request proceeds, otherwise the answer was written. handle_response does nothing,
// and may be left out where the host allows it. Headers of the answer that are set
// although the request proceeds are for the answer of the upstream:
// Access-Control-Allow-Origin and Access-Control-Expose-Headers, unless the
// upstream sets them itself, and Vary, which is added.
//
// Four exports are not part of the ABI. Three let hosts without files pass fresh keys
// and revocations; verified tokens stay in the cache:
//
//   - reconfigure reads the configuration again. 0 means that it is in force; any
//     other result means that it was refused and that the one before is in force.
//   - take_revocations reads a part of the feed, one line of a document, instead of
//     the configuration. The result is a value of edge.Progress. A part takes a few
//     milliseconds, so a host decides about other requests between two parts.
//   - revocations_cursor returns the value of "since" for the next document, or 0 if
//     the full list is needed. A fresh instance needs it.
//
// The fourth lets a host spare calls:
//
//   - is_repeatable tells whether the host may repeat all changes that the last
//     handle_request made, for other requests in the same second of its clock, until it
//     passes other keys, revocations or another configuration. Such a request has the
//     same method, the same names of headers in the same order, and the same values of
//     those headers whose values the guest asked for. 1 means yes.
package main
