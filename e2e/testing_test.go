package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/examples"
	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
	"github.com/edgeauth/edgeauth/e2e/internal/playwright"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
)

// TestSignInWithoutMail runs the recipes for Playwright and Cypress of docs/frontend.md with
// the helper `edgeauth/testing`: with a token, with the cookie, and against a server that is
// not in development mode.
func TestSignInWithoutMail(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	folder, err := playwright.Install(ctx)
	if err != nil {
		missing(t, "Playwright cannot be installed: %v", err)
	}
	chromium := browserPath(t)
	pages := frontend.Start(t, clientSources)
	s := newSite(t, caddyfile{Client: []string{"origin " + pages.Origin}, EmailLink: pages.LinkTemplate(), Realm: slices.Concat(debugLinks, noLimits)})
	pages.Configure(frontend.Config{API: s.URL + "/v1/auth", Key: clientKey})

	protected := bareSite(t, caddyfile{})
	protected.Configure(t, renderPages(protected.Edge, debugLinks, "login_page", "token_auth", "respond application"))
	protected.Start(t)

	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	closed := newSite(t, caddyfile{Realm: smtpLines()}, smtpEnv(authority, mails.Addr)...)

	module := t.TempDir()
	examples.Compile(t, module)
	err = playwright.Run(ctx, folder,
		"TESTING="+filepath.Join(module, "testing.js"), "CHROMIUM="+chromium, "SITE="+pages.Origin, "API="+s.URL+"/v1/auth", "CLIENT_KEY="+clientKey,
		fmt.Sprintf("PAGE_SITE=http://localhost:%d", protected.Port), "CLOSED_API="+closed.URL+"/v1/auth")
	if err != nil {
		t.Error(err)
	}
}
