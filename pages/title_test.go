package pages_test

import (
	"net/http"
	"strings"
	"testing"
)

// The title of each page in a tab contains the name of the site once.
func TestTitleNamesTheSiteOnce(t *testing.T) {
	w := newWorld(t)
	guest, user := w.browser(), w.browser()
	sent := guest.ask("bob@example.com", "/")
	link := w.mails.path()
	user.signIn(ann)
	for _, language := range []string{"en", "de", "ar", "ja"} {
		for path, test := range map[string]struct {
			browser *browser
			status  int
		}{
			"/auth/":               {guest, http.StatusOK},
			sent:                   {guest, http.StatusOK},
			link:                   {guest, http.StatusOK},
			"/auth/link/x":         {guest, http.StatusBadRequest},
			"/auth/account":        {user, http.StatusOK},
			"/auth/account/delete": {user, http.StatusOK},
			"/auth/logout":         {user, http.StatusOK},
			"/auth/signed-out":     {guest, http.StatusOK},
		} {
			page := test.browser.get(path, "Accept-Language", language).must(test.status).Body.String()
			_, rest, _ := strings.Cut(page, "<title>")
			title, _, found := strings.Cut(rest, "</title>")
			if n := strings.Count(title, "Example"); !found || n != 1 {
				t.Errorf("the title of %s in %s is %q with the name of the site %d times, want once", path, language, title, n)
			}
		}
	}
}
