package httpapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// DefaultPrefix is where the API lives unless Options.Prefix says otherwise.
const DefaultPrefix = "/v1/auth"

// Options is what a Handler is made of.
type Options struct {
	// Service does the work; required.
	Service *authcore.Service
	// Prefix is the path below which the API is served, with or without a
	// slash at the end; "/" is the whole site. Default: DefaultPrefix.
	Prefix string
	// ClientIP tells the address of whoever made a request, after the proxies
	// that the operator trusts were taken out. Default: the peer of the
	// connection. Headers such as X-Forwarded-For are never read here.
	ClientIP func(*http.Request) netip.Addr
	// Logger is told of failures of the server's own. Default: nobody.
	Logger *slog.Logger
	// Failed is told of each of these failures, with CodeInternal or
	// authcore.CodeUnavailable. It is called by many at once. Default: nobody.
	Failed func(authcore.Code)
}

// Handler serves the login API. Make one with New. It is safe for concurrent
// use.
type Handler struct {
	service  *authcore.Service
	prefix   string
	clientIP func(*http.Request) netip.Addr
	log      *slog.Logger
	failed   func(authcore.Code)
	routes   []route
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout time.Duration
}

// New returns a Handler.
func New(options Options) *Handler {
	if options.Prefix == "" {
		options.Prefix = DefaultPrefix
	}
	h := &Handler{
		service:  options.Service,
		prefix:   strings.TrimSuffix(path.Clean("/"+options.Prefix), "/"),
		clientIP: options.ClientIP,
		log:      options.Logger,
		failed:   options.Failed,

		bodyTimeout: bodyTimeout,
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
	matched, param := h.find(r.URL.Path)
	switch {
	case matched.public:
		w.Header().Set("Access-Control-Allow-Origin", "*")
	case Preflight(w, r, h.service.AllowsOrigin):
		return
	default:
		AllowOrigin(w.Header(), r, h.service.AllowsOrigin)
	}
	h.answer(matched, &request{Request: r, w: w, param: param, bodyTimeout: h.bodyTimeout}).write(w)
}

func (h *Handler) answer(matched route, r *request) answer {
	if matched.methods == nil {
		return detail(http.StatusNotFound, "Not found.")
	}
	serve := matched.endpoint(r.Method)
	if serve == nil {
		return matched.refuse(r.Method)
	}
	return h.run(matched, serve, r)
}

// request is one call of an endpoint.
type request struct {
	*http.Request
	// w is needed to bound the body, and for nothing else.
	w http.ResponseWriter
	// param is the variable segment of the path, or "".
	param string
	// bodyTimeout is the Handler's.
	bodyTimeout time.Duration
}

// caller says where a request comes from.
func (h *Handler) caller(r *request) authcore.Caller {
	return authcore.Caller{IP: h.clientIP(r.Request), UserAgent: r.UserAgent()}
}

// peer returns the other end of the connection, or the zero Addr.
func peer(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr()
}
