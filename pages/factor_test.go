package pages_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/pages"
)

// deviceCookie is the name of the cookie of a remembered browser.
const deviceCookie = "__Host-edgeauth-device"

// withFactors switches second factors on.
func withFactors(mode string) func(*pages.Options, *realm.Config) {
	return func(_ *pages.Options, c *realm.Config) {
		c.Rules.SecondFactor, c.RememberDevice = mode, 30*24*time.Hour
		c.Limits.FactorPerUser.N, c.Limits.FactorPerUser.Window = 5, 15*time.Minute
	}
}

// app is an authenticator application.
type app struct {
	w      *world
	secret string
	// recovery are the recovery codes that the page showed.
	recovery []string
}

// code returns a code that was not used yet.
func (a *app) code() string {
	a.w.t.Helper()
	a.w.advance(30 * time.Second)
	return a.again()
}

// again returns the code of the present time.
func (a *app) again() string {
	a.w.t.Helper()
	code, err := totp.GenerateCode(a.secret, time.Unix(a.w.clock.Load(), 0))
	if err != nil {
		a.w.t.Fatal(err)
	}
	return code
}

// app returns the application for the secret that a page shows.
func (r reply) app(w *world) *app {
	r.t.Helper()
	found := regexp.MustCompile(`<p class="key" dir="ltr">([A-Z2-7 ]+)</p>`).FindStringSubmatch(r.Body.String())
	if found == nil {
		r.t.Fatalf("%s shows no key:\n%s", r.call, r.Body)
	}
	return &app{w: w, secret: strings.ReplaceAll(found[1], " ", "")}
}

// codes returns the recovery codes that a page shows.
func (r reply) codes() []string {
	r.t.Helper()
	var codes []string
	for _, found := range regexp.MustCompile(`<code>([0-9a-z-]{19})</code>`).FindAllStringSubmatch(r.Body.String(), -1) {
		codes = append(codes, found[1])
	}
	if len(codes) != 10 {
		r.t.Fatalf("%s shows the recovery codes %q, want ten", r.call, codes)
	}
	return codes
}

// enrol adds an application on the account page.
func (b *browser) enrol() *app {
	b.w.t.Helper()
	page := b.post("/auth/account", "change", "totp").must(http.StatusSeeOther).location()
	a := b.get(page).must(http.StatusOK).shows("data:image/svg", `class="key"`).app(b.w)
	a.recovery = b.post(page, "code", a.code()).must(http.StatusOK).codes()
	return a
}

// half signs in with a link up to the second factor, and returns the address of its page.
func (b *browser) half(email, returnTo string) (page string) {
	b.w.t.Helper()
	b.ask(email, returnTo)
	page = b.post(b.w.mails.path()).must(http.StatusSeeOther).location()
	if !strings.HasPrefix(page, "/auth/factor/") {
		b.w.t.Fatalf("the first factor leads to %q, want the page for the second", page)
	}
	return page
}

func TestSecondFactorPage(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	first := w.browser()
	first.signIn(ann)
	a := first.enrol()
	if claims := first.claims(); claims == nil || claims.ACR != "2" {
		t.Errorf("claims after the enrolment = %+v, want acr 2", claims)
	}
	b := w.browser()
	page := b.half(ann, "/deep?a=1")
	b.mustBe("")
	b.get(page).must(http.StatusOK).shows("Two-step verification", `autocomplete="one-time-code"`, "Use a recovery code", "Remember this browser for 30 days").hides("<script", ann)
	b.post(page, "code", "12").must(http.StatusBadRequest).shows("Enter the six digits", "aria-invalid")
	b.post(page, "code", "000000").must(http.StatusBadRequest).shows("The code is not correct")
	b.mustBe("")
	if got := b.post(page, "code", a.code()).must(http.StatusSeeOther).location(); got != "/deep?a=1" {
		t.Errorf("the code leads to %q, want /deep?a=1", got)
	}
	b.mustBe(ann)
	if claims := b.claims(); claims.ACR != "2" || strings.Join(claims.AMR, " ") != "mail totp" {
		t.Errorf("claims = %v %s, want mail and totp", claims.AMR, claims.ACR)
	}
	if b.cookies[deviceCookie] != "" {
		t.Error("the browser is remembered without being asked to")
	}
	third := w.browser()
	third.post(third.half(ann, "/"), "recovery_code", strings.ToUpper(a.recovery[0])).must(http.StatusSeeOther)
	third.mustBe(ann)
	third.get("/auth/account").must(http.StatusOK).shows("Unused recovery codes: 9")
}

