package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/http-wasm/http-wasm-host-go/handler"
	wasm "github.com/http-wasm/http-wasm-host-go/handler/nethttp"
	"github.com/tetratelabs/wazero"
)

// protect puts the gate in front of a handler. Keys and revocations are files in
// a folder, which the module sees as /etc/edgeauth.
func protect(ctx context.Context, module []byte, config, folder string, next http.Handler) (http.Handler, error) {
	middleware, err := wasm.NewMiddleware(ctx, module,
		handler.GuestConfig([]byte(config)),
		handler.ModuleConfig(wazero.NewModuleConfig().
			WithStartFunctions("_start", "_initialize"). // the module is a reactor
			WithSysWalltime().
			WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(folder, "/etc/edgeauth"))))
	if err != nil {
		return nil, err
	}
	return middleware.NewHandler(ctx, next), nil
}

// A server in Go with the gate in front of its handler.
func Example() {
	application := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "Good morning, ", r.Header.Get("X-Auth-Email"))
	})
	config := `{"issuer": "edgeauth", "keys_file": "/etc/edgeauth/jwks.json", "public": ["/health"]}`
	gate, err := protect(context.Background(), module, config, "testdata", application)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	gate.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	fmt.Println(answer.Code, answer.Body)
	// Output:
	// 401 {"detail":"Authentication credentials were not provided."}
}
