package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
	corelogin "github.com/edgeauth/edgeauth/authcore/login"
)

func init() {
	caddy.RegisterModule(new(TokenAuth))
}

// TokenAuth is a handler that forwards a request only with a valid token of a realm:
// `Authorization: Token <token>`. Otherwise it answers 401 or 403. `keys` also accepts API
// keys.
//
// A forwarded request carries the user in the headers X-Auth-User-Id and X-Auth-Email
// (if verified), and optionally X-Auth-Name, X-Auth-Method, X-Auth-Email-Verified,
// X-Auth-Client, X-Auth-Roles and X-Auth-Session-Id. They are percent-encoded, and absent without a
// value. Headers and trailers of the client with these names, or with a spelling that
// an upstream may take for one of them, are deleted first. The
// placeholders `{http.auth.user.id}`, `email`, `email_domain`, `email_verified`,
// `name`, `method`, `client`, `roles`, `session`, `issued_at`, `expires_at` and
// `auth_time` are always set, to "" for anonymous requests.
//
// CORS preflights carry no token: those from the origins of the realm's clients are
// answered, others are forwarded without identity. No other OPTIONS request is exempt.
//
// `public` lists paths that need no token. Prefer it to a matcher in front of the
// directive: requests that a matcher excludes bypass the handler, so that forged
// identity headers reach the upstream.
type TokenAuth struct {
	// The name of the realm. Default: the default realm.
	Realm string `json:"realm,omitempty"`
	// Forward requests without a token as anonymous ones. A token that is not valid is
	// still refused. Excludes `require`. Default: false.
	Optional bool `json:"optional,omitempty"`
	// Paths that need no token: a whole path such as `/health`, or a prefix such
	// as `/static/*`. A valid token is used there too; a token that is not valid is
	// ignored. Only plainly written paths match, letter by letter: a path that an
	// upstream might read in another way (`..`, `//`, `;`, encoded slashes and dots)
	// needs a token. Default: none.
	Public []string `json:"public,omitempty"`
	// Requirements that the user must meet, all of them; otherwise 403.
	Require []Requirement `json:"require,omitempty"`
	// The age of the login at most. Default: no limit.
	MaxAge caddy.Duration `json:"max_age,omitempty"`
	// The identity headers to set, or one word: `all` or `off`. `NAME=field` sets a header
	// under a name that existing software reads. All of them are deleted from the client's
	// request in any case. Default: X-Auth-User-Id and X-Auth-Email.
	Headers []string `json:"headers,omitempty"`
	// Add a short-lived signed token about the user for the upstream, as
	// X-Auth-Assertion. Default: none.
	Assertion *Assertion `json:"assertion,omitempty"`
	CredentialOptions
	// Leave the Authorization header in the request. Default: false, the
	// client's token stays at the edge.
	ForwardToken bool `json:"forward_token,omitempty"`
	// The address of the login page: a path of this site such as `/auth`, or the address
	// of another site such as `https://login.example.com/auth`. Browsers are sent there,
	// and the cookie that it sets identifies users as a token does. Default: that of
	// `login_page` on the same site.
	LoginPage string `json:"login_page,omitempty"`
	// The origin of this site, with `login_page`. Forms and WebSockets of pages of other
	// origins are refused unless the origin belongs to a client. Default: that of
	// `login_page` on the same site.
	Origin string `json:"origin,omitempty"`
	// Keep HTML answers of the upstream out of the browser's caches. A logout clears these
	// caches in any case where the browser supports `Clear-Site-Data`. Default: false.
	NoStore bool `json:"no_store,omitempty"`
	// Pass a refusal to the site's error routes instead of answering. Default: false.
	HandleErrors bool `json:"handle_errors,omitempty"`

	realm *Realm
	site  gate.Site
	// roles are the requirements that users can cease to meet while a stream lasts.
	roles []gate.Requirement
	// audience is that of assertions.
	audience string
}

// Requirement is a condition on a user.
type Requirement struct {
	// `id`, `email`, `email_domain`, `email_verified`, `method`, `client` or
	// `name`.
	Field string `json:"field"`
	// The accepted values, one of which the field must have.
	Values []string `json:"values"`
}

