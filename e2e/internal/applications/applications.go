package applications

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/e2e/internal/npm"
	"github.com/edgeauth/edgeauth/internal/process"
)

//go:embed all:node django
var files embed.FS

// python is Debian's interpreter, which finds Debian's Django. Another interpreter may
// come first on the search path.
const python = "/usr/bin/python3"

// Application is a running web application.
type Application struct {
	// Address is host:port of its HTTP server.
	Address string
	// SMTP is host:port of the SMTP server of MailDev.
	SMTP string
}

// Missing returns why the applications cannot run here, or nil: a program that is not
// installed, or packages that cannot be downloaded.
func Missing(ctx context.Context) error {
	for _, program := range []string{"radicale", "prometheus", python} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed", program)
		}
	}
	if output, err := exec.CommandContext(ctx, python, "-c", "import django").CombinedOutput(); err != nil {
		return fmt.Errorf("django is not installed: %w\n%s", err, output)
	}
	_, err := installed(ctx)
	return err
}

// installed returns the folder with the packages of npm.
func installed(ctx context.Context) (string, error) {
	packages, err := fs.Sub(files, "node")
	if err != nil {
		return "", err
	}
	return npm.Install(ctx, "applications", packages)
}

// Radicale starts a server for calendars and contacts. It reads the user from
// X-Remote-User.
func Radicale(t testing.TB) Application {
	t.Helper()
	port := edge.FreePort(t)
	config := filepath.Join(t.TempDir(), "config")
	write(t, config, fmt.Sprintf(`[server]
hosts = 127.0.0.1:%d
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = %s
`, port, t.TempDir()))
	return start(t, port, "/.web/", process.Options{Path: "radicale", Args: []string{"--config", config}})
}

// Prometheus starts a metrics server that scrapes itself.
func Prometheus(t testing.TB) Application {
	t.Helper()
	port, dir := edge.FreePort(t), t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, fmt.Sprintf("scrape_configs:\n  - job_name: self\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['127.0.0.1:%d']\n", port))
	return start(t, port, "/-/ready", process.Options{Path: "prometheus", Args: []string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:" + strconv.Itoa(port),
	}})
}

// Django starts a site with the administration of Django, a form with Django's own
// protection against cross-site requests, and uploads. It reads the user from
// Remote-User. Origin is the public address of the site.
func Django(t testing.TB, origin string) Application {
	t.Helper()
	port, dir := edge.FreePort(t), t.TempDir()
	site, err := fs.ReadFile(files, "django/site.py")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "demo.py")
	write(t, program, string(site))
	environment := append(os.Environ(), "DJANGO_DIR="+dir, "DJANGO_ORIGIN="+origin)
	setup := exec.CommandContext(t.Context(), python, program, "migrate", "--verbosity=0")
	setup.Env = environment
	if output, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("migrate the database of Django: %v\n%s", err, output)
	}
	return start(t, port, "/", process.Options{
		Path: python, Args: []string{program, "runserver", "--noreload", "127.0.0.1:" + strconv.Itoa(port)}, Env: environment,
	})
}

// NodeRED starts an editor of flows. Its editor needs a WebSocket.
func NodeRED(t testing.TB) Application {
	t.Helper()
	port, dir := edge.FreePort(t), t.TempDir()
	settings := filepath.Join(dir, "settings.js")
	write(t, settings, `module.exports = { uiHost: "127.0.0.1", flowFile: "flows.json", telemetry: { enabled: false },
	editorTheme: { tours: false, palette: { catalogues: [] } }, externalModules: { palette: { allowInstall: false } } };`)
	return node(t, port, "/settings", "node-red/red.js", "--userDir", dir, "--settings", settings, "--port", strconv.Itoa(port))
}

// Verdaccio starts a registry for packages of npm that asks no other registry.
func Verdaccio(t testing.TB) Application {
	t.Helper()
	port, dir := edge.FreePort(t), t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	write(t, config, fmt.Sprintf(`storage: %s
web: { title: Packages }
auth: { htpasswd: { file: %s } }
packages: { '**': { access: $all, publish: $all, unpublish: $all } }
`, filepath.Join(dir, "storage"), filepath.Join(dir, "htpasswd")))
	return node(t, port, "/-/ping", "verdaccio/bin/verdaccio", "--config", config, "--listen", "127.0.0.1:"+strconv.Itoa(port))
}

// MailDev starts an SMTP server with a page that shows received mail immediately,
// through a WebSocket.
func MailDev(t testing.TB) Application {
	t.Helper()
	port, smtp := edge.FreePort(t), edge.FreePort(t)
	app := node(t, port, "/healthz", "maildev/bin/maildev", "--ip", "127.0.0.1",
		"--web", strconv.Itoa(port), "--smtp", strconv.Itoa(smtp), "--mail-directory", t.TempDir())
	app.SMTP = net.JoinHostPort("127.0.0.1", strconv.Itoa(smtp))
	return app
}

// node starts a program of an npm package, which is below node_modules.
func node(t testing.TB, port int, ready, program string, args ...string) Application {
	t.Helper()
	folder, err := installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return start(t, port, ready, process.Options{
		Path: "node", Args: append([]string{filepath.Join(folder, "node_modules", filepath.FromSlash(program))}, args...),
		Env: append(os.Environ(), "HOME="+t.TempDir()),
	})
}

// start starts an application and waits until the path ready answers with a success.
func start(t testing.TB, port int, ready string, o process.Options) Application {
	t.Helper()
	app := Application{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	path, err := exec.LookPath(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	o.Path, o.Output = path, &output
	o.Ready = func(ctx context.Context) bool { return answers(ctx, "http://"+app.Address+ready) }
	p, err := process.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	t.Cleanup(func() {
		_ = p.Stop(syscall.SIGTERM, 5*time.Second) // it is killed otherwise
	})
	return app
}

// answers reports whether the address answers with a success.
func answers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < 300
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
