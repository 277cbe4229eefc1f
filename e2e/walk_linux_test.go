package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestWalk uses the Debian package as a new operator does, in a clean Debian: install, edit
// three lines, start, sign in with Chromium by mail, read the metrics, upgrade, remove.
// The packages are those of `make walk`.
func TestWalk(t *testing.T) {
	older, newer := os.Getenv("WALK_OLDER"), os.Getenv("WALK_NEWER")
	if older == "" || newer == "" {
		t.Skip("NOT TESTED: there are no packages; run `make walk`")
	}
	w := newWalk(t)
	w.step("install", func() { w.install(older) })
	w.step("edit three lines", w.edit)
	w.step("start", w.start)
	w.ready()
	w.step("check", w.check)
	page := openTab(t, startBrowser(t), "about:blank")
	w.step("sign in", func() { w.signIn(page) })
	w.step("read the metrics", func() {
		w.metric(`edgeauth_logins_total{client="` + strings.TrimPrefix(w.url, "http://") + `",method="code",realm=""} 1`)
		w.metric(`edgeauth_mails_total{result="sent"} 1`)
	})
	before := w.run("/usr/bin/edgeauth", "edgeauth", "version")
	w.step("upgrade", func() {
		w.install(newer)
		w.stop()
		w.start()
	})
	if after := w.run("/usr/bin/edgeauth", "edgeauth", "version"); after == before {
		t.Errorf("the version after the upgrade is still %s", after)
	}
	w.ready()
	page.visit(w.url + "/after")
	page.mustBe(walkUser, "/after")
	w.step("remove", w.remove)
}

// walkUser is the address that signs in.
const walkUser = "ann@example.com"

// walk is a Debian in a directory, with an application and a mail server outside of it.
type walk struct {
	t          *testing.T
	root       string
	url, admin string
	authority  *ca.Authority
	mails      *smtpd.Server
	upstream   string

	service *exec.Cmd
	ended   chan error
	log     edge.Log
}

// newWalk makes the Debian.
func newWalk(t *testing.T) *walk {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "a walk needs root, for chroot")
	}
	debootstrap, err := exec.LookPath("debootstrap")
	if err != nil {
		missing(t, "debootstrap is not installed: %v", err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!doctype html><title>App</title><p id=user>%s</p><p id=uri>%s</p>", r.Header.Get("X-Auth-Email"), r.URL.Path)
	}))
	t.Cleanup(upstream.Close)
	authority := ca.New(t)
	w := &walk{
		t: t, root: t.TempDir(), authority: authority, mails: smtpd.Start(t, mailServer(t, authority)), upstream: upstream.Listener.Addr().String(),
		url: fmt.Sprintf("http://localhost:%d", edge.FreePort(t)), admin: fmt.Sprintf("127.0.0.1:%d", edge.FreePort(t)),
	}
	w.step("make a Debian", func() {
		out, err := exec.CommandContext(t.Context(), debootstrap, "--variant=minbase", "bookworm", w.root).CombinedOutput()
		if err != nil {
			t.Fatalf("debootstrap failed: %v\n%s", err, tail(out))
		}
		// An installer writes this file; debootstrap does not.
		if err := os.WriteFile(w.in("/etc/hosts"), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() {
		if w.service != nil {
			_ = w.service.Process.Kill()
			<-w.ended
		}
		if t.Failed() {
			t.Logf("log of the service:\n%s", w.log.Tail(40))
		}
	})
	return w
}

// step prints the time of a step.
func (w *walk) step(name string, do func()) {
	w.t.Helper()
	begin := time.Now()
	do()
	w.t.Logf("%s: %.1f s", name, time.Since(begin).Seconds())
}

// run runs a program in the Debian and returns what it prints.
func (w *walk) run(program string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	cmd.Path = program
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: w.root}
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %s failed: %v\n%s", program, strings.Join(args, " "), err, tail(out))
	}
	return string(out)
}

// in returns the path of a file of the Debian.
func (w *walk) in(path string) string { return filepath.Join(w.root, path) }

func (w *walk) read(path string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.in(path))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// install installs a package, or upgrades to it.
func (w *walk) install(deb string) {
	w.t.Helper()
	data, err := os.ReadFile(deb)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.in("/tmp/edgeauth.deb"), data, 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.run("/usr/bin/dpkg", "--install", "/tmp/edgeauth.deb")
	if info, err := os.Stat(w.in("/etc/edgeauth/secrets/smtp_url")); err != nil || info.Mode().Perm() != 0o600 {
		w.t.Errorf("the file with the secret: %v, %v, want mode 0600", info, err)
	}
	if passwd := w.read("/etc/passwd"); !strings.Contains(passwd, "\nedgeauth:") {
		w.t.Error("the package made no user edgeauth")
	}
}