// Assertion describes the token for the upstream.
type Assertion struct {
	// The "aud" of the token. Default: the audience of the realm.
	Audience string `json:"audience,omitempty"`
	// The lifetime of the token. Default: 1 minute.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*TokenAuth) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.token_auth", New: func() caddy.Module { return new(TokenAuth) }}
}

// Provision finds the realm and checks the requirements.
func (t *TokenAuth) Provision(ctx caddy.Context) (err error) {
	if t.realm, err = findRealm(ctx, t.Realm); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	t.site = gate.Site{
		Policy:       gate.Policy{Optional: t.Optional, MaxAge: time.Duration(t.MaxAge)},
		ForwardToken: t.ForwardToken,
	}
	resolve := newResolver("token_auth")
	if t.site.Public, err = resolve.list("public", t.Public); err != nil {
		return err
	}
	if err := t.site.Public.Validate(); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	for _, r := range t.Require {
		values, err := resolve.list("require "+r.Field, r.Values)
		if err != nil {
			return err
		}
		requirement := gate.Requirement{Field: r.Field, Values: values}
		t.site.Policy.Require = append(t.site.Policy.Require, requirement)
		if r.Field == "role" {
			t.roles = append(t.roles, requirement)
		}
	}
	required := t.realm.config.Require()
	if t.Optional && len(required) > 0 {
		return errors.New("token_auth: optional: the realm has `passkeys required`; use public for the paths that need no login")
	}
	t.site.Policy.Require = append(t.site.Policy.Require, required...)
	if err := t.provisionCredentials(); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	if err := t.checkNames(); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	if err := t.provisionBrowser(resolve); err != nil {
		return err
	}
	if t.site.Headers, t.site.Managed, err = gate.ChosenHeaders(t.Headers); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	return t.provisionAssertion(resolve)
}

// provisionCredentials sets what is accepted in Authorization, and checks it with the
// policy.
func (t *TokenAuth) provisionCredentials() (err error) {
	if t.site.Credentials, err = t.accepted(t.realm); err != nil {
		return err
	}
	return t.site.Validate()
}

// provisionBrowser sets the login page if the options name one.
func (t *TokenAuth) provisionBrowser(resolve resolver) error {
	if t.LoginPage == "" && t.Origin == "" {
		return nil
	}
	login, err := resolve.text("login_page", t.LoginPage)
	if err != nil {
		return err
	}
	origin, err := resolve.text("origin", t.Origin)
	if err != nil {
		return err
	}
	if t.site.Browser, err = gate.NewBrowser(gate.BrowserConfig{Login: login, Origin: origin}); err != nil {
		return fmt.Errorf("token_auth: %w", err)
	}
	return nil
}

// checkNames refuses requirements that no user can meet, because the realm has no
// client or login method of that name.
func (t *TokenAuth) checkNames() error {
	known := map[string][]string{"method": {corelogin.MethodLink, corelogin.MethodCode}}
	if t.site.Credentials.Keys != gate.KeysOff {
		known["method"] = append(known["method"], gate.MethodKey)
	}
	for i := range t.realm.config.Clients {
		known["client"] = append(known["client"], t.realm.config.Clients[i].Name)
	}
	for _, provider := range t.realm.config.Providers {
		known["method"] = append(known["method"], provider.Name())
	}
	for _, requirement := range t.site.Policy.Require {
		names := known[requirement.Field]
		for _, value := range requirement.Values {
			if names != nil && !slices.Contains(names, value) {
				return fmt.Errorf("require %s: %q is not one of %s", requirement.Field, value, strings.Join(names, ", "))
			}
		}
	}
	return nil
}

// ServeHTTP checks a request.
func (t *TokenAuth) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	identity := identityOf(r)
	if identity.showsLink(t.realm, r) {
		return t.realm.serveLinkPage(w, r, func() error { return t.serve(w, r, identity, next) })
	}
	return t.serve(w, r, identity, next)
}

