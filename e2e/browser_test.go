package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/launcher"
	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
)

// pageLimit bounds every wait for a page.
const pageLimit = time.Minute

// startBrowser starts Chromium. It never downloads one.
func startBrowser(t *testing.T) *rod.Browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, "there is no browser: %v", err)
	}
	start := launcher.New().Bin(path).Leakless(false).UserDataDir(t.TempDir()).
		Headless(true).NoSandbox(true).Set("disable-gpu").Set("disable-quic").Set("no-first-run").
		Set("disable-background-networking").Set("disable-component-update").Set("disable-sync")
	address, err := start.Launch()
	if err != nil {
		t.Fatal(err)
	}
	browser := rod.New().ControlURL(address)
	if err := browser.Connect(); err != nil {
		start.Kill()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := browser.Close(); err != nil {
			t.Errorf("close the browser: %v", err)
			start.Kill()
		}
		start.Cleanup() // waits for the process
	})
	return browser
}

// tab is a page of the frontend in the browser.
type tab struct {
	*rod.Page
	t *testing.T
}

// openTab opens an address in a window of its own: no cookies, nothing stored.
func openTab(t *testing.T, browser *rod.Browser, address string) *tab {
	t.Helper()
	window, err := browser.Incognito()
	if err != nil {
		t.Fatal(err)
	}
	page, err := window.Page(proto.TargetCreateTarget{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	return &tab{page.Timeout(3 * pageLimit), t}
}

// outcome is the part of an answer that the page shows.
type outcome struct {
	Status    int            `json:"status"`
	Challenge string         `json:"challenge"`
	Error     string         `json:"error"`
	Body      map[string]any `json:"body"`
}

// shows waits until the page shows the outcome of a step.
func (p *tab) shows(step string) outcome {
	p.t.Helper()
	element, err := p.Page.Timeout(pageLimit).Element(`#result[data-step="` + step + `"]`)
	if err != nil {
		p.t.Fatalf("the page never shows %s: %v", step, err)
	}
	text, err := element.Text()
	if err != nil {
		p.t.Fatal(err)
	}
	var got outcome
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		p.t.Fatalf("the page shows %q", text)
	}
	return got
}

func (p *tab) click(selector string) {
	p.t.Helper()
	element, err := p.Page.Timeout(pageLimit).Element(selector)
	if err == nil {
		err = element.Click(proto.InputMouseButtonLeft, 1)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) write(selector, text string) {
	p.t.Helper()
	element, err := p.Page.Timeout(pageLimit).Element(selector)
	if err == nil {
		err = element.Input(text)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) visit(address string) {
	p.t.Helper()
	if err := p.Navigate(address); err != nil {
		p.t.Fatal(err)
	}
}

// photograph saves a screenshot.
func (p *tab) photograph(name string) {
	p.t.Helper()
	folder := os.Getenv("ARTIFACTS")
	if folder == "" {
		folder = p.t.TempDir()
	}
	picture, err := p.Screenshot(false, nil)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)
	}
	if err != nil {
		p.t.Error(err)
	}
}

// TestBrowser logs in by link and by provider from pages on another origin.
func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	site, stranger := frontend.Start(t), frontend.Start(t)
	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{site.RedirectURI()},
	})
	s := newSite(t, caddyfile{
		Gate:      []string{"headers X-Auth-User-Id X-Auth-Method"},
		EmailLink: site.LinkTemplate(),
		Client:    []string{"origin " + site.Origin, "redirect_uri " + site.RedirectURI()},
		Realm:     slices.Concat(smtpLines(), providerLines("idp", idp.Issuer)),
	}, append(smtpEnv(authority, mails.Addr), "IDP_SECRET="+oidcClientSecret)...)
	s.secrets.Add("client secret", oidcClientSecret)
	config := frontend.Config{API: s.URL, Key: clientKey, Provider: "idp"}
	site.Configure(config)
	stranger.Configure(config)

	t.Run("by link", func(t *testing.T) {
		const ann = "ann@example.com"
		s.secrets.Add("e-mail address", ann)
		page := openTab(t, browser, site.Origin+"/")
		page.write("#email", ann)
		page.click("#by-link button")
		if got := page.shows("link-requested"); got.Status != http.StatusOK || got.Body["email"] != ann {
			t.Fatalf("asked for a link: %+v", got)
		}
		parts := mails.Nth(t, ann, 1).Parts(t)
		prefix, _, _ := strings.Cut(site.LinkTemplate(), "{token}")
		link := parts.Link(t, prefix)
		s.linkToken(t, link)
		s.secrets.Add("code", parts.Code(t))
		page.visit(link)
		s.useApplication(t, page, page.shows("logged-in-by-link"), ann, "link")
		page.visit(link)
		if got := page.shows("logged-in-by-link"); got.Status != http.StatusBadRequest || got.Body["code"] != "invalid_link" {
			t.Errorf("the link a second time: %+v", got)
		}
		page.photograph("by-link")
	})

	t.Run("by provider", func(t *testing.T) {
		const ben = "ben@example.com"
		s.secrets.Add("e-mail address", ben)
		idp.SignIn(openid.Person{Subject: "ben", Email: ben, EmailVerified: true, GivenName: "Ben"})
		page := openTab(t, browser, site.Origin+"/")
		page.click("#by-provider")
		got := page.shows("logged-in-by-provider")
		if got.Body["first_name"] != "Ben" {
			t.Errorf("logged in as %+v", got)
		}
		s.useApplication(t, page, got, ben, "idp")
		page.photograph("by-provider")
	})

	t.Run("a stranger's page reads nothing", func(t *testing.T) {
		page := openTab(t, browser, stranger.Origin+"/")
		for step, click := range map[string]string{"called": "#call", "simple": "#simple", "authorize": "#by-provider"} {
			page.click(click)
			if got := page.shows(step); got.Status != 0 || got.Body != nil {
				t.Errorf("%s: the page reads %+v", step, got)
			}
		}
		page.photograph("stranger")
	})
}

// useApplication calls the application from a page that has just logged in, logs
// out, and calls again.
func (s *site) useApplication(t *testing.T, page *tab, got outcome, email, method string) {
	t.Helper()
	token, _ := got.Body["token"].(string)
	if got.Status != http.StatusOK || token == "" || got.Body["email"] != email {
		t.Fatalf("logged in: %+v", got)
	}
	s.secrets.Add("token", token)
	page.click("#call")
	called := page.shows("called")
	seen, _ := json.Marshal(called.Body["headers"])
	if called.Status != http.StatusOK || !strings.Contains(string(seen), `"X-Auth-Method":["`+method+`"]`) {
		t.Errorf("the call: %+v", called)
	}
	if id, _ := got.Body["id"].(string); !strings.Contains(string(seen), id) {
		t.Errorf("the application does not see user %s: %s", id, seen)
	}
	page.click("#logout")
	if out := page.shows("logged-out"); out.Status != http.StatusNoContent {
		t.Errorf("the logout: %+v", out)
	}
	page.click("#call")
	refused := page.shows("called")
	if refused.Status != http.StatusUnauthorized || refused.Body["detail"] != "Invalid token." || refused.Challenge != "Token" {
		t.Errorf("the call after the logout: %+v", refused)
	}
}
