package pages_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestAccountNeedsASession(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/auth/account", "/auth/account/export", "/auth/account/delete", "/auth/account/email/x"} {
		if got, want := w.browser().get(path).must(http.StatusSeeOther).location(), "/auth/?return_to=%2Fauth%2Faccount"; got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
}

func TestAccountName(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	done := b.post("/auth/account", "change", "name", "first_name", `Ann "A"`, "last_name", "<b>").must(http.StatusSeeOther).location()
	b.get(done).must(http.StatusOK).shows(`value="Ann &#34;A&#34;"`, `value="&lt;b&gt;"`, "The changes were saved.").hides("<b>")
	b.post("/auth/account", "change", "unknown").must(http.StatusBadRequest)
}

func TestAccountSessions(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.browser(), w.browser(), w.browser()
	for _, one := range []*browser{a, b, c} {
		one.signIn(ann)
	}
	page := a.get("/auth/account").must(http.StatusOK).shows("Firefox, Linux", "This browser", "192.0.2.0/24", "Sign out everywhere else")
	id := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`).FindStringSubmatch(page.Body.String())
	if id == nil {
		t.Fatalf("the page shows no session to end:\n%s", page.Body)
	}
	for range 2 {
		a.post("/auth/account", "change", "session", "id", id[1]).must(http.StatusSeeOther)
	}
	if b.claims() != nil && c.claims() != nil {
		t.Error("no session has ended")
	}
	a.post("/auth/account", "change", "others").must(http.StatusSeeOther)
	a.mustBe(ann)
	b.mustBe("")
	c.mustBe("")
}

func TestAccountLogins(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "1", Email: "other@example.com", EmailVerified: true}
	b := w.browser()
	b.signIn(ann)
	b.get("/auth/account").shows("Add GitHub")
	begun, err := url.Parse(b.post("/auth/account", "change", "link", "provider", "github").must(http.StatusSeeOther).location())
	if err != nil {
		t.Fatal(err)
	}
	done := b.get("/auth/callback/github?code=good&state=" + url.QueryEscape(begun.Query().Get("state"))).must(http.StatusSeeOther).location()
	page := b.get(done).must(http.StatusOK).shows("Remove GitHub", "other@example.com").hides("Add GitHub")
	b.mustBe(ann)
	id := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`).FindStringSubmatch(page.Body.String())
	b.post("/auth/account", "change", "unlink", "id", id[1]).must(http.StatusSeeOther)
	b.post("/auth/account", "change", "unlink", "id", id[1]).must(http.StatusNotFound)
	b.get("/auth/account").hides("Remove GitHub")
	w.advance(time.Hour)
	if got, want := b.post("/auth/account", "change", "link", "provider", "github").must(http.StatusSeeOther).location(), "/auth/confirm?return_to=%2Fauth%2Faccount"; got != want {
		t.Errorf("an old login leads to %q, want %q", got, want)
	}
}

func TestAccountAddress(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	b.post("/auth/account", "change", "email", "email", "nonsense").must(http.StatusBadRequest).shows("valid e-mail address")
	page := b.post("/auth/account", "change", "email", "email", "new@example.com").must(http.StatusSeeOther).location()
	code := w.mails.last().Code
	b.get(page).must(http.StatusOK).shows("new@example.com")
	b.post(page, "code", "x").must(http.StatusBadRequest).shows("six digits")
	b.post(page, "code", wrong(code)).must(http.StatusBadRequest).shows("not correct")
	other := w.browser()
	other.signIn("eve@example.com")
	other.get(page).must(http.StatusBadRequest)
	b.get(b.post(page, "code", code).must(http.StatusSeeOther).location()).shows("The e-mail address was changed.")
	b.mustBe("new@example.com")
}

func TestAccountExport(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	answer := b.get("/auth/account/export").must(http.StatusOK)
	if got, want := answer.Header().Get("Content-Disposition"), `attachment; filename="my-data.json"`; got != want {
		t.Errorf("Content-Disposition = %q, want %q", got, want)
	}
	var export struct {
		User struct{ Email string }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &export); err != nil || export.User.Email != ann {
		t.Errorf("the export is %s, %v", answer.Body, err)
	}
}

func TestAccountDelete(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	token := b.cookies[cookie]
	b.get("/auth/account/delete").must(http.StatusOK).shows("It cannot be undone.")
	b.post("/auth/account/delete").must(http.StatusOK)
	b.mustBe(ann)
	w.advance(time.Hour)
	if got, want := b.get("/auth/account/delete").must(http.StatusSeeOther).location(), "/auth/confirm?return_to=%2Fauth%2Faccount"; got != want {
		t.Errorf("an old login leads to %q, want %q", got, want)
	}
	w.advance(-time.Hour)
	b.get(b.post("/auth/account/delete", "confirm", "1").must(http.StatusSeeOther).location()).must(http.StatusOK).shows("Your account was deleted")
	b.cookies[cookie] = token
	b.mustBe("")
}

// Times, addresses and names keep their order in a text from right to left.
func TestValuesAreIsolatedInRightToLeftTexts(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	for lang, want := range map[string]string{"ar": "\u2068" + ann + "\u2069", "en": "as " + ann + "."} {
		b.get("/auth/logout", "Accept-Language", lang).must(http.StatusOK).shows(want)
	}
	b.get("/auth/account", "Accept-Language", "ar").must(http.StatusOK).shows("\u20682026-01-02 03:04 UTC\u2069")
	b.get("/auth/", "Accept-Language", "ar").must(http.StatusOK).shows("\u2068Example\u2069")
	if got := b.get("/auth/account", "Accept-Language", "de").Body.String(); strings.ContainsRune(got, '\u2068') {
		t.Error("the German page contains isolates, want none")
	}
}
