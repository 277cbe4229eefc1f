package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	corelogin "github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/provider"
	"github.com/edgeauth/edgeauth/mailer"
)

// checkTimeout bounds the whole command. All checks run concurrently and share the time
// with the requests for redirect URIs.
const checkTimeout = 15 * time.Second

// Clock skew thresholds. skewReported exceeds the measurement error, which is half of
// the response time. With skewTooLarge, ID tokens and tokens of other nodes fail.
const (
	skewReported = 5 * time.Second
	skewTooLarge = time.Minute
)

// StorageChecker is a Storage that can be checked next to a running server without
// being opened; it is found by type assertion. Others are opened and read from.
type StorageChecker interface {
	// CheckStorage changes nothing. It returns a description of the state, or an error
	// without secrets. It ends with ctx.
	CheckStorage(ctx context.Context, realm string) (state string, err error)
}

// StorageClock is a Storage whose servers have clocks of their own; it is found by
// type assertion.
type StorageClock interface {
	// StorageClocks returns how far the clock of each server is ahead of ours.
	// The names of several servers are their addresses. It changes nothing and ends
	// with ctx.
	StorageClocks(ctx context.Context) (map[string]time.Duration, error)
}

// MailerChecker is a Mailer that can be tried without sending a mail; it is
// found by type assertion.
type MailerChecker interface {
	// CheckMailer changes nothing. It returns a description of the state, or an error
	// without secrets. It ends with ctx.
	CheckMailer(ctx context.Context) (state string, err error)
}

// finding is the result of one check.
type finding struct {
	// what names the part that was checked, for example "provider github".
	what string
	// found describes the result, advice the remedy.
	found, advice string
	wrong         bool
}

func wrong(found, advice string) finding {
	return finding{found: found, advice: advice, wrong: true}
}

func failed(err error, advice string) finding { return wrong(err.Error(), advice) }

// check tests one part that a realm depends on.
type check struct {
	what string
	run  func(context.Context) finding
}

// checks returns the checks of the realm.
func (r *Realm) checks() []check {
	list := []check{
		{"storage " + moduleName(r.storage), r.checkStorage},
		{"mailer " + moduleName(r.mailer), r.checkMailer},
	}
	for _, p := range r.config.Providers {
		list = append(list, check{"provider " + p.Name(), func(ctx context.Context) finding {
			return r.checkProvider(ctx, p)
		}})
	}
	return list
}

// runChecks runs all checks concurrently and returns their findings in order.
func runChecks(ctx context.Context, checks []check) []finding {
	findings := make([]finding, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() {
			result := c.run(ctx)
			result.what, result.found = c.what, strings.TrimPrefix(result.found, c.what+": ")
			findings[i] = result
		})
	}
	running.Wait()
	return findings
}

func (r *Realm) checkStorage(ctx context.Context) finding {
	check := r.openAndRead
	if checker, ok := r.storage.(StorageChecker); ok {
		check = checker.CheckStorage
	}
	state, err := check(ctx, r.name)
	var clocks map[string]time.Duration
	if clock, ok := r.storage.(StorageClock); ok && err == nil {
		clocks, err = clock.StorageClocks(ctx)
	}
	if err != nil {
		return failed(err, "The server does not start without its store. Correct the option storage, or start the store.")
	}
	return aboutClocks(state, clocks, "One of the clocks is wrong. Synchronize both machines by NTP: "+
		"nodes whose clocks differ by more than a minute refuse each other's new tokens.")
}

// openAndRead tries a store that has no check of its own.
func (r *Realm) openAndRead(ctx context.Context, realm string) (string, error) {
	store, release, err := r.storage.OpenStorage(ctx, realm)
	if err != nil {
		return "", err
	}
	_, _, err = store.RevocationsSince(ctx, "")
	return "opens and can be read", errors.Join(err, release())
}

func (r *Realm) checkMailer(ctx context.Context) finding {
	checker, ok := r.mailer.(MailerChecker)
	if !ok {
		return finding{found: "not tested, because that would send a mail"}
	}
	state, err := checker.CheckMailer(ctx)
	if err != nil {
		return failed(err, adviceAboutMail(err))
	}
	return finding{found: state}
}

