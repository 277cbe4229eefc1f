package pages

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// DefaultPrefix is the path of the pages unless Options.Prefix is set.
const DefaultPrefix = "/auth"

// requestTimeout limits the work for a request.
const requestTimeout = 15 * time.Second

// Options configures a Handler. Fields are optional unless noted otherwise.
type Options struct {
	// Realm does the work; required, except for a Handler of which only Owns is used.
	Realm *realm.Realm
	// Prefix is the path below which the pages are served. Default: DefaultPrefix.
	Prefix string
	// Origin is the origin of the site, for example "https://app.example.com";
	// required. A request header never replaces it.
	Origin string
	// ClientKey is the key of the client whose name sessions have; required. Its
	// redirect URIs are those of Redirects.
	ClientKey string
	// Locale is the language of the pages, or a list of them. Default: that of the
	// request.
	Locale string
	// Title is the name of the site. Default: the host of Origin.
	Title string
	// Logo is an image; LogoFile is its file name, which determines its type.
	Logo     []byte
	LogoFile string
	// Theme is a style sheet that follows the built-in one.
	Theme []byte
	// Templates contains files that replace those of the same name in the folder
	// templates of this package.
	Templates fs.FS
	// ReturnTo is the path to which a browser continues that came from nowhere else.
	// Default: "/".
	ReturnTo string
	// SignInAt is the address of the login page of another site of the realm, at which
	// users sign in for this site too: "https://login.example.com/auth".
	SignInAt string
	// Sites are the addresses of the login pages of other sites that sign in here.
	Sites []string
	// ClientIP returns the client's address behind trusted proxies. Default: the peer
	// of the connection.
	ClientIP func(*http.Request) netip.Addr
	// Logger receives failures of the server. Default: they are discarded.
	Logger *slog.Logger
	// Failed is called for each of these failures. Default: nothing is called.
	Failed func(authcore.Code)
}

// Handler serves the pages. It is safe for concurrent use.
type Handler struct {
	Options
	templates templates
	style     asset
	script    asset
	printer   asset
	logo      asset
	routes    []route
}

// New returns a Handler, or the fault of a template.
func New(options Options) (*Handler, error) {
	options.Prefix = Address("", options.Prefix)
	options.ReturnTo = cmp.Or(options.ReturnTo, "/")
	_, host, _ := strings.Cut(options.Origin, "://")
	options.Title = cmp.Or(options.Title, host)
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Failed == nil {
		options.Failed = func(authcore.Code) {}
	}
	if options.ClientIP == nil {
		options.ClientIP = peer
	}
	parsed, err := parseTemplates(options.Templates)
	if err != nil {
		return nil, err
	}
	h := &Handler{Options: options, templates: parsed, style: newStyle(options.Theme), script: newScript("passkey"), printer: newScript("print")}
	if len(options.Logo) > 0 {
		if h.logo, err = newLogo(options.LogoFile, options.Logo); err != nil {
			return nil, err
		}
	}
	h.routes = h.table()
	return h, nil
}

// Address returns the address of the pages: the origin and the prefix.
func Address(origin, prefix string) string {
	return origin + strings.TrimSuffix(path.Clean("/"+cmp.Or(prefix, DefaultPrefix)), "/")
}

// RedirectURI returns the address to which a provider returns, below an Address.
func RedirectURI(address, provider string) string { return address + "/callback/" + provider }

// EmailLink returns the template of mailed links below an Address.
func EmailLink(address string) string { return address + "/link/" + authcore.LinkPlaceholder }

// address returns the Address of the Handler.
func (h *Handler) address() string { return h.Origin + h.Prefix }

// Owns reports whether a path, decoded, is below the prefix. It examines the path that
// remains when "." and ".." segments and repeated slashes are resolved, because an
// upstream resolves them (CWE-22).
func (h *Handler) Owns(urlPath string) bool {
	_, below := h.below(urlPath)
	return below
}

// Serves reports whether there is a page for a request whose path is owned. Calls of the
// login API, which may share the prefix, carry a token in the header or a JSON body.
func (h *Handler) Serves(r *http.Request) bool {
	rest, _ := h.below(r.URL.Path)
	matched, _ := h.find(rest)
	return matched.serve != nil && r.Header.Get("Authorization") == "" && !isJSON(r.Header.Get("Content-Type"))
}

// isJSON reports whether a body is JSON, which no form sends.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// below returns the part of a path after the prefix, without a slash at its end.
func (h *Handler) below(urlPath string) (rest string, found bool) {
	if !strings.HasPrefix(urlPath, "/") {
		urlPath = "/" + urlPath
	}
	rest, found = strings.CutPrefix(path.Clean(urlPath), h.Prefix) // Clean allocates nothing for a clean path
	return strings.TrimSuffix(rest, "/"), found && (rest == "" || rest[0] == '/')
}

// request is one request to a page.
type request struct {
	*http.Request
	w http.ResponseWriter
	// param is the variable part of the path, or "".
	param string
	view  view
}

// ServeHTTP answers a request for one of the pages.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	ctx = authcore.WithClientIP(ctx, h.ClientIP(r))
	request := &request{Request: r.WithContext(ctx), w: w, view: h.newView(r)}
	setCommonHeaders(w.Header())
	rest, _ := h.below(r.URL.Path)
	matched, param := h.find(rest)
	request.param = param
	if err := h.serve(matched, request); err != nil {
		h.fail(request, err)
	}
}

func (h *Handler) serve(matched route, r *request) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = h.panicked(fault)
		}
	}()
	switch {
	case matched.serve == nil || strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f"):
		return authcore.NotFound()
	case !matched.allows(r.Method):
		r.w.Header().Set("Allow", matched.allow())
		return errMethod()
	}
	if r.Method == http.MethodPost {
		if h.cookies().IsCrossSite(r.Request) {
			return errCrossSite()
		}
		if err := r.readForm(); err != nil {
			return err
		}
	}
	return matched.serve(r)
}

// caller describes the sender of a request.
func (h *Handler) caller(r *request) authcore.Caller {
	return authcore.Caller{IP: h.ClientIP(r.Request), UserAgent: r.UserAgent(), Browser: true, Devices: h.cookies().Devices(r.Request)}
}

// peer returns the other end of the connection, or the zero Addr.
func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr()
}
