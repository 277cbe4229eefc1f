package e2e

import (
	"crypto/hmac"
	"crypto/sha1" // the hash of RFC 6238
	"encoding/base32"
	endian "encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
)

// oneTimeCode returns a code of an authenticator application (RFC 6238), some steps after
// the present one.
func oneTimeCode(t *testing.T, key string, steps int64) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	mac := hmac.New(sha1.New, secret)
	_ = endian.Write(mac, endian.BigEndian, time.Now().Unix()/30+steps) // a hash does not fail
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (endian.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1_000_000)
}

// TestSecondFactorPages adds an application because a page requires one, signs in with it,
// and examines the pages with axe-core. None but that of the recovery codes contains a
// script.
func TestSecondFactorPages(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	browser := startBrowser(t)
	s := newPageSite(t, "second_factor optional", "remember_device 30d")
	page := openTab(t, browser, "about:blank")
	const email, strict = "ann@example.com", "/strict?a=1"
	enter := func(path string) {
		t.Helper()
		link, _ := s.ask(t, page, path, email)
		page.visit(link)
		page.submit("main form button")
	}

	enter(strict)
	page.examine(script, "confirm-add")
	page.submit("button[value=totp]")
	page.examine(script, "app")
	key := page.text("p.key")
	s.secrets.Add("key", key)
	wrongCode := func() {
		page.write("#code", "x")
		page.submit("main form button")
	}
	page.examineAfter(script, "app-error", wrongCode)
	page.write("#code", oneTimeCode(t, key, 0))
	page.submit("main form button")
	recovery := page.text(".codes li")
	s.secrets.Add("recovery code", recovery)
	if shown, err := page.Eval(`() => document.querySelector("[data-print]").hidden === false && document.querySelectorAll(".codes li").length === 10 && document.querySelector("a[download]").href.startsWith("data:text/plain")`); err != nil || !shown.Value.Bool() {
		t.Errorf("the page of the recovery codes shows no ten codes, button and file: %v, %v", shown, err)
	}
	page.submit(".links .button")
	page.mustBe(email, strict)

	signOut := func() {
		t.Helper()
		page.visit(s.URL + "/auth/logout")
		page.submit("main form button")
	}
	signOut()
	enter("/deep")
	page.examine(script, "factor")
	page.examineAfter(script, "factor-error", wrongCode)
	page.click("input[name=remember]")
	page.write("#code", oneTimeCode(t, key, 1))
	page.submit("main form button")
	page.mustBe(email, "/deep")

	signOut()
	enter("/deep") // the browser is remembered
	page.mustBe(email, "/deep")
	page.visit(s.URL + strict)
	page.text("#code")
	page.examine(script, "confirm-code")
	page.click("summary")
	page.write("#recovery_code", recovery)
	page.submit("details button")
	page.mustBe(email, strict)
	page.visit(s.URL + "/auth/account")
	page.text("button[value=remove-totp]")
	page.examine(script, "account-factors")
	for _, l := range looks { // the page of the recovery codes contains a script
		page.wear(l)
		page.visit(s.URL + "/auth/account")
		page.submit("button[value=recovery]")
		page.text(".codes li")
		page.examineLook(script, "codes", l)
	}
	page.visit(s.URL + "/auth/account")
	page.submit("li button[value=forget-device]")
	page.submit("button[value=remove-totp]")
	page.text("button[value=totp]")
}