func adviceAboutMail(err error) string {
	var failure *mailer.DeliveryError
	if !errors.As(err, &failure) {
		return "No link is delivered until this works. Correct the option mailer."
	}
	switch failure.Stage {
	case "connect":
		return "Compare host and port of the mailer's URL with the values of your mail provider, and check for a firewall in between."
	case "tls":
		return "The URL's parameter tls must match the port: starttls for 587, implicit for 465. The certificate must be valid for the host in the URL."
	case "auth":
		return "Compare user and password in the mailer's URL with the values of your mail provider; special characters are percent-encoded."
	case "http":
		return "Check the mailer's URL, and that this machine can reach it."
	default:
		return "Ask the operator of the mail server."
	}
}

func (r *Realm) checkProvider(ctx context.Context, p authcore.Provider) finding {
	endpoint, err := p.Endpoint(ctx)
	if err != nil {
		return failed(err, adviceAboutProvider(err))
	}
	if endpoint.ResponseMode == "form_post" && corelogin.CallbackURI(r.config.APIURL, p.Name()) == "" {
		return wrong("uses form_post, and the realm has no api_url for the callback",
			"Add to the realm: api_url https://<your site>/v1/auth")
	}
	checker, ok := p.(authcore.Checker)
	if !ok {
		return finding{found: "not tested, because that needs a login"}
	}
	skew, err := checker.Check(ctx)
	if err != nil {
		return failed(err, adviceAboutProvider(err))
	}
	return aboutClocks("responds as expected", map[string]time.Duration{"": skew},
		"Logins with ID tokens fail when clocks differ by more than a minute. Synchronize the clock of this machine by NTP.")
}

func adviceAboutProvider(err error) string {
	switch {
	case errors.Is(err, authcore.ErrProviderTimeout):
		return "This machine gets no response. Check DNS, firewall and proxy."
	case errors.Is(err, provider.ErrClient):
		return "Compare client_id and client_secret, or the key that replaces it, with the values that the provider shows for your application."
	default:
		return "Compare issuer, base_url and the endpoints, where you set some, with the provider's documentation. If they are right, it may be down."
	}
}

// aboutClocks adds the skew of the clock of a provider, or of several servers by
// their names, to a description. A skew above skewTooLarge is wrong and gets the
// advice.
func aboutClocks(state string, clocks map[string]time.Duration, advice string) finding {
	var result finding
	for _, name := range slices.Sorted(maps.Keys(clocks)) {
		skew := clocks[name].Round(time.Second)
		whose, where := "its clock", "ahead of"
		if len(clocks) > 1 {
			whose = "the clock of " + name
		}
		if skew < 0 {
			where = "behind"
		}
		if skew.Abs() >= skewReported {
			state += fmt.Sprintf("; %s is %s %s that of this machine", whose, skew.Abs(), where)
		}
		if skew.Abs() > skewTooLarge {
			result = wrong("", advice)
		}
	}
	result.found = state
	return result
}

// registration is a redirect URI that has to be registered at a provider.
type registration struct{ provider, uri, client string }

// registrations returns all redirect URIs of the realm. A provider whose endpoint is
// unknown is assumed to need no form_post callback.
func (r *Realm) registrations(ctx context.Context) []registration {
	var list []registration
	for _, p := range r.config.Providers {
		name := p.Name()
		endpoint, err := p.Endpoint(ctx)
		if callback := corelogin.CallbackURI(r.config.APIURL, name); err == nil && endpoint.ResponseMode == "form_post" && callback != "" {
			list = append(list, registration{name, callback, ""})
			continue
		}
		for _, client := range r.config.Clients {
			if len(client.Providers) > 0 && !slices.Contains(client.Providers, name) {
				continue
			}
			for _, uri := range client.RedirectURIs {
				if uri != authcore.RedirectPostMessage { // not a URI to register
					list = append(list, registration{name, uri, client.Name})
				}
			}
		}
	}
	return list
}

// moduleName is the last part of a module's id.
func moduleName(module any) string {
	named, ok := module.(caddy.Module)
	if !ok {
		return fmt.Sprintf("%T", module)
	}
	return strings.TrimSpace(named.CaddyModule().ID.Name())
}
