package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/pages"
)

// An attacker with the mailbox of a user proves the first factor and tries every other
// page in place of the second one (CWE-306).
func TestHardeningHalfLoginOpensNothing(t *testing.T) {
	w := newWorld(t, withPasskeys, withFactors(account.SecondFactorOptional))
	owner := w.browser()
	owner.signIn(ann)
	owner.enrol()
	eve := w.browser()
	page := eve.half(ann, "/admin")
	ticket := strings.TrimPrefix(page, "/auth/factor/")
	for _, path := range []string{"/auth/account", "/auth/confirm?acr=2&return_to=/admin", "/auth/account/delete", "/auth/account/export", "/auth/account/factor/" + ticket} {
		if got := eve.get(path).must(http.StatusSeeOther).location(); !strings.HasPrefix(got, "/auth/?return_to=") {
			t.Errorf("%s leads to %q, want the sign-in", path, got)
		}
	}
	eve.get("/auth/renew?return_to=/admin").must(http.StatusSeeOther)
	for _, path := range []string{"/auth/sent/" + ticket, "/auth/link/" + ticket, "/auth/handoff?code=" + ticket} {
		eve.get(path).must(http.StatusBadRequest)
	}
	for _, form := range [][]string{{"change", "totp"}, {"change", "recovery"}, {"change", "remove-totp"}, {"change", "forget-device"}} {
		eve.post("/auth/account", form...).must(http.StatusSeeOther)
	}
	eve.post("/auth/confirm", "code", "000000", "acr", "2").must(http.StatusSeeOther)
	for _, form := range [][]string{{}, {"code", ""}, {"recovery_code", ""}, {"remember", "1"}, {"code", "000000", "recovery_code", "x"}} {
		eve.post(page, form...).must(http.StatusBadRequest)
	}
	w.advance(11 * time.Second) // in which a repeated request gets the same answer
	eve.post(w.mails.path()).must(http.StatusBadRequest)
	eve.mustBe("")
	if eve.cookies[deviceCookie] != "" || eve.cookies[cookie] != "" {
		t.Errorf("cookies = %v, want no session and no device", eve.cookies)
	}
}

// An attacker with the mailbox adds an application of its own: at the login, and by a
// sealed secret for the account page.
func TestHardeningEnrolmentInPlaceOfProof(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorRequired))
	eve := w.browser()
	early := eve.half(ann, "/") // before the owner has a factor
	evil := eve.get(early).must(http.StatusOK).app(w)
	owner := w.browser()
	page := owner.half(ann, "/")
	a := owner.get(page).app(w)
	a.recovery = owner.post(page, "code", a.code()).must(http.StatusOK).codes()
	eve.get(early).must(http.StatusBadRequest)
	eve.post(early, "code", evil.code()).must(http.StatusBadRequest)
	eve.mustBe("")
	if shown := eve.get(eve.half(ann, "/")).must(http.StatusOK); strings.Contains(shown.Body.String(), "data:image/svg") {
		t.Error("a user with a factor can add another one at the login")
	}
	mallory := w.browser()
	own := mallory.half("mallory@example.com", "/")
	m := mallory.get(own).app(w)
	mallory.post(own, "code", m.code()).must(http.StatusOK)
	foreign := owner.post("/auth/account", "change", "totp").must(http.StatusSeeOther).location()
	mallory.get(foreign).must(http.StatusBadRequest)
	mallory.post(foreign, "code", a.code()).must(http.StatusBadRequest)
}

// Codes are guessed over several half-finished logins and sessions. Five wrong ones stop
// all codes of the user, also on the confirm page (CWE-307).
func TestHardeningFactorPageBruteForce(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	owner := w.browser()
	owner.signIn(ann)
	a := owner.enrol()
	var page string
	var eve *browser
	for range 5 {
		eve = w.browser()
		page = eve.half(ann, "/")
		eve.post(page, "code", "000000").must(http.StatusBadRequest)
	}
	eve.post(page, "code", a.code()).must(http.StatusTooManyRequests).shows("Too many attempts")
	eve.post(page, "recovery_code", a.recovery[0]).must(http.StatusTooManyRequests)
	owner.post("/auth/confirm", "code", a.code(), "acr", "2").must(http.StatusTooManyRequests)
	eve.mustBe("")
	w.advance(16 * time.Minute)
	again := w.browser()
	again.post(again.half(ann, "/"), "recovery_code", a.recovery[0]).must(http.StatusSeeOther)
	again.mustBe(ann)
}

