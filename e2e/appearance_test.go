package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
)

// TestLoginPageAppearance examines every page with axe-core, in light, dark, from right to
// left, 320 pixels wide and at a zoom of 200 %, and measures it.
func TestLoginPageAppearance(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	browser := startBrowser(t)
	s := newPageSite(t, "api_keys users")
	page := openTab(t, browser, "about:blank")
	link, _ := s.ask(t, page, "/", "ann@example.com")
	examine := func(name string) {
		t.Helper()
		page.examine(script, name)
	}
	answer := func(name, address, field, text, button string) { // examines the answer to a form
		t.Helper()
		page.examineAfter(script, name, func() {
			page.visit(address)
			page.write(field, text)
			page.submit(button)
		})
	}
	examine("sent")
	answer("sent-error", page.address(), "#code", "x", "main form button")
	page.visit(link)
	examine("link")
	other := openTab(t, browser, link)
	other.examine(script, "link-other")
	page.visit(s.URL + "/auth/")
	examine("ask")
	answer("ask-error", s.URL+"/auth/", "#email", "a@b", "main form button")
	page.visit(link)
	page.submit("main form button")
	page.visit(s.URL + "/auth/")
	examine("signed-in")
	page.visit(s.URL + "/auth/account")
	page.text("#first_name ~ button")
	examine("account")
	answer("key-created", s.URL+"/auth/account/keys", "#name", "ci", "main form:has(#name) button")
	page.text("p.secret")
	page.visit(s.URL + "/auth/account/keys")
	examine("keys")
	answer("keys-error", s.URL+"/auth/account/keys", "#name", " ", "main form:has(#name) button")
	page.visit(s.URL + "/auth/account")
	s.secrets.Add("e-mail address", "new@example.com")
	page.write("#email", "new@example.com")
	page.submit("button[value=email]")
	examine("email")
	answer("email-error", page.address(), "#code", "x", "main form button")
	page.visit(s.URL + "/auth/confirm?return_to=/x")
	examine("confirm")
	for _, name := range []string{"owner", "role", "foreign"} {
		page.visit(s.URL + "/gate/" + name)
		examine("gate-" + name)
	}
	page.visit(s.URL + "/auth/account/delete")
	examine("delete")
	page.visit(s.URL + "/auth/deleted")
	examine("deleted")
	page.visit(s.URL + "/auth/logout")
	examine("logout")
	page.submit("main form button")
	examine("signed-out")
	for _, name := range []string{"frame", "download", "form"} {
		page.visit(s.URL + "/gate/" + name)
		examine("gate-" + name)
	}
	page.visit(link)
	examine("error")
	if err := s.Command(t, "edgeauth", "user", "invite", "eve@example.com", "--address", s.Admin); err != nil {
		t.Fatalf("the invitation failed: %v", err)
	}
	s.secrets.Add("e-mail address", "eve@example.com")
	page.visit(s.mails.After(t, "eve@example.com", 0, s.URL+"/auth/link/").Link(t, s.URL+"/auth/link/"))
	examine("invitation")
}

// TestScriptedPageAppearance examines the pages with scripts: sign-in with a passkey and
// with a captcha, and the account with the form that adds a passkey.
func TestScriptedPageAppearance(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	captcha := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprint(w, `document.querySelector(".cf-turnstile").innerHTML = "<label><input type=checkbox> Captcha</label>";`)
	}))
	t.Cleanup(captcha.Close)
	browser := startBrowser(t)
	s := newPageSite(t, "passkeys optional")
	d := newDevice(openTab(t, browser, "about:blank"))
	d.present(false)
	shown := `() => document.querySelector("form[data-passkey]")?.checkVisibility()`
	for _, l := range looks {
		d.wear(l)
		d.visit(s.URL + "/auth/")
		d.await("the button for a passkey", shown)
		d.examineLook(script, "ask-passkey", l)
	}
	d.wear(looks[0])
	d.openLink(s, "/", "ann@example.com")
	for _, l := range looks {
		d.wear(l)
		d.visit(s.URL + "/auth/account")
		d.await("the form for a passkey", shown)
		d.examineLook(script, "account-passkey", l)
	}

	asking := newPageSite(t, "challenge "+captcha.URL+" captcha-secret {\nsite_key site\nscript "+captcha.URL+"\n}")
	page := openTab(t, browser, "about:blank")
	for _, l := range looks {
		page.wear(l)
		page.visit(asking.URL + "/auth/")
		page.await("the captcha", `() => document.querySelector(".cf-turnstile input") !== null`)
		page.examineLook(script, "ask-captcha", l)
	}
}

