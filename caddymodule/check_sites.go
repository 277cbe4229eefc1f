package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

// object is a part of a configuration in JSON.
type object = map[string]any

// checkedSite is a top-level route of the HTTP app with what its requests pass.
type checkedSite struct {
	hosts []string
	https bool
	// handlers are in the order in which requests pass them.
	handlers []checkedHandler
}

// checkedHandler is a handler of a site.
type checkedHandler struct {
	name    string
	options object
	// matched reports that the handler has a matcher of its own, which skips it alone.
	matched bool
	// gates are the token_auth handlers that requests passed before.
	gates []checkedHandler
	// stripped are the prefixes that were removed from the path before.
	stripped []string
}

// siteWarnings returns what is valid in the sites of a configuration, but is probably a
// mistake.
func siteWarnings(config []byte, app *App) []string {
	sites := readSites(config)
	warnings := realmWarnings(sites)
	for i := range sites {
		warnings = append(warnings, sites[i].orderWarnings()...)
		warnings = append(warnings, sites[i].matcherWarnings()...)
		warnings = append(warnings, sites[i].placeholderWarnings()...)
	}
	for _, name := range app.names() {
		realm := app.Realms[name]
		for i := range sites {
			warnings = append(warnings, sites[i].addressWarnings(realm)...)
		}
		if host := plaintextDatabase(realm.storage); host != "" {
			warnings = append(warnings, fmt.Sprintf("storage: the connection to %s is not encrypted; use sslmode=verify-full or rediss://", host))
		}
	}
	slices.Sort(warnings)
	return slices.Compact(warnings)
}

// readSites reads the sites of a configuration that Caddy accepted.
func readSites(config []byte) []checkedSite {
	var whole struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct {
					Listen []string `json:"listen"`
					TLS    []object `json:"tls_connection_policies"`
					Routes []object `json:"routes"`
				} `json:"servers"`
			} `json:"http"`
		} `json:"apps"`
	}
	if json.Unmarshal(config, &whole) != nil {
		return nil
	}
	var sites []checkedSite
	for _, server := range whole.Apps.HTTP.Servers {
		isSecure := func(listen string) bool { return strings.HasSuffix(listen, ":443") }
		https := len(server.TLS) > 0 || slices.ContainsFunc(server.Listen, isSecure)
		for _, route := range server.Routes {
			site := checkedSite{https: https}
			for _, matcher := range elements[object](route["match"]) {
				for _, host := range elements[string](matcher["host"]) {
					site.hosts = append(site.hosts, strings.ToLower(host))
				}
			}
			site.read(elements[object](route["handle"]), false, &passed{})
			sites = append(sites, site)
		}
	}
	return sites
}

// passed contains what requests went through before a handler.
type passed struct {
	gates    []checkedHandler
	stripped []string
}

func (s *checkedSite) read(handlers []object, matched bool, before *passed) {
	for _, handler := range handlers {
		name, _ := handler["handler"].(string)
		switch name {
		case "subroute":
			inside := &passed{slices.Clone(before.gates), slices.Clone(before.stripped)}
			for _, route := range elements[object](handler["routes"]) {
				s.read(elements[object](route["handle"]), route["match"] != nil && len(elements[object](route["handle"])) == 1, inside)
			}
			continue
		case "rewrite":
			if prefix, ok := handler["strip_path_prefix"].(string); ok {
				before.stripped = append(before.stripped, prefix)
			}
		}
		checked := checkedHandler{name, handler, matched, slices.Clone(before.gates), slices.Clone(before.stripped)}
		s.handlers = append(s.handlers, checked)
		if name == "token_auth" {
			before.gates = append(before.gates, checked)
		}
	}
}

func (s *checkedSite) name() string {
	if len(s.hosts) == 0 {
		return "the site without a name"
	}
	return s.hosts[0]
}

func (h *checkedHandler) text(name string) string {
	text, _ := h.options[name].(string)
	return text
}

// prefix returns the path of login_api or login_page.
func (h *checkedHandler) prefix() string {
	prefix := h.text("prefix")
	if prefix == "" {
		prefix = map[string]string{"login_api": httpapi.DefaultPrefix, "login_page": gate.DefaultLogin}[h.name]
	}
	return strings.TrimSuffix(prefix, "/")
}

func (h *checkedHandler) isLogin() bool { return h.name == "login_api" || h.name == "login_page" }

// isPublic reports whether a gate needs no token for a path.
func (h *checkedHandler) isPublic(path string) bool {
	return h.options["optional"] == true || gate.PublicPaths(elements[string](h.options["public"])).Match(path)
}

// realmWarnings reports gates whose realm has no login in the configuration.
func realmWarnings(sites []checkedSite) (warnings []string) {
	logins := map[string]bool{}
	for i := range sites {
		for _, handler := range sites[i].handlers {
			if handler.isLogin() {
				logins[handler.text("realm")] = true
			}
		}
	}
	for i := range sites {
		for _, handler := range sites[i].handlers {
			if handler.name == "token_auth" && !logins[handler.text("realm")] {
				warnings = append(warnings, fmt.Sprintf("%s: token_auth, but no site has login_page or login_api for its realm, so that users cannot sign in unless another server offers it", sites[i].name()))
			}
		}
	}
	return warnings
}