// Every method of a login with one factor leads to the page.
func TestSecondFactorPageOfEveryMethod(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	w.provider.profile = authcore.Profile{Subject: "1", Email: ann, EmailVerified: true}
	first := w.browser()
	first.signIn(ann)
	a := first.enrol()
	for name, begin := range map[string]func(b *browser) reply{
		"code": func(b *browser) reply { return b.post(b.ask(ann, "/x"), "code", w.mails.last().Code) },
		"provider": func(b *browser) reply {
			begun, err := url.Parse(b.post("/auth/", "provider", "github", "return_to", "/x").must(http.StatusSeeOther).location())
			if err != nil {
				t.Fatal(err)
			}
			return b.get("/auth/callback/github?code=good&state=" + url.QueryEscape(begun.Query().Get("state")))
		},
	} {
		b := w.browser()
		page := begin(b).must(http.StatusSeeOther).location()
		b.mustBe("")
		if got := b.post(page, "code", a.code()).must(http.StatusSeeOther).location(); got != "/x" {
			t.Errorf("%s: the code leads to %q, want /x", name, got)
		}
		b.mustBe(ann)
	}
}

func TestRememberedBrowser(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	first := w.browser()
	first.signIn(ann)
	a := first.enrol()
	b := w.browser()
	answer := b.post(b.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	set := ""
	for _, one := range answer.Result().Cookies() {
		if one.Name == deviceCookie {
			set = one.String()
		}
	}
	for _, want := range []string{"; Path=/", "; Max-Age=2592000", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, want) {
			t.Errorf("the device cookie is %q, want it to contain %q", set, want)
		}
	}
	b.post("/auth/logout").must(http.StatusSeeOther)
	b.signIn(ann)
	if claims := b.claims(); claims == nil || claims.ACR != "1" {
		t.Errorf("claims of a remembered browser = %+v, want acr 1", claims)
	}
	other := w.browser()
	other.cookies[deviceCookie] = b.cookies[deviceCookie]
	other.signIn("eve@example.com") // has no factor
	shown := b.get("/auth/account").must(http.StatusOK).shows("Remembered browsers", "Firefox", "Until 2026-02-01")
	id := regexp.MustCompile(`value="([\w-]{43})"><button class="other" name="change" value="forget-device"`).FindStringSubmatch(shown.Body.String())
	if id == nil {
		t.Fatalf("the account page lists no browser:\n%s", shown.Body)
	}
	b.get(b.post("/auth/account", "change", "forget-device", "id", id[1]).must(http.StatusSeeOther).location()).must(http.StatusOK).hides("Remembered browsers")
	b.half(ann, "/")
}

func TestRequiredEnrolment(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorRequired))
	b := w.browser()
	page := b.half(ann, "/deep")
	b.mustBe("")
	shown := b.get(page).must(http.StatusOK).shows("Your account requires an authenticator app.", "data:image/svg")
	a := shown.app(w)
	if again := b.get(page).must(http.StatusOK).app(w); again.secret != a.secret {
		t.Error("a reload shows another key")
	}
	if wrong := b.post(page, "code", "000000").must(http.StatusBadRequest).app(w); wrong.secret != a.secret {
		t.Error("a wrong code shows another key")
	}
	b.mustBe("")
	codes := b.post(page, "code", a.code()).must(http.StatusOK).shows(`href="/deep"`, `download="recovery-codes.txt"`, "data-print hidden")
	a.recovery = codes.codes()
	b.mustBe(ann)
	b.post(page, "code", a.code()).must(http.StatusBadRequest)
	b.post("/auth/account", "change", "remove-totp").must(http.StatusConflict).shows("This site requires an authenticator app.")
	second := w.browser()
	second.post(second.half(ann, "/"), "recovery_code", a.recovery[9]).must(http.StatusSeeOther)
}

// A user who must have a second factor and has a passkey signs in with the passkey.
func TestPasskeyAsSecondFactor(t *testing.T) {
	w := newWorld(t, withPasskeys, withFactors(account.SecondFactorOptional))
	b, a := w.browser(), authenticator.New(origin)
	b.signIn(ann)
	b.addPasskey(a, "key").must(http.StatusSeeOther)
	strict := newWorld(t, withPasskeys, withFactors(account.SecondFactorRequired), func(_ *pages.Options, c *realm.Config) { c.Store = w.store })
	other := strict.browser()
	page := other.half(ann, "/deep")
	credential, err := a.Get(other.get(page).must(http.StatusOK).shows("Use your passkey to continue.").hides(`id="code"`).passkeyOptions())
	if err != nil {
		t.Fatal(err)
	}
	other.post(page, "credential", "{}").must(http.StatusBadRequest).shows("Use your passkey to continue.", "Sign in with a passkey", `role="alert"`)
	other.mustBe("")
	if got := other.post(page, "credential", string(credential), "remember", "1").must(http.StatusSeeOther).location(); got != "/deep" {
		t.Errorf("the passkey leads to %q, want /deep", got)
	}
	other.mustBe(ann)
	if claims := other.claims(); claims.Method != "link" || strings.Join(claims.AMR, " ") != "mail passkey" || other.cookies[deviceCookie] == "" {
		t.Errorf("claims = %s %v, want a mailed link completed by the passkey, in a browser that is remembered", claims.Method, claims.AMR)
	}
}

