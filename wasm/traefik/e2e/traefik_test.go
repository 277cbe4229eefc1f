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

// newBuilder lays the plugin out as the documentation says, and has Traefik load
// it. A folder is mounted where the example expects it.
func newBuilder(t *testing.T, mounts ...string) *plugins.Builder {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join("..", ".traefik.yml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	folder := filepath.Join("plugins-local", "src", filepath.FromSlash(moduleName))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".traefik.yml"), manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := filepath.Abs(filepath.Join(folder, "edgeauth-gate.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	built := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).Unix()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
		"-ldflags", fmt.Sprintf("-s -w -X main.built=%d", built), "-o", output, "./wasm/guest")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, message)
	}
	builder, err := plugins.NewBuilder(nil, nil, map[string]plugins.LocalDescriptor{
		"edgeauth": {ModuleName: moduleName, Settings: plugins.Settings{Mounts: mounts}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return builder
}

// decode reads a dynamic configuration as Traefik's file provider does.
func decode(t *testing.T, text string) *dynamic.Configuration {
	t.Helper()
	var configuration dynamic.Configuration
	if err := file.DecodeContent(text, ".yml", &configuration); err != nil {
		t.Fatal(err)
	}
	return &configuration
}

// start serves the plugin with its part of a configuration.
func start(t *testing.T, builder *plugins.Builder, config map[string]any, next http.Handler) string {
	t.Helper()
	construct, err := builder.Build("edgeauth", config, "edgeauth@file")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := construct(context.WithoutCancel(t.Context()), next)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gate)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// The table, through Traefik's plugin code, with the configuration as the file
// provider and as Kubernetes hand it over. The clock is that of the system.
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
				t.Errorf("only %d cases", ran)
			}
		})
	}
}

// fromFile is a configuration after the file provider's decoder, which turns
// numbers and booleans into texts, and some lists into objects.
func fromFile(t *testing.T, c *gatecase.Case) map[string]any {
	t.Helper()
	text, err := json.Marshal(map[string]any{"http": map[string]any{"middlewares": map[string]any{
		"edgeauth": map[string]any{"plugin": map[string]any{"edgeauth": c.Config}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, string(text)).HTTP.Middlewares["edgeauth"].Plugin["edgeauth"]
}

func fromJSON(t *testing.T, c *gatecase.Case) map[string]any {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal(c.ConfigJSON(t), &config); err != nil {
		t.Fatal(err)
	}
	return config
}
