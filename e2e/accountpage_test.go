package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/go-rod/rod"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// codeLine matches the code in the text of a mail.
var codeLine = regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`)

// TestAccountPage changes, exports and deletes accounts in Chromium, with and without
// JavaScript.
func TestAccountPage(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t)
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) { useAccountPage(t, browser, s, scripts) })
	}
}

func useAccountPage(t *testing.T, browser *rod.Browser, s *pageSite, scripts bool) {
	t.Helper()
	host := map[bool]string{true: "@scripts.example.com", false: "@plain.example.com"}[scripts]
	old, fresh := "ann"+host, "anna"+host
	s.secrets.Add("e-mail address", fresh)
	page, other := openDOMTab(t, browser, scripts), openDOMTab(t, browser, scripts)
	page.signIn(s, old)
	other.signIn(s, old)

	page.visit(s.URL + "/auth/account")
	page.write("#first_name", "Ann")
	page.submit("#last_name ~ button")
	page.await("[role=status]")
	if got := page.attribute("#first_name", "value"); got != "Ann" {
		t.Errorf("the account shows the first name %q, want Ann", got)
	}
	page.submit("button[value=others]")
	wait.Until(t, pageLimit, "the end of the other session", func() bool {
		other.visit(s.URL + "/deep")
		return other.find("#email") != 0
	})
	page.useLogins(s, host)
	page.changeAddress(s, old, fresh)
	page.exportData(s, fresh)

	// The account is deleted only after the box was ticked. Another browser then holds the
	// cookie of a deleted user.
	other.signIn(s, fresh)
	page.visit(s.URL + "/auth/account")
	page.submit(`a[href$="/account/delete"]`)
	page.click("button.danger")
	if page.find("input[name=confirm]") == 0 {
		t.Error("the account was deleted without a confirmation")
	}
	page.click("input[name=confirm]")
	page.submit("button.danger")
	page.await("main.deleted")
	for _, browser := range []*domTab{page, other} {
		browser.visit(s.URL + "/deep")
		browser.await("#email")
	}
	page.signIn(s, fresh)
	page.visit(s.URL + "/auth/account")
	if got := page.attribute("#first_name", "value"); got != "" {
		t.Errorf("the new account shows the first name %q, want none", got)
	}
}

// useLogins adds an account of a provider, and removes it.
func (p *domTab) useLogins(s *pageSite, host string) {
	p.t.Helper()
	s.secrets.Add("e-mail address", "other"+host)
	s.idp.SignIn(openid.Person{Subject: "other" + host, Email: "other" + host, EmailVerified: true})
	p.submit("button[value=link]")
	p.await("button[value=unlink]")
	p.submit("button[value=unlink]")
	p.await("button[value=link]")
	if p.find("button[value=unlink]") != 0 {
		p.t.Error("the account of the provider is still there")
	}
}

// changeAddress takes the codes of the mails to both addresses. The session began at a
// provider, so the mail to the current address has to be proven, too.
func (p *domTab) changeAddress(s *pageSite, old, fresh string) {
	p.t.Helper()
	p.write("#email", fresh)
	p.submit("button[value=email]")
	code := s.mails.Nth(p.t, fresh, 1).Parts(p.t).Code(p.t)
	var codes []string
	wait.Until(p.t, pageLimit, "the mail with a code to the current address", func() bool {
		codes = nil
		for _, mail := range s.mails.Mails(old) {
			if found := codeLine.FindStringSubmatch(mail.Parts(p.t).Text); found != nil {
				codes = append(codes, found[1])
			}
		}
		return len(codes) == 3 // two are of logins
	})
	current := codes[2]
	s.secrets.Add("code", code)
	s.secrets.Add("code", current)
	for _, typed := range []string{code, current} { // of the other address
		p.write("#code", current)
		p.write("#current_code", typed)
		p.submit("main form button")
		p.await("[role=alert]")
	}
	p.write("#code", code)
	p.write("#current_code", current)
	p.submit("main form button")
	p.await("[role=status]")
	s.mails.Nth(p.t, old, 6) // two logins, two changes of logins, the code, and that it was used
	p.visit(s.URL + "/deep")
	p.mustBe(fresh, "/deep")
}

// exportData downloads the data of the user.
func (p *domTab) exportData(s *pageSite, email string) {
	p.t.Helper()
	folder := p.t.TempDir()
	finished := download(p.t, p.page.Browser(), folder)
	p.visit(s.URL + "/auth/account")
	p.click(`a[href$="/account/export"]`)
	info := finished()
	content, err := os.ReadFile(filepath.Join(folder, info.GUID))
	if err != nil {
		p.t.Fatal(err)
	}
	var export struct {
		User struct {
			Email     string `json:"email"`
			FirstName string `json:"first_name"`
		} `json:"user"`
		Sessions []any `json:"sessions"`
	}
	if err := json.Unmarshal(content, &export); err != nil || info.SuggestedFilename != "my-data.json" ||
		export.User.Email != email || export.User.FirstName != "Ann" || len(export.Sessions) == 0 {
		p.t.Errorf("the download %q is %s, %v, want my-data.json with the account of %s", info.SuggestedFilename, content, err, email)
	}
}