// orderWarnings reports logins that requests cannot reach, and two readers of one header.
func (s *checkedSite) orderWarnings() (warnings []string) {
	warn := func(format string, args ...any) {
		warnings = append(warnings, s.name()+": "+fmt.Sprintf(format, args...))
	}
	basic, guarded := false, false
	for _, handler := range s.handlers {
		if handler.isLogin() {
			for _, gate := range handler.gates {
				if !gate.isPublic(handler.prefix() + "/x") {
					warn("%s is behind token_auth, so that only signed-in users can sign in; put it in front", handler.name)
				}
			}
			for _, stripped := range handler.stripped {
				if strings.HasPrefix(handler.prefix(), strings.TrimSuffix(stripped, "/")) {
					warn("%s gets no request, because %s is removed from the path before; use handle instead of handle_path", handler.name, stripped)
				}
			}
		}
		providers, _ := handler.options["providers"].(object)
		basic = basic || handler.name == "authentication" && providers["http_basic"] != nil
		guarded = guarded || handler.name == "token_auth"
	}
	if basic && guarded {
		warn("basic_auth and token_auth read the same header, and no request can satisfy both; use one of them")
	}
	return warnings
}

// matcherWarnings reports gates that a matcher skips although the upstream is the same.
func (s *checkedSite) matcherWarnings() (warnings []string) {
	for i, handler := range s.handlers {
		proxied := func(h checkedHandler) bool { return h.name == "reverse_proxy" && !h.matched }
		if handler.name == "token_auth" && handler.matched && slices.ContainsFunc(s.handlers[i:], proxied) {
			warnings = append(warnings, s.name()+": the matcher of token_auth lets other requests reach the upstream with forged identity headers; remove it and list the paths as public")
		}
	}
	return warnings
}

// placeholderWarnings reports handlers that read the user before a gate has identified it.
// Handlers that evaluate placeholders when the answer is written are left out.
func (s *checkedSite) placeholderWarnings() (warnings []string) {
	late := []string{"log_append", "tracing", "intercept"}
	for i, handler := range s.handlers {
		gated := func(h checkedHandler) bool { return h.name == "token_auth" }
		text, err := json.Marshal(handler.options)
		if err != nil || len(handler.gates) > 0 || !slices.ContainsFunc(s.handlers[i:], gated) || !strings.Contains(string(text), "{"+userPrefix) ||
			slices.Contains(late, handler.name) || isDeferred(handler) {
			continue
		}
		warnings = append(warnings, fmt.Sprintf("%s: %s reads {%s…} before token_auth, which sets it; put it after token_auth in a route block, or defer it", s.name(), handler.name, userPrefix))
	}
	return warnings
}

// isDeferred reports whether a handler changes the header of the answer just before it is
// written, and nothing else.
func isDeferred(handler checkedHandler) bool {
	response, _ := handler.options["response"].(object)
	return handler.name == "headers" && handler.options["request"] == nil && response["deferred"] == true
}

// addressWarnings reports addresses of a realm that do not work on this site.
func (s *checkedSite) addressWarnings(realm *Realm) (warnings []string) {
	links := []string{realm.config.EmailLink}
	for i := range realm.config.Clients {
		client := &realm.config.Clients[i]
		links = append(links, client.EmailLink)
		for _, origin := range client.Origins {
			scheme, host, _ := strings.Cut(origin, "://")
			if s.https && scheme == "http" && slices.Contains(s.hosts, host) {
				warnings = append(warnings, fmt.Sprintf("client %s: origin %s: the site uses https, so that no page has this origin; write https://%s", client.Name, origin, host))
			}
		}
	}
	for _, template := range links {
		link, err := url.Parse(strings.Replace(template, authcore.LinkPlaceholder, "x", 1))
		if err != nil || !slices.Contains(s.hosts, link.Hostname()) {
			continue
		}
		for _, handler := range s.handlers {
			if handler.isLogin() && strings.HasPrefix(link.Path, handler.prefix()+"/") {
				break // it serves the page itself
			}
			if handler.name == "token_auth" && !handler.matched && len(handler.gates) == 0 && handler.text("realm") == realm.name && !handler.isPublic(link.Path) {
				warnings = append(warnings, fmt.Sprintf("%s: the page of mailed links %s needs a token; list its path as public", s.name(), link.Path))
			}
		}
	}
	return warnings
}

// plaintextDatabase returns the public host to which a store connects without
// encryption, or "".
func plaintextDatabase(storage Storage) string {
	var address string
	switch s := storage.(type) {
	case *PostgresStorage:
		address = s.dsn
	case *RedisStorage:
		address = s.config.URL
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme == "rediss" {
		return ""
	}
	if secure := parsed.Query().Get("sslmode"); strings.HasPrefix(secure, "verify") || secure == "require" {
		return ""
	}
	host := parsed.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			return ""
		}
		return host
	}
	if !certmagic.SubjectQualifiesForPublicCert(host) || !strings.Contains(host, ".") {
		return ""
	}
	return host
}

// elements returns the elements of a list that are of one type.
func elements[T any](value any) []T {
	values, _ := value.([]any)
	var found []T
	for _, value := range values {
		if one, ok := value.(T); ok {
			found = append(found, one)
		}
	}
	return found
}

// validateWhole does what `caddy validate` does.
func validateWhole(config []byte) error {
	var whole caddy.Config
	if err := json.Unmarshal(caddy.RemoveMetaFields(config), &whole); err != nil {
		return fmt.Errorf("decoding the configuration: %w", err)
	}
	return caddy.Validate(&whole)
}
