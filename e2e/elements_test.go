package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/totp"
)

// shadow is a page with custom elements, whose trees other selectors do not reach.
type shadow struct {
	*device
	script string
}

// inside returns a JavaScript expression for the parts of all elements that match.
func inside(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("edge-login, edge-account")].flatMap((one) => [...one.shadowRoot?.querySelectorAll(%q) ?? []])`, selector)
}

// shows waits for a part whose text begins with the given one.
func (p *shadow) shows(selector, text string) {
	p.t.Helper()
	p.await(selector+" "+text, fmt.Sprintf(`() => %s.some((one) => one.checkVisibility() && one.textContent.startsWith(%q))`, inside(selector), text))
}

// press clicks a button by its text.
func (p *shadow) press(text string) {
	p.t.Helper()
	p.shows("button", text)
	if _, err := p.Eval(fmt.Sprintf(`() => %s.find((one) => one.checkVisibility() && one.textContent.startsWith(%q)).click()`, inside("button"), text)); err != nil {
		p.t.Fatal(err)
	}
}

// fill writes into a field, once it is there.
func (p *shadow) fill(name, text string) {
	p.t.Helper()
	p.await("the field "+name, fmt.Sprintf(`() => { const [field] = %s; if (field) field.value = %q; return !!field; }`, inside("input[name="+name+"]"), text))
}

// texts returns the texts of all parts that match.
func (p *shadow) texts(selector string) []string {
	p.t.Helper()
	found, err := p.Eval(`() => ` + inside(selector) + `.map((one) => one.textContent)`)
	if err != nil {
		p.t.Fatal(err)
	}
	var texts []string
	for _, text := range found.Value.Arr() {
		texts = append(texts, text.Str())
	}
	return texts
}

// focus moves the focus to a field.
func (p *shadow) focus(name string) {
	p.t.Helper()
	p.await("the field "+name, fmt.Sprintf(`() => { const [field] = %s; field?.focus(); return !!field; }`, inside("input[name="+name+"]")))
}

// check ticks a box with a label.
func (p *shadow) check(name, label string) {
	p.t.Helper()
	p.shows("label", label)
	p.await("the box "+name, fmt.Sprintf(`() => { const [box] = %s; box?.click(); return box?.checked; }`, inside("input[name="+name+"]")))
}

// keys types a text and the Enter key into the field that has the focus.
func (p *shadow) keys(name, text string) {
	p.t.Helper()
	p.front()
	p.await("the focus in "+name, fmt.Sprintf(`() => { let at = document.activeElement; while (at?.shadowRoot) at = at.shadowRoot.activeElement; return at?.name === %q; }`, name))
	if err := p.InsertText(text); err != nil {
		p.t.Fatal(err)
	}
	if err := p.Keyboard.Type(input.Enter); err != nil {
		p.t.Fatal(err)
	}
}

// examined checks a step with axe-core, light and dark.
func (p *shadow) examined(name string) {
	p.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		if err := (proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}).Call(p); err != nil {
			p.t.Fatal(err)
		}
		p.audit(p.script, name+" "+scheme)
		p.photograph("elements-" + name + "-" + scheme)
	}
}

// TestElements signs in with the custom elements by keyboard, code, link, passkey and
// second factor, uses the account, and examines each step with axe-core.
func TestElements(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	browser := startBrowser(t)
	pages := frontend.Start(t, clientSources)
	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	s := newSite(t, caddyfile{
		Client: []string{"origin " + pages.Origin}, EmailLink: pages.Origin + "/elements/auth/link/{token}",
		Realm: slices.Concat(smtpLines(), noLimits, []string{"passkeys optional", "second_factor optional", "remember_device 30d", "api_keys users", "notices off"}),
	}, smtpEnv(authority, mails.Addr)...)
	pages.Configure(frontend.Config{API: s.URL + "/v1/auth", Key: clientKey})
	const email = "ann@example.com"
	s.secrets.Add("e-mail address", email)
	sent := 0
	mail := func() smtpd.Parts {
		sent++
		parts := mails.Nth(t, email, sent).Parts(t)
		s.secrets.Add("code", parts.Code(t))
		s.linkToken(t, parts.Link(t, pages.Origin+"/elements/auth/link/"))
		return parts
	}
	p := &shadow{newDevice(openTab(t, browser, pages.Origin+"/elements/")), script}

	p.shows("button", "Continue with e-mail")
	p.shows("button", "Sign in with a passkey")
	p.examined("address")
	if err := p.Keyboard.Type(input.Tab); err != nil {
		t.Fatal(err)
	}
	p.keys("email", email)
	p.shows("[role=status]", "We sent a link")
	p.examined("code")
	p.keys("code", "000000")
	p.shows("[role=alert]", "The code is not correct")
	p.fill("code", "")
	p.keys("code", mail().Code(t))
	p.shows("p", "You are signed in as "+email)
	p.examined("account")

	p.fill("first_name", "Ann")
	p.press("Save")
	p.shows("[role=status]", "The changes were saved.")
	p.fill("name", "Laptop")
	p.press("Add a passkey")
	p.shows("li", "Laptop")
	if got := p.credentials(); len(got) != 1 {
		t.Fatalf("credentials = %+v, want one", got)
	}
	p.press("Sign out")
	p.shows("p", "You are signed in as") // the browser offers the passkey, and the user takes it
	p.press("Remove Laptop")
	p.shows("[role=status]", "The login was removed.")
	p.forgot()

	p.focus("key")
	p.keys("key", "nightly")
	p.shows("p", "Copy the key now.")
	p.examined("key")
	key := p.texts("li code")
	if len(key) != 1 || !strings.HasPrefix(key[0], "eak_") {
		t.Fatalf("the created keys = %d secrets, want one that begins with eak_", len(key))
	}
	s.secrets.Add("API key", key[0])
	p.press("Continue")
	p.shows("li", "nightly")
	p.press("Remove nightly")
	p.shows("[role=status]", "The key was removed.")

	p.press("Add an authenticator app")
	p.shows("p", "Scan this code")
	p.examined("app")
	secret, err := p.Eval(`() => ` + inside("img + p") + `[0].textContent`)
	if err != nil {
		t.Fatal(err)
	}
	s.secrets.Add("secret", secret.Value.Str())
	p.keys("code", totp.Code(t, secret.Value.Str(), time.Now()))
	p.shows("h2", "Recovery codes")
	p.examined("recovery codes")
	recovery := p.texts("li code")
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes, want 10", len(recovery))
	}
	p.press("Continue")
	p.shows("li", "Authenticator app")
	p.press("Sign out")

	// proveAddress signs in by a mailed code, after which the second factor is asked for.
	proveAddress := func() {
		t.Helper()
		p.shows("button", "Continue with e-mail")
		p.fill("email", email)
		p.press("Continue with e-mail")
		p.keys("code", mail().Code(t))
		p.shows("h2", "Two-step verification")
	}
	proveAddress()
	p.examined("second factor")
	p.check("remember", "Remember this browser for 30 days")
	p.keys("code", totp.Code(t, secret.Value.Str(), time.Now().Add(30*time.Second)))
	p.shows("h3", "Remembered browsers")
	p.examined("remembered browser")
	p.press("Forget")
	p.shows("[role=status]", "The changes were saved.")
	p.await("the end of the list", `() => !`+inside("h3")+`.some((one) => one.textContent === "Remembered browsers")`)

	// A passkey completes the login by mail. Until it is asked for, the user does not touch
	// the authenticator, so that the address field does not sign in with it.
	p.fill("name", "Laptop")
	p.press("Add a passkey")
	p.shows("li", "Laptop")
	p.present(false)
	p.press("Sign out")
	proveAddress()
	p.examined("passkey as second factor")
	p.check("remember", "Remember this browser for 30 days")
	p.present(true)
	p.press("Sign in with a passkey")
	p.shows("h3", "Remembered browsers")
	p.present(false)
	claims, err := p.Eval(`() => { const { method, amr } = JSON.parse(atob(auth.snapshot.token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))); return method + " " + amr; }`)
	if err != nil {
		t.Fatal(err)
	}
	if got := claims.Value.Str(); got != "code mail,passkey" {
		t.Errorf("claims = %q, want a mailed code completed by the passkey", got)
	}
	p.press("Forget")
	p.shows("[role=status]", "The changes were saved.")
	p.press("Sign out")

	p.shows("button", "Continue with e-mail")
	p.fill("email", email)
	p.press("Continue with e-mail")
	p.shows("[role=status]", "We sent a link")
	p.visit(mail().Link(t, pages.Origin+"/elements/auth/link/"))
	p.shows("button", "Continue")
	p.examined("link")
	p.press("Continue")
	p.press("Use a recovery code")
	p.shows("label", "Recovery code")
	p.keys("code", recovery[0])
	p.shows("small", "Unused recovery codes: 9")
	p.press("Delete my account")
	p.examined("delete")
	p.press("Yes, delete my account permanently")
	p.await("the end of the account", `() => !auth.snapshot`)

	for language, label := range map[string]string{"de": "Weiter mit E-Mail", "ar": ""} {
		p.visit(pages.Origin + "/elements/?lang=" + language)
		p.shows("button", label)
		p.examined("language " + language)
	}
}
