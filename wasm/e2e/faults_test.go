package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/http-wasm/http-wasm-host-go/api/handler"
	"github.com/http-wasm/http-wasm-host-go/handler"
	"github.com/tetratelabs/wazero"

	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// edit is a change of the source of the module.
type edit struct{ file, old, changed string }

// mutant builds the module with changes in its source, to show the effect of a missing
// guard or a fault. Names of files are relative to the root of the tree.
func mutant(t *testing.T, edits ...edit) []byte {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, e := range edits {
		path, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(e.file)))
		if err != nil {
			t.Fatalf("filepath.Abs = %v", err)
		}
		from := path
		if replace[path] != "" { // changed before
			from = replace[path]
		}
		source, err := os.ReadFile(from)
		if err != nil {
			t.Fatalf("os.ReadFile = %v", err)
		}
		if strings.Count(string(source), e.old) != 1 {
			t.Fatalf("%s does not contain %q exactly once", e.file, e.old)
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(source), e.old, e.changed, 1)), 0o600); err != nil {
			t.Fatalf("os.WriteFile = %v", err)
		}
	}
	description, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatalf("json.Marshal = %v", err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, description, 0o600); err != nil {
		t.Fatalf("os.WriteFile = %v", err)
	}
	code, err := build(filepath.Join(dir, "mutant.wasm"), fmt.Sprintf("-X main.built=%d", built.Unix()), "./wasm/guest", "-overlay="+overlay)
	if err != nil {
		t.Fatalf("build = %v", err)
	}
	return code
}

// Without the check of the clock an expired token is valid again.
func TestClockMatters(t *testing.T) {
	now := built.Add(-time.Hour)
	upstream := gatecase.NewServer(t)
	c := find(t, "token: expired") // ends at the day of the build
	careless := mutant(t, edit{"wasm/guest/main.go", "now.Unix() >= seconds", "true"})
	c.Upstream = &gatecase.Upstream{Removed: []string{"authorization"}, Added: map[string]string{
		"X-Auth-User-Id": gatecase.User, "X-Auth-Email": "ada@example.com",
	}}
	c.Answer = gatecase.Answer{Status: 200, Body: "upstream"}
	upstream.Check(t, serve(t, &host{module: at(&now)}, careless, c.ConfigJSON(t), upstream), c)
	c.Unavailable()
	upstream.Check(t, serve(t, &host{module: at(&now)}, module, c.ConfigJSON(t), upstream), c)
}

// A module that was built without its build time, or a clock before that time, refuses
// every request, and the log contains the reason.
func TestBuildTime(t *testing.T) {
	unbuilt, err := build(filepath.Join(t.TempDir(), "unbuilt.wasm"), "-s -w", "./wasm/guest")
	if err != nil {
		t.Fatalf("build = %v", err)
	}
	upstream := gatecase.NewServer(t)
	for _, test := range []struct {
		name string
		code []byte
		now  time.Time
		want string
	}{
		{"no build time", unbuilt, built.AddDate(1, 0, 0), "was built without its build time; use `make wasm`"},
		{"clock before the build", module, built.Add(-time.Hour), "the clock is before the build of the module"},
		{"clock after the build", module, built.AddDate(1, 0, 0), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, log := find(t, "a good token"), new(recorder)
			if test.want != "" {
				c.Unavailable()
			}
			upstream.Check(t, serve(t, &host{module: at(&test.now)}, test.code, c.ConfigJSON(t), upstream, handler.Logger(log)), c)
			if got := log.String(); !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("log = %q, want %q", got, test.want)
			}
		})
	}
}

// deciding is the line of the module that decides.
const deciding = "	decision := g.edge.Decide(request)\n"

// faulty makes the module panic for one method.
var faulty = edit{"wasm/guest/request.go", deciding, `	if request.Method == "PANIC" {
		panic("a fault")
	}
` + deciding}

// A panic refuses the request, and the instance starts afresh.
func TestPanic(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	code := mutant(t, faulty)
	good := find(t, "a good token")
	address := serve(t, &host{module: at(&now)}, code, good.ConfigJSON(t), upstream)
	for range 3 {
		fault := find(t, "a good token")
		fault.Request.Method = "PANIC"
		fault.Unavailable()
		upstream.Check(t, address, fault)
		upstream.Check(t, address, good)
	}
}

