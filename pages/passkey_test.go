package pages_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/pages"
)

func withPasskeys(_ *pages.Options, c *realm.Config) { c.Passkeys = realm.PasskeysOptional }

// passkeyOptions returns the options that a page contains.
func (r reply) passkeyOptions() []byte {
	r.t.Helper()
	found := regexp.MustCompile(`data-options="([^"]*)"`).FindStringSubmatch(r.Body.String())
	if found == nil {
		r.t.Fatalf("%s contains no options:\n%s", r.call, r.Body)
	}
	return []byte(html.UnescapeString(found[1]))
}

func (b *browser) addPasskey(a *authenticator.Authenticator, name string) reply {
	b.w.t.Helper()
	credential, err := a.Create(b.get("/auth/account").must(http.StatusOK).passkeyOptions())
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.post("/auth/account", "change", "add-passkey", "passkey_name", name, "credential", string(credential))
}

func (b *browser) usePasskey(a *authenticator.Authenticator, returnTo string) reply {
	b.w.t.Helper()
	credential, err := a.Get(b.get("/auth/").must(http.StatusOK).passkeyOptions())
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.post("/auth/passkey", "credential", string(credential), "return_to", returnTo)
}

func TestPasskeyPages(t *testing.T) {
	w := newWorld(t, withPasskeys)
	b, a := w.browser(), authenticator.New(origin)
	b.signIn(ann)
	const offer = "Sign in with one touch next time"
	b.get("/auth/account").must(http.StatusOK).shows(offer)
	done := b.addPasskey(a, "My <phone>").must(http.StatusSeeOther).location()
	b.get(done).must(http.StatusOK).shows("The changes were saved.", `value="My &lt;phone&gt;"`, "Remove My &lt;phone&gt;").hides(offer)
	other := w.browser()
	if got := other.usePasskey(a, "/deep?a=1").must(http.StatusSeeOther).location(); got != "/deep?a=1" {
		t.Errorf("the passkey leads to %q, want /deep?a=1", got)
	}
	other.mustBe(ann)
	page := b.get("/auth/account").shows("Last used 2026-01-02 03:04 UTC")
	id := regexp.MustCompile(`name="id" value="([\w-]{43})"`).FindStringSubmatch(page.Body.String())[1]
	b.get(b.post("/auth/account", "change", "rename-passkey", "id", id, "passkey_name", "Key").must(http.StatusSeeOther).location()).shows("Remove Key")
	b.get(b.post("/auth/account", "change", "remove-passkey", "id", id).must(http.StatusSeeOther).location()).hides("Remove Key")
	other.mustBe("")
	third := w.browser()
	third.usePasskey(a, "/").must(http.StatusBadRequest).shows("This passkey was removed", `data-unknown="`)
	third.mustBe("")
	third.post("/auth/passkey", "credential", "nonsense").must(http.StatusBadRequest).shows("The passkey was not accepted.", `id="email"`)
	w.advance(time.Hour)
	b.get("/auth/account").must(http.StatusOK).shows("/auth/confirm?return_to=").hides("data-options")
}

// A user without the passkey that a page requires adds one and returns to the page, also
// after a new login. Return addresses of other sites are ignored.
func TestRequiredPasskey(t *testing.T) {
	w := newWorld(t, withPasskeys)
	b := w.browser()
	b.signIn(ann)
	const asked, account = "/auth/confirm?amr=passkey&return_to=%2Fadmin%3Fa%3D1", "/auth/account?return_to=%2Fadmin%3Fa%3D1"
	b.get(asked).must(http.StatusOK).shows("Add a passkey", `href="/auth/account?return_to=%2fadmin%3fa%3d1"`)
	const field = `name="return_to" value="/admin?a=1"`
	b.get("/auth/account").must(http.StatusOK).hides(`name="return_to"`)
	b.get("/auth/account?return_to=https://evil.example/").must(http.StatusOK).hides("evil.example")
	w.advance(time.Hour)
	b.get(account).must(http.StatusOK).hides("data-options").shows("/auth/confirm?return_to=%2Fauth%2Faccount%3Freturn_to%3D%252Fadmin%253Fa%253D1")
	b.signIn(ann)
	for returnTo, want := range map[string]string{"/admin?a=1": "/admin?a=1", "https://evil.example/": "/", "/auth/logout": "/"} {
		a := authenticator.New(origin)
		credential, err := a.Create(b.get(account).must(http.StatusOK).shows(field).passkeyOptions())
		if err != nil {
			t.Fatal(err)
		}
		got := b.post(account, "change", "add-passkey", "credential", string(credential), "return_to", returnTo).must(http.StatusSeeOther).location()
		if got != want {
			t.Errorf("adding a passkey with the return address %q leads to %q, want %q", returnTo, got, want)
		}
	}
	b.post(account, "change", "add-passkey", "credential", "{}", "return_to", "/admin?a=1").must(http.StatusBadRequest).shows(field)
	// A user who lost the passkey adds another one on the account page.
	b.get(asked).must(http.StatusOK).shows(`action="/auth/passkey"`, `href="/auth/account?return_to=%2fadmin%3fa%3d1"`).hides("Add a passkey")
}

// The form for passkeys is hidden until the script shows it, and the script comes from
// the site itself.
func TestPasskeyScript(t *testing.T) {
	w := newWorld(t, withPasskeys)
	page := w.browser().get("/auth/").must(http.StatusOK).shows(" hidden>", `autocomplete="email webauthn"`, `action="/auth/passkey"`)
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "connect-src 'self';") {
		t.Errorf("Content-Security-Policy = %q, want scripts and connections of the site only", policy)
	}
	script := regexp.MustCompile(`<script src="([^"]+)" defer>`).FindStringSubmatch(page.Body.String())
	if script == nil {
		t.Fatalf("the page has no script:\n%s", page.Body)
	}
	content := w.browser().get(script[1]).must(http.StatusOK)
	if content.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || content.Body.Len() > 3000 {
		t.Errorf("the script has the type %q and %d bytes, want 3000 at most", content.Header().Get("Content-Type"), content.Body.Len())
	}
	if got := w.browser().get("/auth/passkey/options").must(http.StatusOK).Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type of options = %q, want application/json", got)
	}
}

// Without the option the pages contain no script.
func TestPagesWithoutPasskeys(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/auth/").must(http.StatusOK).hides("<script", "passkey", "webauthn")
	b.post("/auth/passkey", "credential", "{}").must(http.StatusNotFound)
	b.get("/auth/passkey/options").must(http.StatusNotFound)
	b.signIn(ann)
	b.get("/auth/account").must(http.StatusOK).hides("<script", "passkey")
	b.post("/auth/account", "change", "add-passkey").must(http.StatusBadRequest)
}
