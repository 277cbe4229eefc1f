package pages_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
)

func withKeys(_ *pages.Options, c *realm.Config) { c.APIKeys = apikey.Users }

var (
	secretOnPage = regexp.MustCompile(`<code>(eak_[^<]+)</code>`)
	idOnPage     = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

// keyMethod returns the method of an accepted key, or "".
func (w *world) keyMethod(secret string) string {
	claims := w.realm.Decide(&gate.Site{Credentials: gate.Credentials{Keys: gate.KeysOn}}, gate.Request{
		Method: http.MethodGet, Header: gate.Header{"Authorization": {"Bearer " + secret}}, Now: w.realm.Now(),
	}).Claims
	if claims == nil {
		return ""
	}
	return claims.Method
}

func TestKeysPage(t *testing.T) {
	w := newWorld(t, withKeys)
	b := w.browser()
	b.get("/auth/account/keys").must(http.StatusSeeOther)
	b.signIn(ann)
	user := b.claims().Subject
	if _, err := w.realm.Accounts.SetRoles(t.Context(), user, []string{"admin", "deploy"}); err != nil {
		t.Fatalf("SetRoles() failed: %v", err)
	}
	b.get("/auth/account").shows(`href="/auth/account/keys"`)
	b.get("/auth/account/keys").must(http.StatusOK).
		shows(`value="admin"`, `value="deploy"`, `<option value="90" selected>90 days`).hides(`name="id"`)

	made := b.post("/auth/account/keys", "change", "create", "name", "ci", "role", "deploy", "lifetime", "30").must(http.StatusOK)
	found := secretOnPage.FindStringSubmatch(made.Body.String())
	if found == nil {
		t.Fatalf("the page has no key:\n%s", made.Body)
	}
	if got := w.keyMethod(found[1]); got != gate.MethodKey {
		t.Errorf("method of the new key = %q, want %q", got, gate.MethodKey)
	}
	if got := made.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q, want no-store", got)
	}
	list := b.get("/auth/account/keys").must(http.StatusOK).
		shows("<bdi>ci</bdi>", "Roles: <bdi>deploy</bdi>", "Valid until 2026-02-01").hides(found[1])
	id := idOnPage.FindStringSubmatch(list.Body.String())[1]
	location := b.post("/auth/account/keys", "change", "remove", "id", id).must(http.StatusSeeOther).location()
	b.get(location).must(http.StatusOK).shows("The key was removed.").hides("<bdi>ci</bdi>")
	if got := w.keyMethod(found[1]); got != "" {
		t.Errorf("method of the removed key = %q, want it to be refused", got)
	}
	b.post("/auth/account/keys", "change", "remove", "id", id).must(http.StatusNotFound)
}

func TestKeysPageFaults(t *testing.T) {
	w := newWorld(t, withKeys)
	b := w.browser()
	b.signIn(ann)
	create := func(fields ...string) reply {
		return b.post("/auth/account/keys", append([]string{"change", "create"}, fields...)...)
	}
	create("name", " ", "lifetime", "30").must(http.StatusBadRequest).shows("Enter a name of up to 100 characters")
	create("name", strings.Repeat("x", 101), "lifetime", "30").must(http.StatusBadRequest).shows(strings.Repeat("x", 101))
	create("name", "ci", "lifetime", "31").must(http.StatusBadRequest).shows(`value="ci"`)
	create("name", "ci", "lifetime", "30", "role", "admin").must(http.StatusBadRequest)
	b.post("/auth/account/keys", "change", "other").must(http.StatusBadRequest)
	for day := range 2 {
		for i := range 25 {
			create("name", fmt.Sprint("key ", day, i), "lifetime", "7").must(http.StatusOK)
		}
		w.advance(25 * time.Hour)
		b.signIn(ann)
	}
	create("name", "one more", "lifetime", "7").must(http.StatusConflict).shows("You have 50 keys.")
}

// Without the option, and for keys of operators, the page has less.
func TestKeysPageOfOtherRealms(t *testing.T) {
	for use, want := range map[apikey.Use]int{apikey.Off: http.StatusNotFound, apikey.Operators: http.StatusOK} {
		w := newWorld(t, func(_ *pages.Options, c *realm.Config) { c.APIKeys = use })
		b := w.browser()
		b.signIn(ann)
		b.get("/auth/account/keys").must(want).hides("Create a key")
		account := b.get("/auth/account").must(http.StatusOK)
		if got := strings.Contains(account.Body.String(), "/account/keys"); got != (want == http.StatusOK) {
			t.Errorf("the account page of a realm with keys %q leads to keys: %t", use, got)
		}
		if use == apikey.Operators {
			b.post("/auth/account/keys", "change", "create", "name", "ci", "lifetime", "7").must(http.StatusForbidden)
		}
	}
}

// An attacker with a session cookie of an old login creates a key, which would outlive the
// session (CWE-613), or removes a key of another user (CWE-639).
func TestHardeningKeysPage(t *testing.T) {
	w := newWorld(t, withKeys)
	b, eve := w.browser(), w.browser()
	b.signIn(ann)
	b.post("/auth/account/keys", "change", "create", "name", "ci", "lifetime", "30").must(http.StatusOK)
	id := idOnPage.FindStringSubmatch(b.get("/auth/account/keys").Body.String())[1]
	eve.signIn("eve@example.com")
	eve.post("/auth/account/keys", "change", "remove", "id", id).must(http.StatusNotFound)
	w.advance(16 * time.Minute)
	b.get("/auth/account/keys").must(http.StatusOK).shows("<bdi>ci</bdi>", `href="/auth/confirm?return_to=%2Fauth%2Faccount%2Fkeys"`).hides(`name="lifetime"`)
	location := b.post("/auth/account/keys", "change", "create", "name", "other", "lifetime", "30").must(http.StatusSeeOther).location()
	if location != "/auth/confirm?return_to=%2Fauth%2Faccount%2Fkeys" {
		t.Errorf("an old login leads to %s, want the confirmation", location)
	}
	b.send(http.MethodPost, "/auth/account/keys", nil, "Sec-Fetch-Site", "cross-site").must(http.StatusForbidden)
}