// A code, a recovery code and a finished page are sent again, by another browser that
// proved the first factor.
func TestHardeningFactorReplay(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	owner := w.browser()
	owner.signIn(ann)
	a := owner.enrol()
	b, eve := w.browser(), w.browser()
	first, second, third := b.half(ann, "/"), eve.half(ann, "/"), b.half(ann, "/")
	code := a.code()
	b.post(first, "code", code).must(http.StatusSeeOther)
	eve.post(second, "code", code).must(http.StatusBadRequest)
	b.post(first, "code", a.code()).must(http.StatusBadRequest).shows("has expired or was started in another browser")
	b.post(third, "recovery_code", a.recovery[1]).must(http.StatusSeeOther)
	eve.post(second, "recovery_code", a.recovery[1]).must(http.StatusBadRequest)
	owner.post("/auth/confirm", "recovery_code", a.recovery[1]).must(http.StatusBadRequest)
	eve.mustBe("")
}

// The users are swapped between the two steps: the address of a half-finished login is
// opened in another browser, and a code of another user is entered (CWE-384).
func TestHardeningFactorOfAnotherUser(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	owner, eve := w.browser(), w.browser()
	owner.signIn(ann)
	a := owner.enrol()
	eve.signIn("eve@example.com")
	e := eve.enrol()
	attacker := w.browser()
	page := attacker.half(ann, "/")
	attacker.post(page, "code", e.code()).must(http.StatusBadRequest)
	attacker.post(page, "recovery_code", e.recovery[0]).must(http.StatusBadRequest)
	attacker.mustBe("")
	lured := attacker.half("eve@example.com", "/") // login CSRF: the victim completes it
	victim := w.browser()
	victim.signIn("bob@example.com")
	victim.get(lured).must(http.StatusBadRequest)
	victim.post(lured, "code", e.code()).must(http.StatusBadRequest)
	victim.mustBe("bob@example.com")
	victim.post("/auth/confirm", "code", a.code()).must(http.StatusBadRequest) // has no factor
	for _, changed := range []string{page[:len(page)-1], page + "A", "/auth/factor/x"} {
		attacker.get(changed).must(http.StatusBadRequest)
	}
	w.advance(11 * time.Minute)
	attacker.get(page).must(http.StatusBadRequest)
	attacker.post(page, "code", a.code()).must(http.StatusBadRequest)
}

// The cookie of a remembered browser is moved to another browser and another user. It
// replaces the second factor of its owner at the login and proves nothing afterwards.
func TestHardeningDeviceCookie(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	owner, eve := w.browser(), w.browser()
	owner.signIn(ann)
	a := owner.enrol()
	owner.post(owner.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	eve.signIn("eve@example.com")
	eve.enrol()
	stolen := w.browser()
	stolen.cookies[deviceCookie] = owner.cookies[deviceCookie]
	stolen.half("eve@example.com", "/")
	stolen.signIn(ann)
	if claims := stolen.claims(); claims == nil || claims.ACR != "1" {
		t.Fatalf("claims = %+v, want acr 1", claims)
	}
	for _, change := range []string{"totp", "recovery", "remove-totp"} {
		if got := stolen.post("/auth/account", "change", change).must(http.StatusSeeOther).location(); !strings.HasPrefix(got, "/auth/confirm?acr=2") {
			t.Errorf("%s leads to %q, want the second factor", change, got)
		}
	}
	owner.post("/auth/logout", "everywhere", "1").must(http.StatusSeeOther)
	stolen.half(ann, "/")
	for _, value := range []string{"x", strings.Repeat("A", 3000), stolen.cookies[cookie]} {
		stolen.cookies[deviceCookie] = value
		stolen.half(ann, "/")
	}
}

// A sub-domain sets cookies with the name of the device cookie, which browsers send first
// (RFC 6265, section 8.6). The browser is remembered all the same. A cookie of another user
// or of a damaged record replaces no factor and prevents no login.
func TestHardeningTossedDeviceCookies(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	remembered := func(email string) string {
		b := w.browser()
		b.signIn(email)
		a := b.enrol()
		b.post(b.half(email, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
		return b.cookies[deviceCookie]
	}
	genuine, other, damaged := remembered(ann), remembered("eve@example.com"), "a-damaged-record"
	record := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "device", Key: authcore.DigestOf("device", damaged).String()},
		Created:   w.realm.Now(), Expires: w.realm.Now().Add(time.Hour), Data: []byte("{"),
	}
	if err := w.store.PutRecord(t.Context(), record, authcore.PutOptions{Now: w.realm.Now()}); err != nil {
		t.Fatalf("PutRecord() = %v", err)
	}
	for _, test := range []struct {
		devices []string
		want    string // the beginning of the path after the login
	}{
		{[]string{genuine}, "/"},
		{[]string{"x", genuine}, "/"},
		{[]string{other, "", strings.Repeat("A", 3000), damaged, genuine}, "/"},
		{[]string{genuine, other}, "/"},
		{[]string{other}, "/auth/factor"},
		{[]string{damaged}, "/auth/factor"},
	} {
		b := w.browser()
		b.ask(ann, "/")
		cookies := "__Host-edgeauth-login=" + b.cookies["__Host-edgeauth-login"]
		for _, device := range test.devices {
			cookies += "; " + deviceCookie + "=" + device
		}
		got := b.send(http.MethodPost, w.mails.path(), nil, "Cookie", cookies).must(http.StatusSeeOther).location()
		if !strings.HasPrefix(got, test.want) || test.want == "/" && got != "/" {
			t.Errorf("a login with the device cookies %.60q leads to %q, want %q", test.devices, got, test.want)
		}
		w.advance(time.Minute)
	}
}

// A page of another site sends the forms of the second factor (CWE-352).
func TestHardeningCrossSiteFactor(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional))
	b := w.browser()
	b.signIn(ann)
	a := b.enrol()
	pending := b.post("/auth/account", "change", "totp").must(http.StatusSeeOther).location()
	half := b.half(ann, "/")
	form := url.Values{"code": {a.code()}, "change": {"remove-totp"}, "remember": {"1"}, "acr": {"2"}}
	for _, path := range []string{half, pending, "/auth/confirm", "/auth/account"} {
		b.send(http.MethodPost, path, form, "Sec-Fetch-Site", "cross-site").must(http.StatusForbidden)
		b.send(http.MethodPost, path, form, "Sec-Fetch-Site", "", "Origin", "https://evil.example").must(http.StatusForbidden)
		b.send(http.MethodHead, path, nil)
	}
	b.get("/auth/account").must(http.StatusOK).shows("Unused recovery codes: 10")
	b.post(half, "code", a.again()).must(http.StatusSeeOther) // was not used up
}