// breaking is a host that panics in the middle of a call of the guest.
type breaking struct {
	api.UnimplementedHost

	breaks   bool
	status   uint32
	answered strings.Builder
}

func (*breaking) GetRequestHeaderNames(context.Context) []string { return []string{"authorization"} }

func (*breaking) GetRequestHeaderValues(context.Context, string) []string {
	return []string{"Token x"}
}
func (*breaking) RemoveRequestHeader(context.Context, string) {}
func (b *breaking) GetURI(context.Context) string {
	if b.breaks {
		panic("the host fails")
	}
	return "/public"
}
func (*breaking) GetMethod(context.Context) string                       { return http.MethodGet }
func (b *breaking) SetStatusCode(_ context.Context, code uint32)         { b.status = code }
func (*breaking) SetResponseHeaderValue(context.Context, string, string) {}
func (b *breaking) ResponseBodyWriter(context.Context) io.Writer {
	return &b.answered
}

// A host that fails in the middle of a call, as http-wasm-host-go does when a client
// disconnects, puts the instance back into its pool. Its state is unknown, so it answers
// 503 from then on. Without the flag it would continue to decide.
func TestBrokenInstance(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	config := find(t, "a public path").ConfigJSON(t)
	config = []byte(strings.Replace(string(config), `"/health"`, `"/public"`, 1))
	unguarded := mutant(t, edit{"wasm/guest/main.go", "	g.busy = true\n", ""})
	for name, test := range map[string]struct {
		code []byte
		next bool
	}{"with the flag": {module, false}, "without the flag": {unguarded, true}} {
		t.Run(name, func(t *testing.T) {
			host := &breaking{}
			middleware, err := handler.NewMiddleware(t.Context(), test.code, host, handler.GuestConfig(config), handler.Logger(logger{t}),
				handler.ModuleConfig(at(&now)(wazero.NewModuleConfig().WithStartFunctions("_initialize"))))
			if err != nil {
				t.Fatalf("handler.NewMiddleware = %v", err)
			}
			defer func() { _ = middleware.Close(t.Context()) }()
			handle := func() (bool, error) {
				ctx, next, err := middleware.HandleRequest(t.Context())
				if err == nil && next != 0 {
					err = middleware.HandleResponse(ctx, 0, nil)
				}
				return next != 0, err
			}
			if next, err := handle(); !next || err != nil {
				t.Fatalf("HandleRequest before the failure = %t, %v, want true", next, err)
			}
			host.breaks = true
			if next, err := handle(); next || err == nil {
				t.Fatalf("HandleRequest of the failing host = %t, %v, want an error", next, err)
			}
			host.breaks = false
			host.status = 0
			next, err := handle()
			if next != test.next {
				t.Errorf("HandleRequest afterwards = %t, %v with status %d, want %t", next, err, host.status, test.next)
			}
			if !test.next && (host.status != http.StatusServiceUnavailable || err != nil) {
				t.Errorf("the answer afterwards has status %d, %v, want 503", host.status, err)
			}
		})
	}
}

// The context of a request ends before its call begins: the runtime ends the instance,
// the request does not proceed, and the next one is judged.
func TestContextDone(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	c := find(t, "a good token")
	reached := 0
	h := host{module: at(&now), runtime: wazero.NewRuntimeConfig().WithCloseOnContextDone(true)}
	gated := h.start(t, module, c.ConfigJSON(t), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	send := func(ctx context.Context) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		r.Header.Set("Authorization", c.Request.Headers[0][1])
		w := httptest.NewRecorder()
		gated.ServeHTTP(w, r)
		return w
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if w := send(gone); reached != 0 {
		t.Errorf("a request of a disconnected client reached the upstream, with status %d", w.Code)
	}
	// The host keeps the ended instance in its pool until the garbage collector removes
	// it, so the next answer is a server error or the right one.
	for range 3 {
		if w := send(t.Context()); w.Code < http.StatusInternalServerError != (reached == 1) {
			t.Errorf("status %d with %d requests at the upstream, want one of them with a status below 500", w.Code, reached)
		}
		reached = 0
	}
}
