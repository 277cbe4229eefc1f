package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/http-wasm/http-wasm-host-go/handler"
	"github.com/tetratelabs/wazero"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// find returns a case of the table.
func find(t *testing.T, name string) *gatecase.Case {
	t.Helper()
	for _, c := range gatecase.Load(t) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the table has no case %q", name)
	return nil
}

// serve starts the module for a case and returns its address.
func serve(t *testing.T, h *host, code, config []byte, upstream *gatecase.Server, options ...handler.Option) string {
	t.Helper()
	server := httptest.NewServer(h.start(t, code, config, proxyTo(t, upstream.URL), options...))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// The module has access only to the header, the answer, the configuration, the clock and
// mounted files. In particular it cannot read a body, neither of the request nor of the
// response, and cannot change method or address. Only the runtime of Go uses randomness,
// when it starts.
func TestImports(t *testing.T) {
	compiled := compile(t, module)
	for _, name := range excess(compiled) {
		t.Errorf("the module imports %s, which is not allowed", name)
	}
	own := 0
	for _, imported := range compiled.ImportedFunctions() {
		if from, _, _ := imported.Import(); from == "http_handler" {
			own++
		}
	}
	if own != 11 {
		t.Errorf("the module imports %d functions of http_handler, want 11", own)
	}
	for _, exported := range []string{"_initialize", "handle_request", "handle_response", "is_repeatable", "reconfigure", "take_revocations", "revocations_cursor"} {
		if compiled.ExportedFunctions()[exported] == nil {
			t.Errorf("the module lacks the export %s", exported)
		}
	}
	if len(compiled.ExportedFunctions()) != 7 {
		t.Errorf("the module exports %d functions, want 7", len(compiled.ExportedFunctions()))
	}
}

func compile(t *testing.T, code []byte) wazero.CompiledModule {
	t.Helper()
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCompilationCache(compiled))
	t.Cleanup(func() { _ = runtime.Close(context.WithoutCancel(t.Context())) })
	compiled, err := runtime.CompileModule(t.Context(), code)
	if err != nil {
		t.Fatalf("runtime.CompileModule = %v", err)
	}
	return compiled
}

// excess returns the imports of a module that are not allowed.
func excess(compiled wazero.CompiledModule) (names []string) {
	allowed := map[string]string{
		"http_handler": "get_config log get_method get_uri get_header_names get_header_values set_header_value " +
			"add_header_value remove_header set_status_code write_body",
		"wasi_snapshot_preview1": "args_get args_sizes_get clock_time_get environ_get environ_sizes_get fd_close fd_fdstat_get " +
			"fd_fdstat_set_flags fd_filestat_get fd_pread fd_prestat_get fd_prestat_dir_name fd_read fd_readdir fd_seek fd_write " +
			"path_filestat_get path_open path_readlink poll_oneoff proc_exit random_get sched_yield",
	}
	for _, imported := range compiled.ImportedFunctions() {
		if from, name, _ := imported.Import(); !strings.Contains(" "+allowed[from]+" ", " "+name+" ") {
			names = append(names, from+" "+name)
		}
	}
	return names
}

// Hosts supply a constant as randomness, so anyone could repeat secrets of a guest (RFC
// 4086). The module contains no function that signs, makes keys or reads random bytes.
// (Self-tests of the standard library with their own keys are not reachable.)
func TestNoMinting(t *testing.T) {
	code, err := build(filepath.Join(t.TempDir(), "named.wasm"), "", "./wasm/guest")
	if err != nil {
		t.Fatalf("build = %v", err)
	}
	if !bytes.Contains(code, []byte("authcore/gate.(*Verifier).Verify")) {
		t.Fatal("the module contains no names of functions")
	}
	for _, name := range minting(code) {
		t.Errorf("the module contains %s", name)
	}
}

// minting returns the functions of a module that make keys, signatures or random bytes.
func minting(code []byte) (names []string) {
	for _, name := range []string{
		"crypto/rand.Read", "crypto/rand.Int", "crypto/rand.Text", "crypto/rand.(*reader)", "math/rand.New",
		"crypto/ed25519.GenerateKey", "crypto/ed25519.Sign", "crypto/ed25519.PrivateKey.Sign",
		"crypto/ecdsa.GenerateKey", "crypto/ecdsa.Sign", "crypto/ecdsa.(*PrivateKey).Sign",
		"crypto/rsa.GenerateKey", "crypto/rsa.Sign", "crypto/rsa.(*PrivateKey).Sign", "golang-jwt", "net/http.",
	} {
		if bytes.Contains(code, []byte(name)) {
			names = append(names, name)
		}
	}
	return names
}

