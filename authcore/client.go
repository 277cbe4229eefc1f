package authcore

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Client is a frontend that may log users in.
type Client struct {
	// Name identifies the client in sessions, tokens, logs and metrics.
	Name string
	// Key is the "client_key" that the frontend sends. It names the client. A key
	// of a frontend in a browser is public; logs do not contain it in any case.
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
	// Title is the name of the site in mails and pages; "" means the realm's.
	Title string
	// Locale is the language of mails for this client, or a list of them in order of
	// preference, for example "de, en"; "" means that of the request, then English.
	Locale string
	// Lifetime of the tokens of this client; zero means the realm's.
	Lifetime time.Duration
}

// maxClientName limits client names, which are part of every token.
const maxClientName = 64

// clientKeyPurpose separates digests of client keys from others.
const clientKeyPurpose = "client key"

// Clients finds a client by its key. Keys are compared as digests, so that the
// time does not depend on how much of a key is right (CWE-208).
type Clients map[Digest]*Client

// NewClients returns the clients by key.
func NewClients(list []Client) Clients {
	byKey := make(Clients, len(list))
	for i := range list {
		byKey[DigestOf(clientKeyPurpose, list[i].Key)] = &list[i]
	}
	return byKey
}

// Find returns the client with this key, or a field error.
func (c Clients) Find(key string) (*Client, error) {
	client, found := c[DigestOf(clientKeyPurpose, key)]
	if !found {
		return nil, FieldError(CodeInvalidClient, "client_key", "Invalid client key.")
	}
	return client, nil
}

// AllowsProvider reports whether the client may use the named provider.
func (c *Client) AllowsProvider(name string) bool {
	return len(c.Providers) == 0 || slices.Contains(c.Providers, name)
}

// ValidateClients returns the faults of a list of clients.
func ValidateClients(list []Client) []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(list) == 0 {
		fault("client: none is configured; add for example: client web {env.WEB_CLIENT_KEY}")
	}
	names, keys := map[string]bool{}, map[string]string{}
	for i := range list {
		client := &list[i]
		if client.Name == "" || names[client.Name] {
			fault("client %q: the name is empty or used twice", client.Name)
		}
		if len(client.Name) > maxClientName || strings.ContainsFunc(client.Name, unicode.IsControl) {
			fault("client %.20q: the name has more than %d bytes or control characters", client.Name, maxClientName)
		}
		names[client.Name] = true
		if client.Key == "" {
			fault("client %s: the key is empty; is its environment variable set?", client.Name)
		} else if other, used := keys[client.Key]; used {
			fault("client %s: has the same key as client %s", client.Name, other)
		}
		keys[client.Key] = client.Name
		if client.Lifetime < 0 {
			fault("client %s: lifetime %s is negative", client.Name, client.Lifetime)
		}
		if client.EmailLink != "" {
			if err := ValidateEmailLink(client.EmailLink); err != nil {
				fault("client %s: %w", client.Name, err)
			}
		}
		for _, uri := range client.RedirectURIs {
			if err := ValidateRedirectURI(uri); err != nil {
				fault("client %s: redirect_uri %q: %w", client.Name, uri, err)
			}
		}
		for _, origin := range client.Origins {
			if _, err := ParseOrigin(origin); err != nil {
				fault("client %s: origin %q: %w", client.Name, origin, err)
			}
		}
	}
	return faults
}

// LinkPlaceholder is replaced by the secret in a link template.
const LinkPlaceholder = "{token}"

// ValidateEmailLink checks a template of mailed links.
func ValidateEmailLink(template string) error {
	before, after, found := strings.Cut(template, LinkPlaceholder)
	if !found || strings.Contains(after, LinkPlaceholder) {
		return fmt.Errorf("email_link: %q must contain %s once, for example https://frontend.app/auth/link/%s", template, LinkPlaceholder, LinkPlaceholder)
	}
	if strings.ContainsAny(before+after, "{}") {
		return fmt.Errorf("email_link: %q has a placeholder other than %s", template, LinkPlaceholder)
	}
	parsed, err := url.Parse(before)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" || strings.ContainsAny(template, " \\\t\r\n") {
		return fmt.Errorf("email_link: %q is not an absolute URL", template)
	}
	if parsed.Path == "" && parsed.RawQuery == "" && parsed.Fragment == "" {
		return fmt.Errorf("email_link: in %q the secret would be part of the host name", template)
	}
	return nil
}