// look is an appearance of a page.
type look struct {
	name, scheme, language string
	width                  int
	zoom                   float64 // of a window that is this much wider
}

// looks are the appearances in which pages are examined.
var looks = []look{
	{"light", "light", "en", 800, 1},
	{"dark", "dark", "de", 800, 1},
	{"rtl", "light", "ar", 800, 1},
	{"rtl-dark", "dark", "ar", 800, 1},
	{"narrow", "dark", "ru", 320, 1},
	{"zoomed", "light", "fr", 400, 2},
}

// wear sets the appearance of the pages that are loaded from now on.
func (p *tab) wear(l look) {
	p.t.Helper()
	for _, err := range []error{
		proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}}.Call(p),
		p.SetViewport(&proto.EmulationSetDeviceMetricsOverride{Width: l.width, Height: 700, DeviceScaleFactor: l.zoom}),
		p.SetUserAgent(&proto.NetworkSetUserAgentOverride{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", AcceptLanguage: l.language,
		}),
	} {
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// reload loads the page again.
func (p *tab) reload() {
	p.t.Helper()
	if err := p.Reload(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.WaitLoad(); err != nil {
		p.t.Fatal(err)
	}
}

// examine checks the page in all appearances and takes a picture of each.
func (p *tab) examine(script, name string) {
	p.t.Helper()
	p.examineAfter(script, name, p.reload)
}

// examineAfter is examine for a page that answers a form: show leads to it again. A reload
// would ask to send the form again.
func (p *tab) examineAfter(script, name string, show func()) {
	p.t.Helper()
	for _, l := range looks {
		p.wear(l)
		show()
		at := name + " " + l.name
		if scripts, err := p.Eval(`() => document.scripts.length`); err != nil || scripts.Value.Int() != 0 {
			p.t.Errorf("%s: the page contains %v scripts, %v, want none", at, scripts, err)
		}
		p.examineLook(script, name, l)
		weight, err := p.Eval(`() => { const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]; return [all.length, all.reduce((sum, one) => sum + one.decodedBodySize, 0)]; }`)
		if err != nil {
			p.t.Fatal(err)
		}
		if requests, size := weight.Value.Arr()[0].Int(), weight.Value.Arr()[1].Int(); requests > 2 || size > 10_000 {
			p.t.Errorf("%s: %d requests and %d bytes, want at most 2 and 10000", at, requests, size)
		}
	}
}

// examineLook checks the page in one appearance, whatever scripts it contains.
func (p *tab) examineLook(script, name string, l look) {
	p.t.Helper()
	at := name + " " + l.name
	shown, err := p.Eval(`() => [document.documentElement.lang, document.documentElement.dir || "ltr"].join(" ")`)
	if want := l.language + map[bool]string{true: " rtl", false: " ltr"}[l.language == "ar"]; err != nil || shown.Value.Str() != want {
		p.t.Errorf("%s: language and direction are %v, %v, want %s", at, shown, err, want)
	}
	p.audit(script, at)
	wide, err := p.Eval(`() => document.documentElement.scrollWidth > innerWidth`)
	if err != nil || wide.Value.Bool() {
		p.t.Errorf("%s: the page scrolls horizontally, %v", at, err)
	}
	p.photograph("page-" + name + "-" + l.name)
}

// audit runs axe-core with all its rules.
func (p *tab) audit(script, name string) {
	p.t.Helper()
	found, err := p.Eval(`async (source) => { if (!window.axe) (0, eval)(source); const result = await axe.run(document); return result.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html + " " + node.failureSummary).join("; ")); }`, script)
	if err != nil {
		p.t.Fatalf("axe-core on %s: %v", name, err)
	}
	for _, violation := range found.Value.Arr() {
		p.t.Errorf("%s violates the rule %s", name, violation.Str())
	}
}
