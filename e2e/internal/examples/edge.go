package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/internal/process"
)

// EdgeInterval separates two fetches of the revocations by the server of Edge.
const EdgeInterval = time.Second

// Edge starts the gate on Node.js in front of an application, and returns its address. Config
// is the configuration of the gate as JSON, upstream the URL of the application.
func Edge(t testing.TB, apiURL, upstream, config string) string {
	t.Helper()
	folder := t.TempDir()
	host := filepath.Join(folder, "edge")
	must(t, os.Mkdir(host, 0o755))
	scripts, err := filepath.Glob(filepath.Join("..", "wasm", "js", "*.mjs"))
	must(t, err)
	for _, script := range scripts {
		copyFile(t, script, filepath.Join(host, filepath.Base(script)))
	}
	buildGate(t, filepath.Join(host, "edgeauth-gate.wasm"))
	write(t, folder, "edge.mjs")
	port := edge.FreePort(t)
	return start(t, port, process.Options{
		Path: "node", Args: []string{filepath.Join(folder, "edge.mjs")},
		Env: append(os.Environ(), "API="+apiURL, "CONFIG="+config, "UPSTREAM="+upstream, "PORT="+strconv.Itoa(port)),
	})
}

// buildGate builds the module as `make wasm` does.
func buildGate(t testing.TB, output string) {
	t.Helper()
	flags := fmt.Sprintf("-s -w -X main.built=%d", time.Now().Truncate(24*time.Hour).Unix())
	command := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output, "./wasm/guest")
	command.Dir, command.Env = "..", append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the gate for WebAssembly: %v\n%s", err, message)
	}
}
