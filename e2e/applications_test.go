package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/applications"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// protected is a site whose Caddyfile has three lines more than the application needs.
type protected struct {
	*site
	*tab
	email string
}

// protect puts an application behind a login page and opens the browser at a path of it,
// without a session. Options are those of token_auth.
func protect(t *testing.T, s *site, app applications.Application, path string, options ...string) *protected {
	t.Helper()
	s.serveProtected(t, app, options...)
	return &protected{s, openTab(t, startBrowser(t), s.URL+path), "ann@example.com"}
}

// serveProtected starts the site with an application behind a login page.
func (s *site) serveProtected(t *testing.T, app applications.Application, options ...string) {
	t.Helper()
	handlers := slices.Concat([]string{"log", "login_page", "token_auth {"}, options, []string{"}", "reverse_proxy " + app.Address})
	s.Configure(t, renderPages(s.Edge, debugLinks, handlers...))
	s.URL = fmt.Sprintf("http://localhost:%d", s.Port)
	s.Start(t)
}

// signIn signs in through the page to which the browser was sent.
func (p *protected) signIn() {
	p.t.Helper()
	p.write("#email", p.email)
	p.click("main form button")
	p.click(`main a[href*="/auth/link/"]`)
	p.click("main form button")
}

// ask sends a request from the page, which has the session.
func (p *protected) ask(method, path, body string, header map[string]string) (status int, text string) {
	p.t.Helper()
	headers, err := json.Marshal(header)
	if err != nil {
		p.t.Fatal(err)
	}
	value, err := p.Eval(`async (method, path, body, headers) => {
		const answer = await fetch(path, { method, headers: JSON.parse(headers) ?? {}, ...body ? { body } : {} })
		return { status: answer.status, text: await answer.text() }
	}`, method, path, body, string(headers))
	if err != nil {
		p.t.Fatalf("fetch(%s %s) failed: %v", method, path, err)
	}
	return value.Value.Get("status").Int(), value.Value.Get("text").Str()
}

// signOut signs out on the page and checks that the application is out of reach.
func (p *protected) signOut(path string) {
	p.t.Helper()
	p.endSession()
	p.visit(p.URL + path)
	p.await("the login page", `() => location.pathname === "/auth/" && !!document.getElementById("email")`)
}

// endSession signs out on the page.
func (p *protected) endSession() {
	p.t.Helper()
	p.visit(p.URL + "/auth/logout")
	p.click("main form button")
	p.await("the page after the logout", `() => !location.pathname.endsWith("/logout") || !document.querySelector("main form")`)
}

