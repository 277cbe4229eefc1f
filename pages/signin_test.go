package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
)

func TestSignInByLink(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/auth/?return_to=/deep%3Fa%3D1").must(http.StatusOK).shows("Sign in to Example", `value="/deep?a=1"`, "Continue with GitHub")
	sent := b.ask(ann, "/deep?a=1")
	b.get(sent).must(http.StatusOK).shows(ann, "Check your mail")
	link := w.mails.path()
	for range 3 { // scanners
		w.browser().get(link).must(http.StatusOK)
		w.browser().send(http.MethodHead, link, nil).must(http.StatusOK)
	}
	b.get(link).must(http.StatusOK).shows(ann, "Firefox, Linux", "192.0.2.0/24", "2026-01-02 03:04 UTC").hides(w.mails.last().Code)
	done := b.post(link).must(http.StatusSeeOther)
	if got, want := done.location(), "/deep?a=1"; got != want {
		t.Errorf("the link leads to %q, want %q", got, want)
	}
	b.mustBe(ann)
	set := strings.Join(done.Header().Values("Set-Cookie"), "\n")
	for _, want := range []string{cookie + "=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=1209600"} {
		if !strings.Contains(set, want) {
			t.Errorf("Set-Cookie = %q, want it to contain %q", set, want)
		}
	}
	if strings.Contains(set, "Domain") {
		t.Errorf("Set-Cookie = %q, want no Domain", set)
	}
	w.advance(11 * time.Second)
	w.browser().post(link).must(http.StatusBadRequest).shows("used already")
}

func TestSignInByLinkInAnotherBrowser(t *testing.T) {
	w := newWorld(t)
	first, second := w.browser(), w.browser()
	sent := first.ask(ann, "/deep")
	code := w.mails.last().Code
	second.get(w.mails.path()).must(http.StatusOK).shows(code, "enter this code there", "Sign in in this browser")
	first.post(sent, "code", "000 000x").must(http.StatusBadRequest).shows("six digits")
	first.post(sent, "code", wrong(code)).must(http.StatusBadRequest).shows("not correct")
	done := first.post(sent, "code", code).must(http.StatusSeeOther)
	if got, want := done.location(), "/deep"; got != want {
		t.Errorf("the code leads to %q, want %q", got, want)
	}
	first.mustBe(ann)
	second.mustBe("")
}

func wrong(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

func TestSendAgain(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	sent := b.ask(ann, "/deep")
	again := b.post(sent, "again", "1").must(http.StatusSeeOther).location()
	if again == sent || w.mails.count() != 2 {
		t.Errorf("another mail: %d mails, page %s", w.mails.count(), again)
	}
	if got := b.post(again, "code", w.mails.last().Code).must(http.StatusSeeOther).location(); got != "/deep" {
		t.Errorf("the code leads to %q, want /deep", got)
	}
}

func TestInvalidAddress(t *testing.T) {
	w := newWorld(t)
	for _, email := range []string{"", "ann", "ann@", "a@b@c.example", "<script>@example.com"} {
		w.browser().post("/auth/", "email", email, "return_to", "/deep").must(http.StatusBadRequest).
			shows("Enter a valid e-mail address.", `value="/deep"`, `role="alert"`).hides("<script>")
	}
	if w.mails.count() != 0 {
		t.Errorf("%d mails were sent, want none", w.mails.count())
	}
}

func TestSignInThroughProvider(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "1", Email: ann, EmailVerified: true}
	b := w.browser()
	begun := b.post("/auth/", "provider", "github", "return_to", "/deep").must(http.StatusSeeOther).location()
	target, err := url.Parse(begun)
	if err != nil || target.Host != "provider.example" {
		t.Fatalf("the browser goes to %s", begun)
	}
	if got, want := target.Query().Get("redirect_uri"), address+"/callback/github"; got != want {
		t.Errorf("redirect_uri = %q, want %q", got, want)
	}
	state := url.QueryEscape(target.Query().Get("state"))
	b.get("/auth/callback/github?code=bad&state=" + state).must(http.StatusBadRequest).shows("did not confirm")
	b.get("/auth/callback/github?error=access_denied&state=" + state).must(http.StatusBadRequest).shows("did not confirm")
	done := b.get("/auth/callback/github?code=good&state=" + state).must(http.StatusSeeOther)
	if got, want := done.location(), "/deep"; got != want {
		t.Errorf("the callback leads to %q, want %q", got, want)
	}
	b.mustBe(ann)
	if policy := b.get("/auth/").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://provider.example;") {
		t.Errorf("Content-Security-Policy = %q, want the provider in form-action", policy)
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	token := b.cookies[cookie]
	b.get("/auth/logout").must(http.StatusOK).shows("Sign out of Example?", ann)
	b.mustBe(ann)
	answer := b.post("/auth/logout").must(http.StatusSeeOther)
	if got := answer.Header().Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("Clear-Site-Data = %q, want the cache, which contains pages of the user", got)
	}
	b.get(answer.location()).must(http.StatusOK).shows("You are signed out")
	if _, kept := b.cookies[cookie]; kept {
		t.Error("the browser keeps the cookie")
	}
	b.cookies[cookie] = token
	b.mustBe("")
}

