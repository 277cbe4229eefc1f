package e2e

import (
	"fmt"
	"testing"

	"github.com/go-rod/rod/lib/input"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestLoginPageByKeyboard signs in without a mouse.
func TestLoginPageByKeyboard(t *testing.T) {
	t.Parallel()
	s := newPageSite(t)
	page := openTab(t, startBrowser(t), s.URL+"/deep")
	s.secrets.Add("e-mail address", "ann@example.com")
	page.await("the login page", `() => document.querySelector("#email") !== null`)
	page.reach("#email")
	page.press("ann@example.com", input.Enter)
	page.await("the page after a mail was sent", `() => document.querySelector("#code") !== null`)
	code := s.mails.Nth(t, "ann@example.com", 1).Parts(t).Code(t)
	s.secrets.Add("code", code)
	page.reach("#code")
	page.press(code, input.Enter)
	page.mustBe("ann@example.com", "/deep")
	page.visit(s.URL + "/auth/logout")
	page.reach("main form button")
	page.press("", input.Enter)
	page.await("the end of the session", `() => !document.querySelector("main form")`)
}

// mostTabs limits the presses of Tab on the way to an element.
const mostTabs = 40

// reach moves the focus to an element by the Tab key.
func (p *tab) reach(selector string) {
	p.t.Helper()
	p.front()
	p.await(selector, fmt.Sprintf(`() => document.readyState === "complete" && document.querySelector(%q) !== null`, selector))
	for range mostTabs {
		if at, err := p.Eval(`(selector) => document.activeElement?.matches(selector)`, selector); err == nil && at.Value.Bool() {
			return
		}
		if err := p.Keyboard.Type(input.Tab); err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Fatalf("%d times Tab does not reach %s", mostTabs, selector)
}

// press types a text and a key.
func (p *tab) press(text string, key input.Key) {
	p.t.Helper()
	if err := p.InsertText(text); err != nil {
		p.t.Fatal(err)
	}
	if err := p.Keyboard.Type(key); err != nil {
		p.t.Fatal(err)
	}
}

// controls matches what a user can operate.
const controls = `a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]`

// tabThrough presses Tab on a page that was just loaded. Each control must get the focus, in
// the order of the document, and must show it within the window.
func (p *tab) tabThrough(name string) {
	p.t.Helper()
	p.front()
	p.await("the page "+name, `() => document.readyState === "complete"`)
	count, err := p.Eval(`(controls) => {
		const all = [...document.querySelectorAll(controls)].filter((one) => one.checkVisibility())
		all.forEach((one, i) => { one.dataset.order = i })
		return all.length
	}`, controls)
	if err != nil || count.Value.Int() == 0 {
		p.t.Fatalf("the page %s has %v controls, %v, want some", name, count, err)
	}
	for i := range count.Value.Int() {
		if err := p.Keyboard.Type(input.Tab); err != nil {
			p.t.Fatal(err)
		}
		got, err := p.Eval(`() => {
			const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect()
			return {
				order: Number(at.dataset.order ?? -1), what: at.outerHTML,
				outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
				inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0,
			}
		}`)
		if err != nil {
			p.t.Fatal(err)
		}
		if order := got.Value.Get("order").Int(); order != i {
			p.t.Fatalf("%s: Tab number %d reaches control %d, %s, want control %d of %d", name, i+1, order, got.Value.Get("what").Str(), i, count.Value.Int())
		}
		if outline := got.Value.Get("outline").Num(); outline <= 0 || !got.Value.Get("inside").Bool() {
			p.t.Errorf("%s: the focus on %s has an outline of %v pixels, within the window: %v, want a visible one",
				name, got.Value.Get("what").Str(), outline, got.Value.Get("inside").Bool())
		}
	}
}

// use operates a control by a key.
func (p *tab) use(selector string, key input.Key) {
	p.t.Helper()
	p.reach(selector)
	p.press("", key)
}

// appears waits for an element.
func (p *tab) appears(selector string) {
	p.t.Helper()
	p.await(selector, fmt.Sprintf(`() => document.readyState === "complete" && document.querySelector(%q) !== null`, selector))
}

// TestAccountPageByKeyboard uses the pages of the account, and those that confirm the user,
// without a mouse.
func TestAccountPageByKeyboard(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t, "api_keys users", "second_factor optional")
	page, other := openTab(t, browser, "about:blank"), openTab(t, browser, "about:blank")
	const email, provided = "ann@example.com", "other@example.com"
	for _, p := range []*tab{page, other} {
		p.openLink(s, "/deep", email)
		p.mustBe(email, "/deep")
	}

	page.visit(s.URL + "/auth/account")
	page.tabThrough("account")
	page.reach("#first_name")
	page.press("Ann", input.Enter)
	page.appears("[role=status]")
	page.appears("#first_name[value=Ann]")
	page.use("button[value=others]", input.Space)
	wait.Until(t, pageLimit, "the end of the other session", func() bool {
		other.visit(s.URL + "/deep")
		ended, err := other.Eval(`() => document.querySelector("#email") !== null`)
		return err == nil && ended.Value.Bool()
	})
	page.await("the account with one session", `() => document.readyState === "complete" && document.querySelector("button[value=others]") === null`)

	s.secrets.Add("e-mail address", provided)
	s.idp.SignIn(openid.Person{Subject: "other", Email: provided, EmailVerified: true})
	page.use("button[value=link]", input.Enter)
	page.appears("button[value=unlink]")
	page.tabThrough("account with a provider")
	page.use("button[value=unlink]", input.Space)
	page.await("the account without the provider", `() => document.readyState === "complete" && document.querySelector("button[value=link]") !== null`)

	page.confirmByKeyboard(s, email)
	page.addFactorByKeyboard(s, email)

	page.visit(s.URL + "/auth/account")
	page.tabThrough("account with factors")
	page.use(`a[href$="/account/delete"]`, input.Enter)
	page.appears("input[name=confirm]")
	page.tabThrough("delete")
	page.use("input[name=confirm]", input.Space)
	page.use("button.danger", input.Enter)
	page.appears("main.deleted")
	page.tabThrough("deleted")
}

// confirmByKeyboard signs in again on the page that confirms the user.
func (p *tab) confirmByKeyboard(s *pageSite, email string) {
	p.t.Helper()
	p.visit(s.URL + "/auth/confirm?return_to=/confirmed")
	p.tabThrough("confirm")
	before := len(s.mails.Mails(email))
	p.use("main form button", input.Enter)
	p.appears("#code")
	code := s.mails.After(p.t, email, before, s.URL+"/auth/link/").Code(p.t)
	s.secrets.Add("code", code)
	p.tabThrough("sent")
	p.reach("#code")
	p.press(code, input.Enter)
	p.mustBe(email, "/confirmed")
}

// addFactorByKeyboard adds an application because a page requires one, and signs in with
// one of its recovery codes.
func (p *tab) addFactorByKeyboard(s *pageSite, email string) {
	p.t.Helper()
	p.visit(s.URL + "/strict")
	p.tabThrough("confirm that adds an application")
	p.use("button[value=totp]", input.Space)
	key := p.text("p.key")
	s.secrets.Add("key", key)
	p.tabThrough("application")
	p.reach("#code")
	p.press(oneTimeCode(p.t, key, 0), input.Enter)
	recovery := p.text(".codes li")
	s.secrets.Add("recovery code", recovery)
	p.tabThrough("recovery codes")
	p.use(".links .button", input.Enter)
	p.mustBe(email, "/strict")

	p.visit(s.URL + "/auth/logout")
	p.tabThrough("logout")
	p.use("main form button", input.Space)
	p.appears("main.signed-out")
	p.openLink(s, "/deep", email)
	p.tabThrough("second factor")
	p.use("summary", input.Enter)
	p.reach("#recovery_code")
	p.press(recovery, input.Enter)
	p.mustBe(email, "/deep")
}