// TestApplications signs in to six applications of other projects through the login
// page, uses each of them, and signs out.
func TestApplications(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := applications.Missing(ctx); err != nil {
		missing(t, "applications: %v", err)
	}

	t.Run("Radicale", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		p := protect(t, s, applications.Radicale(t), "/.web/", "headers X-Remote-User=email")
		p.signIn()
		p.await("the page of Radicale", `() => location.pathname.startsWith("/.web")`)
		p.photograph("radicale")
		calendar := "/" + p.email + "/calendar/"
		if status, text := p.ask("MKCALENDAR", calendar, "", nil); status != http.StatusCreated {
			t.Errorf("MKCALENDAR = %d %s, want 201", status, text)
		}
		event := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//e2e//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300101T100000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		if status, text := p.ask(http.MethodPut, calendar+"1.ics", event, map[string]string{"Content-Type": "text/calendar"}); status != http.StatusCreated {
			t.Errorf("PUT of an event = %d %s, want 201", status, text)
		}
		if status, _ := p.ask(http.MethodGet, "/eve@example.com/", "", nil); status != http.StatusForbidden {
			t.Errorf("GET of the collection of another user = %d, want 403", status)
		}
		p.signOut("/.web/")
	})

	t.Run("Prometheus", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		p := protect(t, s, applications.Prometheus(t), "/graph?g0.expr=up&g0.tab=1")
		p.signIn()
		p.await("the deep link", `() => location.pathname.endsWith("/graph") && decodeURIComponent(location.search).includes("g0.expr=up")`)
		p.photograph("prometheus")
		wait.Until(t, pageLimit, "a sample", func() bool {
			_, text := p.ask(http.MethodGet, "/api/v1/query?query=up", "", nil)
			return strings.Contains(text, `"job":"self"`)
		})
		p.signOut("/graph")
	})

	t.Run("Django", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		app := applications.Django(t, fmt.Sprintf("http://localhost:%d", s.Port))
		p := protect(t, s, app, "/admin/auth/user/", "headers Remote-User=email")
		p.signIn()
		p.await("the administration", `() => document.body.innerText.includes("ann@example.com")`)
		p.photograph("django")
		p.visit(p.URL + "/")
		upload := filepath.Join(t.TempDir(), "upload.bin")
		if err := os.WriteFile(upload, make([]byte, 300_000), 0o600); err != nil {
			t.Fatal(err)
		}
		p.write("input[name=note]", "from the browser")
		p.MustElement("input[type=file]").MustSetFiles(upload)
		p.click("form button")
		if got := p.text("#note") + " " + p.text("#size"); got != "from the browser 300000" {
			t.Errorf("the form shows %q, want the note and 300000 bytes", got)
		}
		p.signOut("/admin/")
	})

	t.Run("Node-RED", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		p := protect(t, s, applications.NodeRED(t), "/")
		p.signIn()
		p.await("the editor, connected by its WebSocket", `() => !!globalThis.RED?.comms && !!document.querySelector(".red-ui-palette-node")`)
		p.photograph("node-red")
		value, err := p.Eval(`() => new Promise((done) => {
			const socket = new WebSocket(location.origin.replace("http", "ws") + "/comms")
			socket.onopen = () => { socket.close(); done("open") }
			socket.onerror = () => done("error")
		})`)
		if err != nil || value.Value.Str() != "open" {
			t.Errorf("the WebSocket is %v, %v, want open", value, err)
		}
		p.signOut("/")
	})

	t.Run("Verdaccio", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		p := protect(t, s, applications.Verdaccio(t), "/")
		p.signIn()
		p.await("the page of the registry", `() => document.body.innerText.includes("npm")`)
		manifest := `{"name":"demo","version":"1.0.0","dist":{"tarball":"http://localhost/demo/-/demo-1.0.0.tgz"}}`
		body := `{"_id":"demo","name":"demo","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":` + manifest + `},` +
			`"_attachments":{"demo-1.0.0.tgz":{"content_type":"application/octet-stream","data":"H4sIAAAAAAAAAwMAAAAAAAAAAAA=","length":20}}}`
		if status, text := p.ask(http.MethodPut, "/demo", body, map[string]string{"Content-Type": "application/json"}); status != http.StatusCreated {
			t.Errorf("PUT of a package = %d %s, want 201", status, text)
		}
		if status, text := p.ask(http.MethodGet, "/demo", "", nil); status != http.StatusOK || !strings.Contains(text, `"1.0.0"`) {
			t.Errorf("GET of the package = %d %s, want version 1.0.0", status, text)
		}
		p.photograph("verdaccio")
		p.signOut("/")
	})

	t.Run("MailDev", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, caddyfile{})
		app := applications.MailDev(t)
		p := protect(t, s, app, "/")
		p.signIn()
		p.await("the page of MailDev", `() => location.pathname === "/" && document.title.includes("MailDev")`)
		mail := "Subject: Hello from e2e\r\n\r\nText\r\n"
		shown := func() bool {
			value, err := p.Eval(`() => document.body.innerText.includes("Hello from e2e")`)
			return err == nil && value.Value.Bool()
		}
		// The page does not show whether its WebSocket is open, and misses earlier mails.
		wait.Until(t, pageLimit, "a mail, through the WebSocket", func() bool {
			if err := smtp.SendMail(app.SMTP, nil, "a@example.com", []string{"b@example.com"}, []byte(mail)); err != nil {
				t.Fatal(err)
			}
			return wait.Holds(2*time.Second, shown)
		})
		p.photograph("maildev")
		p.signOut("/")
	})
}