// An attacker with one factor adds a passkey, which counts as two, or links a login.
func TestHardeningPasskeyWithOneFactor(t *testing.T) {
	w := newWorld(t, withPasskeys, withFactors(account.SecondFactorOptional))
	w.provider.profile = authcore.Profile{Subject: "eve", Email: "eve@example.com", EmailVerified: true}
	owner := w.browser()
	owner.signIn(ann)
	a := owner.enrol()
	owner.post(owner.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	fresh := w.browser()
	fresh.signIn("eve@example.com")
	credential, err := authenticator.New(origin).Create(fresh.get("/auth/account").passkeyOptions())
	if err != nil {
		t.Fatal(err)
	}
	weak := w.browser()
	weak.cookies[deviceCookie] = owner.cookies[deviceCookie]
	weak.signIn(ann)
	weak.get("/auth/account").must(http.StatusOK).hides("data-options").shows("/auth/confirm?acr=2")
	weak.post("/auth/account", "change", "add-passkey", "credential", string(credential)).must(http.StatusBadRequest)
	if got := weak.post("/auth/account", "change", "link", "provider", "github").must(http.StatusSeeOther).location(); !strings.HasPrefix(got, "/auth/confirm?acr=2") {
		t.Errorf("linking with one factor leads to %q, want the second factor", got)
	}
}

// A session with one factor creates an API key, which outlives it.
func TestHardeningKeyWithOneFactor(t *testing.T) {
	w := newWorld(t, withFactors(account.SecondFactorOptional), func(_ *pages.Options, c *realm.Config) { c.APIKeys = apikey.Users })
	b := w.browser()
	b.signIn(ann)
	a := b.enrol()
	b.post(b.half(ann, "/"), "code", a.code(), "remember", "1").must(http.StatusSeeOther)
	b.signIn(ann)
	const want = "/auth/confirm?acr=2&return_to=%2Fauth%2Faccount%2Fkeys"
	b.get("/auth/account/keys").must(http.StatusOK).shows(strings.ReplaceAll(want, "&", "&amp;")).hides(`name="lifetime"`)
	if got := b.post("/auth/account/keys", "change", "create", "name", "ci", "lifetime", "90").must(http.StatusSeeOther).location(); got != want {
		t.Errorf("a new key with one factor leads to %q, want %q", got, want)
	}
	if got := b.post("/auth/confirm", "code", a.code(), "acr", "2", "return_to", "/auth/account/keys").must(http.StatusSeeOther).location(); got != "/auth/account/keys" {
		t.Errorf("the code leads to %q, want the keys", got)
	}
	b.get("/auth/account/keys").must(http.StatusOK).shows(`name="lifetime"`)
}