func TestRenew(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	first := b.cookies[cookie]
	renew := func() {
		t.Helper()
		if got := b.get("/auth/renew?return_to=/deep").must(http.StatusSeeOther).location(); got != "/deep" {
			t.Errorf("renew leads to %q, want /deep", got)
		}
		if b.cookies["__Host-edgeauth-renewed"] == "" {
			t.Error("renew sets no cookie that ends a loop")
		}
	}
	renew()
	if b.claims().ExpiresAt != w.expiry(first) {
		t.Error("a fresh token was replaced")
	}
	w.advance(8 * 24 * time.Hour)
	renew()
	second := b.claims()
	if second == nil || second.ExpiresAt <= w.expiry(first) {
		t.Fatalf("claims after the renewal = %+v, want a later expiry", second)
	}
	w.advance(time.Hour)
	b.cookies[cookie] = first // another tab, or a lost answer
	renew()
	if got := b.claims(); got == nil || got.ID != second.ID {
		t.Errorf("claims after a renewal with the former token = %+v, want those of the newest", got)
	}
	delete(b.cookies, cookie)
	renew()
	w.store.down.Store(true)
	b.cookies[cookie] = first
	renew()
}

func (w *world) expiry(token string) int64 {
	w.t.Helper()
	claims, err := w.realm.Authenticate([]string{"Token " + token})
	if err != nil {
		w.t.Fatal(err)
	}
	return claims.ExpiresAt
}

func TestConfirm(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if got, want := b.get("/auth/confirm?return_to=/admin").must(http.StatusSeeOther).location(), "/auth/?return_to=%2Fadmin"; got != want {
		t.Errorf("confirm without a session leads to %q, want %q", got, want)
	}
	b.signIn(ann)
	first := b.claims()
	w.advance(time.Hour)
	b.get("/auth/confirm?return_to=/admin").must(http.StatusOK).shows("Confirm that it is you", ann).hides(`type="email"`)
	sent := b.post("/auth/confirm", "return_to", "/admin", "email", "eve@example.com").must(http.StatusSeeOther).location()
	if got := w.mails.last().To; got != ann {
		t.Errorf("the mail goes to %s, want %s", got, ann)
	}
	if got := b.post(sent, "code", w.mails.last().Code).must(http.StatusSeeOther).location(); got != "/admin" {
		t.Errorf("the code leads to %q, want /admin", got)
	}
	if second := b.claims(); second == nil || second.AuthTime <= first.AuthTime || second.Session == first.Session {
		t.Errorf("claims = %+v, want a new session", second)
	}
	sessions, err := w.realm.Sessions.List(t.Context(), b.claims())
	if err != nil || len(sessions) != 1 {
		t.Errorf("Sessions = %v, %v, want the former one to have ended", sessions, err)
	}
}

