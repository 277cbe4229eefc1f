module github.com/edgeauth/edgeauth/wasm/e2e

go 1.26.0

require (
	github.com/edgeauth/edgeauth v0.0.0
	github.com/http-wasm/http-wasm-host-go v0.7.0
	github.com/tetratelabs/wazero v1.8.0
)

require filippo.io/edwards25519 v1.2.0 // indirect

replace github.com/edgeauth/edgeauth => ../..
