package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// DefaultPrefix is the path of the API unless Options.Prefix is set.
const DefaultPrefix = "/v1/auth"

// requestTimeout limits the work for a request. It exceeds the default timeout of a
// provider, so that a provider that hangs leaves time for the store.
const requestTimeout = 15 * time.Second

// Options configures a Handler.
type Options struct {
	// Realm does the work. It may be nil for a Handler of which only Owns is used.
	Realm *realm.Realm
	// Prefix is the path below which the API is served, with or without a slash
	// at the end; "/" is the whole site. Default: DefaultPrefix.
	Prefix string
	// RootJWKS serves the public keys at the root of the site, too. Default: only below
	// the prefix, because the application may have keys of its own at this path.
	RootJWKS bool
	// ClientIP returns the client's address behind trusted proxies. Default: the
	// peer of the connection. Headers such as X-Forwarded-For are not read here.
	ClientIP func(*http.Request) netip.Addr
	// Site is the site of the API if it has a login page. Default: the API reads and sets
	// no cookies.
	Site *Site
	// Browsers are the sites with a login page that verify answers for; the first is the
	// default. Default: none, verify accepts only tokens in the header.
	Browsers []*gate.Browser
	// Credentials selects what verify accepts in Authorization. Default: tokens of logins
	// with the scheme Token. All other calls accept nothing else.
	Credentials gate.Credentials
	// TrustedProxy reports whether verify may read the address of the proxied request
	// from headers. Default: it may not.
	TrustedProxy func(*http.Request) bool
	// Logger receives failures of the server. Default: they are discarded.
	Logger *slog.Logger
	// Failed is called for each of these failures, with CodeInternal or
	// authcore.CodeUnavailable, perhaps concurrently. Default: nothing is called.
	Failed func(authcore.Code)
}

// Handler serves the login API. It is safe for concurrent use.
type Handler struct {
	realm    *realm.Realm
	prefix   string
	rootJWKS bool
	clientIP func(*http.Request) netip.Addr
	site     *Site
	browsers []*gate.Browser
	// credentials are those of verify.
	credentials gate.Credentials
	// require lists the requirements of verify.
	require []gate.Requirement
	trusted func(*http.Request) bool
	log     *slog.Logger
	failed  func(authcore.Code)
	routes  []route
	feeds   compressedFeeds
	// bodyTimeout limits the time in which a body has to arrive.
	bodyTimeout time.Duration
}

// New returns a Handler.
func New(options Options) *Handler {
	if options.Prefix == "" {
		options.Prefix = DefaultPrefix
	}
	h := &Handler{
		realm:    options.Realm,
		prefix:   strings.TrimSuffix(path.Clean("/"+options.Prefix), "/"),
		rootJWKS: options.RootJWKS,
		clientIP: options.ClientIP,
		site:     options.Site,
		browsers: options.Browsers,

		credentials: options.Credentials,
		trusted:     options.TrustedProxy,
		log:         options.Logger,
		failed:      options.Failed,

		bodyTimeout: bodyTimeout,
	}
	if h.realm != nil {
		h.require = h.realm.Require()
	}
	if h.clientIP == nil {
		h.clientIP = peer
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.failed == nil {
		h.failed = func(authcore.Code) {}
	}
	h.routes = h.table()
	return h
}

// ServeHTTP answers one request. A path that is not the Handler's, see Owns, is
// answered with 404.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setCommonHeaders(w.Header())
	matched, param := h.find(r.URL.EscapedPath(), r.URL.Path)
	switch {
	case matched.public:
		w.Header().Set("Access-Control-Allow-Origin", "*")
	case Preflight(w, r, h.realm.AllowsOrigin):
		return
	default:
		AllowOrigin(w.Header(), r, h.realm.AllowsOrigin)
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	ctx = authcore.WithClientIP(ctx, h.clientIP(r))
	request := &request{Request: r.WithContext(ctx), w: w, param: param, bodyTimeout: h.bodyTimeout}
	a := h.answer(matched, request)
	for _, cookie := range request.cookies {
		http.SetCookie(w, cookie)
	}
	a.write(w)
}

func (h *Handler) answer(matched route, r *request) answer {
	if !matched.isServed() {
		return detail(http.StatusNotFound, "Not found.")
	}
	serve := matched.endpoint(r.Method)
	if serve == nil {
		return matched.refuse(r.Method)
	}
	if r.Method == http.MethodPost && !matched.crossSite && isCrossSite(r.Request, h.realm.AllowsOrigin) {
		return publicFailure(crossSite())
	}
	return h.run(matched, serve, r)
}

// request is one call of an endpoint.
type request struct {
	*http.Request
	// w is used to limit the body, and for the headers that end a session.
	w http.ResponseWriter
	// param is the variable segment of the path, or "".
	param string
	// byCookie reports that the session is, or will be, in the cookie of the site.
	byCookie bool
	// cookies are set with the answer.
	cookies []*http.Cookie
	// bodyTimeout is the Handler's.
	bodyTimeout time.Duration
}

// caller describes where a request comes from.
func (h *Handler) caller(r *request) authcore.Caller {
	return authcore.Caller{
		IP: h.clientIP(r.Request), UserAgent: r.UserAgent(), Languages: r.Header.Get("Accept-Language"),
		Browser: r.Header.Get("Origin") != "",
	}
}

// callerOn is caller for a login, on a remembered device if its token is known.
func (h *Handler) callerOn(r *request, device string) authcore.Caller {
	caller := h.caller(r)
	if r.byCookie {
		caller.Devices = h.site.cookies().Devices(r.Request)
	}
	if device != "" {
		caller.Devices = append(caller.Devices, device)
	}
	return caller
}

// peer returns the other end of the connection, or the zero Addr.
func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr()
}
