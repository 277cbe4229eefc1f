package pages_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/pages"
)

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