// edit changes the three lines that the Caddyfile numbers, and writes the secret.
func (w *walk) edit() {
	const file = "/etc/edgeauth/Caddyfile"
	text := w.read(file)
	for _, line := range []struct{ from, to string }{
		{`from "Example <login@example.com>"`, `from "Walk <login@walk.test>"`},
		{"\napp.example.com {", "\n" + w.url + " {"},
		{"reverse_proxy localhost:8000", "reverse_proxy " + w.upstream},
	} {
		if strings.Count(text, line.from) != 1 {
			w.t.Fatalf("the Caddyfile contains %q %d times, want once", line.from, strings.Count(text, line.from))
		}
		text = strings.Replace(text, line.from, line.to, 1)
	}
	_, address, _ := strings.Cut(smtpEnv(w.authority, w.mails.Addr)[1], "=")
	certificate, err := os.ReadFile(w.authority.File)
	if err != nil {
		w.t.Fatal(err)
	}
	for path, content := range map[string]string{
		file: text, "/etc/edgeauth/secrets/smtp_url": address + "\n", "/etc/walk-ca.pem": string(certificate),
	} {
		if err := os.WriteFile(w.in(path), []byte(content), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// check runs the command of docs/install.md that tests the configuration.
func (w *walk) check() {
	w.t.Helper()
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		w.t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^runuser -u edgeauth -- env (.* check .*)$`).FindSubmatch(page)
	if command == nil {
		w.t.Fatal("docs/install.md has no command that runs check as the user edgeauth")
	}
	// The certificate authority of the test; elsewhere the system trusts that of the mail server.
	out := w.run("/bin/sh", "-c", "runuser -u edgeauth -- env SSL_CERT_FILE=/etc/walk-ca.pem "+string(command[1]))
	for _, want := range []string{"/var/lib/edgeauth/caddy/edgeauth/edgeauth.db is in use", "ok     mailer smtp"} {
		if !strings.Contains(out, want) {
			w.t.Errorf("check does not report %q:\n%s", want, out)
		}
	}
}

// signIn opens the application in Chromium, which leads to the login page, and enters the
// code of the mail.
func (w *walk) signIn(page *tab) {
	page.visit(w.url + "/before")
	page.write("#email", walkUser)
	page.click("main form button")
	page.await("the page after a mail was sent", `() => document.querySelector("#code") !== null`)
	parts := w.mails.Nth(w.t, walkUser, 1).Parts(w.t)
	if from := parts.Header.Get("From"); !strings.Contains(from, "login@walk.test") {
		w.t.Errorf("the mail is from %q, want the address in the Caddyfile", from)
	}
	page.write("#code", parts.Code(w.t))
	page.submit("main form button")
	page.mustBe(walkUser, "/before")
}

// fetch reads a path of the admin endpoint.
func (w *walk) fetch(path string) (int, string) {
	w.t.Helper()
	response, err := http.Get("http://" + w.admin + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (w *walk) ready() {
	w.t.Helper()
	if status, body := w.fetch("/edgeauth/health/ready"); status != http.StatusOK {
		w.t.Fatalf("GET /edgeauth/health/ready = %d %s, want 200", status, body)
	}
}

// metric waits until a metric has a value.
func (w *walk) metric(line string) {
	w.t.Helper()
	var body string
	if !wait.Holds(pageLimit, func() bool {
		_, body = w.fetch("/metrics")
		return strings.Contains(body, "\n"+line+"\n")
	}) {
		w.t.Errorf("the metrics never contain %s:\n%s", line, body)
	}
}

// remove removes the package and then its configuration. The users stay.
func (w *walk) remove() {
	w.stop()
	const data = "/var/lib/edgeauth/caddy/edgeauth/edgeauth.db"
	kept := func(after string, paths map[string]bool) {
		w.t.Helper()
		for path, want := range paths {
			if _, err := os.Stat(w.in(path)); (err == nil) != want {
				w.t.Errorf("after %s, %s: %v, want it kept: %t", after, path, err, want)
			}
		}
	}
	// A secret that the operator added, as docs/install.md describes.
	if err := os.WriteFile(w.in("/etc/edgeauth/secrets/google"), []byte("secret"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.run("/usr/bin/dpkg", "--remove", "edgeauth")
	kept("the removal", map[string]bool{
		"/usr/bin/edgeauth": false, "/usr/lib/systemd/system/edgeauth.service": false, "/etc/edgeauth/Caddyfile": true, data: true,
	})
	w.run("/usr/bin/dpkg", "--purge", "edgeauth")
	kept("the purge", map[string]bool{"/etc/edgeauth": false, data: true})
}
