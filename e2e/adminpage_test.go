package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// TestAdminPage signs in as an operator in Chromium, finds a user, changes its roles and
// disables it, invites another one, creates a key, sends a dead letter again, and examines
// every section with axe-core, light and dark.
func TestAdminPage(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	receiver := startReceiver(t)
	s := bareSite(t, caddyfile{})
	realm := []string{
		"insecure_debug_links", "role admin ann@example.com", "api_keys operators", "audit {",
		"\twebhook " + receiver.URL + "/hook whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw {",
		"\t\taction user_disabled", "\t}", "}",
	}
	s.Configure(t, renderPages(s.Edge, realm, "login_page", "admin_page", "respond application"))
	s.URL = fmt.Sprintf("http://localhost:%d", s.Port)
	s.Start(t)
	browser := startBrowser(t)

	other := &protected{s, openTab(t, browser, s.URL+"/auth/"), "ben@example.com"}
	other.signIn()
	other.await("the application", `() => document.body.innerText === "application"`)
	other.visit(s.URL + "/admin/")
	other.await("the refusal", `() => document.body.innerText.includes("admin") && !document.querySelector("header nav")`)
	other.photograph("admin-refused")

	p := &protected{s, openTab(t, browser, s.URL+"/admin/"), "ann@example.com"}
	p.signIn()
	p.await("the list of users", `() => document.querySelectorAll("tbody tr").length === 2`)
	p.inspect(script, "users")

	// One user: roles, sessions, disable.
	p.write("input[name=address]", "ben@")
	p.click("form.bar button")
	p.await("the user that was found", `() => document.querySelectorAll("tbody tr").length === 1`)
	p.click("tbody a")
	p.await("the user", `() => document.querySelector("h1").textContent === "ben@example.com"`)
	p.choose("Change roles")
	p.write("dialog input[name=roles]", "editor support")
	p.click("dialog button[type=submit]")
	p.await("the new roles", `() => document.querySelector("dl").innerText.includes("support")`)
	p.inspect(script, "user")
	p.choose("Disable")
	p.inspect(script, "question")
	p.click("dialog button[type=submit]")
	p.await("the disabled user", `() => document.querySelector("dl").innerText.includes("disabled")`)

	p.visit(s.URL + "/admin/#/invitations")
	p.choose("Invite")
	p.write("dialog input[name=email]", "cay@example.com")
	p.write("dialog input[name=roles]", "editor")
	p.click("dialog button[type=submit]")
	p.await("the invitation", `() => document.querySelector("tbody")?.innerText.includes("cay@example.com")`)
	p.inspect(script, "invitations")

	p.visit(s.URL + "/admin/#/keys")
	p.choose("Create a key for a service")
	p.write("dialog input[name=service]", "backup")
	p.write("dialog input[name=name]", "nightly")
	p.click("dialog button[type=submit]")
	p.await("the secret", `() => document.querySelector("dialog .secret")?.textContent.startsWith("eak_")`)
	p.inspect(script, "secret")
	p.click("dialog button")
	p.await("the key", `() => document.querySelector("tbody")?.innerText.includes("nightly")`)
	p.inspect(script, "keys")

	p.visit(s.URL + "/admin/#/audit")
	p.await("the entries", `() => document.querySelectorAll("tbody tr").length > 5`)
	p.write("input[name=action]", "user_disabled")
	p.click("form.bar button")
	p.await("the entry of the operator", `() => document.querySelectorAll("tbody tr").length === 1 && document.querySelector("tbody").innerText.includes("operator")`)
	p.inspect(script, "audit")

	p.visit(s.URL + "/admin/#/webhooks")
	p.showsState("dead letters")
	p.await("the refusal", `() => [...document.querySelectorAll("section tbody")].at(-1).innerText.includes("status 422")`)
	p.inspect(script, "webhooks")
	receiver.status.Store(http.StatusOK)
	p.choose("Retry")
	p.inspect(script, "retry")
	p.click("dialog button[type=submit]")
	p.showsState("ok")
	p.await("the time of the success", `() => !!document.querySelector("tbody time") && document.querySelectorAll("main section").length === 1`)

	p.visit(s.URL + "/admin/#/system")
	p.await("health, keys and settings", `() => document.querySelectorAll("main table").length === 3`)
	p.inspect(script, "system")
}

// receiver is the endpoint of a webhook, which answers with status.
type receiver struct {
	*httptest.Server
	status atomic.Int32
}

// startReceiver returns a receiver that refuses messages.
func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := new(receiver)
	r.status.Store(http.StatusUnprocessableEntity)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(r.status.Load())) }))
	t.Cleanup(r.Close)
	return r
}

// showsState loads the page again until it shows this state of the only webhook.
func (p *protected) showsState(state string) {
	p.t.Helper()
	servertest.Eventually(p.t, "the webhook has the state "+state, func() bool {
		if err := p.tab.Reload(); err != nil {
			p.t.Fatal(err)
		}
		p.await("the table of webhooks", `() => document.querySelector("h1")?.textContent === "Webhooks" && !!document.querySelector("tbody .tag")`)
		shown, err := p.Eval(`() => [...document.querySelectorAll("tbody .tag")].map((tag) => tag.textContent)`)
		return err == nil && strings.Contains(shown.Value.JSON("", ""), `"`+state+`"`)
	})
}

// choose clicks the button with this text.
func (p *protected) choose(text string) {
	p.t.Helper()
	p.await("the button "+text, fmt.Sprintf(`() => { const b = [...document.querySelectorAll("main button")].find((b) => b.textContent === %q); b?.click(); return !!b }`, text))
	p.await("the dialog", `() => !!document.querySelector("dialog[open]")`)
}

// inspect examines the section in both color schemes, and at 320 pixels.
func (p *protected) inspect(script, name string) {
	p.t.Helper()
	for _, look := range []struct {
		scheme string
		width  int
	}{{"light", 1200}, {"dark", 1200}, {"light", 320}} {
		if err := (proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}).Call(p.tab); err != nil {
			p.t.Fatal(err)
		}
		if err := p.SetViewport(&proto.EmulationSetDeviceMetricsOverride{Width: look.width, Height: 900, DeviceScaleFactor: 1}); err != nil {
			p.t.Fatal(err)
		}
		label := fmt.Sprintf("admin-%s-%s-%d", name, look.scheme, look.width)
		p.audit(script, label)
		wide, err := p.Eval(`() => document.documentElement.scrollWidth > innerWidth`)
		if err != nil || wide.Value.Bool() {
			p.t.Errorf("%s: the page scrolls horizontally, %v", label, err)
		}
		p.photograph(label)
	}
}