func TestSingleSignOn(t *testing.T) {
	const other = "https://wiki.example.com"
	w := newWorld(t, func(o *pages.Options, _ *realm.Config) { o.Sites = []string{other + "/auth"} })
	wiki, err := pages.New(pages.Options{Realm: w.realm, Origin: other, ClientKey: clientKey, SignInAt: address})
	if err != nil {
		t.Fatal(err)
	}
	a, b := w.browser(), w.browser()
	b.handler = wiki
	away := b.get("/auth/?return_to=/page%3Fq%3D1").must(http.StatusSeeOther).location()
	sso, found := strings.CutPrefix(away, origin)
	if !found {
		t.Fatalf("the browser goes to %s", away)
	}
	ask := a.get(sso).must(http.StatusSeeOther).location()
	if policy := a.get(ask).must(http.StatusOK).Header().Get("Content-Security-Policy"); !strings.Contains(policy, " "+other+";") {
		t.Errorf("Content-Security-Policy = %q, want the other site in form-action", policy)
	}
	back, err := url.Parse(ask)
	if err != nil {
		t.Fatal(err)
	}
	a.ask(ann, back.Query().Get("return_to"))
	if got := a.post(w.mails.path()).must(http.StatusSeeOther).location(); got != sso {
		t.Fatalf("after the sign-in the browser goes to %s, want %s", got, sso)
	}
	handoff := func() string {
		t.Helper()
		target := a.get(sso).must(http.StatusSeeOther).location()
		path, found := strings.CutPrefix(target, other)
		if !found {
			t.Fatalf("the handoff goes to %s", target)
		}
		return path
	}
	first := handoff()
	if got, want := b.get(first).must(http.StatusSeeOther).location(), "/page?q=1"; got != want {
		t.Errorf("the handoff leads to %q, want %q", got, want)
	}
	b.mustBe(ann)
	b.get(first).must(http.StatusBadRequest)
	victim := &browser{w: w, handler: wiki, cookies: map[string]string{}}
	victim.get(handoff()).must(http.StatusBadRequest)
	victim.mustBe("")
	late := handoff()
	w.advance(61 * time.Second)
	b.get(late).must(http.StatusBadRequest)
	for _, query := range []string{
		"?site=https://evil.example/auth", "?site=" + other, strings.Replace(sso, "return_to=%2F", "return_to=%2F%2F", 1)[len("/auth/sso"):],
	} {
		a.get("/auth/sso" + query).must(http.StatusNotFound)
	}
	a.post("/auth/logout").must(http.StatusSeeOther)
	b.mustBe("")
}

// Every return address fits into the address of the page that takes the code.
func TestLongReturnAddresses(t *testing.T) {
	w := newWorld(t)
	for _, part := range []string{"a", "&", "<", `"`, "'", "%3C", "=+"} {
		target := "/x?" + strings.Repeat(part, 2000/len(part))
		b := w.browser()
		sent := b.ask(ann, target)
		if len(sent) > 6<<10 {
			t.Errorf("the address of the page has %d bytes, want at most 6 kB", len(sent))
		}
		b.get(sent).must(http.StatusOK)
		if got := b.post(sent, "code", w.mails.last().Code).must(http.StatusSeeOther).location(); got != target {
			t.Errorf("the code leads to %.40s, want %.40s", got, target)
		}
		b = w.browser()
		b.ask(ann, target)
		if got := b.post(w.mails.path()).must(http.StatusSeeOther).location(); got != target {
			t.Errorf("the link leads to %.40s, want %.40s", got, target)
		}
		w.advance(time.Hour)
	}
}

// A sign-in at another site ends at the site also if the return address is too long to
// be kept on the way.
func TestSingleSignOnWithLongAddresses(t *testing.T) {
	const other = "https://wiki.example.com"
	w := newWorld(t, func(o *pages.Options, _ *realm.Config) { o.Sites = []string{other + "/auth"} })
	wiki, err := pages.New(pages.Options{Realm: w.realm, Origin: other, ClientKey: clientKey, SignInAt: address})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ asked, want string }{
		{"/x?" + strings.Repeat("a", 1500), "/x?" + strings.Repeat("a", 1500)},
		{"/x?" + strings.Repeat("a", 2000), "/"},
		{"/x?" + strings.Repeat("%20", 500), "/"},
		{"/x?" + strings.Repeat("a=b&", 400), "/"},
	} {
		a, b := w.browser(), w.browser()
		b.handler = wiki
		away := b.get("/auth/?return_to=" + url.QueryEscape(test.asked)).must(http.StatusSeeOther).location()
		sso := strings.TrimPrefix(away, origin)
		ask, err := url.Parse(a.get(sso).must(http.StatusSeeOther).location())
		if err != nil {
			t.Fatal(err)
		}
		a.ask(ann, ask.Query().Get("return_to"))
		next := a.post(w.mails.path()).must(http.StatusSeeOther).location()
		if !strings.HasPrefix(next, "/auth/sso?") {
			t.Errorf("after the sign-in for %.20s (%d bytes) the browser goes to %.80s, want /auth/sso", test.asked, len(test.asked), next)
			continue
		}
		handoff := strings.TrimPrefix(a.get(next).must(http.StatusSeeOther).location(), other)
		if got := b.get(handoff).must(http.StatusSeeOther).location(); got != test.want {
			t.Errorf("the handoff for %.20s (%d bytes) leads to %.80q, want %.80q", test.asked, len(test.asked), got, test.want)
		}
	}
}
