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
	CheckStorage(ctx context.Context, realm string) (says string, err error)
}

// StorageClock is a Storage whose servers have clocks of their own; it is found by
// type assertion.
type StorageClock interface {
	// StorageClocks returns how far the clock of each server is ahead of ours.
	// Several are told apart by their addresses. It changes nothing and ends with
	// ctx.
	StorageClocks(ctx context.Context) (map[string]time.Duration, error)
}

// MailerChecker is a Mailer that can be tried without sending a mail; it is
// found by type assertion.
type MailerChecker interface {
	// CheckMailer is to a mailer what CheckStorage is to a store.
	CheckMailer(ctx context.Context) (says string, err error)
}

// finding is the result of one check.
type finding struct {
	// what was looked at, for example "provider github".
	what string
	// says what was found, advice what to do about it.
	says, advice string
	wrong        bool
}

func wrong(says, advice string) finding { return finding{says: says, advice: advice, wrong: true} }

// failed is a finding about an error. The names of packages mean nothing to an
// operator.
func failed(err error, advice string) finding {
	says := strings.NewReplacer("authcore: ", "", "mailer: ", "", "bolt: ", "").Replace(err.Error())
	return wrong(says, advice)
}

// check looks at one thing that a realm depends on.
type check struct {
	what string
	run  func(context.Context) finding
}

// checks returns all that there is to look at.
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

// runChecks runs all checks at once and returns what was found, in their order.
func runChecks(ctx context.Context, checks []check) []finding {
	findings := make([]finding, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() {
			found := c.run(ctx)
			found.what, found.says = c.what, strings.TrimPrefix(found.says, c.what+": ")
			findings[i] = found
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
	says, err := check(ctx, r.name)
	var clocks map[string]time.Duration
	if clock, ok := r.storage.(StorageClock); ok && err == nil {
		clocks, err = clock.StorageClocks(ctx)
	}
	if err != nil {
		return failed(err, "Without its store the server does not start. Correct the option storage, or what it names.")
	}
	return aboutClocks(says, clocks, "One of the two is wrong. Have both machines set their clocks by NTP: "+
		"nodes whose clocks differ by more than a minute refuse one another's new tokens.")
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
		return finding{says: "was not tried: it cannot be without sending a mail"}
	}
	says, err := checker.CheckMailer(ctx)
	if err != nil {
		return failed(err, adviceAboutMail(err))
	}
	return finding{says: says}
}

func adviceAboutMail(err error) string {
	var failure *mailer.DeliveryError
	if !errors.As(err, &failure) {
		return "No link is delivered until this works. Correct the option mailer."
	}
	switch failure.Stage {
	case "connect":
		return "Compare host and port of the mailer's URL with what your mail provider says, and see that no firewall is in between."
	case "tls":
		return "The URL's parameter tls has to fit the port: starttls for 587, implicit for 465. The certificate has to be for the host in the URL."
	case "auth":
		return "Compare user and password in the mailer's URL with what your mail provider says; special characters are percent-encoded."
	case "http":
		return "See that the mailer's URL is right and can be reached from this machine."
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
		return wrong("posts its responses, and no address for them is configured",
			"Add to the realm: api_url https://<your site>/v1/auth")
	}
	checker, ok := p.(authcore.Checker)
	if !ok {
		return finding{says: "was not tried: it cannot be without a login"}
	}
	skew, err := checker.Check(ctx)
	if err != nil {
		return failed(err, adviceAboutProvider(err))
	}
	return aboutClocks("answers as it should", map[string]time.Duration{"": skew},
		"Logins with ID tokens fail when clocks differ by more than a minute. Have this machine set its clock by NTP.")
}

func adviceAboutProvider(err error) string {
	switch {
	case errors.Is(err, authcore.ErrProviderTimeout):
		return "It does not answer from this machine. Look at DNS, firewall and proxy."
	case errors.Is(err, provider.ErrClient):
		return "Compare client_id and client_secret, or the key that replaces it, with the values that the provider shows for your application."
	default:
		return "Compare issuer, base_url and the endpoints, where you set some, with the provider's documentation. If they are right, it may be down."
	}
}

// aboutClocks adds how far the clock of a provider, or the clocks of several
// servers by their names, are ahead of ours. One that differs too much is wrong,
// and the advice says what to do.
func aboutClocks(says string, clocks map[string]time.Duration, advice string) finding {
	found := finding{}
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
			says += fmt.Sprintf("; %s is %s %s that of this machine", whose, skew.Abs(), where)
		}
		if skew.Abs() > skewTooLarge {
			found = wrong("", advice)
		}
	}
	found.says = says
	return found
}

// registration is a redirect URI that has to be registered at a provider.
type registration struct{ provider, uri, client string }

// registrations returns all redirect URIs of the realm. Where a provider cannot
// say how it answers, it is taken to need no bridge.
func (r *Realm) registrations(ctx context.Context) []registration {
	var list []registration
	for _, p := range r.config.Providers {
		name := p.Name()
		endpoint, err := p.Endpoint(ctx)
		if bridge := corelogin.CallbackURI(r.config.APIURL, name); err == nil && endpoint.ResponseMode == "form_post" && bridge != "" {
			list = append(list, registration{name, bridge, ""})
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
