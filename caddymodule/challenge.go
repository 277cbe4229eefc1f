package caddymodule

import (
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/provider"
)

// Challenge is a captcha that requests for mailed links have to solve. Its service
// implements the siteverify protocol, as Cloudflare Turnstile, hCaptcha and Google
// reCAPTCHA do. Strings can contain placeholders.
type Challenge struct {
	// The address of the service that verifies responses. Required.
	VerifyURL string `json:"verify_url,omitempty" option:"-"`
	// The secret of this site at the service. Required.
	Secret string `json:"secret,omitempty" option:"-"`
	// The public key of this site at the service. Required for `login_page`.
	SiteKey string `json:"site_key,omitempty"`
	// The address of the script of the service. Required for `login_page`.
	Script string `json:"script,omitempty"`
	// The class of the element that the script replaces: `cf-turnstile`, `h-captcha` or
	// `g-recaptcha`. Default: `cf-turnstile`.
	Widget string `json:"widget,omitempty"`
	// Further origins that the script uses, for the Content-Security-Policy of the pages.
	Origins []string `json:"origins,omitempty" option:"origin"`
	// The host names of pages on which the captcha may have been solved. Default: those of
	// the origins of all clients and login pages, and that of `email_link`.
	Hostnames []string `json:"hostnames,omitempty" option:"hostname"`
	// The action that the widget must have sent. Login pages send it. Default: any.
	Action string `json:"action,omitempty"`
}

// parseChallenge reads the captcha. Syntax:
//
//	challenge <verify URL> <secret> {
//		site_key <key>
//		script   <url>
//		widget   cf-turnstile|h-captcha|g-recaptcha
//		origin   <origin…>
//		hostname <name…>
//		action   <name>
//	}
//
// origin and hostname may be repeated.
func (r *Realm) parseChallenge(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	if len(arguments) != 2 {
		return b.Errf("challenge: expected the address that verifies responses and a secret, got %d arguments", len(arguments))
	}
	r.Challenge = &Challenge{VerifyURL: arguments[0], Secret: arguments[1]}
	return newBlock(b.Dispenser).options(nil, r.Challenge)
}

// resolve returns the configuration of the core.
func (c *Challenge) resolve() (*captcha.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // no captcha is required
	}
	resolved := *c
	if err := newResolver("challenge").fields(&resolved); err != nil {
		return nil, err
	}
	return &captcha.Config{
		VerifyURL: resolved.VerifyURL, Secret: resolved.Secret, Hostnames: resolved.Hostnames, Action: resolved.Action,
		Widget: captcha.Widget{
			SiteKey: resolved.SiteKey, Script: resolved.Script, Class: resolved.Widget, Origins: resolved.Origins,
		},
		// The operator names the service, which may be in a private network.
		Transport: tracedTransport{provider.SafeTransport(true), "captcha"},
	}, nil
}
