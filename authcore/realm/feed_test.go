package realm

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Logins and refreshes at every limit of the defaults, for two weeks: the feed
// contains the ended sessions, and no refresh leaves a trace in it. A feed that grew
// with refreshes would overflow on a large site.
func TestFeedAtEveryLimit(t *testing.T) {
	if testing.Short() {
		t.Skipf("simulates %s", simulated)
	}
	synctest.Test(t, func(t *testing.T) {
		const sessions = 10 // Fewer than the default end earlier, and make the test faster.
		n := newNode(t, newStore(), func(c *Config) { c.Limits, c.MaxSessions = ratelimit.Limits{}, sessions })
		limits := ratelimit.DefaultLimits()
		token := n.loginAs("refreshing@example.com").Token
		var logins, refreshes int
		for began := time.Now(); time.Since(began) < simulated; pass(limits.LinkPerAddress.Window) {
			for {
				if _, err := n.tryLogin("ann@example.com"); errors.Is(err, errNoMail) {
					break
				} else if err != nil {
					t.Fatalf("login: %v", err)
				}
				logins++
			}
			for {
				grant, err := n.Sessions.Refresh(t.Context(), n.claims(token))
				if err != nil {
					wantCode(t, err, 429, "throttled")
					break
				}
				token = grant.Token
				refreshes++
			}
			if logins%1000 < 5 {
				n.maintain()
			}
		}
		if err := n.Revocations.Refresh(t.Context()); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
		document, err := n.Feed.Document("")
		if err != nil {
			t.Fatalf("Document: %v", err)
		}
		entries, ended := n.Revocations.Copy().Len(), logins-sessions
		t.Logf("%d logins and %d refreshes in %s: %d sessions ended, feed of %d entries in %d bytes", logins, refreshes, simulated, ended, entries, len(document.Text))
		if entries > ended || entries < ended/2 {
			t.Errorf("the feed has %d entries, want one for each of %d ended sessions at most", entries, ended)
		}
		if limit := 1000 + 24*entries; len(document.Text) > limit {
			t.Errorf("the feed has %d bytes, want %d at most", len(document.Text), limit)
		}
		if n.refuses(token) {
			t.Error("the newest token is refused")
		}
	})
}
