package e2e

import (
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
	"github.com/edgeauth/edgeauth/e2e/internal/tcpproxy"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestOutagePages examines what a signed-in user sees while the store does not respond:
// the page of the gate, with `on_stale reject`, and that of the login page.
func TestOutagePages(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	browser, store := startBrowser(t), startRedis(t)
	proxy := tcpproxy.New(t, store.address)
	s := newPageSite(t, "storage redis "+store.url(proxy.Address()), "revocation_max_staleness 2s", "on_stale reject")
	page := openTab(t, browser, "about:blank")
	const email = "ann@example.com"
	page.openLink(s, "/deep", email)
	page.mustBe(email, "/deep")

	proxy.Refuse()
	served := func() bool {
		page.visit(s.URL + "/deep")
		user, err := page.Eval(`() => document.querySelector("#user") !== null`)
		return err == nil && user.Value.Bool()
	}
	wait.Until(t, pageLimit, "the page about the outage", func() bool { return !served() })
	if got, want := page.text("h1"), "Please try again"; got != want {
		t.Errorf("the page of the gate has the heading %q, want %q", got, want)
	}
	page.examine(script, "gate-outage")
	page.visit(s.URL + "/auth/account")
	page.appears("[role=alert]")
	page.examine(script, "outage")
	page.tabThrough("outage")

	proxy.Heal()
	wait.Until(t, pageLimit, "the application", served)
	page.mustBe(email, "/deep")
}
