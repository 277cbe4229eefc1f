package examples

import (
	"bytes"
	"context"
	"embed"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	edgeauth "github.com/edgeauth/edgeauth/clients/go"
	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/e2e/internal/npm"
	"github.com/edgeauth/edgeauth/internal/process"
)

//go:embed servers
var servers embed.FS

// Python is Debian's interpreter, which finds Debian's packages.
const Python = "/usr/bin/python3"

// sources is the folder of all clients, from the folder of the tests.
const sources = "../clients"

// Missing returns why the examples cannot run here, or nil.
func Missing(ctx context.Context) error {
	if _, err := install(ctx, "node", nil); err != nil {
		return err
	}
	return exec.CommandContext(ctx, Python, "-c", "import jwt, cryptography, django, fastapi, uvicorn").Run()
}

// install installs the packages of a folder of the clients.
func install(ctx context.Context, folder string, flags []string) (string, error) {
	files := fstest.MapFS{}
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		content, err := os.ReadFile(filepath.Join(sources, folder, name))
		if err != nil {
			return "", err
		}
		files[name] = &fstest.MapFile{Data: content, Mode: 0o644}
	}
	return npm.Install(ctx, "example-"+strings.ReplaceAll(folder, "/", "-"), files, flags...)
}

// modules makes a folder node_modules with the packages of another one and the client.
func modules(t testing.TB, folder, installed string) string {
	t.Helper()
	made := filepath.Join(folder, "node_modules")
	must(t, os.MkdirAll(filepath.Join(made, "edgeauth", "dist"), 0o755))
	entries, err := os.ReadDir(filepath.Join(installed, "node_modules"))
	must(t, err)
	for _, entry := range entries {
		must(t, os.Symlink(filepath.Join(installed, "node_modules", entry.Name()), filepath.Join(made, entry.Name())))
	}
	Compile(t, filepath.Join(made, "edgeauth", "dist"))
	copyFile(t, filepath.Join(sources, "js", "package.json"), filepath.Join(made, "edgeauth", "package.json"))
	return made
}

// Compile compiles the client, a file for each module, without Node.js.
func Compile(t testing.TB, folder string) {
	t.Helper()
	modules, err := filepath.Glob(filepath.Join(sources, "js", "src", "*.ts"))
	must(t, err)
	result := api.Build(api.BuildOptions{
		EntryPoints: modules, Outdir: folder, Write: true, Format: api.FormatESModule, Target: api.ES2022,
	})
	if len(result.Errors) > 0 {
		t.Fatalf("compile the client: %v", result.Errors)
	}
}

// React builds the example for React with Vite, and returns the folder of its pages.
func React(t testing.TB, apiURL, key string) string {
	t.Helper()
	installed, err := install(t.Context(), "js/examples/react", []string{"--include=optional"})
	must(t, err)
	folder := t.TempDir()
	must(t, os.CopyFS(folder, os.DirFS(filepath.Join(sources, "js", "examples", "react"))))
	must(t, os.RemoveAll(filepath.Join(folder, "node_modules")))
	modules(t, folder, installed)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "node", "node_modules/vite/bin/vite.js", "build")
	build.Dir, build.Env = folder, append(os.Environ(), "VITE_API="+apiURL, "VITE_CLIENT_KEY="+key)
	build.WaitDelay = time.Second
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("vite build: %v\n%s", err, output)
	}
	return filepath.Join(folder, "dist")
}

// Orders starts the server-rendered example for Node.js on a port. API is the address of
// the login API, which must be reachable.
func Orders(t testing.TB, port int, apiURL, issuer string) {
	t.Helper()
	folder := nodeFolder(t)
	copyFile(t, filepath.Join(sources, "js", "examples", "node", "server.mjs"), filepath.Join(folder, "server.mjs"))
	start(t, port, process.Options{
		Path: "node", Args: []string{filepath.Join(folder, "server.mjs")}, Dir: folder,
		Env: append(os.Environ(), "API="+apiURL, "ISSUER="+issuer, "PORT="+strconv.Itoa(port)),
	})
}

// nodeFolder makes a folder with the client and the helper for Node.js installed.
func nodeFolder(t testing.TB) string {
	t.Helper()
	installed, err := install(t.Context(), "node", nil)
	must(t, err)
	folder := t.TempDir()
	made := filepath.Join(modules(t, folder, installed), "edgeauth-server")
	must(t, os.Mkdir(made, 0o755))
	for _, name := range []string{"package.json", "edgeauth.mjs"} {
		copyFile(t, filepath.Join(sources, "node", name), filepath.Join(made, name))
	}
	return folder
}

// Server starts a server on the helper for "go", "node", "django" or "fastapi", and returns its
// address. GET / answers with the ID and the roles of the user, who is known by a login
// token or, with an audience, by an assertion.
func Server(t testing.TB, name, apiURL, audience string) string {
	t.Helper()
	if name == "go" {
		return goServer(t, apiURL, audience)
	}
	port := edge.FreePort(t)
	options := process.Options{Env: append(os.Environ(), "API="+apiURL, "AUDIENCE="+audience, "PORT="+strconv.Itoa(port))}
	if name == "node" {
		folder := nodeFolder(t)
		write(t, folder, "node.mjs")
		options.Path, options.Args = "node", []string{filepath.Join(folder, "node.mjs")}
	} else {
		helper, err := filepath.Abs(filepath.Join(sources, "python"))
		must(t, err)
		folder := t.TempDir()
		write(t, folder, name+"_app.py")
		options.Path, options.Args = Python, []string{filepath.Join(folder, name+"_app.py")}
		options.Env = append(options.Env, "PYTHONPATH="+helper, "PYTHONDONTWRITEBYTECODE=1")
	}
	return start(t, port, options)
}

// goServer is the server on the helper for Go, which runs in this process.
func goServer(t testing.TB, apiURL, audience string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	gate, err := edgeauth.New(ctx, edgeauth.Options{API: apiURL, Audience: audience, Assertion: audience != "", Interval: 200 * time.Millisecond})
	must(t, err)
	var follower sync.WaitGroup
	follower.Go(func() { gate.Follow(ctx) })
	server := httptest.NewServer(gate.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := edgeauth.User(r.Context())
		_, _ = io.WriteString(w, strings.Join(append([]string{user.Subject}, user.Roles...), " "))
	})))
	t.Cleanup(func() {
		server.Close()
		cancel()
		follower.Wait()
	})
	return server.URL
}

// start starts a server and waits until it answers.
func start(t testing.TB, port int, o process.Options) string {
	t.Helper()
	address := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	path, err := exec.LookPath(o.Path)
	must(t, err)
	var output bytes.Buffer
	o.Path, o.Output = path, &output
	o.Ready = func(ctx context.Context) bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil
	}
	p, err := process.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	t.Cleanup(func() {
		_ = p.Stop(syscall.SIGTERM, 5*time.Second) // it is killed otherwise
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(o.Args[0]), output.String())
		}
	})
	return address
}

func write(t testing.TB, folder, name string) {
	t.Helper()
	content, err := fs.ReadFile(servers, "servers/"+name)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
}

// copyFile copies a file. Node.js looks for packages from the place of the file, not from
// that of a symbolic link.
func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, content, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
