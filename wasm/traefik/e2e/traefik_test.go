package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/plugins"

	"github.com/edgeauth/edgeauth/internal/gatecase"
)

const moduleName = "github.com/edgeauth/edgeauth"

// newBuilder installs the plugin in the documented layout and loads it with Traefik. A
// folder is mounted at the path of the example.
func newBuilder(t *testing.T, mounts ...string) *plugins.Builder {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatalf("filepath.Abs = %v", err)
	}
	manifest, err := os.ReadFile(filepath.Join("..", ".traefik.yml"))
	if err != nil {
		t.Fatalf("os.ReadFile = %v", err)
	}
	t.Chdir(t.TempDir())
	folder := filepath.Join("plugins-local", "src", filepath.FromSlash(moduleName))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatalf("os.MkdirAll = %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".traefik.yml"), manifest, 0o600); err != nil {
		t.Fatalf("os.WriteFile = %v", err)
	}
	output, err := filepath.Abs(filepath.Join(folder, "edgeauth-gate.wasm"))
	if err != nil {
		t.Fatalf("filepath.Abs = %v", err)
	}
	built := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).Unix()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
		"-ldflags", fmt.Sprintf("-s -w -X main.built=%d", built), "-o", output, "./wasm/guest")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build failed: %v\n%s", err, message)
	}
	builder, err := plugins.NewBuilder(nil, nil, map[string]plugins.LocalDescriptor{
		"edgeauth": {ModuleName: moduleName, Settings: plugins.Settings{Mounts: mounts}},
	})
	if err != nil {
		t.Fatalf("plugins.NewBuilder = %v", err)
	}
	return builder
}

// decode decodes a dynamic configuration in the way of Traefik's file provider.
func decode(t *testing.T, text string) *dynamic.Configuration {
	t.Helper()
	var configuration dynamic.Configuration
	if err := file.DecodeContent(text, ".yml", &configuration); err != nil {
		t.Fatalf("file.DecodeContent = %v", err)
	}
	return &configuration
}

// start serves the plugin with its part of a configuration.
func start(t *testing.T, builder *plugins.Builder, config map[string]any, next http.Handler) string {
	t.Helper()
	construct, err := builder.Build("edgeauth", config, "edgeauth@file")
	if err != nil {
		t.Fatalf("builder.Build = %v", err)
	}
	gate, err := construct(context.WithoutCancel(t.Context()), next)
	if err != nil {
		t.Fatalf("construct = %v", err)
	}
	server := httptest.NewServer(gate)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatalf("url.Parse = %v", err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// The table with Traefik's plugin code and the configurations of the file provider and
// of Kubernetes. The clock is that of the system.
func TestTable(t *testing.T) {
	builder := newBuilder(t)
	for name, read := range map[string]func(*testing.T, *gatecase.Case) map[string]any{"file": fromFile, "kubernetes": fromJSON} {
		t.Run(name, func(t *testing.T) {
			upstream := gatecase.NewServer(t)
			proxy := proxyTo(t, upstream.URL)
			gates, ran := map[string]string{}, 0
			for _, c := range gatecase.Load(t) {
				if c.ExactTime {
					continue
				}
				ran++
				key := string(c.ConfigJSON(t))
				if gates[key] == "" {
					gates[key] = start(t, builder, read(t, c), proxy)
				}
				t.Run(c.Name, func(t *testing.T) { upstream.Check(t, gates[key], c) })
			}
			if ran < 280 {
				t.Errorf("%d cases ran, want 280 at least", ran)
			}
		})
	}
}

// fromFile returns a configuration after the file provider's decoder, which converts
// numbers and booleans to texts, and some lists to objects.
func fromFile(t *testing.T, c *gatecase.Case) map[string]any {
	t.Helper()
	text, err := json.Marshal(map[string]any{"http": map[string]any{"middlewares": map[string]any{
		"edgeauth": map[string]any{"plugin": map[string]any{"edgeauth": c.Config}},
	}}})
	if err != nil {
		t.Fatalf("json.Marshal = %v", err)
	}
	return decode(t, string(text)).HTTP.Middlewares["edgeauth"].Plugin["edgeauth"]
}

func fromJSON(t *testing.T, c *gatecase.Case) map[string]any {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal(c.ConfigJSON(t), &config); err != nil {
		t.Fatalf("json.Unmarshal = %v", err)
	}
	return config
}
