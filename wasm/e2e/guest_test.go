package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/http-wasm/http-wasm-host-go/handler"
	wasm "github.com/http-wasm/http-wasm-host-go/handler/nethttp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"
)

// module is the module under test, and compiled its machine code.
var (
	module   []byte
	compiled wazero.CompilationCache
)

// built is the build time of the module under test, before every time in the table.
var built = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "edgeauth")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	compiled = wazero.NewCompilationCache()
	if module, err = build(filepath.Join(dir, "gate.wasm"), fmt.Sprintf("-s -w -X main.built=%d", built.Unix()), "./wasm/guest"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build builds a module in the way of the Makefile.
func build(output, flags, folder string, more ...string) ([]byte, error) {
	arguments := append([]string{"build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output}, more...)
	command := exec.Command("go", append(arguments, folder)...)
	command.Dir = filepath.Join("..", "..")
	command.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, message)
	}
	return os.ReadFile(output)
}

// host is a way to run the module.
type host struct {
	name    string
	runtime wazero.RuntimeConfig
	// module changes the configuration of the guest.
	module func(wazero.ModuleConfig) wazero.ModuleConfig
	// noClock means that the guest has no clock.
	noClock bool
}

// start runs a module with a configuration in front of a handler.
func (h *host) start(tb testing.TB, code, config []byte, next http.Handler, options ...handler.Option) http.Handler {
	tb.Helper()
	settings := wazero.NewModuleConfig().WithStartFunctions("_start", "_initialize")
	if h.module != nil {
		settings = h.module(settings)
	}
	runtime := h.runtime
	if runtime == nil {
		runtime = wazero.NewRuntimeConfig()
	}
	options = append([]handler.Option{
		handler.GuestConfig(config), handler.ModuleConfig(settings), handler.Logger(logger{tb}),
		handler.Runtime(func(ctx context.Context) (wazero.Runtime, error) {
			return wazero.NewRuntimeWithConfig(ctx, runtime.WithCompilationCache(compiled)), nil
		}),
	}, options...)
	ctx := context.WithoutCancel(tb.Context()) // Cleanup runs after that has ended
	middleware, err := wasm.NewMiddleware(ctx, code, options...)
	if err != nil {
		tb.Fatalf("wasm.NewMiddleware = %v", err)
	}
	tb.Cleanup(func() { _ = middleware.Close(ctx) })
	return middleware.NewHandler(ctx, next)
}

// at returns a clock that shows now.
func at(now *time.Time) func(wazero.ModuleConfig) wazero.ModuleConfig {
	return func(c wazero.ModuleConfig) wazero.ModuleConfig {
		return c.WithWalltime(func() (int64, int32) { return now.Unix(), int32(now.Nanosecond()) }, sys.ClockResolution(1))
	}
}

// proxyTo returns a plain reverse proxy.
func proxyTo(tb testing.TB, address string) http.Handler {
	tb.Helper()
	target, err := url.Parse(address)
	if err != nil {
		tb.Fatalf("url.Parse = %v", err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}
