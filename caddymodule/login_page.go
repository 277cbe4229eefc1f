package caddymodule

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/pages"
)

func init() {
	caddy.RegisterModule(new(LoginPage))
}

// LoginPage is a handler that serves the pages on which people sign in and out of a site,
// below a prefix. `token_auth` on the same site accepts the cookie that they set.
//
// The site needs no client: sessions belong to a client that is named after the host of
// the site. Providers return to `/callback/<provider>` below the prefix. Unless the site
// has `login_api`, the login API is served below the prefix, too.
type LoginPage struct {
	// The path below which the pages are served. Default: `/auth`.
	Prefix string `json:"prefix,omitempty" option:"-"`
	// The name of the realm. Default: the default realm.
	Realm string `json:"realm,omitempty"`
	// The origin of the site, for example `https://app.example.com`. Required for sites
	// that have no name, several names or a wildcard. Default: the address of the site.
	Origin string `json:"origin,omitempty"`
	// The name of the site on pages and in mails. Default: the realm's `title`, then the
	// host of the site.
	Title string `json:"title,omitempty"`
	// An image file to show above the forms: svg, png, webp, jpg or gif. Default: the
	// title.
	Logo string `json:"logo,omitempty"`
	// A style sheet file that is added to the built-in one. Default: none.
	Theme string `json:"theme,omitempty"`
	// A directory with templates that replace built-in ones of the same name. Default: the
	// built-in ones.
	Templates string `json:"templates,omitempty"`
	// The path to which a browser continues that opened the login page itself. Default:
	// `/`.
	ReturnTo string `json:"return_to,omitempty"`
	// The languages of pages and mails as BCP 47 tags, in order of preference. Default:
	// those of the browser.
	Locale []string `json:"locale,omitempty"`
	// How long a session lasts without use. Default: the realm's `token_lifetime`.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`
	// The names of the providers to offer. Default: all.
	Providers []string `json:"providers,omitempty"`
	// The address of the login page of another site of the realm. People sign in there
	// for this site too: `https://login.example.com/auth`. Default: none.
	SignInAt string `json:"sign_in_at,omitempty"`
	// The addresses of login pages of other sites that name this one in `sign_in_at`.
	// Those in the same configuration are known. Default: none.
	Sites []string `json:"sites,omitempty" option:"site"`
	CredentialOptions

	realm *Realm
	// credentials are those of verify.
	credentials gate.Credentials
	// resolved are the options without placeholders.
	resolved *LoginPage
	options  pages.Options
	// browser is the configuration of the gate behind the pages.
	browser *gate.Browser
	// paths knows what belongs to the pages; it has no realm.
	paths *pages.Handler

	mu    sync.Mutex
	live  *liveRealm
	pages *pages.Handler
	api   *httpapi.Handler
}

// CaddyModule returns the Caddy module information.
func (*LoginPage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.login_page", New: func() caddy.Module { return new(LoginPage) }}
}

// Provision finds the realm and the address of the site, and adds the client.
func (l *LoginPage) Provision(ctx caddy.Context) (err error) {
	if l.realm, err = findRealm(ctx, l.Realm); err != nil {
		return fmt.Errorf("login_page: %w", err)
	}
	if err := l.provision(ctx); err != nil {
		return fmt.Errorf("login_page: %w", err)
	}
	return l.realm.refuseDebugLinks(ctx)
}

func (l *LoginPage) provision(ctx caddy.Context) (err error) {
	if err := l.resolve(); err != nil {
		return err
	}
	if l.resolved.Origin == "" {
		if l.resolved.Origin, err = siteOrigin(ctx); err != nil {
			return err
		}
	}
	if err := l.check(); err != nil {
		return err
	}
	if l.credentials, err = l.ofVerify(l.realm); err != nil {
		return err
	}
	l.options = pages.Options{
		Prefix: l.resolved.Prefix, Origin: l.resolved.Origin, Locale: strings.Join(l.resolved.Locale, ", "),
		Title: l.resolved.Title, ReturnTo: l.resolved.ReturnTo, SignInAt: strings.TrimSuffix(l.resolved.SignInAt, "/"),
		ClientIP: clientIP, Logger: l.realm.logger, Failed: l.realm.failed,
	}
	if l.options.Title == "" {
		l.options.Title = l.realm.config.Title
	}
	if err := l.readFiles(); err != nil {
		return err
	}
	if l.browser, err = gate.NewBrowser(gate.BrowserConfig{Origin: l.resolved.Origin, Login: l.resolved.Prefix}); err != nil {
		return err
	}
	if l.paths, err = pages.New(l.options); err != nil {
		return err
	}
	return l.realm.addLoginPage(l)
}

func (l *LoginPage) resolve() error {
	l.resolved = &LoginPage{
		Prefix: l.Prefix, Origin: l.Origin, Title: l.Title, Logo: l.Logo, Theme: l.Theme, Templates: l.Templates,
		ReturnTo: l.ReturnTo, Locale: l.Locale, Lifetime: l.Lifetime, Providers: l.Providers, SignInAt: l.SignInAt, Sites: l.Sites,
	}
	return newResolver("").fields(l.resolved)
}