// A user who has an application and a passkey proves either of them.
func TestApplicationOrPasskey(t *testing.T) {
	w := newWorld(t, withPasskeys, withFactors(account.SecondFactorOptional))
	b, a := w.browser(), authenticator.New(origin)
	b.signIn(ann)
	b.enrol()
	b.addPasskey(a, "key").must(http.StatusSeeOther)
	other := w.browser()
	page := other.half(ann, "/deep")
	shown := other.get(page).must(http.StatusOK).shows(`id="code"`, "Sign in with a passkey").hides("Use your passkey to continue.", `action="/auth/passkey"`)
	credential, err := a.Get(shown.passkeyOptions())
	if err != nil {
		t.Fatal(err)
	}
	other.post(page, "credential", string(credential)).must(http.StatusSeeOther)
	other.mustBe(ann)
}

func TestTwoStepOnAccountPage(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	b := w.browser()
	b.signIn(ann)
	b.get("/auth/account").must(http.StatusOK).shows("Add an authenticator app").hides("Unused recovery codes")
	former := b.enrol()
	b.get("/auth/account").must(http.StatusOK).shows("Unused recovery codes: 10", "Remove Authenticator app", "Use another authenticator app")
	fresh := b.post("/auth/account", "change", "recovery").must(http.StatusOK).codes()
	if fresh[0] == former.recovery[0] {
		t.Error("the recovery codes are the former ones")
	}
	page := b.post("/auth/account", "change", "totp").must(http.StatusSeeOther).location()
	a := b.get(page).must(http.StatusOK).app(w)
	if got := b.post(page, "code", a.code(), "return_to", "/auth/account?done=totp").must(http.StatusSeeOther).location(); got != "/auth/account?done=totp" {
		t.Errorf("another application leads to %q, want the account", got)
	}
	other := w.browser()
	half := other.half(ann, "/")
	other.post(half, "code", former.code()).must(http.StatusBadRequest)
	other.post(half, "recovery_code", former.recovery[0]).must(http.StatusBadRequest)
	other.post(half, "recovery_code", fresh[0]).must(http.StatusSeeOther)
	b.get(b.post("/auth/account", "change", "remove-totp").must(http.StatusSeeOther).location()).must(http.StatusOK).shows("Add an authenticator app")
	w.browser().signIn(ann)
}

// Changes need a recent login, and the second factor that the user has.
func TestTwoStepNeedsConfirmation(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	b := w.browser()
	b.signIn(ann)
	a := b.enrol()
	w.advance(time.Hour)
	for _, change := range []string{"totp", "recovery", "remove-totp"} {
		if got, want := b.post("/auth/account", "change", change).must(http.StatusSeeOther).location(), "/auth/confirm?return_to=%2Fauth%2Faccount"; got != want {
			t.Errorf("%s with an old login leads to %q, want %q", change, got, want)
		}
	}
	b.post(b.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	b.signIn(ann) // on a remembered browser
	for _, change := range []string{"totp", "recovery", "remove-totp"} {
		page := b.post("/auth/account", "change", change).must(http.StatusSeeOther).location()
		if want := "/auth/confirm?acr=2&return_to=%2Fauth%2Faccount"; page != want {
			t.Errorf("%s with one factor leads to %q, want %q", change, page, want)
		}
		b.get(page).must(http.StatusOK).shows("This page requires one more step.", `id="code"`).hides("Continue with e-mail")
	}
	if got := b.post("/auth/confirm", "code", a.code(), "acr", "2", "return_to", "/auth/account").must(http.StatusSeeOther).location(); got != "/auth/account" {
		t.Errorf("the code leads to %q, want the account", got)
	}
	b.post("/auth/account", "change", "recovery").must(http.StatusOK).codes()
}

// The page without second factors offers none.
func TestPagesWithoutFactors(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	b.get("/auth/account").must(http.StatusOK).hides("Two-step", "authenticator")
	b.post("/auth/account", "change", "totp").must(http.StatusNotFound)
	b.post("/auth/confirm", "code", "123456").must(http.StatusNotFound)
	b.get("/auth/factor/x").must(http.StatusBadRequest)
	b.get("/auth/account/factor/x").must(http.StatusBadRequest)
}
