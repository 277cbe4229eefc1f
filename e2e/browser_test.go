package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// clientSources is the folder of the client for browsers.
const clientSources = "../clients/js"

// pageLimit bounds every wait for a page, and tabLimit all uses of a window: tests that
// pass depend on neither.
const (
	pageLimit = time.Minute
	tabLimit  = 15 * time.Minute
)

// tab is a page of the frontend in the browser.
type tab struct {
	*rod.Page
	t *testing.T
}

// openTab opens an address in a window of its own: no cookies, nothing stored.
func openTab(t *testing.T, browser *rod.Browser, address string) *tab {
	t.Helper()
	window, err := browser.Timeout(tabLimit).Incognito()
	if err != nil {
		t.Fatal(err)
	}
	page, err := window.Page(proto.TargetCreateTarget{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	return &tab{page, t}
}

// Eval calls a JavaScript function.
func (p *tab) Eval(function string, arguments ...any) (*proto.RuntimeRemoteObject, error) {
	page := p.Page.Timeout(pageLimit)
	defer page.CancelTimeout()
	return page.Eval(function, arguments...)
}

// download stores a download of the window in a folder. It returns a function that waits
// for its end.
func download(t *testing.T, window *rod.Browser, folder string) func() *proto.PageDownloadWillBegin {
	t.Helper()
	window = window.Timeout(2 * pageLimit)
	finished := window.WaitDownload(folder)
	return func() *proto.PageDownloadWillBegin {
		t.Helper()
		defer window.CancelTimeout()
		info := finished()
		if err := window.GetContext().Err(); err != nil {
			t.Fatalf("the download does not end: %v", err)
		}
		return info
	}
}

// session is the session that the client of the page has.
type session struct {
	Token string `json:"token"`
	User  struct {
		ID        string `json:"id"`
		Email     string `json:"email"`
		FirstName string `json:"first_name"`
	} `json:"user"`
}

// signedIn waits until the page shows a signed-in user, and returns the session.
func (p *tab) signedIn() session {
	p.t.Helper()
	p.await("a signed-in user", `() => !!globalThis.auth?.snapshot && !document.getElementById("app").hidden`)
	value, err := p.Eval(`() => auth.snapshot`)
	if err != nil {
		p.t.Fatal(err)
	}
	var got session
	if err := value.Value.Unmarshal(&got); err != nil {
		p.t.Fatal(err)
	}
	return got
}

// await waits until a JavaScript function returns true. While the browser loads another
// page, the function may fail.
func (p *tab) await(what, function string) {
	p.t.Helper()
	var failure error
	if wait.Holds(pageLimit, func() bool {
		value, err := p.Eval(function)
		failure = err
		return err == nil && value.Value.Bool()
	}) {
		return
	}
	text, err := p.Eval(`() => location.href + "\n" + document.title + "\n" + document.body.innerText.slice(0, 500)`)
	if err != nil {
		p.t.Fatalf("the page never shows %s: %v, %v", what, failure, err)
	}
	p.t.Fatalf("the page never shows %s: %v; it shows %s", what, failure, text.Value.Str())
}

// text returns the text of an element once the element is visible.
func (p *tab) text(selector string) string {
	p.t.Helper()
	element, err := p.Page.Timeout(pageLimit).Element(selector)
	if err == nil {
		err = element.WaitVisible()
	}
	if err != nil {
		p.t.Fatalf("the page never shows %s: %v", selector, err)
	}
	text, err := element.Text()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// front brings the tab to the front: one in the background draws no frames, for which the
// mouse waits.
func (p *tab) front() {
	p.t.Helper()
	if _, err := p.Activate(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.act(selector, func(element *rod.Element) error { return element.Click(proto.InputMouseButtonLeft, 1) })
}

func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.act(selector, func(element *rod.Element) error { return element.Input(text) })
}

// act does something to an element once it is there. The browser may load the page of the
// element while it is searched on the page before.
func (p *tab) act(selector string, do func(*rod.Element) error) {
	p.t.Helper()
	p.front()
	var failure error
	if !wait.Holds(pageLimit, func() bool {
		element, err := p.Page.Timeout(pageLimit).Element(selector)
		if err == nil {
			err = do(element)
		}
		failure = err
		return err == nil || !isNavigation(err)
	}) || failure != nil {
		p.t.Fatalf("use %s: %v", selector, failure)
	}
}

// isNavigation reports whether an error means that the browser left the page.
func isNavigation(err error) bool {
	text := err.Error()
	for _, part := range []string{"navigated or closed", "Cannot find context", "does not belong to the document", "Node is detached", "Could not find node", "cannot find object"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func (p *tab) visit(address string) {
	p.t.Helper()
	if err := p.Navigate(address); err != nil {
		p.t.Fatal(err)
	}
}

// address returns the address of the page.
func (p *tab) address() string {
	p.t.Helper()
	info, err := p.Info()
	if err != nil {
		p.t.Fatal(err)
	}
	return info.URL
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
	site, stranger := frontend.Start(t, clientSources), frontend.Start(t, clientSources)
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
	config := frontend.Config{API: s.URL + "/v1/auth", Key: clientKey}
	site.Configure(config)
	stranger.Configure(config)

	t.Run("by link", func(t *testing.T) {
		const ann = "ann@example.com"
		s.secrets.Add("e-mail address", ann)
		page := openTab(t, browser, site.Origin+"/")
		page.write("#ask input", ann)
		page.click("#ask button")
		page.text("#code")
		parts := mails.Nth(t, ann, 1).Parts(t)
		prefix, _, _ := strings.Cut(site.LinkTemplate(), "{token}")
		link := parts.Link(t, prefix)
		s.linkToken(t, link)
		s.secrets.Add("code", parts.Code(t))
		page.visit(link)
		page.click("#link button")
		s.useApplication(t, page, ann, "link")
		page.visit(link)
		page.click("#link button")
		page.await("the error", `() => document.getElementById("message").textContent.includes("invalid")`)
		page.photograph("by-link")
	})

	t.Run("by code", func(t *testing.T) {
		const cay = "cay@example.com"
		s.secrets.Add("e-mail address", cay)
		page := openTab(t, browser, site.Origin+"/")
		page.write("#ask input", cay)
		page.click("#ask button")
		code := mails.Nth(t, cay, 1).Parts(t).Code(t)
		s.secrets.Add("code", code)
		page.write("#code input", code[:3]+" "+code[3:])
		page.click("#code button")
		s.useApplication(t, page, cay, "code")
	})

	t.Run("by provider", func(t *testing.T) {
		const ben = "ben@example.com"
		s.secrets.Add("e-mail address", ben)
		idp.SignIn(openid.Person{Subject: "ben", Email: ben, EmailVerified: true, GivenName: "Ben"})
		page := openTab(t, browser, site.Origin+"/")
		page.click("#idp")
		if got := page.signedIn(); got.User.FirstName != "Ben" {
			t.Errorf("logged in as %+v, want Ben", got.User)
		}
		s.useApplication(t, page, ben, "idp")
		page.photograph("by-provider")
	})

	t.Run("the page of an unlisted origin reads nothing", func(t *testing.T) {
		page := openTab(t, browser, stranger.Origin+"/")
		page.write("#ask input", "eve@example.com")
		page.click("#ask button")
		page.await("the error", `() => document.getElementById("message").textContent.includes("cannot be reached")`)
		for _, request := range []string{`"/whoami"`, `"/v1/auth/by-link/link/", { method: "POST", body: new URLSearchParams({ email: "eve@example.com" }) }`} {
			request = strings.Replace(request, `"/`, `"`+s.URL+"/", 1)
			value, err := page.Eval(`() => fetch(` + request + `).then((answer) => answer.status, () => 0)`)
			if err != nil {
				t.Fatal(err)
			}
			if got := value.Value.Int(); got != 0 {
				t.Errorf("fetch(%s): the page reads status %d, want none", request, got)
			}
		}
		page.photograph("stranger")
	})
}

// useApplication calls the application from a page that has just logged in, logs
// out, and sends the token again.
func (s *site) useApplication(t *testing.T, page *tab, email, method string) {
	t.Helper()
	got := page.signedIn()
	s.secrets.Add("token", got.Token)
	if got.User.Email != email {
		t.Errorf("logged in as %s, want %s", got.User.Email, email)
	}
	page.click("#call")
	called := page.text("#orders")
	if !strings.HasPrefix(called, "200 ") || !strings.Contains(called, `"X-Auth-Method":["`+method+`"]`) || !strings.Contains(called, got.User.ID) {
		t.Errorf("the application answered %s, want the user %s", called, got.User.ID)
	}
	page.click("#logout")
	page.await("the form", `() => !document.getElementById("ask").hidden || !document.getElementById("link").hidden`)
	wait.Until(t, pageLimit, "the end of the token", func() bool {
		return s.do(t, http.MethodGet, "/whoami", "", "", "Authorization", "Token "+got.Token).status == http.StatusUnauthorized
	})
}