// With a clock that is stopped in the past, expired tokens would be valid again
// (CWE-367). A module that was built without a date trusts no clock.
func TestClockBeforeTheBuild(t *testing.T) {
	upstream := gatecase.NewServer(t)
	undated, err := build(filepath.Join(t.TempDir(), "undated.wasm"), "-s -w", "./wasm/guest")
	if err != nil {
		t.Fatalf("build = %v", err)
	}
	for _, test := range []struct {
		name string
		code []byte
		now  time.Time
		good bool
	}{
		{"a second before the build", module, built.Add(-time.Second), false},
		{"at the build", module, built, true},
		{"1970", module, time.Unix(0, 0), false},
		{"built without a date", undated, built.AddDate(10, 0, 0), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := find(t, "a good token")
			if !test.good {
				c.Unavailable()
			}
			upstream.Check(t, serve(t, &host{module: at(&test.now)}, test.code, c.ConfigJSON(t), upstream), c)
		})
	}
}

// Without a configuration no request proceeds, whatever the host passes instead.
func TestUnconfigured(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	for _, config := range []string{"", "null", "{}", "[]", "{", `"x"`, "{}{}", strings.Repeat(" ", 100_000)} {
		for _, name := range []string{"a good token", "no header", "a preflight without configured origins proceeds"} {
			c := find(t, name)
			c.Unavailable()
			upstream.Check(t, serve(t, &host{module: at(&now)}, module, []byte(config), upstream), c)
		}
	}
}

// Only public keys belong into a configuration. The message explains that, without any
// part of the key.
func TestPrivateKeys(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	pem, err := os.ReadFile(filepath.Join(gatecase.Dir(), "keys.json"))
	if err != nil {
		t.Fatalf("os.ReadFile = %v", err)
	}
	var lines struct{ Keys map[string][]string }
	if err := json.Unmarshal(pem, &lines); err != nil {
		t.Fatalf("json.Unmarshal = %v", err)
	}
	const secret = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	for name, keys := range map[string]string{
		"JWK": `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"` + secret + `"}]}`,
		"PEM": strings.Join(lines.Keys["ed25519"], "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			var log recorder
			c := find(t, "a good token")
			c.Config["keys"] = keys
			c.Unavailable()
			upstream.Check(t, serve(t, &host{module: at(&now)}, module, c.ConfigJSON(t), upstream, handler.Logger(&log)), c)
			text := log.String()
			if !strings.Contains(text, "only") || !strings.Contains(text, "public keys") {
				t.Errorf("the log is %q, want the reason", text)
			}
			if strings.Contains(text, secret) || strings.Contains(text, lines.Keys["ed25519"][1]) {
				t.Errorf("the log contains the key: %s", text)
			}
		})
	}
}

// someSteps limits the growth of a guest for its answers: a few steps of half a
// megabyte. A guest that reads a value that is too long takes twice as much at first.
const someSteps = 3 << 19

// The module fetches only an Authorization that is short enough, and keeps none of it:
// memory does not grow (CWE-770).
func TestLongAuthorization(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	c := find(t, "more than 8 KiB")
	counter := &sizes{}
	gate := (&host{module: at(&now)}).start(t, module, c.ConfigJSON(t), http.NotFoundHandler(), counter.option(t))
	server := httptest.NewServer(gate)
	defer server.Close()
	send := func(length int) {
		c.Request.Headers[0][1] = "Token " + strings.Repeat("x", length)
		upstream.Check(t, server.Listener.Addr().String(), c)
		counter.largest()
	}
	send(8187)
	before := counter.largest()
	for _, length := range []int{10_000, 100_000} {
		send(length)
	}
	for range 50 {
		send(900_000)
	}
	if after := counter.largest(); before == 0 || after > before+someSteps {
		t.Errorf("the memory of a guest grew from %d to %d bytes, want %d more at the most", before, after, someSteps)
	}
}

// sizes watches the memory of guests.
type sizes struct {
	runtime wazero.Runtime
	most    uint64
}

func (s *sizes) option(t *testing.T) handler.Option {
	t.Helper()
	return handler.Runtime(func(ctx context.Context) (wazero.Runtime, error) {
		s.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(compiled))
		return s.runtime, nil
	})
}

// memory returns the memory of all instances, in bytes.
func (s *sizes) memory() (total uint64) {
	for size := range s.each() {
		total += size
	}
	return total
}

// largest returns the memory of the largest instance so far.
func (s *sizes) largest() uint64 {
	for size := range s.each() {
		s.most = max(s.most, size)
	}
	return s.most
}

// each yields the memory of the instances, which the host numbers. Numbers are missing
// because the host drops idle instances at a garbage collection.
func (s *sizes) each() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range 1000 {
			instance := s.runtime.Module(strconv.Itoa(i))
			if instance != nil && !yield(uint64(instance.Memory().Size())) {
				return
			}
		}
	}
}

// A host that does not delete an identity header would let a client choose its
// identity: such a host fails closed.
func TestHostThatDoesNotDelete(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	c := find(t, "a good token")
	reached := false
	gated := (&host{module: at(&now)}).start(t, module, c.ConfigJSON(t), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", c.Request.Headers[0][1])
	r.Header["x_AUTH_user_ID"] = []string{"root"} // net/http deletes only the canonical name
	w := httptest.NewRecorder()
	gated.ServeHTTP(w, r)
	if reached || w.Code != http.StatusServiceUnavailable || w.Body.String() != gate.BodyUnavailable {
		t.Errorf("the answer is %d %s, reached upstream: %t, want 503", w.Code, w.Body, reached)
	}
}