// serve applies gate.Site to a request.
func (t *TokenAuth) serve(w http.ResponseWriter, r *http.Request, identity *requestIdentity, next caddyhttp.Handler) error {
	cleanRequest(&t.site, r)
	identity.forget()
	identity.restore(r)
	site := &t.site
	if page := identity.loginPage; site.Browser == nil && page != nil && page.realm == t.realm {
		behindPage := t.site
		behindPage.Browser = page.browser
		site = &behindPage
	}
	path := ""
	live, err := t.realm.serving(r.Context())
	if err != nil {
		identity.decision = unavailable(site, r, err)
	} else {
		asked := request(site, live, r, identity.written)
		path, identity.decision = asked.Path, live.Decide(site, asked)
	}
	decision := &identity.decision
	t.realm.gate.count(decision.Reason)
	t.realm.traceGate(r.Context(), decision.Reason)
	if decision.Status != 0 {
		return t.refuse(w, r, site, decision)
	}
	identity.token, identity.cookies = r.Header["Authorization"], r.Header["Cookie"]
	site.Forward(decision, gate.Header(r.Header))
	if err := t.assert(live, r, decision.Claims); err != nil {
		refusal := unavailable(site, r, err)
		refusal.Origin = decision.Origin
		return t.refuse(w, r, site, &refusal)
	}
	watched := &identity.stream
	if watched.auth != nil { // that of an outer gate
		watched = new(stream)
	}
	watched.begin(t, w, site.Browser, path, identity)
	if decision.Claims != nil {
		t.realm.streams.add(watched)
		defer t.realm.streams.remove(watched)
	}
	if decision.Claims != nil || decision.Completes() || t.NoStore {
		w = &watched.writer
	}
	err = next.ServeHTTP(w, r)
	if err != nil { // error routes write to the original writer
		decision.Complete(gate.Header(w.Header()))
	}
	return err
}

// request returns the input of the decision. written is the request target that the client
// wrote.
func request(site *gate.Site, live *liveRealm, r *http.Request, written string) gate.Request {
	request := gate.Request{Method: r.Method, Header: gate.Header(r.Header), HasBody: r.ContentLength != 0, Now: live.Now()}
	if len(site.Public) > 0 || site.Browser != nil { // nothing else depends on it
		request.Path, request.Query = r.URL.EscapedPath(), r.URL.RawQuery
	}
	if site.Browser != nil && written != r.RequestURI {
		request.Target = written // before handle_path or rewrite
	}
	return request
}

// unavailable returns the decision about a request while the realm cannot judge it.
func unavailable(site *gate.Site, r *http.Request, err error) gate.Decision {
	return site.Unavailable(gate.Request{Method: r.Method, Header: gate.Header(r.Header)}, err)
}

// refuse ends a request, or passes it to the site's error routes. Those must not
// answer preflights, and do not replace redirects.
func (t *TokenAuth) refuse(w http.ResponseWriter, r *http.Request, site *gate.Site, decision *gate.Decision) error {
	endUnread(w, r)
	if t.HandleErrors && decision.Status >= http.StatusBadRequest {
		if !t.ForwardToken {
			delete(r.Header, "Authorization")
		}
		site.StripCookies(gate.Header(r.Header))
		decision.Demand(gate.Header(w.Header()))
		return caddyhttp.Error(decision.Status, decision.Err)
	}
	writeDecision(w, decision)
	return nil
}

// endUnread closes the connection after the answer to a request that expects
// 100-continue (RFC 9110, section 10.1.1). Otherwise, if another handler wrapped the
// body, net/http waits for a body that the client does not send before it sends the
// answer.
func endUnread(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.Header.Get("Expect") != "" {
		w.Header().Set("Connection", "close")
	}
}

// cleanRequest removes forged identity from a client's request (CWE-290, CWE-348).
func cleanRequest(site *gate.Site, r *http.Request) {
	site.Clean(gate.Header(r.Header))
	if r.Trailer == nil {
		return
	}
	body := site.CleanTrailer(r.Body, gate.Header(r.Trailer))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = body
	}
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*TokenAuth)(nil)
	_ caddyhttp.MiddlewareHandler = (*TokenAuth)(nil)
)
