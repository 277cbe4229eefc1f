package authcore

import "time"

// Client is a frontend that may log people in.
type Client struct {
	// Name identifies the client in sessions, tokens, logs and metrics.
	Name string
	// Key is the "client_key" that the frontend sends. It names the client; it
	// is no secret where the frontend runs in a browser, but is kept out of
	// logs all the same.
	Key string
	// RedirectURIs are the exact URIs to which a social provider may return.
	RedirectURIs []string
	// Origins are the web origins (RFC 6454) that may call the API from a
	// browser, for example "https://frontend.app".
	Origins []string
	// Providers are the names that this client may use; empty means all.
	Providers []string
	// EmailLink is the client's own link template; "" means the realm's.
	EmailLink string
	// Locale is the language of mails for this client, for example "de"; ""
	// means that of the request, then English.
	Locale string
	// Lifetime of the tokens of this client; zero means the realm's.
	Lifetime time.Duration
}
