package caddymodule

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/pages"
)

// siteOrigin returns the origin of the site that is being provisioned. It follows from
// the configuration: Host headers are chosen by clients (CWE-644).
func siteOrigin(ctx caddy.Context) (string, error) {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return "", errors.New("origin: the site has no address; add for example: origin https://app.example.com")
	}
	hosts := hostsBeingProvisioned(server)
	switch {
	case len(hosts) == 0:
		return "", errors.New("origin: the site has no name in its address; add for example: origin https://app.example.com")
	case len(hosts) > 1:
		return "", fmt.Errorf("origin: the site has the names %s; add the one that people see, for example: origin https://%s",
			strings.Join(hosts, ", "), hosts[0])
	case strings.ContainsAny(hosts[0], "*{"):
		return "", fmt.Errorf("origin: the name %s of the site is a pattern; add for example: origin https://app.example.com", hosts[0])
	}
	scheme, standard := "http", 80
	if len(server.TLSConnPolicies) > 0 {
		scheme, standard = "https", 443
	}
	port, err := listenPort(server)
	if err != nil {
		return "", err
	}
	host := strings.ToLower(hosts[0])
	if port != standard {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host, nil
}

// hostsBeingProvisioned returns the names of the route whose handlers are being loaded:
// the first one that has none yet. Matchers are loaded before handlers.
func hostsBeingProvisioned(server *caddyhttp.Server) []string {
	for i := range server.Routes {
		if len(server.Routes[i].Handlers) == 0 && len(server.Routes[i].HandlersRaw) > 0 {
			return hostsOf(server.Routes[i])
		}
	}
	return nil
}

// listenPort returns the one port of a server.
func listenPort(server *caddyhttp.Server) (int, error) {
	port := 0
	for _, listen := range server.Listen {
		address, err := caddy.ParseNetworkAddress(listen)
		if err != nil || address.IsUnixNetwork() || address.PortRangeSize() != 1 || port != 0 && port != int(address.StartPort) {
			return 0, errors.New("origin: the port of the site is ambiguous; add for example: origin https://app.example.com")
		}
		port = int(address.StartPort)
	}
	return port, nil
}

// loginPage is a login page of a realm.
type loginPage struct {
	address, key, signInAt string
}

// addLoginPage adds the client of a login page to the realm, which has not started yet.
// The realm's link and API address default to those of the first page, by address.
func (r *Realm) addLoginPage(page *LoginPage) error {
	address := page.address()
	if slices.ContainsFunc(r.loginPages, func(known loginPage) bool { return known.address == address }) {
		return nil // the same site, provisioned twice
	}
	if r.config.Captcha != nil && r.config.Captcha.Widget.SiteKey == "" {
		return errors.New("challenge: the login page shows the captcha; add site_key and script to challenge, as the service documents them")
	}
	key := rand.Text()
	client := page.client(key)
	if slices.ContainsFunc(r.config.Clients, func(known authcore.Client) bool { return known.Name == client.Name }) {
		return fmt.Errorf("client: there is a client or another login page named %s; rename the client, or use one login page", client.Name)
	}
	for _, name := range client.Providers {
		if !slices.ContainsFunc(r.config.Providers, func(known authcore.Provider) bool { return known.Name() == name }) {
			return fmt.Errorf("providers: there is no provider %q", name)
		}
	}
	r.config.Clients = append(r.config.Clients, client)
	if r.MaxLifetime == 0 {
		r.config.MaxLifetime = 0 // it depends on the lifetimes of the clients
	}
	r.loginPages = append(r.loginPages, loginPage{address, key, strings.TrimSuffix(page.resolved.SignInAt, "/")})
	slices.SortFunc(r.loginPages, func(a, b loginPage) int { return cmp.Compare(a.address, b.address) })
	if r.EmailLink == "" {
		r.config.EmailLink = pages.EmailLink(r.loginPages[0].address)
	}
	if r.APIURL == "" {
		r.config.APIURL = r.loginPages[0].address
	}
	r.linkPages = linkPages(r.config)
	return nil
}

// loginPageKey returns the key of the client of a login page.
func (r *Realm) loginPageKey(page *LoginPage) string {
	for _, known := range r.loginPages {
		if known.address == page.address() {
			return known.key
		}
	}
	return ""
}

// browsers returns the sites of all login pages of the realm, that of this page first.
func (r *Realm) browsers(page *LoginPage) []*gate.Browser {
	list := []*gate.Browser{page.browser}
	for _, known := range r.loginPages {
		scheme, rest, _ := strings.Cut(known.address, "://")
		host, prefix, _ := strings.Cut(rest, "/")
		browser, err := gate.NewBrowser(gate.BrowserConfig{Origin: scheme + "://" + host, Login: "/" + prefix})
		if err == nil && known.address != page.address() {
			list = append(list, browser)
		}
	}
	return list
}

// isFromTrustedProxy reports whether a request comes from one of the site's
// `trusted_proxies`.
func isFromTrustedProxy(r *http.Request) bool {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted
}

// loginPageSites returns the addresses of the pages that sign in at a login page.
func (r *Realm) loginPageSites(page *LoginPage) []string {
	var sites []string
	for _, known := range r.loginPages {
		if known.signInAt == page.address() {
			sites = append(sites, known.address)
		}
	}
	return sites
}

// lifetime returns the lifetime of the client.
func (l *LoginPage) lifetime() time.Duration { return time.Duration(l.resolved.Lifetime) }

// validate checks the configuration when handlers have not been loaded yet. A login page
// may add the client, the link and the address of the API: those are missed at the start.
func (r *Realm) validate() error {
	given := r.config
	if len(given.Clients) == 0 {
		r.config.Clients = []authcore.Client{{Name: "login page", Key: "login page"}}
	}
	if given.EmailLink == "" {
		r.config.EmailLink = pages.EmailLink("https://login.page")
		if given.APIURL == "" {
			r.config.APIURL = "https://login.page"
		}
	}
	err := r.config.Validate()
	r.config.Clients, r.config.EmailLink, r.config.APIURL = given.Clients, given.EmailLink, given.APIURL
	return err
}

// checkClients reports at the start that there is neither a client nor a login page.
func (r *Realm) checkClients() error {
	if len(r.config.Clients) > 0 {
		return nil
	}
	return errors.New("client: none is configured; add login_page to a site, or for a frontend of your own: client web {env.WEB_CLIENT_KEY}")
}
