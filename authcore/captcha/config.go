package captcha

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// DefaultWidget is the class of the widget of Turnstile.
const DefaultWidget = "cf-turnstile"

// defaultTimeout limits a call of the service.
const defaultTimeout = 5 * time.Second

// Config configures a Verifier and the widget on login pages.
type Config struct {
	// VerifyURL is the address of the service, and Secret authenticates this site to it.
	// Both are required.
	VerifyURL string
	Secret    string
	// Hostnames are the sites whose widgets are accepted. Default: those of the realm.
	Hostnames []string
	// Action is the name that the widget has to have sent; optional.
	Action string
	// Widget configures the login pages; optional.
	Widget Widget
	// Transport sends the requests; required.
	Transport http.RoundTripper
	// Timeout limits a call. Default: 5 seconds.
	Timeout time.Duration
}

// Widget describes the widget on login pages.
type Widget struct {
	// SiteKey is the public key of the site, and Script the address of the script of the
	// service.
	SiteKey string
	Script  string
	// Class is the class of the element that the script replaces. The field of the form
	// has this name, followed by "-response". Default: DefaultWidget.
	Class string
	// Action is that of the Config.
	Action string
	// Origins are further origins that the script uses.
	Origins []string
}

// Field returns the name of the field of the form that contains the response.
func (w *Widget) Field() string { return w.Class + "-response" }

// Sources returns the origins that the Content-Security-Policy of a page has to allow.
func (w *Widget) Sources() []string {
	origin, err := originOf(w.Script)
	if err != nil {
		return w.Origins
	}
	return append([]string{origin}, w.Origins...)
}

// validClass matches a CSS class that needs no escaping.
var validClass = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)

// SetDefaults sets the defaults that do not depend on the realm.
func (c *Config) SetDefaults() {
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Widget.Class = cmp.Or(c.Widget.Class, DefaultWidget)
	c.Widget.Action = c.Action
}

// Validate returns all faults, joined. Each contains the option and the remedy.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("challenge: "+format, args...))
	}
	if err := checkURL(c.VerifyURL); err != nil {
		fault("the verify URL %w", err)
	}
	if strings.TrimSpace(c.Secret) == "" {
		fault("the secret is empty; check that its environment variable is set")
	}
	for _, name := range c.Hostnames {
		if name == "" || strings.ContainsAny(name, "/:@ ") {
			fault("hostname: %q is not a host name; use a name without scheme and port, such as app.example.com", name)
		}
	}
	w := &c.Widget
	if (w.SiteKey == "") != (w.Script == "") {
		fault("site_key and script belong together; add the missing one, or remove the other")
	}
	if w.Script != "" {
		if err := checkURL(w.Script); err != nil {
			fault("script: the URL %w", err)
		}
	}
	for _, origin := range w.Origins {
		if got, err := originOf(origin); err != nil || got != origin {
			fault("origins: %q is not an origin; use one such as https://newassets.hcaptcha.com", origin)
		}
	}
	if !validClass.MatchString(w.Class) {
		fault("widget: %q is not the class of a widget; use cf-turnstile, h-captcha or g-recaptcha", w.Class)
	}
	return errors.Join(faults...)
}

// checkURL accepts https, and http on this machine: the requests carry the secret. The
// error does not repeat the URL, which may contain a secret by mistake.
func checkURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || parsed.User != nil || parsed.Fragment != "":
		return errors.New("is not valid; use an address such as https://challenges.cloudflare.com/turnstile/v0/siteverify")
	case parsed.Scheme == "https" || parsed.Scheme == "http" && authcore.IsLoopback(parsed.Hostname()):
		return nil
	default:
		return errors.New("must begin with https://")
	}
}

// originOf returns the origin of a URL.
func originOf(text string) (string, error) {
	if err := checkURL(text); err != nil {
		return "", err
	}
	parsed, err := url.Parse(text)
	if err != nil || strings.ContainsAny(parsed.Host, "'\";, *") {
		return "", errors.New("is not valid")
	}
	return parsed.Scheme + "://" + parsed.Host, nil
}