// check validates the options.
func (l *LoginPage) check() error {
	if l.resolved.Prefix == "" {
		l.resolved.Prefix = pages.DefaultPrefix
	}
	if err := validatePrefix(l.resolved.Prefix); err != nil {
		return err
	}
	if err := pages.CheckOrigin(l.resolved.Origin); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	if _, valid := gate.ReturnTo(l.resolved.ReturnTo); l.resolved.ReturnTo != "" && !valid {
		return fmt.Errorf("return_to: %q is not a path of the site; use for example /welcome", l.resolved.ReturnTo)
	}
	for _, address := range append([]string{l.resolved.SignInAt}, l.resolved.Sites...) {
		if err := pages.CheckAddress(address); address != "" && err != nil {
			return fmt.Errorf("sign_in_at and site: %w", err)
		}
	}
	return nil
}

// readFiles reads the files that options name. A change of them needs a reload.
func (l *LoginPage) readFiles() (err error) {
	if l.resolved.Theme != "" {
		if l.options.Theme, err = os.ReadFile(l.resolved.Theme); err != nil {
			return fmt.Errorf("theme: %w", err)
		}
	}
	if l.resolved.Logo != "" {
		l.options.LogoFile = l.resolved.Logo
		if l.options.Logo, err = os.ReadFile(l.resolved.Logo); err != nil {
			return fmt.Errorf("logo: %w", err)
		}
	}
	if l.resolved.Templates != "" {
		files := os.DirFS(l.resolved.Templates)
		if _, err := fs.Stat(files, "."); err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		l.options.Templates = files
	}
	return nil
}

// address returns the address of the pages, which identifies them.
func (l *LoginPage) address() string { return pages.Address(l.resolved.Origin, l.resolved.Prefix) }

// client returns the client of the site. Its key is never sent: it names the client
// within the process.
func (l *LoginPage) client(key string) authcore.Client {
	_, host, _ := strings.Cut(l.resolved.Origin, "://")
	client := authcore.Client{
		Name: host, Key: key, Origins: []string{l.resolved.Origin}, Providers: l.resolved.Providers,
		EmailLink: pages.EmailLink(l.address()), Title: l.options.Title, Locale: l.options.Locale, Lifetime: l.lifetime(),
	}
	for _, provider := range l.realm.config.Providers {
		if client.AllowsProvider(provider.Name()) {
			client.RedirectURIs = append(client.RedirectURIs, pages.RedirectURI(l.address(), provider.Name()))
		}
	}
	return client
}

// ServeHTTP serves the paths below the prefix.
func (l *LoginPage) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	identity := identityOf(r)
	identity.loginPage = l
	if !l.paths.Owns(r.URL.Path) {
		return next.ServeHTTP(w, r)
	}
	skipLog(r) // addresses contain secrets of links and codes of providers
	hideAddress(r)
	return l.realm.serve(w, r, func(live *liveRealm) (routed, error) {
		serving, api, err := l.handlers(live)
		switch {
		case err != nil || serving.Serves(r) || identity.loginAPI && !l.isFormPost(r.URL.Path):
			return serving, err
		case api.Route(r) == "" && strings.Contains(r.Header.Get("Accept"), "text/html"):
			return serving, nil // people get the page about an unknown path, programs JSON
		default:
			return api, nil
		}
	})
}

// isFormPost reports whether a path is the form_post callback of a provider, which is
// served below the prefix in any case: the realm's `api_url` may be this site's.
func (l *LoginPage) isFormPost(path string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(l.resolved.Prefix, "/")+"/social/callback/")
}

// handlers returns the pages and the API of the realm, which are made once.
func (l *LoginPage) handlers(live *liveRealm) (*pages.Handler, *httpapi.Handler, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live == live {
		return l.pages, l.api, nil
	}
	options := l.options
	options.Realm, options.ClientKey = live.Realm, l.realm.loginPageKey(l)
	options.Sites = append(l.realm.loginPageSites(l), l.resolved.Sites...)
	made, err := pages.New(options)
	if err != nil {
		return nil, nil, err
	}
	l.live, l.pages = live, made
	l.api = httpapi.New(httpapi.Options{
		Realm: live.Realm, Prefix: l.resolved.Prefix, ClientIP: clientIP, Logger: l.realm.logger, Failed: l.realm.failed,
		Site: &httpapi.Site{
			Origin: l.resolved.Origin, ClientKey: options.ClientKey,
			RedirectURI: func(provider string) string { return pages.RedirectURI(l.address(), provider) },
		},
		Browsers: l.realm.browsers(l), TrustedProxy: isFromTrustedProxy, Credentials: l.credentials,
	})
	return l.pages, l.api, nil
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*LoginPage)(nil)
	_ caddyhttp.MiddlewareHandler = (*LoginPage)(nil)
)
