package pages_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
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
	if got := other.post("/auth/passkey", "credential", string(credential), "return_to", "/deep").must(http.StatusSeeOther).location(); got != "/deep" {
		t.Errorf("the passkey leads to %q, want /deep", got)
	}
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

func TestConfirmNeeds(t *testing.T) {
	w := newWorld(t, withPasskeys, withFactors(account.SecondFactorOptional))
	w.provider.profile = authcore.Profile{Subject: "1", Email: ann, EmailVerified: true}
	plain, strong := w.browser(), w.browser()
	plain.signIn("eve@example.com")
	strong.signIn(ann)
	passkeys := authenticator.New(origin)
	strong.addPasskey(passkeys, "key").must(http.StatusSeeOther)
	a := strong.enrol()
	strong.post(strong.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	strong.signIn(ann) // one factor
	const (
		code, recovery, mail, social, passkey = `id="code"`, `id="recovery_code"`, "Continue with e-mail", "Continue with GitHub", "data-passkey"
		addApp, addPasskey                    = `name="change" value="totp"`, "Add a passkey"
	)
	all := []string{code, recovery, mail, social, passkey, addApp, addPasskey}
	for _, test := range []struct {
		who   *browser
		query string
		shows []string
	}{
		{strong, "amr=totp", []string{code}},
		{strong, "amr=totp+passkey", []string{code, passkey}},
		{strong, "amr=passkey", []string{passkey}},
		{strong, "amr=recovery", []string{recovery}},
		{strong, "amr=social", []string{social}},
		{strong, "acr=2", []string{code, recovery, passkey}},
		{strong, "acr=2&amr=totp", []string{code}},
		{strong, "", []string{mail, social, passkey}},
		{strong, "max_age=10", []string{mail, social, passkey}},
		{strong, "amr=passkey&max_age=10", []string{passkey}},
		{strong, "amr=totp&max_age=10", []string{mail, social, passkey}},
		{strong, "amr=totp&max_age=86400", []string{code}},
		{plain, "amr=totp", []string{addApp}},
		{plain, "amr=passkey", []string{addPasskey}},
		{plain, "acr=2", []string{addApp, addPasskey}},
		{plain, "amr=unknown&acr=9&max_age=-1", []string{mail, social}},
	} {
		w.advance(15 * time.Second)
		page := test.who.get("/auth/confirm?" + test.query + "&return_to=/admin").must(http.StatusOK).shows(test.shows...)
		for _, text := range all {
			if !contains(test.shows, text) {
				page.hides(text)
			}
		}
	}
	if got := strong.get("/auth/confirm?amr=mail&return_to=/admin").must(http.StatusSeeOther).location(); got != "/admin" {
		t.Errorf("confirm with the method that the session has leads to %q, want /admin", got)
	}
	strong.post("/auth/confirm", "code", "000000", "amr", "totp", "return_to", "/admin").must(http.StatusBadRequest).
		shows("The code is not correct", `name="amr" value="totp"`, `value="/admin"`)
	if got := strong.post("/auth/confirm", "code", a.code(), "amr", "totp", "return_to", "/admin").must(http.StatusSeeOther).location(); got != "/admin" {
		t.Errorf("the code leads to %q, want /admin", got)
	}
	if claims := strong.claims(); claims == nil || claims.ACR != "2" || strings.Join(claims.AMR, " ") != "mail totp" {
		t.Errorf("claims = %+v, want mail and totp", claims)
	}
}

func contains(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}

// The gate writes what is missing into the address of the confirm page, and accepts the
// session that comes back from there.
func TestConfirmMeetsTheGate(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	b := w.browser()
	b.signIn(ann)
	a := b.enrol()
	b.post(b.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	b.signIn(ann)
	guard, err := gate.NewBrowser(gate.BrowserConfig{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	site := &gate.Site{Browser: guard, Policy: gate.Policy{
		MaxAge: 10 * time.Minute, Require: []gate.Requirement{{Field: "amr", Values: []string{"totp", "passkey"}}},
	}}
	decide := func() (int, string) {
		header := gate.Header{
			"Cookie": {cookie + "=" + b.cookies[cookie]}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"},
		}
		decision := w.realm.Decide(site, gate.Request{Method: "GET", Path: "/admin", Query: "a=1", Header: header, Now: w.realm.Now()})
		answer := gate.Header{}
		decision.Answer(answer)
		return decision.Status, strings.Join(answer["Location"], "")
	}
	w.advance(time.Hour)
	status, location := decide()
	if want := "/auth/confirm?amr=totp+passkey&max_age=600&return_to=%2Fadmin%3Fa%3D1"; status != 303 || location != want {
		t.Fatalf("the gate answers %d %s, want 303 %s", status, location, want)
	}
	b.get(location).must(http.StatusOK).shows("Continue with e-mail").hides(`id="code"`)
	form := []string{"amr", "totp passkey", "max_age", "600", "return_to", "/admin?a=1"}
	b.post("/auth/confirm", form...).must(http.StatusSeeOther)
	if got := b.post(w.mails.path()).must(http.StatusSeeOther).location(); got != "/admin?a=1" {
		t.Errorf("the link leads to %q, want the page", got)
	}
	if _, location = decide(); location != "/auth/confirm?amr=totp+passkey&return_to=%2Fadmin%3Fa%3D1" {
		t.Errorf("the gate leads to %q, want the second factor only", location)
	}
	b.get(location).must(http.StatusOK).shows(`id="code"`).hides("Continue with e-mail")
	b.post("/auth/confirm", append(form, "code", a.code())...).must(http.StatusSeeOther)
	if status, location := decide(); status != 0 {
		t.Errorf("the gate answers %d %s, want the page", status, location)
	}
}

func TestNeedsOfOtherSites(t *testing.T) {
	const other = "https://wiki.example.com"
	w := newWorld(t, withFactors(account.SecondFactorOptional), func(o *pages.Options, _ *realm.Config) { o.Sites = []string{other + "/auth"} })
	b := w.browser()
	b.signIn(ann)
	a := b.enrol()
	b.post(b.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	b.signIn(ann)
	if got, want := b.get("/auth/confirm?acr=2&max_age=60&return_to="+url.QueryEscape(other+"/x")).must(http.StatusSeeOther).location(),
		other+"/auth/confirm?acr=2&max_age=60&return_to=%2Fx"; got != want {
		t.Errorf("confirm for another site leads to %q, want %q", got, want)
	}
	wiki := newWorld(t, func(o *pages.Options, _ *realm.Config) { o.Origin, o.SignInAt = other, address })
	guest := wiki.browser()
	handed := guest.get("/auth/confirm?acr=2&return_to=/x").must(http.StatusSeeOther).location()
	if !strings.HasPrefix(handed, address+"/sso?acr=2&browser=") || strings.Contains(handed, "confirm") {
		t.Fatalf("confirm of a site without pages of its own leads to %q, want the other site with acr", handed)
	}
	here := strings.TrimPrefix(handed, origin)
	page := b.get(here).must(http.StatusSeeOther).location()
	if want := "/auth/confirm?acr=2&return_to=" + url.QueryEscape(here); page != want {
		t.Fatalf("single sign-on with one factor leads to %q, want %q", page, want)
	}
	shown := b.get(page).must(http.StatusOK).shows(`id="code"`)
	returnTo := html.UnescapeString(regexp.MustCompile(`name="return_to" value="([^"]*)"`).FindStringSubmatch(shown.Body.String())[1])
	if got := b.post("/auth/confirm", "code", a.code(), "acr", "2", "return_to", returnTo).must(http.StatusSeeOther).location(); got != here {
		t.Errorf("the code leads to %q, want %q", got, here)
	}
	if got := b.get(here).must(http.StatusSeeOther).location(); !strings.HasPrefix(got, other+"/auth/handoff?code=") {
		t.Errorf("single sign-on with two factors leads to %q, want the handoff", got)
	}
}
