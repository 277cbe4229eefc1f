package caddymodule

import (
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
)

// Client is a frontend that may log users in. Strings can contain placeholders.
type Client struct {
	// The `client_key` that the frontend sends. Required.
	Key string `json:"key,omitempty" option:"-"`
	// The exact URIs to which a social provider may return.
	RedirectURIs []string `json:"redirect_uris,omitempty" option:"redirect_uri"`
	// The web origins whose pages may call the API and the protected sites, for
	// example `https://frontend.app`.
	Origins []string `json:"origins,omitempty" option:"origin"`
	// The names of the providers that this client may use. Default: all.
	Providers []string `json:"providers,omitempty"`
	// The client's own link template. Default: the realm's.
	EmailLink string `json:"email_link,omitempty"`
	// How long tokens and sessions of this client last. Default: the realm's
	// `token_lifetime`.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`
	// The name of the site in mails and pages for this client. Default: the realm's
	// `title`.
	Title string `json:"title,omitempty"`
	// The languages of mails for this client as BCP 47 tags, the preferred one first.
	// Default: that of the request, then English.
	Locale []string `json:"locale,omitempty"`
}

// resolve returns the client of the core.
func (c *Client) resolve(name string) (authcore.Client, error) {
	resolved := *c
	if err := newResolver("client " + name).fields(&resolved); err != nil {
		return authcore.Client{}, err
	}
	return authcore.Client{
		Name: name, Key: resolved.Key, RedirectURIs: resolved.RedirectURIs, Origins: resolved.Origins,
		Providers: resolved.Providers, EmailLink: resolved.EmailLink, Title: resolved.Title, Locale: strings.Join(resolved.Locale, ", "),
		Lifetime: time.Duration(resolved.Lifetime),
	}, nil
}

// parseClient reads one client. Syntax:
//
//	client <name> <key> {
//		redirect_uri <uri…>
//		origin       <origin…>
//		providers    <name…>
//		email_link   <template>
//		lifetime     <duration>
//		title        <name>
//		locale       <language…>
//	}
//
// redirect_uri, origin, providers and locale may be repeated.
func (r *Realm) parseClient(b *block) error {
	arguments := b.RemainingArgs()
	if len(arguments) != 2 || arguments[0] == "" {
		return b.Errf("client: expected a name and a key, got %d arguments", len(arguments))
	}
	client := &Client{Key: arguments[1]}
	if err := newBlock(b.Dispenser).options(nil, client); err != nil {
		return err
	}
	name := arguments[0]
	if r.Clients[name] != nil {
		return b.Errf("client %s: is configured already", name)
	}
	if r.Clients == nil {
		r.Clients = map[string]*Client{}
	}
	r.Clients[name] = client
	return nil
}
