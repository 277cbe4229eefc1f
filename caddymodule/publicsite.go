package caddymodule

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
)

// refuseDebugLinks refuses the development switch on a public site, where any client
// could log in as any user. Handlers call it, because they know their server while
// they are provisioned.
func (r *Realm) refuseDebugLinks(ctx caddy.Context) error {
	if !r.InsecureDebugLinks || r.InsecureDebugLinksOnPublicSites {
		return nil
	}
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return nil
	}
	site, public := publicSite(server)
	if !public {
		return nil
	}
	return fmt.Errorf("insecure_debug_links: refused, because %s is a public site where any client could log in as any user; "+
		"remove it, or write: insecure_debug_links also_on_public_sites", site)
}

// publicSite returns a site of the server that is meant for the public: one with
// TLS, on an address other than the loopback interface, and for a name that a
// public certificate authority would certify, or for every name.
func publicSite(server *caddyhttp.Server) (site string, public bool) {
	if len(server.TLSConnPolicies) == 0 || !slices.ContainsFunc(server.Listen, isOpenListener) {
		return "", false
	}
	for _, route := range server.Routes {
		hosts := hostsOf(route)
		if len(hosts) == 0 { // it takes whatever name is asked for
			return strings.Join(server.Listen, ", "), true
		}
		for _, host := range hosts {
			if certmagic.SubjectQualifiesForPublicCert(host) || strings.ContainsAny(host, "{*") {
				return host, true
			}
		}
	}
	return "", false
}

// isOpenListener reports whether others than this machine can connect.
func isOpenListener(listen string) bool {
	address, err := caddy.ParseNetworkAddress(listen)
	if err != nil {
		return true
	}
	if address.IsUnixNetwork() || address.Host == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(address.Host)
	return err != nil || !ip.IsLoopback()
}

// hostsOf returns the names that a route is for; none means all names.
func hostsOf(route caddyhttp.Route) []string {
	var hosts []string
	for _, matchers := range route.MatcherSets {
		named := false
		for _, matcher := range matchers {
			if match, ok := matcher.(*caddyhttp.MatchHost); ok {
				hosts, named = append(hosts, *match...), true
			}
		}
		if !named {
			return nil
		}
	}
	return hosts
}
