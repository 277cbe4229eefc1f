package e2e

import (
	"fmt"
	"strings"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
)

// clientKey is the key of the one client of all sites.
const clientKey = "key-of-the-web-client-4f1d"

// caddyfile is the configuration of a site. Fields are lines of the block that
// they are named after.
type caddyfile struct {
	Realm  []string
	Client []string
	Gate   []string
	Site   []string
	// Global contains more global options.
	Global []string
	// More contains more sites.
	More string
	// Log contains more options of the log.
	Log []string
	// EmailLink is the template of links; "" means linkTemplate.
	EmailLink string
	// Upstream is the application behind the gate, host and port.
	Upstream string
}

// linkTemplate and linkPrefix are the targets of mailed links, unless a test has its
// own frontend.
const (
	linkPrefix   = "https://frontend.test/auth/link/"
	linkTemplate = linkPrefix + "{token}"
	redirectURI  = "https://frontend.test/auth/callback"
	origin       = "https://frontend.test"
)

// debugLinks puts links into the answers, for tests that need no mail.
var debugLinks = []string{"insecure_debug_links"}

// noLimits is for tests that send more than one user would.
var noLimits = []string{
	"limit link_per_address off", "limit link_per_ip off", "limit link_per_client off",
	"limit link_overall off", "limit login_per_ip off", "limit authorize_per_ip off",
	"limit code_per_ip off", "limit code_per_address off",
}

// render returns the Caddyfile for a process: loopback only, everything logged.
func (c caddyfile) render(e *edge.Edge) string {
	return fmt.Sprintf(`{
	admin %[1]s
	auto_https off
	default_bind 127.0.0.1
	grace_period 10s
	log {
		level DEBUG
		output stderr
		%[11]s
	}
	edgeauth {
		client web {env.WEB_CLIENT_KEY} {
			redirect_uri %[2]s
			redirect_uri %[2]s/other
			origin %[3]s
			%[4]s
		}
		email_link %[5]s
		%[6]s
	}
	%[12]s
}

http://127.0.0.1:%[7]d, http://localhost:%[7]d {
	log
	login_api
	token_auth {
		%[8]s
	}
	%[9]s
	reverse_proxy %[10]s
}
%[13]s`, e.Admin, redirectURI, origin, lines(c.Client, 3), c.EmailLink, lines(c.Realm, 2),
		e.Port, lines(c.Gate, 2), lines(c.Site, 1), c.Upstream, lines(c.Log, 2), lines(c.Global, 1), c.More)
}

func lines(list []string, depth int) string {
	return strings.Join(list, "\n"+strings.Repeat("\t", depth))
}

// renderPages returns the Caddyfile of a site with a login page, whose users are in
// memory. Handlers are the lines of its block, realm those of edgeauth.
func renderPages(e *edge.Edge, realm []string, handlers ...string) string {
	return fmt.Sprintf(`{
	admin %[1]s
	auto_https off
	default_bind 127.0.0.1
	grace_period 1s
	log {
		output stderr
	}
	edgeauth {
		storage memory
		%[2]s
	}
}
http://localhost:%[3]d {
	%[4]s
}
`, e.Admin, lines(realm, 2), e.Port, lines(handlers, 1))
}
